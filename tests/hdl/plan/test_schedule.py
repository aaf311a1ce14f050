"""The schedule: the simulated hardware in every cycle; and no memory deeper than it needs."""
import dataclasses
from itertools import accumulate

import numpy as np
import pytest

from hdl.beats import payload, tiled
from hdl.blocks import (fifo, line_buffer, mac, mac_loops, requantize, residual_add, stream,
                        tile_windows)
from hdl.layers import ALPHAS, PRECISIONS, layer_table
from hdl.plan import schedule as model
from hdl.plan.config import configure, configure_network
from hdl.plan.folding import fold, pipeline
from hdl.plan.network import UnitPlan, plan_network
from hdl.plan.schedule import (FRAMES, NO_BUFFERS, Arrival, depth, follow, link, no_sooner, offers,
                               schedule)
from hdl.sim.design import simulate
from hdl.sim.endpoints import Sink, Source
from hdl.sim.network import network_design
from hdl.units.by_kind import BLOCKS
from tests.support.bench import UnitBench, frames_of, unit_config
from tests.support.networks import RATES, golden, plan

COUNT = 4   # frames
# kind, size, channels in and out, pe, simd, lanes in and out, stride
CASES = {
    "in_passes": ("pointwise", 3, 6, 8, 4, 2, 1, 2, 1),
    "in_odd_passes": ("pointwise", 3, 6, 8, 4, 3, 2, 2, 1),
    "in_passes_from_wide_beats": ("pointwise", 3, 6, 8, 4, 1, 2, 2, 1),
    "word_by_word": ("pointwise", 3, 4, 6, 1, 1, 1, 1, 1),
    "one_pass": ("pointwise", 3, 4, 6, 6, 4, 2, 6, 1),
    "in_groups": ("pointwise", 3, 8, 6, 2, 2, 1, 1, 1),
    "from_wide_beats": ("pointwise", 3, 12, 6, 2, 3, 6, 1, 1),
    "from_odd_beats": ("pointwise", 3, 12, 6, 2, 4, 6, 2, 1),
    "taps_in_turn": ("depthwise", 5, 4, 4, 2, 1, 1, 1, 1),
    "words_of_taps": ("depthwise", 5, 4, 4, 2, 1, 2, 1, 1),
    "columns": ("depthwise", 4, 6, 6, 2, 3, 2, 1, 2),
    "all_taps": ("depthwise", 5, 2, 2, 2, 9, 2, 2, 2),
    "odd_lanes": ("depthwise", 4, 6, 6, 2, 3, 3, 1, 1),
    "one_pixel": ("depthwise", 1, 6, 6, 3, 9, 2, 3, 1),
    "two_rows": ("depthwise", 2, 4, 4, 2, 3, 1, 1, 1),
    "stem": ("stem", 6, 3, 4, 2, 9, 3, 1, 2),
    "stem_odd": ("stem", 5, 3, 4, 4, 27, 3, 4, 2),
    "stem_tiles": ("stem", 6, 3, 4, 2, 27, 3, 2, 2),
    "stem_odd_tiles": ("stem", 5, 3, 4, 2, 27, 3, 2, 2),
    "pairs_in_passes": ("pointwise", 3, 8, 8, 4, 4, 1, 2, 1),
    "pairs_in_groups": ("pointwise", 3, 12, 6, 2, 6, 1, 1, 1),
}
PAIRS = {"pairs_in_passes": 16, "pairs_in_groups": 17}     # bits of the multipliers' wider factor


