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
def {name}(clk, enable, {lists}, total):
    """total = {what}, {cycles} later, in each of which ``enable`` is high."""
{unpack}
{partial}
    @always(clk.posedge)
    def add():
        if enable:
            {sums}

    return add
'''
_PARTIAL = """    {names}, = {widths}({counts}, {lists}, total)
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


def inner_sums(counts: tuple[int, ...], x: list[SignalType],
               total: SignalType) -> list[SignalType]:
    """The same for sums of so many of x."""
    return [sint(min(signed_width(count * x[0].min, count * (x[0].max - 1)), len(total)))
            for count in counts]


class _Sum(NamedTuple):
    """A register of the tree."""

    name: str
    value: str      # what it adds
    terms: int      # in it


def _levels(terms: list[_Sum], at_first: int) -> list[list[_Sum]]:
    """The registers of the tree, cycle by cycle, the total last.

    at_first -- so many terms are added in the first cycle, two in each of the others
    """
    levels: list[list[_Sum]] = []
    while not levels or len(terms) > 1:
        fewer = 2 if levels else at_first
        groups = [terms[i:i + fewer] for i in range(0, len(terms), fewer)]
        most = at_first << len(levels)
        terms = [_Sum(f"sum_{most}_{i}" if len(groups) > 1 else "total",
                      " + ".join(term.name for term in group), sum(term.terms for term in group))
                 for i, group in enumerate(groups)]
        levels.append(terms)
    return levels


@functools.cache
def dot(lanes: int, start: int = 0) -> Callable[..., Instances]:
    """The block for so many lanes, whose sum begins at ``start``."""
    levels = _levels([_Sum(f"x_{i} * weight_{i}", "", 1) for i in range(lanes)], IN_A_SUM)
    begin = f"{start} + " if start else ""
    levels[0][0] = levels[0][0]._replace(value=begin + levels[0][0].value)
    return _block(f"dot_{lanes}" + f"_from_{start}" * bool(start), begin + "sum of x_i * weight_i",
                  {"x": lanes, "weight": lanes}, levels, partial_sums)


@functools.cache
def tree(lanes: int) -> Callable[..., Instances]:
    """The block that adds so many numbers, two in each cycle."""
    levels = _levels([_Sum(f"x_{i}", "", 1) for i in range(lanes)], 2)
    return _block(f"tree_{lanes}", "sum of x_i", {"x": lanes}, levels, inner_sums)


def _block(name: str, what: str, lists: dict[str, int], levels: list[list[_Sum]],
           widths: Callable[..., list[SignalType]]) -> Callable[..., Instances]:
    """The block of a tree; its source is kept where MyHDL looks for it.

    lists  -- {name of a list of signals: how many}
    widths -- what makes the signals within the tree
    """
    inner = [each for level in levels[:-1] for each in level]
    partial = _PARTIAL.format(
        names=", ".join(each.name for each in inner), widths=widths.__name__,
        counts=tuple(each.terms for each in inner), lists=", ".join(lists)) if inner else ""
    # The last sums first: simulators need no copy of what is read before it is written.
    sums = [f"{each.name}.next = {each.value}" for level in reversed(levels) for each in level]
    source = _TEMPLATE.format(
        name=name, what=what, lists=", ".join(lists),
        cycles=f"{len(levels)} cycle{'s' * (len(levels) > 1)}",
        unpack="\n".join(f"    {', '.join(f'{each}_{i}' for i in range(lanes))}, = {each}"
                         for each, lanes in lists.items()),
        partial=partial, sums="\n            ".join(sums))
    file = f"<{name}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file
    names = {"always": always, "block": block, widths.__name__: widths}
    exec(compile(source, file, "exec"), names)
    return names[name]
