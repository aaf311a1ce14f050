"""Dot products: a tree of adders with a register after each, a block for each number of lanes.

Three products and their sum are made in one cycle, which three multiplier cells do that hand their
sums on; then two sums in each.  MyHDL keeps a loop a loop and a list of signals a memory, which
simulators pay for dearly in the innermost part of the design.  So the blocks are written out here,
sum by sum, from one template.
"""
import functools
import linecache
from collections.abc import Callable
from typing import NamedTuple

from myhdl import SignalType, always, block

from hdl.blocks.signals import Instances, sint
from hdl.plan.folding import IN_A_SUM
from hdl.plan.rom import signed_width

_TEMPLATE = '''
@block
def dot_{n}(clk, enable, x, weight, total):
    """total = sum of x_i * weight_i, {cycles} later, in each of which ``enable`` is high."""
    {x}, = x
    {weight}, = weight
{partial}
    @always(clk.posedge)
    def add():
        if enable:
            {sums}

    return add
'''
_PARTIAL = """    {names}, = partial_sums({counts}, x, weight, total)
"""


def dot_bits(count: int, x: SignalType, weight: SignalType) -> int:
    """Bits of the narrowest signed integer for any sum of so many products of x and weight: a
    register with more would copy its sign, which multiplier cells that take it in get wrong."""
    corners = [a * b for a in (x.min, x.max - 1) for b in (weight.min, weight.max - 1)]
    return signed_width(count * min(corners), count * max(corners))


def partial_sums(counts: tuple[int, ...], x: list[SignalType], weight: list[SignalType],
                 total: SignalType) -> list[SignalType]:
    """A signal for the sum of each of so many products; none is wider than ``total``, which holds
    the sum of any of them."""
    return [sint(min(dot_bits(count, x[0], weight[0]), len(total))) for count in counts]


class _Sum(NamedTuple):
    """A register of the tree."""

    name: str
    value: str      # what it adds
    products: int   # in it


def _levels(lanes: int) -> list[list[_Sum]]:
    """The registers of the tree, cycle by cycle, the total last."""
    terms = [_Sum(f"x_{i} * weight_{i}", "", 1) for i in range(lanes)]
    levels: list[list[_Sum]] = []
    while not levels or len(terms) > 1:
        fewer = 2 if levels else IN_A_SUM
        groups = [terms[i:i + fewer] for i in range(0, len(terms), fewer)]
        most = IN_A_SUM << len(levels)
        terms = [_Sum(f"sum_{most}_{i}" if len(groups) > 1 else "total",
                      " + ".join(term.name for term in group), sum(term.products for term in group))
                 for i, group in enumerate(groups)]
        levels.append(terms)
    return levels


@functools.cache
def dot(lanes: int) -> Callable[..., Instances]:
    """The block for so many lanes; its source is kept where MyHDL looks for it."""
    levels = _levels(lanes)
    inner = [each for level in levels[:-1] for each in level]
    partial = _PARTIAL.format(names=", ".join(each.name for each in inner),
                              counts=tuple(each.products for each in inner)) if inner else ""
    # The last sums first: simulators need no copy of what is read before it is written.
    sums = [f"{each.name}.next = {each.value}" for level in reversed(levels) for each in level]
    each = range(lanes)
    source = _TEMPLATE.format(
        n=lanes, cycles=f"{len(levels)} cycle{'s' * (len(levels) > 1)}",
        x=", ".join(f"x_{i}" for i in each), weight=", ".join(f"weight_{i}" for i in each),
        partial=partial, sums="\n            ".join(sums))
    name = f"<dot of {lanes}>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    names = {"always": always, "block": block, "partial_sums": partial_sums}
    exec(compile(source, name, "exec"), names)
    return names[f"dot_{lanes}"]