def bursts(rng, beats, average):
    """Cycles at which ``beats`` arrive: runs of them, pauses, ``average`` cycles each on the whole;
    a long pause at half, so that later frames do not find the unit at work."""
    gaps = rng.choice([1, 1, 1, 4 * average], beats)
    gaps[beats // 2] += 10 * average
    return np.cumsum(gaps) - gaps[0]


def idle(arrive):
    """Pauses of a source whose beats are offered at those cycles, or after them if they wait."""
    pauses = np.ones(arrive[-1] + 1000, bool)
    pauses[arrive] = False
    pauses[arrive[-1]:] = False
    return pauses


def unit(rng, case):
    """A unit's Folding, its stored integers and when its input arrives."""
    kind, size, inputs, outputs, pe, simd, lanes_in, lanes_out, stride = CASES[case]
    config, params = unit_config(rng, kind, size, inputs, outputs, pe, simd, lanes_in, lanes_out,
                                 stride, activation_in="input" if kind == "stem" else "relu6",
                                 factor=PAIRS.get(case))
    tile = 2 if case.endswith("tiles") else 1
    folding = dataclasses.replace(config.folding, tile_in=tile)
    beats = (-(-size // tile)) ** 2 * inputs // lanes_in
    average = -(-folding.steps * folding.unit.pixels_out // beats)
    return folding, params, bursts(rng, COUNT * beats, max(average, 2))


def unit_run(simulator, rng, folding, buffers, params, arrive):
    """Cycles at which a unit's input and output move, when its input is offered at ``arrive``."""
    config = configure(UnitPlan(folding, buffers), params)
    bench = UnitBench(simulator, BLOCKS[folding.unit.kind], config, params)
    frames = frames_of(rng, config, COUNT)
    values = tiled(frames, 2) if folding.tile_in == 2 else frames.reshape(-1, folding.lanes_in)
    outputs = COUNT * folding.unit.pixels_out * folding.unit.channels_out // folding.lanes_out
    done = bench.run({"s_axis": values}, {"m_axis": outputs}, {"s_axis": idle(arrive)})
    return done["s_axis"].cycles, done["m_axis"].cycles


@pytest.mark.parametrize("case", CASES)
def test_unit(simulator, rng, case):
    """Whenever the input comes, it is taken at once, and the output leaves when it is said to."""
    folding, params, arrive = unit(rng, case)
    (buffers,), leave = follow([folding], arrive)
    taken, left = unit_run(simulator, rng, folding, buffers, params, arrive)
    np.testing.assert_array_equal(taken, arrive)
    np.testing.assert_array_equal(left, leave["dut"])


@pytest.mark.parametrize("memory, case", [
    ("fifo_depth", "in_groups"), ("fifo_depth", "from_wide_beats"),
    ("fifo_depth", "from_odd_beats"), ("fifo_depth", "odd_lanes"), ("line_words", "words_of_taps"),
    ("words_held", "in_passes"), ("words_held", "word_by_word")])
def test_a_word_less_and_the_input_waits(rng, memory, case):
    folding, params, arrive = unit(rng, case)
    (buffers,), _ = follow([folding], arrive)
    shallower = dataclasses.replace(buffers, **{memory: getattr(buffers, memory) - 1})
    taken, _ = unit_run("myhdl", rng, folding, shallower, params, arrive)
    assert len(taken) == len(arrive) and (taken >= arrive).all() and (taken > arrive).any()


@pytest.mark.parametrize("shorter", [0, 1])
@pytest.mark.parametrize("stage", ["block_2", "block_4", "block_14"])
def test_shortcut(verilator, stage, shorter):
    """Of the network at one pixel a clock, with the arrivals it has there."""
    network, data = plan("w8a8"), golden("w8a8")
    leave, names = network.leave, [row.unit.name for row in network.units]
    rows = [row for row in network.units if row.unit.stage == stage]
    before = names[names.index(rows[0].unit.name) - 1]
    arrive = leave[before]
    words = rows[-1].buffers.fifo_depth - shorter
    rows[-1] = UnitPlan(rows[-1].folding,
                        dataclasses.replace(rows[-1].buffers, fifo_depth=words))
    design = network_design(configure_network(rows, data.params))
    values = np.stack([data.fixed[before]] * FRAMES).reshape(-1, rows[0].folding.lanes_in)
    run = simulate("verilator", design, {
        "s_axis": Source(payload(design.ports["s_axis"].shape, values), idle(arrive)),
        "m_axis": Sink(len(leave[rows[-1].unit.name]))}, timeout=20_000)
    if shorter:
        assert run.input_stalls["s_axis"] > 0
    else:
        for row in rows:
            np.testing.assert_array_equal(run[row.unit.name].cycles, leave[row.unit.name])


@pytest.mark.parametrize("alpha, resolution, cycles", [
    (alpha, resolution, cycles) for alpha in ALPHAS
    for resolution, cycles in RATES + [(33, 300), (45, 1777), (50, 123_457)]
    if alpha == 1.0 or cycles < 200_000])
def test_every_frame_takes_the_same_time(alpha, resolution, cycles):
    """Every beat of every unit leaves ``cycles`` after that of the frame before: it never waits.
    (The last frame's windows need not wait for tiles that come after them.)"""
    made = plan_network(layer_table(alpha, resolution), PRECISIONS["w16a16"], cycles, frames=4)
    for name, times in made.leave.items():
        assert (np.diff(times) > 0).all(), name
        assert (np.diff(times.reshape(4, -1)[1:3], axis=0) == cycles).all(), name


def test_a_unit_that_is_too_slow_is_told():
    """The stem with one result a cycle: of 16 x 16 pixels 32 each."""
    first, *others = fold(layer_table(1.0, 32), PRECISIONS["w16a16"], 1024)
    slower = dataclasses.replace(first, pe=first.pe // 2, lanes_out=1)
    with pytest.raises(ValueError, match="^Conv1 takes 8192 cycles for a frame, not 1024: give"):
        schedule([slower, *others], 1024)


def test_latencies_are_the_blocks():
    """The schedule has numbers of its own: sums of what blocks state and their tests hold."""
    assert model.FIFO == fifo.LATENCY
    assert model.WINDOW == line_buffer.LATENCY - 1      # from the read
    assert model.TILE_WINDOW == tile_windows.LATENCY
    assert model.LOOPED == mac_loops.LATENCY
    assert model.BANKED == mac.QUEUE_LATENCY
    assert pipeline(simd=1) + 1 == mac.LATENCY
    assert model.REQUANTIZED == requantize.LATENCY + stream.SLICE_LATENCY
    assert model.ADDED == residual_add.LATENCY + stream.SLICE_LATENCY


def test_no_sooner():
    """Against the rule, one event after the other."""
    rng = np.random.default_rng(7)
    ready = rng.integers(0, 60, 40)
    for step in (1, 3):
        expected = list(accumulate(ready.tolist(), lambda last, at: max(at, last + step)))
        assert no_sooner(ready, step).tolist() == expected
        late = [max(100 + step * (i + 1), at) for i, at in enumerate(expected)]
        assert no_sooner(ready, step, 100).tolist() == late


def test_depth():
    """A word is read at the edge of a cycle, its place free in the next."""
    for written, read, least in [([0, 1, 2], [1, 2, 3], 2), ([0, 2, 4], [1, 3, 5], 1),
                                 ([0, 1, 2, 3], [9, 10, 11, 12], 4)]:
        written, read = np.array(written), np.array(read)
        assert depth(written, read, written) == least
        assert depth(written + 20, read, written) == min(least, 2)


def test_a_link_of_halves_without_a_fifo():
    """A beat of two words is gone before the next one comes; the second word may move as that one
    comes, the first in the cycle before."""
    found = link(Arrival(np.array([0, 10, 20]), 2), 1, lambda ready: no_sooner(ready, 1),
                 NO_BUFFERS)
    assert found.words.tolist() == [1, 2, 11, 12, 21, 22]
    assert found.latest[:4].tolist() == [9, 10, 19, 20] and found.buffers == NO_BUFFERS
    assert link(Arrival(np.array([0, 1, 2]), 2), 1, lambda ready: no_sooner(ready, 1),
                NO_BUFFERS).buffers.fifo_depth


def test_offers():
    assert offers(4, 8, 2).tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    assert offers(3, 10, 2).tolist() == [0, 4, 7, 10, 14, 17]
    assert offers(4, 2, 1).tolist() == [0, 1, 2, 3]
