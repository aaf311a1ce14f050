"""Adder graphs: a constant matrix as additions and subtractions of shifted numbers.

A multiplication by a constant is a few additions, and outputs share the sums that they have in
common.  A graph says which; it is numbers only, whatever found it.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hdl.plan.rom import signed_width

NOTHING = -1        # in place of a node: the output is always 0


class Add(NamedTuple):
    """left * 2**left_shift + right * 2**right_shift, or the difference; one shift is 0."""

    left: int           # a node: inputs count from 0, then come the results of additions in order
    right: int
    left_shift: int
    right_shift: int
    subtract: bool


class Output(NamedTuple):
    """An output, as a node times a power of two, and where ``negative`` times -1."""

    node: int
    shift: int
    negative: bool


@dataclass(frozen=True)
class AdderGraph:
    """Integers in, their products with a constant matrix out.

    inputs  -- ((least, greatest), ...) of each input
    adds    -- in an order in which each comes after what it adds
    outputs -- an Output each
    """

    inputs: tuple[tuple[int, int], ...]
    adds: tuple[Add, ...]
    outputs: tuple[Output, ...]

    @property
    def adders(self) -> int:
        """Additions and subtractions; to negate an output is one more."""
        return len(self.adds) + sum(output.negative for output in self.outputs)

    @cached_property
    def limits(self) -> list[tuple[int, int]]:
        """(least, greatest) of every node, by interval arithmetic."""
        limits = list(self.inputs)
        for left, right, left_shift, right_shift, subtract in self.adds:
            low, high = limits[right][0] << right_shift, limits[right][1] << right_shift
            if subtract:
                low, high = -high, -low
            limits.append(((limits[left][0] << left_shift) + low,
                           (limits[left][1] << left_shift) + high))
        return limits

    @property
    def adder_bits(self) -> int:
        """Full adders: as many a node as it has bits, but for the low ones that come from an
        operand as they are, since the other one's begin above them."""
        total = 0
        for (low, high), add in zip(self.limits[len(self.inputs):], self.adds):
            total += width(low, high) - add.right_shift
            if not add.subtract:
                total -= add.left_shift
        return total + sum(width(*self.limits[output.node]) for output in self.outputs
                           if output.negative)

    @cached_property
    def depths(self) -> list[int]:
        """Adders one after the other from the inputs to every node."""
        depths = [0] * len(self.inputs)
        for left, right, *_ in self.adds:
            depths.append(1 + max(depths[left], depths[right]))
        return depths

    @property
    def depth(self) -> int:
        """The most adders from an input to an output."""
        return max((self.depths[output.node] + output.negative for output in self.outputs
                    if output.node != NOTHING), default=0)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Outputs (n, outputs) int64 of inputs (n, inputs)."""
        nodes = list(np.asarray(values, np.int64).T)
        for left, right, left_shift, right_shift, subtract in self.adds:
            other = nodes[right] << right_shift
            nodes.append((nodes[left] << left_shift) + (-other if subtract else other))
        nothing = np.zeros(len(values), np.int64)
        return np.stack([nothing if output.node == NOTHING else
                         (nodes[output.node] << output.shift) * (-1 if output.negative else 1)
                         for output in self.outputs], axis=1)


def width(low: int, high: int) -> int:
    """Bits of all integers from ``low`` to ``high``, with a sign where there are negative ones."""
    return signed_width(low, high) if low < 0 else int(high).bit_length()


class Builder:
    """An adder graph while it grows.  What is added are Outputs, whose signs and shifts cost
    nothing until the end."""

    def __init__(self, inputs: Sequence[tuple[int, int]]) -> None:
        self.inputs = tuple(inputs)
        self.adds: list[Add] = []

    def add(self, a: Output, b: Output) -> Output:
        """a + b."""
        if NOTHING in (a.node, b.node):
            return a if b.node == NOTHING else b
        if a.negative and not b.negative:
            a, b = b, a
        shift = min(a.shift, b.shift)
        self.adds.append(Add(a.node, b.node, a.shift - shift, b.shift - shift,
                             a.negative != b.negative))
        return Output(len(self.inputs) + len(self.adds) - 1, shift, a.negative)

    def sum(self, terms: Sequence[Output]) -> Output:
        """The sum of terms as a balanced tree; NOTHING of none."""
        if len(terms) < 2:
            return terms[0] if terms else Output(NOTHING, 0, False)
        half = len(terms) // 2
        return self.add(self.sum(terms[:half]), self.sum(terms[half:]))

    def graph(self, outputs: Sequence[Output]) -> AdderGraph:
        """The graph of these outputs."""
        return AdderGraph(self.inputs, tuple(self.adds), tuple(outputs))
