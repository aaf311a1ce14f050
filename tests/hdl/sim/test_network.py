"""The whole chain at its true channels, against the stored goldens; and that faults are told.

An xdist_group is tests of one network: one worker converts and compiles it, once.
"""
import dataclasses

import numpy as np
import pytest

from golden.photo import load_photo
from hdl.layers import PRECISIONS, layer_table, precision
from hdl.plan.config import by_stage, configure, configure_network
from hdl.plan.network import plan_network
from hdl.sim import SIMULATORS
from hdl.sim import network as sim
from hdl.sim.endpoints import TIMEOUT
from hdl.sim.network import compare, pace, products, run_frames
from hdl.sim.rules import check_waits
from hdl.sim.trace import Trace
from tests.support.bench import agree
from tests.support.blocks import matrix_twice
from tests.support.networks import MIXED, TABLE, configs, golden, plan
from tests.support.reference import reference
from tests.support.simulators import available


def mismatches(units, fixed, simulator, frames=1, seed=None, cycles=None):
    """Elements of all units that differ, the first Difference, and the Run, in which every
    multiply-accumulate of the layer table was made once."""
    inputs = np.stack([fixed["input"]] * frames)
    run, outputs = run_frames(simulator, units, inputs, seed, cycles, timeout=50_000)
    assert products(units, run) == {config.unit.name: frames * config.unit.macs
                                    for config in units}
    found = [compare(config.unit, np.stack([fixed[config.unit.name]] * frames),
                     outputs[config.unit.name]) for config in units]
    return sum(f.mismatches for f in found), next((f.first for f in found if f.first), None), run


@pytest.mark.slow
@pytest.mark.parametrize("precision", [
    pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in PRECISIONS])
def test_chain_in_verilator(verilator, precision):
    units, fixed = configs(precision), golden(precision).fixed
    assert mismatches(units, fixed, "verilator", frames=2)[:2] == (0, None)
    assert mismatches(units, fixed, "verilator", frames=2, seed=11)[:2] == (0, None)


@pytest.mark.slow
@pytest.mark.parametrize("cycles", [1024, pytest.param(16_384, marks=pytest.mark.full)])
def test_chain_of_pairs(verilator, cycles):
    """Two products in each multiplier 27 bits wide, wherever two outputs have the same inputs: the
    stem, the wide inputs of expansions, each of which is a word, and all others."""
    made, data = plan_network(TABLE, PRECISIONS["w8a8"], cycles, factor=27), golden("w8a8")
    paired = {row.unit.name: row.folding.pairs.products for row in made.units if row.folding.pairs}
    assert all(row.folding.pairs for row in made.units
               if row.unit.kind != "depthwise" and row.folding.pe > 1)
    assert {number for name, number in paired.items() if name.endswith("_expand")} == {1}
    assert max(paired.values()) > 4
    units = configure_network(made.units, data.params)
    assert mismatches(units, data.fixed, "verilator", frames=2, seed=11)[:2] == (0, None)
    _, _, run = mismatches(units, data.fixed, "verilator", frames=made.frames)
    assert intervals(made, run) == [cycles] * (made.frames - 1)


@pytest.mark.slow
@pytest.mark.parametrize("cycles", [4096, pytest.param(1, marks=pytest.mark.full)])
def test_widths_by_unit(verilator, cycles):
    """Weights of four widths, in memories and as constants: each unit has its own."""
    network = reference(MIXED, 0.35)
    units = configure_network(plan_network(layer_table(0.35, 32), precision(MIXED), cycles).units,
                              network.params)
    widths = {config.name: set(config.weights.widths) if config.weights else
              {config.constants[0].bits} for config in units if config.unit.weights}
    assert widths == {unit.name: {11 if unit.name == "block_3_project" else
                                  {"depthwise": 8, "head": 4}.get(unit.role, 6)}
                      for unit in layer_table(0.35, 32) if unit.weights}
    fixed = network.fixed(load_photo(None, 32))
    assert mismatches(units, fixed, "verilator", frames=2, seed=11)[:2] == (0, None)


@pytest.mark.slow
@pytest.mark.parametrize("precision", [
    pytest.param("w16a16", marks=pytest.mark.xdist_group("w16a16")),
    pytest.param("w8a8", marks=[pytest.mark.xdist_group("w8a8"), pytest.mark.full])])
