"""cocotb's testbench for the benchmark, as its users write one: a source, a sink, a comparison.

Nothing is done in a cycle that has no beat.  $BENCH_DATA is an .npz with ``words`` to send and
``expected`` to receive, uint32 (beats, words); $BENCH_RESULT the JSON file to write.
"""
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge
from cocotb.utils import get_sim_time

PERIOD = 10     # ns
RESET_CYCLES = 4


def beats(words: np.ndarray) -> list[int]:
    """Rows of 32-bit words as integers, the first word lowest."""
    return [int.from_bytes(row.tobytes(), "little") for row in words.astype("<u4")]


async def send(dut: HierarchyObject, values: Sequence[int]) -> None:
    """Offer every value until it is taken."""
    edge, data, valid, ready = (RisingEdge(dut.clk), dut.s_axis_tdata, dut.s_axis_tvalid,
                                dut.s_axis_tready)
    valid.value = 1
    for value in values:
        data.value = value
        await edge
        while not ready.value:
            await edge
    valid.value = 0


async def receive(dut: HierarchyObject, count: int) -> list[int]:
    """Take ``count`` values; asleep while none is offered."""
    edge, data, valid = RisingEdge(dut.clk), dut.m_axis_tdata, dut.m_axis_tvalid
    offered = RisingEdge(valid)
    taken: list[int] = []
    while len(taken) < count:
        if not valid.value:
            await offered
        await edge
        if valid.value:
            taken.append(data.value.to_unsigned())
    return taken


@cocotb.test()
async def frames(dut: HierarchyObject) -> None:
    """Send the frame, hold the features against the golden, write down how long it took."""
    data = np.load(os.environ["BENCH_DATA"], allow_pickle=False)
    sent, expected = beats(data["words"]), beats(data["expected"])
    dut.rst.value = 1
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tdata.value = 0
    dut.m_axis_tready.value = 1
    Clock(dut.clk, PERIOD, unit="ns").start()
    await ClockCycles(dut.clk, RESET_CYCLES)
    dut.rst.value = 0
    begin, started = get_sim_time("ns"), time.perf_counter()
    cocotb.start_soon(send(dut, sent))
    received = await receive(dut, len(expected))
    seconds = time.perf_counter() - started
    Path(os.environ["BENCH_RESULT"]).write_text(json.dumps({
        "seconds": seconds, "cycles": round((get_sim_time("ns") - begin) / PERIOD),
        "mismatches": sum(a != b for a, b in zip(received, expected))}))
    assert received == expected
