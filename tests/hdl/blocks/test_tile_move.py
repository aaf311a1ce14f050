"""Tile move: the same pixels, a row and a column further behind."""
import numpy as np
import pytest

from hdl.blocks.tile_move import LATENCY, tile_move
from hdl.plan.tiles import TileGeometry
from tests.support.bench import STALLS, Bench, cycles, integers, seed_of
from tests.support.streams import stream
from tests.support.tiles import beat_numbers, from_beats, to_beats

FRAMES, BITS, LANES = 3, 6, 2


@pytest.mark.parametrize("size, tile, creep", [(8, 4, 1), (8, 4, 3), (6, 2, 1), (4, 4, 0),
                                               (4, 1, 0), (1, 1, 0)])
def test_frames(simulator, rng, size, tile, creep):
    geometry = TileGeometry(size, tile, creep, 2)
    late = None if geometry.whole else creep + 1
    dut = Bench(simulator, tile_move, {
        "s_axis": stream(LANES, BITS, tile=tile, creep=creep),
        "m_axis": stream(LANES, BITS, tile=tile, creep=late), "geometry": geometry})
    shape, row = dut.arguments["m_axis"].shape, size // tile
    # Frames so far apart that beats come between them of which no piece is real.
    apart = {stall: (row + 4, 1) for stall in STALLS if stall != "free"}
    for stall, gaps in [*apart.items(), *((stall, (0, min(2, row))) for stall in STALLS)]:
        frames = integers(rng, BITS, True, (FRAMES, size, size, LANES))
        numbers = beat_numbers(FRAMES, row, gaps)
        beats = np.nan_to_num(to_beats(frames.astype(float), tile, creep, numbers)).astype(int)
        own = np.isin(np.arange(len(beats)), numbers)
        done = dut.run({"s_axis": (beats.reshape(len(beats), -1), own)},
                       {"m_axis": FRAMES * row ** 2}, stall, seed_of(rng), drain=200)
        trace = done["m_axis"]
        brings = np.ones(len(trace), bool) if late is None else trace.bit(shape.width - 1)
        got = from_beats(trace.values(shape).reshape(len(trace), tile, tile, LANES), size, tile,
                         late or 0, np.flatnonzero(brings))
        np.testing.assert_array_equal(got, frames, stall)
        if stall == "free" and late is not None:
            assert cycles(done, "m_axis") == list(range(LATENCY, len(beats) + LATENCY))
