"""Units with constant weights against plain loops: tiles that creep, every stall, frames apart."""
import dataclasses

import numpy as np
import pytest

from hdl.axis import AxiStream
from hdl.blocks.adder_graph import adder_graph, input_bits
from hdl.blocks.constant_array import ArraySteps, constant_array
from hdl.blocks.signals import uint
from hdl.blocks.tile_patch import Patch
from hdl.layers import KINDS, Unit, padding
from hdl.myhdl_fixes.elaborate import clock_and_reset
from hdl.plan.config import configure
from hdl.plan.folding import constant_folding
from hdl.plan.network import UnitPlan
from hdl.plan.schedule import NO_BUFFERS
from hdl.units.by_kind import block_of
from hdl.units.constant import constant_pointwise
from scripts.silicon.graphs import matrix_of, solve
from tests.support.bench import (DEAD, NARROW, STALLS, UnitBench, agree, frames_of, integers,
                                 seed_of, with_dead_channels, with_integers)
from tests.support.naive import naive_unit
from tests.support.tiles import beat_numbers, from_beats, to_beats

FRAMES = 3
# kind, size, tile, creep of what comes (None: tiles do not creep), channels in and out, stride;
# what comes to a stage's first unit has no creep, and the unit or its stage flushes it.
CASES = {
    "stem": ("stem", 8, 4, None, 3, 4, 2),
    "stem_of_one_tile": ("stem", 8, 8, None, 3, 2, 2),
    "expand": ("pointwise", 8, 4, 1, 3, 5, 1),
    "expand_at_a_pixel_a_clock": ("pointwise", 3, 1, None, 5, 4, 1),
    "depthwise": ("depthwise", 8, 4, 1, 3, 3, 1),
    "depthwise_to_a_whole_tile": ("depthwise", 6, 2, 1, 3, 3, 1),
    "depthwise_of_one_tile": ("depthwise", 4, 4, 2, 2, 2, 1),
    "depthwise_at_a_pixel_a_clock": ("depthwise", 4, 1, 0, 3, 3, 1),
    "depthwise_of_one_pixel": ("depthwise", 1, 1, 0, 3, 3, 1),
    "stride_2": ("depthwise", 12, 4, 2, 3, 3, 2),
    "stride_2_of_an_odd_creep": ("depthwise", 8, 4, 1, 3, 3, 2),
    "stride_2_to_a_whole_tile": ("depthwise", 8, 4, 3, 2, 2, 2),
    "stride_2_to_a_pixel_a_clock": ("depthwise", 6, 2, 0, 3, 3, 2),
}