def test_simulators_agree_on_the_chain(simulators, precision):
    """6,112,128 multiply-accumulates, in MyHDL or another, and every beat as in Verilator."""
    units = configs(precision)
    assert sum(config.unit.macs for config in units) == 6_112_128
    runs = []
    for simulator in simulators:
        count, first, run = mismatches(units, golden(precision).fixed, simulator)
        assert (count, first) == (0, None)
        runs.append(run)
    for other in runs[1:]:
        agree(runs[0], other)


def intervals(planned, run):
    """Cycles from frame to frame of a free run of three, every beat of which is on schedule."""
    features = run["m_axis"].cycles.reshape(planned.frames, -1)
    for name, times in planned.leave.items():
        np.testing.assert_array_equal(run[name].cycles, times, name)
    check_waits(run, dict.fromkeys(run.traces, 0))      # each in the cycle in which it is offered
    return np.diff(features[:, -1]).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("tool", SIMULATORS)
def test_a_frame_in_every_clock(tool):
    """6,112,128 products in every cycle: whole frames come and leave in every one, none waits, and
    every beat of every unit moves when it is scheduled; stalls change nothing but the time."""
    available(tool)
    planned, units, fixed = plan("w8a8", 1), configs("w8a8", 1), golden("w8a8").fixed
    assert planned.multipliers == 6_112_128 and not any(config.weights for config in units)
    count, first, run = mismatches(units, fixed, tool, frames=3, cycles=1)
    assert (count, first, run.input_stalls["s_axis"]) == (0, None, 0)
    assert intervals(planned, run) == [1, 1]
    if tool in ("myhdl", "verilator"):      # the others take minutes
        assert mismatches(units, fixed, tool, frames=3, seed=4)[:2] == (0, None)


@pytest.mark.slow
@pytest.mark.parametrize("cycles", [4, 16, 64])
def test_rates_at_which_tiles_creep(simulator, cycles):
    """Every stage: frames back to back at their rate, then stalled on both sides."""
    planned, units, fixed = plan("w8a8", cycles), configs("w8a8", cycles), golden("w8a8").fixed
    count, first, run = mismatches(units, fixed, simulator, frames=3, cycles=cycles)
    assert (count, first, run.input_stalls["s_axis"]) == (0, None, 0)
    assert intervals(planned, run)[0] == cycles
    assert mismatches(units, fixed, simulator, frames=3, seed=4)[:2] == (0, None)


@pytest.mark.slow
@pytest.mark.xdist_group("w8a8")
def test_a_swapped_weight_is_told(verilator):
    """Two weights of one unit change places in its ROM; the units before it stay right."""
    precision, name = "w8a8", "block_2_project"
    units, data = list(configs(precision)), golden(precision)
    at = [config.unit.name for config in units].index(name)
    weights = data.params[name].weights.copy()
    other = np.flatnonzero(weights[:, 3] != weights[0, 3])[0]
    weights[[0, other], 3] = weights[[other, 0], 3]
    units[at] = configure(units[at].plan,
                          dataclasses.replace(data.params[name], weights=weights))
    count, first, _ = mismatches(tuple(units), data.fixed, "verilator")
    assert count > 0 and (first.stage, first.unit, first.channel) == ("block_2", name, 3)
    assert first.expected != first.got
    assert f"stage block_2, unit {name}, frame 0, pixel (" in str(first)


def test_what_is_computed_twice_is_told(simulator, monkeypatch):
    """By the products that are counted, where every element is right."""
    monkeypatch.setattr("hdl.units.pointwise.matrix", matrix_twice)
    units, fixed = by_stage(configs("w8a8", 4096))["expanded_conv"], golden("w8a8").fixed
    run, outputs = run_frames(simulator, units, fixed["Conv1"][None], timeout=50_000)
    depthwise, project = units
    for config in units:
        assert compare(config.unit, fixed[config.unit.name][None],
                       outputs[config.unit.name]).mismatches == 0
    assert products(units, run) == {depthwise.unit.name: depthwise.unit.macs,
                                    project.unit.name: 2 * project.unit.macs}


