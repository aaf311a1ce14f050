"""Finished plans: every unit complete, the same buffers however many frames are followed."""
import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from hdl.layers import PRECISIONS, layer_table
from hdl.plan.folding import Folding, fold
from hdl.plan.network import UnitPlan, plan_network
from hdl.plan.schedule import NO_BUFFERS, Buffers, TooSlow, schedule
from tests.support.networks import RATES, TABLE

W8A8 = PRECISIONS["w8a8"]


@pytest.mark.parametrize("resolution, cycles", RATES)
def test_every_unit_is_finished(resolution, cycles):
    """What has to wait or is gone through again has a memory, and nothing else has one."""
    table = layer_table(1.0, resolution)
    plan = plan_network(table, W8A8, cycles)
    assert plan.table == table and plan.cycles_per_frame == cycles
    assert [row.unit for row in plan.units] == list(table) and list(plan.leave) == [
        unit.name for unit in table]
    assert [row.folding for row in plan.units] == list(fold(table, W8A8, cycles))
    for row in plan.units:
        buffers, name = row.buffers, row.unit.name
        assert (buffers.fifo_depth > 0) == (buffers.fifo_lanes > 0), name
        if not row.unit.weights:
            assert buffers.fifo_depth > 0 and buffers.words_held == 0, name
        elif row.folding.passes > 1:
            assert buffers.words_held >= row.unit.weight_shape[0] // row.folding.simd, name
        else:
            assert buffers.words_held == 0, name
    for before, after in pairwise(plan.units):
        assert after.folding.lanes_in == before.folding.lanes_out


def test_nothing_in_a_plan_has_a_value_of_its_own_accord():
    """Neither decisions of the solver nor depths of memories can be left out, but for tiles and
    what only tiles that creep have, and pairs of products, which are asked for."""
    optional = {field.name for row in (Folding, Buffers, UnitPlan)
                for field in dataclasses.fields(row) if field.default is not dataclasses.MISSING}
    assert optional == {"tile_in", "tile_out", "constant", "loops", "creep_in", "creep_out",
                        "flushes", "pairs"}


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_frames(frames):
    """The buffers are those for any number of frames, and each frame's beats are counted."""
    usual, other = (plan_network(TABLE, W8A8, 1024, **options)
                    for options in ({}, {"frames": frames}))
    assert [row.buffers for row in other.units] == [row.buffers for row in usual.units]
    beats = {row.unit.name: row.unit.pixels_out * row.unit.channels_out // row.folding.lanes_out
             for row in other.units}
    assert {name: len(times) for name, times in other.leave.items()} == {
        name: frames * count for name, count in beats.items()}
    assert other.beats == frames * sum(beats.values())
    assert other.latency == usual.latency


def test_figures():
    plan = plan_network(TABLE, W8A8, 1024)
    assert plan.multipliers == sum(row.folding.multipliers for row in plan.units)
    times = plan.leave["Conv_1"]
    frame = 1280 // plan.units[-1].folding.lanes_out
    assert plan.latency == times[frame - 1] + 1 and len(times) == plan.frames * frame
    assert np.all(times[frame:] - times[:-frame] == 1024)


def test_bits_of_buffers():
    """Of a shortcut, and of what waits before a unit that goes through its input again."""
    units = {row.unit.name: row for row in plan_network(TABLE, W8A8, 1024).units}
    add, expand, project = (units[f"block_2_{role}"] for role in ("add", "expand", "project"))
    assert add.buffer_bits == expand.fifo_bits == 0
    assert add.fifo_bits == add.buffers.fifo_depth * add.buffers.fifo_lanes * 12
    assert expand.folding.passes > 1 and expand.folding.accumulator_bits == 0
    waiting = UnitPlan(expand.folding, Buffers(3, 4, words_held=5, line_words=0))
    assert waiting.buffer_bits == (3 * 4 + 5 * expand.folding.simd) * 12
    # 144 products of 8 by 8 bits, two sums for each of 24 outputs.
    assert UnitPlan(project.folding, NO_BUFFERS).buffer_bits == 2 * 24 * (8 + 8 + 8)


def test_a_rate_that_no_plan_keeps_is_refused():
    with pytest.raises(ValueError, match="^255 cycles for a frame are fewer than the 256 pixels"):
        plan_network(TABLE, W8A8, 255)


def test_a_unit_that_is_too_slow_gets_more_multipliers(monkeypatch):
    """Where the schedule says so of its first folding it gets the next, and no other unit does."""
    def strict(foldings, cycles, frames):
        for row in foldings:
            if row.unit.name == "block_6_depthwise" and row.multipliers == 1:
                raise TooSlow(row, cycles + 1, cycles)
        return schedule(foldings, cycles, frames)

    monkeypatch.setattr("hdl.plan.network.schedule", strict)
    table = layer_table(0.35, 32)
    plan, fewest = plan_network(table, W8A8, 3456), fold(table, W8A8, 3456)
    slow = {row.unit.name: (few.multipliers, row.folding.multipliers)
            for row, few in zip(plan.units, fewest) if row.folding != few}
    assert slow == {"block_6_depthwise": (1, 2)}
    assert len(plan.leave["block_6_depthwise"]) == plan.frames * 4 * 96
    times = plan.leave["Conv_1"].reshape(plan.frames, -1)
    assert (np.diff(times, axis=0) == 3456).all()


def test_a_unit_without_multipliers_that_is_too_slow_is_refused(monkeypatch):
    add = next(row for row in fold(TABLE, W8A8, 1024) if not row.unit.weights)

    def too_slow(foldings, cycles, frames):
        raise TooSlow(add, cycles + 1, cycles)

    monkeypatch.setattr("hdl.plan.network.schedule", too_slow)
    with pytest.raises(ValueError, match="^block_2_add takes 1025 cycles for a frame, not 1024: "
                       "give more cycles$"):
        plan_network(TABLE, W8A8, 1024)


@pytest.mark.parametrize("cycles", [200_704, 802_816])
def test_line_buffers_keep_little_more_than_two_rows(cycles):
    """A tap at a time: two rows, two pixels and what comes meanwhile; three rows at a stride of 2,
    where the windows of a row take as long as two rows of pixels to come."""
    for planned in plan_network(layer_table(), PRECISIONS["w8a8"], cycles).units:
        if planned.folding.simd == 1 and planned.unit.kind == "depthwise":
            size, windows = planned.unit.size_in, planned.windows
            rows = 2 if planned.unit.stride == 1 else 3
            assert 2 * size < windows.room / windows.groups <= rows * size + 3
            assert planned.line_buffer_bits == windows.room * planned.folding.pe * 8
