"""Multiply-accumulate array in loops: ``mac`` for thousands of multipliers.

Weights, sums and accumulators are arrays, and the Verilog and VHDL are written by hand as loops
over them (``mac_text``): a text for each multiplier, as ``mac`` has it, would be megabytes.  MyHDL
simulates it with arrays of integers.
"""
import numpy as np
from myhdl import ResetSignal, SignalType, always, block, instances

from hdl.axis import AxiStream, Handshake
from hdl.beats import pack, unpack, words_of
from hdl.blocks.fifo import Queue
from hdl.blocks.lanes import unpack as lanes_of
from hdl.blocks.mac import mac_control, mac_finish
from hdl.blocks.mac_text import LoopWork, verilog_text, vhdl_text
from hdl.blocks.processing_element import Fold, Steps
from hdl.blocks.refusals import refuse_tiles
from hdl.blocks.registers import register
from hdl.blocks.serialise import serialise
from hdl.blocks.signals import Instances, flag, sint, uint
from hdl.blocks.weight_rom import Fetch
from hdl.plan.rom import Constants

LATENCY = 3     # cycles from an output's last input beat to its result
DEPTH = 2       # ... from an operand's read to the sum of its products


@block
def mac_loops(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
              weights: Constants, fold: Fold) -> Instances:
    """out[g, j] = sum over beats b and i of x[b, i] * w[b, g, j, i], as ``mac``.

    s_axis  -- fold.inputs lanes, PE minor where they are not shared
    m_axis  -- accumulators, the two's complement of signed numbers; lanes divide PE
    weights -- Constants, PE x SIMD for each row in the order of use, SIMD minor
    fold    -- Fold
    """
    refuse_tiles("mac_loops", s_axis, m_axis)
    per_row = fold.pe * fold.simd
    rows = len(weights.values) // per_row
    if s_axis.shape.lanes != fold.inputs or fold.pe % m_axis.shape.lanes \
            or len(weights.values) % (per_row * fold.beats * fold.groups):
        raise ValueError(
            f"mac_loops with PE {fold.pe} and SIMD {fold.simd} takes {fold.inputs} lanes, gives a "
            f"number of lanes that divides {fold.pe} and has weights for {fold.beats} beats of "
            f"{fold.groups} groups: {s_axis.shape} come in, {m_axis.shape} go out, there are "
            f"{len(weights.values)} weights")
    go, take = flag(), flag()
    fetch, steps, queue = Fetch(rows), Steps(fold.groups, DEPTH), Queue(fold.groups)
    operand = uint(s_axis.shape.width)
    totals = uint(fold.pe * m_axis.shape.bits)
    total = [sint(m_axis.shape.bits) for _ in range(fold.pe)]
    done = Handshake()

    control = mac_control(clk, rst, go, s_axis, take, fetch, steps, fold)
    hold = register(clk, take, s_axis.tdata, operand)
    work = LoopWork(weights, fold, s_axis.shape, m_axis.shape.bits)
    array = loop_array(clk, fetch, steps, queue, operand, totals, work)
    split = lanes_of(totals, total)
    results = serialise(clk, rst, total, done, m_axis)
    finish = mac_finish(clk, rst, go, steps, queue, done, fold)
    return instances()


@block
def loop_array(clk: SignalType, fetch: Fetch, steps: Steps, queue: Queue, operand: SignalType,
               totals: SignalType, work: LoopWork) -> Instances:
    """totals = the accumulators of all PE, as ``mac_array`` has them, PE 0 lowest.

    operand -- word of the inputs
    """
    model = LoopModel(work)
    step, address = fetch.step, fetch.address
    multiply, add, first = steps.fetch, steps.add, steps.first
    ahead, group = steps.ahead, steps.group
    write, read, tail = queue.write, queue.read, queue.tail

    @always(clk.posedge)
    def compute():
        if work.fold.queued:
            if read:
                totals.next = model.given(int(tail))
            if add:
                model.accumulate_group(int(group), bool(first), bool(write))
            if multiply:
                model.fetch(int(ahead))
        elif add:
            totals.next = model.accumulate(bool(first))
        if multiply:
            model.multiply(int(operand))
        if step:
            model.row = int(address)

    loop_array.verilog_code = verilog_text(work)
    loop_array.vhdl_code = vhdl_text(work)
    return compute


loop_array.func.outputs = ("totals",)


class LoopModel:
    """The array as MyHDL simulates it."""

    def __init__(self, work: LoopWork) -> None:
        fold = work.fold
        self.work, self.row = work, 0
        self.weights = work.weights.values.reshape(-1, fold.pe, fold.simd)
        self.sums, self.before, self.total = (np.zeros(fold.pe, np.int64) for _ in range(3))
        self.memory, self.result = (np.zeros((fold.groups, fold.pe), np.int64) for _ in range(2))

    def multiply(self, word: int) -> None:
        """The sums of products of the operands and the row that was read."""
        fold, shape = self.work.fold, self.work.shape
        words = np.frombuffer(word.to_bytes(4 * words_of(shape.width), "little"), "<u4")
        x = unpack(words, shape.lanes, shape.bits, shape.signed)[0]
        x = x[None] if fold.shared else x.reshape(fold.simd, fold.pe).T
        self.sums = (x * self.weights[self.row]).sum(axis=1)

    def accumulate(self, first: bool) -> int:
        """The word of the accumulators, where there is one for each PE."""
        self.total = self.sums if first or self.work.fold.beats == 1 else self.total + self.sums
        return self._word(self.total)

    def fetch(self, group: int) -> None:
        """The accumulators of the group whose sums come next."""
        self.before = self.memory[group].copy()

    def accumulate_group(self, group: int, first: bool, last: bool) -> None:
        """The accumulators of a group; the last ones wait for the queue."""
        self.memory[group] = self.sums if first else self.before + self.sums
        if last:
            self.result[group] = self.memory[group]

    def given(self, group: int) -> int:
        """The word that the queue gives."""
        return self._word(self.result[group])

    def _word(self, values: np.ndarray) -> int:
        return int.from_bytes(pack(values[None], self.work.bits).tobytes(), "little")
