"""Video around a network: bytes become its numbers, damaged frames are marked where they leave."""
import numpy as np
import pytest

from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.blocks.frame_repair import FAULTS, VideoFrame
from hdl.blocks.stream import narrow, register_slice
from hdl.shape import StreamShape
from hdl.sim.endpoints import Sink, Source, random_pattern
from hdl.sim.video import mended
from hdl.units.video import VideoTop
from tests.support.bench import STALLS, Bench, seed_of
from tests.support.blocks import filmed
from tests.support.streams import stream

ROWS, COLUMNS = 2, 3
BEATS = ROWS * COLUMNS
# What a network does: it gives each number in a beat of its own, or each pixel as it is.
NETWORKS = {"numbers": (narrow, 1, 1), "pixels": (register_slice, 3, 1),
            "tiles": (register_slice, 3, 2)}


def bench_of(simulator, network, components="gbr"):
    inside, lanes, tile = NETWORKS[network]
    shapes = StreamShape(3, 9, True, tile), StreamShape(lanes, 9, True, tile)
    top = VideoTop(inside, (), shapes, VideoFrame(ROWS, COLUMNS, 100), BEATS * 3 // lanes, 2,
                   components)
    return Bench(simulator, filmed, {
        "s_axis": AxiStream(top.s_axis), "m_axis": AxiStream(top.m_axis), "top": top,
        "s_ask": stream(1, 1, False), "m_errors": stream(len(FAULTS), 1, False)})


def film(bench, pixels, marks, frames, stall, rng):
    """Run with beats of bytes and their (first, last); (numbers, tlast, tuser, faults)."""
    s_shape, m_shape = [bench.arguments[name].shape for name in ("s_axis", "m_axis")]
    first, last = np.array(marks).T
    idle, backpressure = [random_pattern(seed_of(rng), share, 509) if share else None
                          for share in STALLS[stall]]
    count = frames * bench.arguments["top"].beats
    done = bench.simulated({
        "s_axis": Source(payload(s_shape, pixels, tlast=last, tuser=first), idle),
        "s_ask": Source(np.ones((1, 1), np.uint32), np.arange(4096) < 200 + 8 * count),
        "m_axis": Sink(count, backpressure), "m_errors": Sink(1)}, timeout=4096)
    trace = done["m_axis"]
    [told] = done["m_errors"].values(bench.arguments["m_errors"].shape)
    return (trace.values(m_shape).ravel(), trace.mark(m_shape, "tlast"),
            trace.mark(m_shape, "tuser"), {name for name, bit in zip(FAULTS, told) if bit})


def marks(frames):
    """(first, last) of the beats of good frames."""
    return [(place == 0, place % COLUMNS == COLUMNS - 1) for place in range(BEATS)] * frames


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("components", ["gbr", "rgb"])
def test_bytes_become_numbers(simulator, rng, network, components):
    """2p - 255 of every byte there is, red first; tlast at the end of a frame, no frame marked."""
    bench, tile = bench_of(simulator, network, components), NETWORKS[network][2]
    frames = -(-256 // (BEATS * tile * tile * 3))
    pixels = rng.permutation(frames * BEATS * tile * tile * 3).reshape(-1, 3) % 256
    numbers, last, damaged, faults = film(bench, pixels, marks(frames), frames, "both", rng)
    order = [components.index(color) for color in "rgb"]
    assert numbers.tolist() == (2 * pixels[:, order] - 255).ravel().tolist()
    count = bench.arguments["top"].beats
    assert np.flatnonzero(last).tolist() == list(range(count - 1, frames * count, count))
    assert not damaged.any() and not faults


@pytest.mark.parametrize("stall", STALLS)
def test_damaged_frames_are_marked_where_they_leave(simulator, rng, stall):
    """Of six frames one has a short line, one ends early, two are good after both of them, and in
    between comes what is in no frame."""
    bench, good = bench_of(simulator, "numbers"), marks(1)
    sent = good + good[:1] + [(False, True)] + good[3:] + good + good[:4] + good \
        + [(False, True)] * 3 + good
    pixels = rng.integers(0, 256, (len(sent), 3))
    numbers, last, damaged, faults = film(bench, pixels, sent, 6, stall, rng)
    assert damaged.reshape(6, -1).sum(1).tolist() == [0, 1, 0, 1, 0, 0]
    assert (damaged <= last).all() and faults == {"short_line", "early_start", "outside"}
    starts = np.flatnonzero(np.array(sent)[:, 0])
    for frame in (0, 2, 4, 5):
        values = 2 * pixels[starts[frame]:starts[frame] + BEATS][:, [2, 0, 1]] - 255
        assert numbers.reshape(6, -1)[frame].tolist() == values.ravel().tolist()


@pytest.mark.parametrize("stall", STALLS)
def test_whatever_comes(simulator, rng, stall):
    """Random marks, a line that goes on beyond its end, a frame that never ends: of each start a
    frame leaves, black where nothing came, and it is marked where it is not good."""
    bench, good = bench_of(simulator, "numbers"), marks(1)
    long_line = good[:2] + [(False, False)] * 3 + good[2:]
    for share in (0.1, 0.3):
        sent = [tuple(bool(bit) for bit in rng.random(2) < (share / 2, share))
                for _ in range(20)] + good + long_line + good + good[:4]
        frames, outside = mended(sent, ROWS, COLUMNS)
        pixels = rng.integers(0, 256, (len(sent), 3))
        numbers, last, damaged, faults = film(bench, pixels, sent, len(frames), stall, rng)
        bytes_ = [[0] * 3 if beat < 0 else pixels[beat][[2, 0, 1]].tolist()
                  for frame in frames for beat in frame.beats]
        assert numbers.tolist() == (2 * np.array(bytes_) - 255).ravel().tolist()
        assert damaged[last].tolist() == [frame.damaged for frame in frames]
        assert damaged.sum() == damaged[last].sum() and last.sum() == len(frames)
        assert faults == set().union(*(frame.faults for frame in frames),
                                     {"outside"} if outside else ())
        assert [frame.faults for frame in frames[-3:]] == [{"long_line"}, set(), {"silence"}]
