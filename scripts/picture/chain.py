"""The chain of 19 stages as an SVG, from the layer table.

One row for each size of the feature map, one box for each stage: its input channels, the expanded
ones, its output channels and its stride; an arc over the stages with a residual shortcut.
"""
from collections.abc import Sequence

from hdl.layers import Unit, stages

WIDTH, MARGIN, LABEL = 880, 16, 90
BOX, GAP, HEIGHT, ROW = 94, 16, 74, 116
INK, PALE, ARC = "#1f2937", "#6b7280", "#b45309"
FILLS = {"stem": "#dbeafe", "head": "#dbeafe", "stride": "#d1fae5", "block": "#f3f4f6"}


def text(x: float, y: float, words: str, size: float = 12, colour: str = INK,
         anchor: str = "middle", weight: str = "normal") -> str:
    """A line of text."""
    return (f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{words}</text>')


def arrow(path: str, colour: str = INK) -> str:
    """A line with a head."""
    return (f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5" '
            f'marker-end="url(#head{colour[1:]})"/>')


def shortcut(left: float, right: float, y: float) -> str:
    """An arc over a box."""
    return arrow(f"M{left} {y} V{y - 6} Q{left} {y - 12} {left + 6} {y - 12} H{right - 6} "
                 f"Q{right} {y - 12} {right} {y - 6} V{y - 1}", ARC)


def legend(x: float, y: float) -> list[str]:
    """What the colours and the lines of a box mean."""
    box = f'<rect x="{x}" y="{y}" width="28" height="18" rx="4" stroke="{INK}" fill='
    return [box + f'"{FILLS["stride"]}"/>', text(x + 40, y + 13, "stride 2", anchor="start"),
            shortcut(x, x + 28, y + 46),
            text(x + 40, y + 45, "residual shortcut, added at the end", anchor="start"),
            text(x, y + 76, "in a block, top to bottom: expand 1×1, depthwise 3×3, project 1×1",
                 anchor="start")]


def describe(units: Sequence[Unit]) -> tuple[str, ...]:
    """The lines inside a stage's box."""
    first, last = units[0], units[-1]
    if len(units) == 1:
        shape = f"{first.kernel}×{first.kernel}" + (" / 2" if first.stride == 2 else "")
        return shape, f"{first.channels_in} → {first.channels_out}", "ReLU6"
    depthwise = next(unit for unit in units if unit.kind == "depthwise")
    expanded = (f"{first.channels_in} → {first.channels_out}",) if first.role == "expand" else ()
    return (*expanded, "dw 3×3" + (" / 2" if depthwise.stride == 2 else ""),
            f"{depthwise.channels_out} → {last.channels_out}")


def draw_stage(x: float, y: float, name: str, units: Sequence[Unit]) -> list[str]:
    """One box, and the arc over it if it adds a shortcut."""
    strided = any(unit.stride == 2 for unit in units)
    fill = FILLS.get(name, FILLS["stride" if strided else "block"])
    parts = [f'<rect x="{x}" y="{y}" width="{BOX}" height="{HEIGHT}" rx="6" fill="{fill}" '
             f'stroke="{INK}"/>', text(x + BOX / 2, y + 17, name, 10, weight="bold")]
    parts += [text(x + BOX / 2, y + 34 + 15 * line, words, 11.5)
              for line, words in enumerate(describe(units))]
    if units[-1].kind == "residual_add":
        parts.append(shortcut(x + 12, x + BOX - 12, y))
    return parts


def draw(table: Sequence[Unit]) -> str:
    """The whole picture as the text of an SVG file."""
    rows: dict[int, list[tuple[str, tuple[Unit, ...]]]] = {}
    for name, units in stages(table).items():
        rows.setdefault(units[-1].size_out, []).append((name, units))
    height = MARGIN + 44 + ROW * (len(rows) - 1) + HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
        "<title>MobileNetV2 as a chain of 19 hardware stages</title>",
        "<defs>" + "".join(
            f'<marker id="head{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
            for colour in (INK, ARC)) + "</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    first, last = table[0], table[-1]
    begin = MARGIN + LABEL
    middle = begin + BOX / 2
    parts.append(text(begin, MARGIN + 12, f"pixels, {first.size_in} × {first.size_in} × 3", 12,
                      anchor="start", weight="bold"))
    parts += legend(WIDTH - 466, MARGIN + 28)
    y = MARGIN + 44
    parts.append(arrow(f"M{middle} {MARGIN + 18} V{y - 2}"))
    for size, row in rows.items():
        parts.append(text(MARGIN, y + HEIGHT / 2, f"{size} × {size}", 14, anchor="start",
                          weight="bold"))
        parts.append(text(MARGIN, y + HEIGHT / 2 + 16, "pixels", 11.5, PALE, "start"))
        for place, (name, units) in enumerate(row):
            x = begin + place * (BOX + GAP)
            parts += draw_stage(x, y, name, units)
            if place:
                parts.append(arrow(f"M{x - GAP} {y + HEIGHT / 2} H{x - 1}"))
        end = begin + (len(row) - 1) * (BOX + GAP) + BOX / 2
        if name == last.stage:
            right = end + BOX / 2
            parts += [arrow(f"M{right} {y + HEIGHT / 2} H{right + 24}"),
                      text(right + 30, y + HEIGHT / 2 + 4, f"features, {size} × {size} × "
                           f"{last.channels_out}", 12, anchor="start", weight="bold")]
        else:
            turn = y + HEIGHT + 13
            parts.append(arrow(f"M{end} {y + HEIGHT} V{turn} H{middle} V{y + ROW - 2}"))
        y += ROW
    return "\n".join(parts) + "\n</svg>\n"
