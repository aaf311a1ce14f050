"""Tile windows: every window of every frame out of 2 x 2 tiles, even and odd sizes."""
import numpy as np
import pytest

from hdl.beats import tiled
from hdl.blocks.tile_windows import tile_windows
from hdl.layers import padding
from hdl.plan.geometry import TILE
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of
from tests.support.naive import naive_window
from tests.support.streams import stream

BITS, LANES = 6, 2


def bench(simulator, size):
    """A Bench for frames of a size."""
    ports = {"s_axis": stream(LANES, BITS, tile=TILE), "m_axis": stream(9 * LANES, BITS)}
    return Bench(simulator, tile_windows, {**ports, "size": size, "pad": padding(size, 2)})


def windows(frames, size):
    """The nine taps of every output pixel."""
    before, out = padding(size, 2)[0], -(-size // 2)
    return [[value for tap in naive_window(frame, row, column, 2, before) for value in tap]
            for frame in frames.tolist() for row in range(out) for column in range(out)]


@pytest.mark.parametrize("size", [4, 5, 6, 9])
def test_windows(simulator, rng, size):
    dut = bench(simulator, size)
    for stall in STALLS:
        frames = integers(rng, BITS, True, (4, size, size, LANES))
        expected = windows(frames, size)
        done = dut.run({"s_axis": tiled(frames, TILE)}, {"m_axis": len(expected)}, stall,
                       seed_of(rng))
        assert beats(done, dut.arguments) == expected, stall
        if stall == "free":
            assert cycles(done, "s_axis") == list(range(len(expected)))
            first = 2 if size % 2 else -(-size // 2) + 1 + 2
            assert cycles(done, "m_axis") == list(range(first, first + len(expected)))


@pytest.mark.parametrize("size", [4, 5])
def test_last_rows_do_not_wait_for_the_next_frame(simulator, rng, size):
    dut = bench(simulator, size)
    frames = integers(rng, BITS, True, (1, size, size, LANES))
    done = dut.run({"s_axis": tiled(frames, TILE)}, {"m_axis": len(windows(frames, size))})
    assert beats(done, dut.arguments) == windows(frames, size)


def test_frames_that_come_late(simulator, rng):
    """The next frame begins after, or in any part of, the windows that the last one still owes."""
    size, per_frame = 6, 9
    dut = bench(simulator, size)
    frames = integers(rng, BITS, True, (9, size, size, LANES))
    idle = np.zeros(200, bool)
    for number in range(8):     # after a frame's tiles, one pause more than after the last
        start = (number + 1) * per_frame + sum(range(number))
        idle[start:start + number] = True
    done = dut.run({"s_axis": tiled(frames, TILE)}, {"m_axis": 9 * per_frame}, {"s_axis": idle})
    assert beats(done, dut.arguments) == windows(frames, size)


def test_tiled_fills_what_lies_outside():
    frames = np.arange(9).reshape(1, 3, 3, 1)
    assert tiled(frames, 2).tolist() == [[0, 1, 3, 4], [2, 8, 5, 8], [6, 7, 8, 8], [8, 8, 8, 8]]
    assert tiled(frames, 1).ravel().tolist() == list(range(9))