def test_first_difference_names_the_element():
    unit = layer_table(1.0, 32)[0]
    expected = np.arange(2 * 16 * 16 * 32).reshape(2, 16, 16, 32)
    values = expected.ravel().copy()
    values[[16 * 16 * 32 + 5 * 16 * 32 + 2 * 32 + 9, -1]] += 7
    found = compare(unit, expected, values)
    assert found.mismatches == 2
    assert (found.first.frame, found.first.pixel, found.first.channel) == (1, (5, 2), 9)
    assert found.first.got == found.first.expected + 7
    assert compare(unit, expected, values[:-3]).mismatches == 1 + 3


@pytest.mark.parametrize("cycles, name", [(1024, "block_1_expand"), (4, "block_1_expand"),
                                          (4, "block_3_depthwise"), (1, "Conv1")])
def test_the_cycle_of_an_element(rng, cycles, name):
    """Of single pixels and of tiles, those that creep as well: found by the number that it has."""
    config = next(each for each in configs("w8a8", cycles) if each.unit.name == name)
    unit, shape = config.unit, config.stream_out()
    frames = np.zeros((2, unit.size_out, unit.size_out, unit.channels_out), np.int64)
    for place in zip(*(rng.integers(0, size, 4) for size in frames.shape)):
        frames[:] = 0
        frames[place] = 1
        frames[(*place[:3], place[3] - 1)] = 2    # the largest, which fills what is no tile's
        words = sim.frame_words(shape, frames)
        trace = Trace(words, 100 + 3 * np.arange(len(words)))
        values = trace.values(shape)
        assert sim.in_raster(values, trace, config)[np.ravel_multi_index(place, frames.shape)] == 1
        holds, = np.flatnonzero((values == 1).any(axis=1))
        where = sim.Difference("", name, int(place[0]), place[1:3], int(place[3]), 0, 0)
        assert sim.cycle_of(trace, config, where) == 100 + 3 * holds


@pytest.mark.slow
@pytest.mark.parametrize("resolution, cycles", [(32, 4), (32, 256), (32, 4096), (33, 500),
                                                (48, 2304)])
def test_no_unit_ever_waits(verilator, resolution, cycles):
    """Frames back to back at rates from 256 pixels a clock, in tiles of 16 x 16, to a quarter, odd
    sizes among them, which pad both sides of a stride of 2: every beat of every unit moves in the
    very cycle that the schedule says, which is as often as frames come; and stalls change nothing
    but the time."""
    frames, network = 4, reference("w8a8", 0.35, resolution)
    fixed = network.fixed(load_photo(None, resolution))
    planned = plan_network(layer_table(0.35, resolution), PRECISIONS["w8a8"], cycles, frames)
    units = configure_network(planned.units, network.params)
    assert units[0].folding.tile_in == (16 if cycles == 4 else 2 if cycles < resolution ** 2 else 1)
    count, first, run = mismatches(units, fixed, "verilator", frames, cycles=cycles)
    assert (count, first, run.input_stalls["s_axis"]) == (0, None, 0)
    for name, cycles_left in planned.leave.items():
        np.testing.assert_array_equal(run[name].cycles, cycles_left, name)
    features = run["m_axis"].cycles.reshape(frames, -1)
    assert (np.diff(features[:-1], axis=0) == cycles).all()
    assert mismatches(units, fixed, "verilator", frames=2, seed=5)[:2] == (0, None)


@pytest.mark.parametrize("options, timeout", [
    ({"cycles": 1024}, 20 * 1024), ({"cycles": 4096}, 20 * 4096), ({}, TIMEOUT),
    ({"cycles": 1024, "timeout": 7}, 7)])
def test_patience(monkeypatch, options, timeout):
    """Without a word on it, a run at a rate may stand still for twenty frames' time."""
    def simulated(simulator, design, ends, timeout, drain, progress):
        raise InterruptedError(timeout)

    monkeypatch.setattr(sim, "simulate", simulated)
    with pytest.raises(InterruptedError) as stopped:
        run_frames("verilator", configs("w8a8"), golden("w8a8").fixed["input"][None], **options)
    assert stopped.value.args == (timeout,)


def test_pace():
    """As many beats as asked for in every so many cycles, the first at once."""
    for beats, cycles in [(4, 8), (3, 10), (256, 700), (5, 5)]:
        pauses = pace(beats, cycles)
        offered = np.ones(cycles, bool) if pauses is None else ~np.resize(pauses, cycles)
        assert offered.sum() == beats and offered[0]
        gaps = np.diff(np.flatnonzero(np.tile(offered, 2)))
        assert gaps.max() - gaps.min() <= 1
    assert pace(4, None) is None
