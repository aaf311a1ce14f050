"""The origin's list of 52 layers, from the layer table, and its totals."""
from dataclasses import dataclass

from hdl.layers import layer_table

ORIGIN_BITS = 16     # of a weight


@dataclass(frozen=True)
class OriginLine:
    """One line of the origin's list: a convolution's weight uses for one 7x7 point."""

    unit: str
    layer: str               # in the origin's words
    points: str              # of this layer behind one point of the last
    weights_per_point: str
    product: int


def origin_lines() -> tuple[OriginLine, ...]:
    """The origin's 52 lines, from the layer table at alpha 1.0 and 224 pixels."""
    table = layer_table(1.0, 224)
    lines = []
    for unit in table:
        if not unit.facts.convolves:
            continue
        points = unit.size_out // table[-1].size_out
        layer = {"stem": "Conv2d", "depthwise": "DW", "expand": "exp", "project": "1x1",
                 "head": "Expand"}[unit.role] + (" s2" if unit.stride == 2 else "")
        channels = unit.channels_in if unit.facts.shared else 1
        factors = [factor for factor in (unit.kernel ** 2, channels, unit.channels_out)
                   if factor > 1]
        lines.append(OriginLine(unit.name, layer, f"{points}x{points}",
                                "x".join(map(str, factors)), points ** 2 * unit.weights))
    return tuple(lines)


def origin_totals() -> tuple[int, int, int]:
    """The origin's totals: (full rate, quarter rate, quarter rate with the 7x7 layers folded too).

    At the quarter rate the layers of 14x14 points and more are done in four steps, those of 7x7
    points keep all their multipliers and idle three steps of four.
    """
    lines = origin_lines()
    full = sum(line.product for line in lines)
    last = sum(line.product for line in lines if line.points == "1x1")
    return full, (full - last) // 4 + last, full // 4
