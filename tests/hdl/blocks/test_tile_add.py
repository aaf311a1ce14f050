"""Tile add: every sum of every tile, clipped, whatever pauses."""
import numpy as np
import pytest

from hdl.blocks.tile_add import LATENCY, tile_add
from tests.support.bench import STALLS, Bench, beats, cycles, integers, near_limits, seed_of
from tests.support.streams import stream

COUNT = 60


def bench(simulator, lanes, bits, tile, creep):
    """A Bench for streams of a shape."""
    return Bench(simulator, tile_add, {name: stream(lanes, bits, tile=tile, creep=creep) for name in
                                       ("s_axis", "s_axis_shortcut", "m_axis")})


@pytest.mark.parametrize("lanes, bits, tile, creep", [
    (3, 4, 2, None), (2, 12, 3, 1), (5, 18, 1, None), (1, 7, 2, 0)])
def test_sums(simulator, rng, lanes, bits, tile, creep):
    dut, low, high = bench(simulator, lanes, bits, tile, creep), -2 ** (bits - 1), 2 ** (bits - 1)
    for stall in STALLS:
        a, b = integers(rng, bits, True, (2, COUNT, tile ** 2 * lanes))
        b = near_limits(rng, bits, a, b)
        own = rng.integers(0, 2, COUNT).astype(bool)
        sides = {"s_axis": a, "s_axis_shortcut": b} if creep is None \
            else {"s_axis": (a, own), "s_axis_shortcut": (b, own)}
        done = dut.run(sides, {"m_axis": COUNT}, stall, seed_of(rng))
        assert beats(done, dut.arguments) == np.clip(a + b, low, high - 1).tolist(), stall
        if creep is not None:
            shape = dut.arguments["m_axis"].shape
            assert done["m_axis"].bit(shape.width - 1).tolist() == own.tolist()
        if stall == "free":
            assert cycles(done, "m_axis") == list(range(LATENCY, COUNT + LATENCY))


def test_every_pair(simulator):
    """All 256 pairs of four-bit numbers, four in a tile."""
    a, b = np.mgrid[-8:8, -8:8].reshape(2, -1, 4)
    dut = bench(simulator, 1, 4, 2, None)
    done = dut.run({"s_axis": a, "s_axis_shortcut": b}, {"m_axis": 64})
    assert beats(done, dut.arguments) == [[max(-8, min(7, x + y)) for x, y in zip(*rows)]
                                          for rows in zip(a.tolist(), b.tolist())]
