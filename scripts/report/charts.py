"""Charts as Vega-Lite specifications: plain data, which the page draws.

A mark that stands for a row of the table behind its chart has the row's number in ``row``; the page
keeps the chosen one in the parameter ``chosen``.  Colours are the page's, light or dark.
"""
from collections.abc import Mapping, Sequence
from typing import Any

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

KINDS = {"stem": 1, "pointwise": 2, "depthwise": 3, "residual_add": 4}
MEMORIES = {"weights": 1, "line_buffers": 2, "residual_fifos": 3, "pixel_buffers": 4}
# Names are as long as they are, on a phone no longer than leaves room for the chart.
LABELS = {"expr": "containerSize()[0] < 500 ? 190 : 250"}
RULE = {"type": "rule", "strokeWidth": 2, "color": "var(--bad)", "aria": False}
BAR = 15    # pixels of a bar and the gap below
WIDE = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}


def colours(names: Mapping[str, int]) -> Spec:
    """A scale of the page's colours: {name: number of its colour}."""
    return {"domain": list(names), "range": [f"var(--c{number})" for number in names.values()]}


def colour(field: str, names: Mapping[str, int]) -> Spec:
    """The colour of a mark by a field of words, with a legend below."""
    return {"field": field, "type": "nominal", "scale": colours(names),
            "legend": {"orient": "bottom", "title": None, "labelLimit": 300,
                       "columns": {"expr": "width < 400 ? 1 : 4"}}}


def axis(field: str, title: str, log: bool = False, form: str = "~s") -> Spec:
    """A numeric axis."""
    return {"field": field, "type": "quantitative", "title": title,
            "scale": {"type": "log"} if log else {},
            "axis": {"format": form, "tickCount": 6}}


def names(field: str, title: str | None = None) -> Spec:
    """An axis of names in the order of the data."""
    return {"field": field, "type": "nominal", "sort": None, "title": title,
            "axis": {"labelLimit": LABELS}}


def chosen(most: float = 1.0, least: float = 0.55) -> Spec:
    """Opacity: the chosen row stands out; all do as long as none is chosen."""
    return {"condition": {"test": "chosen < 0 || datum.row == chosen", "value": most},
            "value": least}


def tall(data: Rows) -> int:
    """Height of a chart with a bar for each name."""
    return BAR * len({row["name"] for row in data})


def spec(data: Rows, height: int, **more: Any) -> Spec:
    """A chart as wide as its place."""
    return {**WIDE, "height": height, "data": {"values": list(data)},
            "params": [{"name": "chosen", "value": -1}], **more}


def bars(data: Rows, field: str, title: str, by: Mapping[str, int] | None = None,
         form: str = "~s", limit: float | None = None) -> Spec:
    """A bar for each row, its name in ``name``; by colour of ``kind`` where ``by`` says which.

    limit -- where bars begin, to the left or to the right of it, on a logarithmic axis
    """
    encoding: Spec = {"y": names("name"), "x": axis(field, title, limit is not None, form),
                      "opacity": chosen()}
    if limit is not None:
        encoding["x2"] = {"datum": limit}
    encoding["color"] = colour("kind", by) if by else {"value": "var(--c1)"}
    layers: list[Spec] = [{"mark": {"type": "bar", "tooltip": {"content": "data"}},
                           "encoding": encoding}]
    if limit is not None:
        layers.append({"mark": RULE,
                       "encoding": {"x": {"datum": limit}}})
    return spec(data, tall(data), layer=layers)


def dots(data: Rows, field: str, title: str, by: Mapping[str, int]) -> Spec:
    """Dots beside each name, on a logarithmic axis: rows with ``name``, ``kind`` and a number.

    The first kind's are larger, so that others on the same place do not hide them.
    """
    large = {"test": {"field": "kind", "equal": next(iter(by))}, "value": 150}
    return spec(data, tall(data), mark={"type": "point", "filled": True,
                                        "tooltip": {"content": "data"}},
                encoding={"y": {**names("name"), "axis": {"labelLimit": LABELS, "grid": True}},
                          "x": axis(field, title, True), "opacity": chosen(),
                          "color": colour("kind", by),
                          "size": {"condition": large, "value": 45}})


def stacked(data: Rows, field: str, title: str, by: Mapping[str, int]) -> Spec:
    """Bars of parts: rows with ``name``, ``kind`` and a number."""
    return spec(data, tall(data), mark={"type": "bar", "tooltip": {"content": "data"}},
                encoding={"y": names("name"), "x": axis(field, title), "opacity": chosen(),
                          "color": colour("kind", by)})


def lines(data: Rows, x: str, y: str, titles: tuple[str, str], by: Mapping[str, int]) -> Spec:
    """Lines with a point for each row, both axes logarithmic."""
    encoding = {"x": axis(x, titles[0], True), "y": axis(y, titles[1], True),
                "color": colour("kind", by)}
    point = {"mark": {"type": "point", "filled": True, "size": 70, "tooltip": {"content": "data"}},
             "encoding": {**encoding, "opacity": chosen(1, 0.7), "size": {
                 "condition": {"test": "datum.row == chosen", "value": 220}, "value": 70}}}
    return spec(data, 320, layer=[{"mark": {"type": "line"}, "encoding": encoding}, point])


