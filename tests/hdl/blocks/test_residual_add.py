"""Residual add: a saturating sum of two streams that pause each in its own way."""
import numpy as np
import pytest

from hdl.axis import AxiStream
from hdl.blocks.residual_add import residual_add
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of


def streams(lanes, bits):
    return {name: AxiStream(lanes, bits) for name in ("s_axis", "s_axis_shortcut", "m_axis")}


def add(bench, a, b, stall="free", seed=0):
    """Run two lists of beats through; returns (run, beats, naive sums)."""
    bits = bench.arguments["m_axis"].bits
    done = bench.run({"s_axis": a, "s_axis_shortcut": b}, {"m_axis": len(a)}, stall, seed)
    low, high = -2 ** (bits - 1), 2 ** (bits - 1) - 1
    sums = [[low if x + y < low else high if x + y > high else x + y for x, y in zip(*rows)]
            for rows in zip(a, b)]
    return done, beats(done, bench.arguments), sums


@pytest.mark.parametrize("lanes, bits", [(1, 4), (3, 12), (2, 18)])
def test_sums(simulator, rng, lanes, bits):
    bench = Bench(simulator, residual_add, streams(lanes, bits))
    for stall in STALLS:
        a, b = integers(rng, bits, True, (2, 120, lanes)).tolist()
        done, got, sums = add(bench, a, b, stall, seed_of(rng))
        assert got == sums, stall
        if stall == "free":
            assert cycles(done, "s_axis") == cycles(done, "s_axis_shortcut") == list(range(120))
            assert cycles(done, "m_axis") == list(range(1, 121))


def test_every_pair(simulator):
    """All 256 pairs of four-bit numbers."""
    a, b = np.mgrid[-8:8, -8:8].reshape(2, -1, 1).tolist()
    _, got, sums = add(Bench(simulator, residual_add, streams(1, 4)), a, b)
    assert got == sums


@pytest.mark.parametrize("late", ["s_axis", "s_axis_shortcut"])
def test_a_beat_waits_for_its_other_half(simulator, late):
    values = [[i] for i in range(-8, 8)]
    bench = Bench(simulator, residual_add, streams(1, 4))
    done, got, sums = add(bench, values, values, {late: np.arange(5) != 4})
    assert got == sums
    assert cycles(done, "s_axis") == cycles(done, "s_axis_shortcut") == list(range(4, 84, 5))


@pytest.mark.parametrize("name, other", [
    ("s_axis", AxiStream(3, 8)), ("s_axis_shortcut", AxiStream(2, 9)),
    ("m_axis", AxiStream(2, 8, signed=False))])
def test_streams_that_differ_are_refused(name, other):
    ports = {**streams(2, 8), name: other}
    with pytest.raises(ValueError, match="same lanes and bits"), fresh_elaboration():
        residual_add(*clock_and_reset(), **ports)
