"""Residual add: a saturating sum of two streams that pause each in its own way."""
import numpy as np
import pytest

from hdl.blocks.residual_add import residual_add
from tests.support.bench import STALLS, Bench, beats, cycles, integers, near_limits, seed_of
from tests.support.streams import stream


def streams(lanes, bits):
    return {name: stream(lanes, bits) for name in ("s_axis", "s_axis_shortcut", "m_axis")}


def add(bench, a, b, stall="free", seed=0):
    """Run two lists of beats through; returns (run, beats, naive sums)."""
    bits = bench.arguments["m_axis"].shape.bits
    done = bench.run({"s_axis": a, "s_axis_shortcut": b}, {"m_axis": len(a)}, stall, seed)
    low, high = -2 ** (bits - 1), 2 ** (bits - 1) - 1
    sums = [[low if x + y < low else high if x + y > high else x + y for x, y in zip(*rows)]
            for rows in zip(a, b)]
    return done, beats(done, bench.arguments), sums


@pytest.mark.parametrize("lanes, bits", [(1, 4), (3, 12), (2, 18)])
def test_sums(simulator, rng, lanes, bits):
    bench = Bench(simulator, residual_add, streams(lanes, bits))
    for stall in STALLS:
        a, b = integers(rng, bits, True, (2, 120, lanes))
        a, b = a.tolist(), near_limits(rng, bits, a, b).tolist()
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


def test_every_pixel_of_a_tile(simulator):
    """The first tile of four pixels: 1 + 10, 2 + 20, 3 + 30, 4 + 40."""
    ports = {name: stream(1, 8, tile=2) for name in streams(1, 8)}
    _, got, _ = add(Bench(simulator, residual_add, ports), [[1, 2, 3, 4], [100, 0, -100, 5]],
                    [[10, 20, 30, 40], [100, 1, -100, -6]])
    assert got == [[11, 22, 33, 44], [127, 1, -128, -1]]
