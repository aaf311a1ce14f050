"""Adder graphs: what they compute, and what they take, counted naively."""
import numpy as np
import pytest

from hdl.plan.adders import NOTHING, Add, AdderGraph, Builder, Output, width

# 3a - b, its eightfold minus 5c, and -c.
SMALL = AdderGraph(((0, 7), (-8, 7), (-1, 1)), (
    Add(0, 0, 0, 1, False), Add(3, 1, 0, 0, True), Add(2, 2, 2, 0, False), Add(4, 5, 3, 0, True)),
    (Output(4, 0, False), Output(6, 0, False), Output(2, 0, True), Output(NOTHING, 0, False)))


def test_a_small_graph(rng):
    values = np.stack([rng.integers(low, high + 1, 50) for low, high in SMALL.inputs], axis=1)
    a, b, c = values.T
    expected = np.stack([3 * a - b, 8 * (3 * a - b) - 5 * c, -c, 0 * c], axis=1)
    np.testing.assert_array_equal(SMALL(values), expected)


def test_what_a_small_graph_takes():
    """By hand: 3a in 0 ... 21 has five bits, of which the lowest is a's; 3a - b in -7 ... 29 has
    six; 5c in -5 ... 5 has four, the two lowest c's; eight times the second less the third, in
    -61 ... 237, has nine; -c has two."""
    assert SMALL.limits[3:] == [(0, 21), (-7, 29), (-5, 5), (-61, 237)]
    assert SMALL.adders == 5
    assert SMALL.adder_bits == (5 - 1) + 6 + (4 - 2) + 9 + 2
    assert SMALL.depths == [0, 0, 0, 1, 2, 1, 3] and SMALL.depth == 3


@pytest.mark.parametrize("low, high, bits", [
    (0, 0, 0), (0, 1, 1), (0, 255, 8), (0, 256, 9), (-1, 0, 1), (-128, 127, 8), (-129, 0, 9),
    (-3, 200, 9)])
def test_width(low, high, bits):
    assert width(low, high) == bits


@pytest.mark.parametrize("signs", [(False, False), (False, True), (True, False), (True, True)])
def test_signs_and_shifts_cost_nothing(signs):
    builder = Builder([(0, 9), (0, 9)])
    total = builder.add(Output(0, 3, signs[0]), Output(1, 1, signs[1]))
    graph = builder.graph([total])
    first, second = (-1 if negative else 1 for negative in signs)
    assert graph([[5, 7]]).tolist() == [[first * 5 * 8 + second * 7 * 2]]
    assert len(graph.adds) == 1 and graph.adders == 1 + all(signs)


def test_sums_are_balanced_and_leave_nothing_out():
    builder = Builder([(0, 1)] * 9)
    terms = [Output(n, n, False) for n in range(9)] + [Output(NOTHING, 0, False)]
    graph = builder.graph([builder.sum(terms), builder.sum([]), builder.sum(terms[:1])])
    assert graph([[1] * 9]).tolist() == [[2 ** 9 - 1, 0, 1]]
    assert graph.adders == 8 and graph.depth == 4
