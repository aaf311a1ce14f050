"""Tile flush: every tile in order, and beats without one as long as something is left over."""
import numpy as np
import pytest

from hdl.blocks.tile_flush import LATENCY, tile_flush
from hdl.plan.tiles import flushed
from tests.support.bench import STALLS, Bench, cycles, integers, seed_of
from tests.support.streams import stream

FRAME, TAIL, FRAMES = 4, 3, 6


def bench(simulator):
    """A Bench for frames of four tiles."""
    return Bench(simulator, tile_flush, {"s_axis": stream(2, 5, tile=2), "frame": FRAME,
                                         "m_axis": stream(2, 5, tile=2, creep=0), "tail": TAIL})


def sent(done, dut):
    """(the tiles that left, whether each beat brought one)."""
    shape = dut.arguments["m_axis"].shape
    own = done["m_axis"].bit(shape.width - 1)
    return done["m_axis"].values(shape)[own].tolist(), own.tolist()


def runs(own):
    """How many beats without a tile follow each frame; AssertionError where some are in one."""
    found, tiles = [], 0
    for tile in own:
        if tile:
            tiles += 1
        else:
            assert tiles % FRAME == 0, "a beat without a tile in a frame"
        if tiles and tiles % FRAME == 0:
            found += [0] if tile else []
            found[-1] += not tile
    return found


def test_frames(simulator, rng):
    dut = bench(simulator)
    for stall in STALLS:
        tiles = integers(rng, 5, True, (FRAMES * FRAME, 8))
        done = dut.run({"s_axis": tiles}, {"m_axis": FRAMES * FRAME + TAIL}, stall, seed_of(rng))
        got, own = sent(done, dut)
        assert got == tiles.tolist(), stall
        pauses = runs(own)
        assert len(pauses) == FRAMES and max(pauses) <= TAIL == pauses[-1]
        if stall == "free":
            assert pauses[:-1] == [0] * (FRAMES - 1)
            assert cycles(done, "s_axis") == list(range(FRAMES * FRAME))


def test_frames_apart(simulator, rng):
    """By 0 to TAIL + 1 cycles: no tile waits, and beats leave when ``flushed`` says."""
    dut, gaps = bench(simulator), np.arange(FRAMES - 1) % (TAIL + 2)
    arrive = np.arange(FRAMES * FRAME) + np.repeat(np.append(0, np.cumsum(gaps)), FRAME)
    idle = np.ones(arrive[-1] + 1000, bool)
    idle[arrive] = False
    tiles = integers(rng, 5, True, (FRAMES * FRAME, 8))
    expected = flushed(arrive, FRAME, TAIL)
    done = dut.run({"s_axis": tiles}, {"m_axis": len(expected.cycles)}, {"s_axis": idle})
    got, own = sent(done, dut)
    assert got == tiles.tolist() and cycles(done, "s_axis") == arrive.tolist()
    assert runs(own) == [*np.minimum(gaps, TAIL), TAIL]
    assert cycles(done, "m_axis") == expected.cycles.tolist() and own == expected.own.tolist()
    assert cycles(done, "m_axis")[0] == LATENCY


@pytest.mark.parametrize("beats", [1, 3])
def test_part_of_a_frame_waits(simulator, rng, beats):
    """For the rest of it, and is not pushed out."""
    tiles = integers(rng, 5, True, (beats, 8))
    dut = bench(simulator)
    got, own = sent(dut.run({"s_axis": tiles}, {"m_axis": beats}), dut)
    assert got == tiles.tolist() and own == [True] * beats
