"""Pairs of products: what fits into a factor, against all that there is; and what ROMs hold."""
import itertools

import numpy as np
import pytest

from hdl.layers import PRECISIONS, Precision, Unit, layer_table, precision
from hdl.plan.network import plan_network
from hdl.plan.pairs import Pairs, borrowed, pairs_of
from tests.support.networks import TABLE


def pointwise(activation_in="relu6"):
    """A unit that takes activations of a kind."""
    return Unit("dut", "pointwise", "project", "dut", 1, 1, 8, 8, activation_in=activation_in)


def fits(sums, weights, field, factor):
    """Whether both sums come out of the sum of pairs, by the formula, and pairs are in a factor."""
    word = sum((high * 2 ** field + low) * x for low, high, x in weights) + 2 ** (field - 1)
    return (word % 2 ** field - 2 ** (field - 1), word // 2 ** field) == sums and all(
        -2 ** (factor - 1) <= high * 2 ** field + low < 2 ** (factor - 1)
        for low, high, _ in weights)


@pytest.mark.parametrize("kind", ["relu6", "linear"])
@pytest.mark.parametrize("factor", range(6, 16))
def test_what_fits_is_right_and_one_more_is_not(kind, factor):
    """At the ends of both ranges, where sums are greatest."""
    row = Precision("few", weight_bits=4, relu6_bits=3, linear_bits=4)
    low, high = row.limits(kind)
    right = []
    for number in (1, 2, 3, 4, 6, 12):
        ends = itertools.product((-7, 7), (-7, 0, 7), (low, high))
        right.append(all(fits((number * a * x, number * b * x), [(a, b, x)] * number, factor - 4,
                              factor) for a, b, x in ends))
    found = pairs_of(pointwise(kind), row, 12, factor)
    best = max((number for number, good in zip((1, 2, 3, 4, 6, 12), right) if good), default=None)
    assert found == (best and Pairs(factor - 4, best))


@pytest.mark.parametrize("name, kind, simd, factor, pairs", [
    ("w8a8", "relu6", 24, 27, Pairs(19, 8)), ("w8a8", "linear", 16, 27, Pairs(19, 1)),
    ("w8a8l8", "linear", 16, 27, Pairs(19, 16)), ("w8a8", "relu6", 24, 25, Pairs(17, 2)),
    ("w8a8", "linear", 16, 25, None), ("w8a8", "input", 27, 27, Pairs(19, 3)),
    ("w8a8", "relu6", 7, 18, None), ("w16a16", "relu6", 1, 27, None)])
def test_widths_of_devices(name, kind, simd, factor, pairs):
    assert pairs_of(pointwise(kind), precision(name), simd, factor) == pairs


def test_what_a_rom_holds():
    """Outputs two by two, the upper one's weights less the borrow; the last has no partner."""
    rows = np.array([[5, -5, 1, 2, -3, -4], [-7, 0, -7, 7, 0, 1]])
    assert borrowed(rows, 3, 7).tolist() == [[5, -5, 1, 1, -3, -4], [-7, 0, -8, 7, 0, 1]]
    assert rows[1, 2] == -7
    with pytest.raises(ValueError, match="need weights of -6 to 6, which can be one less in their "
                                         "width: they go from -7 to 7"):
        borrowed(rows, 3, 6)


def test_what_shares_multipliers():
    """All that has two outputs of the same inputs at once; no depthwise unit, no constants.  And
    outputs come in pairs wherever that takes fewer multipliers."""
    rows = plan_network(TABLE, PRECISIONS["w8a8"], 1024, factor=27).units
    alone = plan_network(TABLE, PRECISIONS["w8a8"], 1024).units
    for row, other in zip(rows, alone):
        pe, simd = row.folding.pe, row.folding.simd
        assert bool(row.folding.pairs) == (row.unit.kind in ("stem", "pointwise") and pe > 1)
        assert row.folding.products == pe * simd * (row.unit.weights > 0)
        assert row.folding.multipliers == (
            (pe // 2 + pe % 2) * simd if row.folding.pairs else row.folding.products)
        assert other.folding.pairs is None
        assert other.folding.multipliers == other.folding.products
        halved = row.unit.kind in ("stem", "pointwise") and other.folding.products % 2 == 0
        assert row.folding.multipliers == other.folding.products // (1 + halved)
    fast = plan_network(layer_table(0.35, 32), PRECISIONS["w8a8"], 1, factor=27)
    assert not any(row.folding.pairs for row in fast.units)


def test_widths_that_do_not_allow_it():
    with pytest.raises(ValueError, match="^no two products of these widths fit into a multiplier "
                                         "whose wider factor has 27 bits: give a wider one, narro"):
        plan_network(TABLE, PRECISIONS["w16a16"], 1024, factor=27)
