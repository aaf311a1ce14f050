"""The quick scheduler: what it leaves out, and that nothing moves in another cycle."""
import myhdl
import numpy as np
import pytest

from hdl.blocks.stream import register_slice
from hdl.myhdl_fixes import scheduler
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.myhdl_fixes.scheduler import binary, clocked_at_once
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import RESET_CYCLES, Sink, Source
from hdl.sim.network import run_frames
from tests.support import blocks as sim_blocks
from tests.support.bench import agree
from tests.support.networks import golden, stage


def test_binary_is_what_myhdl_computes():
    for number in (*range(-40, 41), 2 ** 63, -2 ** 63, 2 ** 63 - 1, 2 ** 40 + 5, -2 ** 40 - 7):
        for width in (0, 3, 70):
            assert binary(number, width) == myhdl.bin(number, width)


def test_clocked_processes_become_one():
    with fresh_elaboration():
        clk, rst = clock_and_reset()
        dut = register_slice(clk, rst, *sim_blocks.stream_pair(1, 4).values())
        found = clocked_at_once(dut, clk, rst)
    assert sorted(type(each).__name__ for each in dut.subs) == ["_Always", "_AlwaysComb",
                                                                "_AlwaysSeq"]
    assert [type(each).__name__ for each in found] == ["_AlwaysComb", "generator"]


def test_a_process_that_keeps_more_than_signals_runs_at_every_edge():
    edges = []
    design = Design(sim_blocks.with_memory_of_its_own,
                    {**sim_blocks.stream_pair(1, 4), "edges": edges})
    run = simulate("myhdl", design, {"s_axis": Source(np.array([[3]])), "m_axis": Sink(1)},
                   drain=20)
    assert len(edges) == RESET_CYCLES + run.cycles - 1 > 20


@pytest.mark.parametrize("seed", [None, 7])
def test_every_beat_moves_as_in_myhdl(monkeypatch, seed):
    """A stage with a shortcut, to its last row, without stalls and with: both ways alike."""
    frame = golden("w8a8").fixed["block_13_project"][None]
    quick = run_frames("myhdl", stage("block_14"), frame, seed)
    monkeypatch.setenv("MNV2_MYHDL_SCHEDULER", "plain")
    monkeypatch.setattr(scheduler, "_edges", None)      # nothing of the quick one is used
    plain = run_frames("myhdl", stage("block_14"), frame, seed)
    agree(quick[0], plain[0])
    for name, values in quick[1].items():
        np.testing.assert_array_equal(values, plain[1][name])
