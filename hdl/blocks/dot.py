"""Dot products of up to nine lanes, a block for each number of them.

MyHDL keeps a loop a loop and a list of signals a memory, which simulators pay for dearly in the
innermost part of the design.  So the blocks are written out here, lane by lane, from one template.
"""
import linecache
from collections.abc import Callable

from myhdl import SignalType, always, block, intbv

from hdl.blocks.signals import WIDE, Instances
from hdl.plan.rom import signed_width

MOST = 9    # lanes: products that are added in one cycle

_TEMPLATE = '''
@block
def dot_{n}(clk, enable, x, weight, total):
    """total = sum of x_i * weight_i, a cycle later, when enable."""
    {x}, = x
    {weight}, = weight

    @always(clk.posedge)
    def add():
        if enable:
            wide = intbv(0, min=-WIDE, max=WIDE)
            wide[:] = {products}
            total.next = wide

    return add
'''


def _written_out(lanes: int) -> Callable[..., Instances]:
    """The block for so many lanes; its source is kept where MyHDL looks for it."""
    each = range(lanes)
    source = _TEMPLATE.format(
        n=lanes, x=", ".join(f"x_{i}" for i in each),
        weight=", ".join(f"weight_{i}" for i in each),
        products=" + ".join(f"x_{i} * weight_{i}" for i in each))
    name = f"<dot of {lanes}>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    names = {"always": always, "block": block, "intbv": intbv, "WIDE": WIDE}
    exec(compile(source, name, "exec"), names)
    return names[f"dot_{lanes}"]


def dot_bits(lanes: int, x: SignalType, weight: SignalType) -> int:
    """Bits of the narrowest signed integer for any sum of so many products of x and weight: a
    register with more would copy its sign, which multiplier cells that take it in get wrong."""
    corners = [a * b for a in (x.min, x.max - 1) for b in (weight.min, weight.max - 1)]
    return signed_width(lanes * min(corners), lanes * max(corners))


DOT: dict[int, Callable[..., Instances]] = {
    lanes: _written_out(lanes) for lanes in range(1, MOST + 1)}
