"""Line buffer: every window of every frame, borders, strides and sizes down to one pixel."""
import numpy as np
import pytest

from hdl.blocks.line_buffer import line_buffer
from hdl.layers import padding
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.plan.geometry import WindowGeometry
from tests.support.bench import STALLS, Bench, beats, integers, seed_of
from tests.support.naive import naive_window
from tests.support.streams import stream

BITS = 6
FRAMES = 3
# size, stride, taps, channels, lanes: every size, stride, taps, one and several groups and lanes.
CASES = [(5, 1, 9, 2, 2), (5, 2, 9, 6, 2), (8, 2, 3, 4, 2), (8, 1, 1, 3, 1), (3, 1, 3, 2, 1),
         (2, 2, 9, 1, 1), (1, 1, 9, 4, 2), (1, 2, 1, 2, 1)]


def windows(frames, stride, taps, lanes):
    """Beats of all windows: by pixel, channel group and, one or three at a time, column by column
    down the window."""
    size, channels = len(frames[0]), len(frames[0][0][0])
    before, after = padding(size, stride)
    size_out = (size + before + after - 3) // stride + 1
    order = {9: [range(9)], 3: [(0, 3, 6), (1, 4, 7), (2, 5, 8)],
             1: [(tap,) for column in range(3) for tap in (column, column + 3, column + 6)]}[taps]
    found = []
    for frame in frames:
        for row in range(size_out):
            for column in range(size_out):
                window = naive_window(frame, row, column, stride, before)
                for low in range(0, channels, lanes):
                    for some in order:
                        found.append([v for tap in some for v in window[tap][low:low + lanes]])
    return found


def buffer(simulator, size, stride, taps, channels, lanes, words=0):
    """A Bench for a line buffer."""
    ports = {"s_axis": stream(lanes, BITS), "m_axis": stream(taps * lanes, BITS)}
    geometry = WindowGeometry(size, channels // lanes, stride, padding(size, stride), taps,
                              words=words)
    return Bench(simulator, line_buffer, {**ports, "geometry": geometry})


def run(bench, rng, stall, count=FRAMES):
    """Random frames through a Bench; returns (run, beats, naive beats)."""
    geometry, lanes = bench.arguments["geometry"], bench.arguments["s_axis"].shape.lanes
    size, channels = geometry.size, geometry.groups * lanes
    frames = integers(rng, BITS, True, (count, size, size, channels))
    expected = windows(frames.tolist(), geometry.stride, geometry.taps, lanes)
    done = bench.run({"s_axis": frames.reshape(-1, lanes)}, {"m_axis": len(expected)}, stall,
                     seed_of(rng))
    return done, beats(done, bench.arguments), expected


@pytest.mark.parametrize("size, stride, taps, channels, lanes", CASES)
def test_windows(simulator, rng, size, stride, taps, channels, lanes):
    bench = buffer(simulator, size, stride, taps, channels, lanes)
    for stall in STALLS:
        _, got, expected = run(bench, rng, stall)
        assert got == expected, stall


@pytest.mark.parametrize("stall", ["free", "both"])
@pytest.mark.parametrize("taps", [1, 3, 9])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8])
def test_windows_of_every_size(rng, size, stride, taps, stall):
    """In MyHDL alone: Verilator would compile each."""
    _, got, expected = run(buffer("myhdl", size, stride, taps, 2, 1), rng, stall)
    assert got == expected


@pytest.mark.parametrize("size, channels, lanes", [(5, 2, 2), (8, 2, 1), (4, 6, 2), (1, 4, 2)])
def test_borders_cost_no_cycle(simulator, rng, size, channels, lanes):
    """At stride 1 with nine taps a beat goes in and one comes out every cycle, frames back to
    back; the last pixels wait for nothing."""
    groups = channels // lanes
    bench = buffer(simulator, size, 1, 9, channels, lanes, words=(2 * size + 12) * groups)
    done, got, expected = run(bench, rng, "free")
    assert got == expected
    beats_in = FRAMES * size * size * channels // lanes
    assert done["s_axis"].cycles.tolist() == list(range(beats_in))
    first = done.first("m_axis")
    assert done["m_axis"].cycles.tolist() == list(range(first, first + beats_in))


@pytest.mark.parametrize("taps", [1, 3, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_window_leaves_as_soon_as_it_is_complete(simulator, rng, stride, taps):
    """Four cycles after the last pixel it needs, which no border needs: a source that pauses long
    after each pixel shows it."""
    size, pause = 5, 64
    done, got, expected = run(buffer(simulator, size, stride, taps, 1, 1), rng,
                              {"s_axis": np.arange(pause) != 0}, 2)
    assert got == expected
    before, _ = padding(size, stride)
    size_out = -(-size // stride)
    ready = []
    for frame in range(2):
        for row in range(size_out):
            for column in range(size_out):
                last = [min(place * stride - before + 2, size - 1) for place in (row, column)]
                ready.append(pause * (frame * size * size + last[0] * size + last[1]) + 4)
    # Those that wait for a pixel leave when it comes, one after the other.
    steps, expected = 9 // taps, [0]
    for at in ready:
        expected.append(max(at, expected[-1] + steps))
    assert done["m_axis"].cycles[::steps].tolist() == expected[1:]


def test_other_taps_are_refused():
    with pytest.raises(ValueError, match="1, 3 or 9 taps at a time, not 2"):
        WindowGeometry(5, 1, 1, (1, 1), 2)


def test_an_output_of_other_lanes_is_refused():
    sentence = "9 taps a beat of 18 x 8 bits signed, not 9"
    geometry = WindowGeometry(5, 2, 1, (1, 1), 9)
    with pytest.raises(ValueError, match=sentence), fresh_elaboration():
        line_buffer(*clock_and_reset(), stream(2, 8), stream(9, 8), geometry)