def chain(data: Rows) -> Spec:
    """Slabs side by side: as high as a map's side, as wide as its channels, both to scale."""
    return spec(data, 260, mark={"type": "rect", "tooltip": {"content": "data"}}, encoding={
        "x": {"field": "from", "type": "quantitative", "title": "channels, one unit's output after "
              "the other's", "axis": {"format": "~s", "tickCount": 6}, "scale": {"nice": False}},
        "x2": {"field": "to"},
        "y": {"field": "low", "type": "quantitative", "title": "pixels a side", "axis": {
            "labelExpr": "format(abs(datum.value * 2), '')"}},
        "y2": {"field": "high"}, "color": colour("kind", {"input": 5, **KINDS}),
        "opacity": chosen(0.9, 0.4), "stroke": {"value": "var(--ink)"},
        "strokeWidth": {"value": 0.3}})


def time_axis(title: str) -> Spec:
    """Cycles between the parameters ``from`` and ``to``."""
    return {"field": "from", "type": "quantitative", "title": title,
            "scale": {"domain": [{"expr": "from"}, {"expr": "to"}], "nice": False, "zero": False},
            "axis": {"format": ",d", "tickCount": 5, "orient": "top"}}


def over_time(layers: Sequence[Spec], height: int) -> Spec:
    """A chart of cycles whose data the page gives."""
    return {**WIDE, "height": height, "layer": list(layers), "params": [
        {"name": "from", "value": 0}, {"name": "to", "value": 1}, {"name": "rows", "value": []},
        {"name": "chosen", "value": ""}]}


def rectangles(data: str, fill: Spec, opacity: Spec) -> Spec:
    """Rectangles of named data, ``name``, ``from``, ``to``, in the rows that the parameter ``rows``
    names; the chosen one's name is bold."""
    order = {**names("name"), "scale": {"domain": {"expr": "rows"}, "paddingInner": 0.15}}
    order["axis"] = {**order["axis"], "labelFontWeight": {
        "condition": {"test": "datum.value == chosen", "value": "bold"}, "value": "normal"}}
    return {"data": {"name": data}, "mark": {"type": "rect", "clip": True,
                                             "tooltip": {"content": "data"}},
            "encoding": {"x": time_axis("cycle"), "x2": {"field": "to"}, "y": order, "fill": fill,
                         "fillOpacity": opacity}}


def gantt() -> Spec:
    """A row for each unit: where it has a frame, and over that where it works; the page gives the
    height."""
    return over_time([
        rectangles("held", {"value": "var(--waiting)"}, {"value": 1}),
        rectangles("busy", {"value": "var(--busy)"},
                   {"field": "share", "type": "quantitative", "legend": None,
                    "scale": {"domain": [0, 1], "range": [0, 1]}})], BAR)


def levels() -> Spec:
    """A row for each memory: how full it is over time; the page gives the height."""
    return over_time([rectangles("levels", heat("level"), {"value": 1})], BAR)


def heat(field: str) -> Spec:
    """Fill by a level of 0 to 8, in the page's colours."""
    return {"field": field, "type": "ordinal", "legend": None, "scale": {
        "domain": list(range(9)), "range": [f"var(--h{level})" for level in range(9)]}}


def one_fill() -> Spec:
    """Words of one memory over time, below its room."""
    area = {"data": {"name": "words"}, "mark": {
        "type": "area", "interpolate": "step-after", "clip": True, "color": "var(--busy)",
        "tooltip": {"content": "data"}}, "encoding": {"x": time_axis("cycle"), "y": {
            "field": "words", "type": "quantitative", "title": "words",
            "axis": {"format": ",d"}}}}
    room = {"data": {"name": "room"},
            "mark": RULE,
            "encoding": {"y": {"field": "words", "type": "quantitative"}}}
    return over_time([area, room], 200)


def heat_map() -> Spec:
    """Cells of a map, data from the page: ``row``, ``column``, ``level``, ``value``."""
    def side(field: str) -> Spec:
        return {"field": field, "type": "ordinal", "title": field,
                "axis": {"labelOverlap": "parity", "labelSeparation": 4, "labelAngle": 0,
                         "ticks": False}}

    return {"width": 300, "height": 300, "data": {"name": "cells"},
            "params": [{"name": "chosen", "value": -1}],
            "mark": {"type": "rect", "tooltip": {"content": "data"}},
            "encoding": {"x": side("column"), "y": side("row"), "fill": heat("level"), "stroke": {
                "condition": {"test": "datum.cell == chosen", "value": "var(--ink)"},
                "value": None}, "strokeWidth": {"value": 2}}}


def channels() -> Spec:
    """Bars by channel, data from the page: ``channel``, ``count``."""
    return {**WIDE, "height": 140, "data": {"name": "channels"},
            "params": [{"name": "chosen", "value": -1}],
            "mark": {"type": "bar", "color": "var(--bad)", "tooltip": {"content": "data"}},
            "encoding": {"x": {"field": "channel", "type": "ordinal", "title": "channel",
                               "axis": {"labelOverlap": "parity", "labelSeparation": 4,
                                        "labelAngle": 0}},
                         "y": {"field": "elements", "type": "quantitative",
                               "title": "elements that differ", "axis": {"format": "~s"}}}}