def configured(rng, case):
    """UnitConfig and integers of a case."""
    kind, size, tile, creep, inputs, outputs, stride = CASES[case]
    kernel = 3 if KINDS[kind].windowed else 1
    unit = Unit("dut", kind, kind, "dut", size, size // stride, inputs, outputs, kernel, stride,
                padding(size, stride) if kernel == 3 else (0, 0),
                "input" if kind == "stem" else "relu6", "relu6" if kernel == 3 else "linear")
    folding = constant_folding(unit, NARROW, (size // tile) ** 2, creep, kind == "stem")
    return with_integers(rng, UnitPlan(folding, NO_BUFFERS))


class TileBench(UnitBench):
    """A UnitBench whose streams are tiles."""

    def __init__(self, simulator, config, params):
        super().__init__(simulator, block_of(config), config, params)

    def check(self, rng, stall, gaps=(0, 0)):
        """Frames with so many beats between them, where tiles creep: all outputs are right."""
        config, shape = self.config, self.config.stream_in()
        frames, seed = frames_of(rng, config, FRAMES), seed_of(rng)
        row = config.unit.size_in // shape.tile
        numbers = beat_numbers(FRAMES, row, gaps if shape.creep is not None else (0, 0))
        beats = to_beats(frames.astype(float), shape.tile, shape.creep or 0, numbers)
        junk = integers(rng, shape.bits, shape.signed, beats.shape)
        beats = np.where(np.isnan(beats), junk, beats).astype(int).reshape(len(beats), -1)
        own = np.isin(np.arange(len(beats)), numbers)
        values = (beats, own) if shape.creep is not None else beats[own]
        run = self.run({"s_axis": values}, {"m_axis": FRAMES * row ** 2}, stall, seed,
                       drain=60 * (row + 2))
        assert (got := self.frames_out(run["m_axis"])).shape[0] == FRAMES
        expected = [naive_unit(config, self.params, frame) for frame in frames]
        np.testing.assert_array_equal(got.reshape(FRAMES, -1, config.unit.channels_out), expected)
        return run

    def frames_out(self, trace):
        """The frames that left."""
        unit, shape = self.config.unit, self.config.stream_out()
        values = trace.values(shape).reshape(len(trace), shape.tile, shape.tile, -1)
        own = np.ones(len(trace), bool) if shape.creep is None else trace.bit(shape.width - 1)
        return from_beats(values, unit.size_out, shape.tile, shape.creep or 0, np.flatnonzero(own))


@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case):
    """Back to back, under every mixture of stalls; then apart."""
    dut = TileBench(simulator, *configured(rng, case))
    for stall in STALLS:
        dut.check(rng, stall)
    row = dut.config.unit.size_in // dut.config.folding.tile_in
    for gap in (1, row, row + 1):
        dut.check(rng, "both", (gap, 1))


@pytest.mark.parametrize("case", ["stem", "depthwise", "stride_2"])
def test_a_beat_in_every_cycle(simulator, rng, case):
    """The input never waits, and the last rows of the last frame leave without another one."""
    run = TileBench(simulator, *configured(rng, case)).check(rng, "free")
    assert np.diff(run["s_axis"].cycles).max() == 1
    assert np.diff(run["m_axis"].cycles).max() == 1


def with_adders(config, params):
    """The UnitConfig with an adder graph in place of its products."""
    return dataclasses.replace(config, graph=solve(matrix_of(config.unit, params.weights, NARROW)))


@pytest.mark.parametrize("case", ["stem", "expand", "depthwise", "stride_2_of_an_odd_creep"])
def test_adder_graphs(simulator, rng, case):
    """The same outputs in the same cycles as of products."""
    config, params = configured(rng, case)
    seed = int(rng.integers(1 << 30))
    runs = [TileBench(simulator, each, params).check(np.random.default_rng(seed), "both")
            for each in (with_adders(config, params), config)]
    agree(*runs)
    TileBench(simulator, with_adders(config, params), params).check(rng, "idle", (1, 1))


@pytest.mark.parametrize("dead", ["one", "all_clipped"])
def test_dead_channels(simulator, rng, dead):
    """A unit whose output is constant is a unit like any other."""
    config, params = configured(rng, "depthwise")
    TileBench(simulator, *with_dead_channels(config, params, *DEAD[dead])).check(rng, "both")


@pytest.mark.parametrize("case", ["expand", "depthwise"])
def test_a_swapped_constant_is_told(rng, case):
    """Two weights of one output change places."""
    config, params = configured(rng, case)
    dut = TileBench("myhdl", config, params)
    weights = params.weights.copy()
    other = np.flatnonzero(weights[:, 1] != weights[0, 1])[0]
    weights[[0, other], 1] = weights[[other, 0], 1]
    swapped = configure(config.plan, type(params)(**{**vars(params), "weights": weights}))
    dut = TileBench("myhdl", swapped, params)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        dut.check(rng, "free")


def test_other_streams_are_refused(rng):
    config, _ = configured(rng, "expand")
    other = dataclasses.replace(config.stream_in(), creep=2)
    for shapes, words in (((other, config.stream_out()), "^dut has an input of 4 x 4 pixels of 3 x "
                           "6 bits unsigned creeping by 1, not .* creeping by 2$"),
                          ((config.stream_in(), other), "^dut has an output of .*, not ")):
        with pytest.raises(ValueError, match=words):
            constant_pointwise(*clock_and_reset(), *map(AxiStream, shapes), config)


def test_other_words_are_refused(rng):
    """Of an array of products, and of one of adders."""
    config, params = configured(rng, "expand")
    work, graph = config.work, with_adders(config, params).graph
    bits, given = work.patch_bits, work.shape_out.width
    for taken, tile in ((bits + 1, given), (bits, given + 1)):
        with pytest.raises(ValueError, match=f"^constant array dut takes patches of {bits} bits "
                                             f"and gives .*, not {taken} and {tile} bits$"):
            constant_array(clock_and_reset()[0], ArraySteps(), Patch(taken), uint(tile), work)
    count, outputs, wide = len(graph.inputs), len(graph.outputs), input_bits(graph)
    for word, sums in ((count * wide + 1, outputs * 9), (count * wide, outputs * 9 + 1)):
        with pytest.raises(ValueError, match=f"^adder graph dut takes {count} numbers of {wide} "
                                             f"bits and gives {outputs} of equally many, not "
                                             f"{word} and {sums} bits$"):
            adder_graph(uint(word), uint(sums), graph, "dut")
