"""Multiply-accumulate array: PE outputs of SIMD products each, weights from ROM.

An output group takes ``beats`` input beats; the ROM is read in step with the input and wraps by
itself, so weights are never reloaded.  Accumulators are as wide as weights and inputs can reach,
so they never overflow.
"""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream, Handshake
from hdl.blocks.fifo import Queue, fifo_control
from hdl.blocks.lanes import unpack
from hdl.blocks.processing_element import Fold, Steps, processing_element, processing_pair
from hdl.blocks.refusals import refuse_tiles
from hdl.blocks.registers import register
from hdl.blocks.serialise import serialise
from hdl.blocks.signals import Instances, count, flag, sint, uint
from hdl.blocks.weight_rom import Fetch, weight_rom
from hdl.plan.folding import pipeline
from hdl.plan.rom import Rom
from hdl.shape import StreamShape

# Cycles from an output's last input beat to its result, where PE have lanes and SIMD is at most 3;
# one more for every time that it doubles.
LATENCY = 4
QUEUE_LATENCY = 1   # one more through the queue of the results of several groups
# ... and serialise.LATENCY where the results of all PE share fewer lanes


@block
def mac(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream, rom: Rom,
        fold: Fold) -> Instances:
    """out[g, j] = sum over beats b and i of x[b, i] * w[b, g, j, i].

    Every input beat is held for ``groups`` cycles, one for each group of PE outputs, whose sums
    wait in a memory meanwhile; with the last beat they leave through a FIFO of as many.
    Latency 3 cycles and the levels of adders from the last input beat to the first result, one more
    through the FIFO and one where the results of all PE share fewer lanes, lowest PE first.

    s_axis -- fold.inputs lanes, PE minor where they are not shared
    m_axis -- accumulators, the two's complement of signed numbers; lanes divide PE
    rom    -- Rom of PE x SIMD weights a row, SIMD minor; rows in the order of use, groups minor;
              those of pairs as hdl.plan.pairs.borrowed has them
    fold   -- Fold
    """
    check(s_axis, m_axis, rom, fold)
    go, take = flag(), flag()
    fetch = Fetch(len(rom.rows))
    steps, queue = Steps(fold.groups, pipeline(fold.simd, fold.pairs)), Queue(fold.groups)
    held, operand = [uint(s_axis.shape.width) for _ in range(2)]
    weight = [sint(rom.widths[0]) for _ in range(fold.pe * fold.simd)]
    total = [sint(m_axis.shape.bits) for _ in range(fold.pe)]
    done = Handshake()

    control = mac_control(clk, rst, go, s_axis, take, fetch, steps, fold)
    hold = register(clk, take, s_axis.tdata, held)
    use = register(clk, steps.move, held, operand)
    weights = weight_rom(clk, fetch.step, fetch.address, tuple(weight), rom, steps.move)
    array = mac_array(clk, steps, queue, operand, s_axis.shape, weight, total, fold)
    results = serialise(clk, rst, total, done, m_axis)
    finish = mac_finish(clk, rst, go, steps, queue, done, fold)
    return instances()


def check(s_axis: AxiStream, m_axis: AxiStream, rom: Rom, fold: Fold) -> None:
    """ValueError where streams or ROM are not those of the fold."""
    refuse_tiles("mac", s_axis, m_axis)
    what = f"mac with PE {fold.pe} and SIMD {fold.simd}"
    if s_axis.shape.lanes != fold.inputs or fold.pe % m_axis.shape.lanes:
        raise ValueError(f"{what} takes {fold.inputs} lanes and gives a number of lanes that "
                         f"divides {fold.pe}: {s_axis.shape} come in, {m_axis.shape} go out")
    if fold.pairs and (not fold.shared or fold.pe < 2):
        raise ValueError(f"{what} has no two outputs with the same inputs: it takes no pairs")
    weights, rows = fold.pe * fold.simd, fold.beats * fold.groups
    if len(rom.widths) != weights or len(rom.rows) % rows:
        raise ValueError(f"{what} reads rows of {weights} weights, a multiple of {rows} of them: "
                         f"the ROM has {len(rom.rows)} rows of {len(rom.widths)}")


@block
def mac_control(clk: SignalType, rst: ResetSignal, go: SignalType, s_axis: AxiStream,
                take: SignalType, fetch: Fetch, steps: Steps, fold: Fold) -> Instances:
    """What the array does in each cycle.

    go      -- results find their place: all stages move
    take    -- an input beat comes in, which is held for all groups
    fetch   -- Fetch of the weights
    steps   -- Steps
    """
    beats, groups, depth = fold.beats, fold.groups, fetch.rows
    step, address = fetch.step, fetch.address
    beat, group = count(beats), count(groups)
    # A bit for each cycle between operands and sums: whether what is there is valid.
    line, oldest, before = uint(steps.depth), steps.depth - 1, steps.depth - 2

    @always_comb
    def accept():
        s_axis.tready.next = go and group == 0
        take.next = go and group == 0 and s_axis.tvalid
        step.next = go and (group != 0 or s_axis.tvalid)

    @always_comb
    def work():
        steps.valid.next = line[oldest]
        steps.move.next = go and line != 0
        steps.fetch.next = go and line[before]
        steps.add.next = go and line[oldest]

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            line.next = concat(line[oldest:], step)
        if step:
            address.next = 0 if address == depth - 1 else address + 1
            group.next = 0 if group == groups - 1 else group + 1

    @always_seq(clk.posedge, reset=rst)
    def follow():
        if steps.fetch:
            steps.first.next = beat == 0
            steps.last.next = beat == beats - 1
            steps.group.next = steps.ahead
            if steps.ahead != groups - 1:
                steps.ahead.next = steps.ahead + 1
            else:
                steps.ahead.next = 0
                beat.next = 0 if beat == beats - 1 else beat + 1

    return instances()


@block
def mac_finish(clk: SignalType, rst: ResetSignal, go: SignalType, steps: Steps, queue: Queue,
               done: Handshake, fold: Fold) -> Instances:
    """When an array's results are there, and whether all its stages move.

    done -- Handshake of the results, behind the queue of several groups' where there is one
    """
    if fold.queued:
        finished = Handshake()
        queue_control = fifo_control(clk, rst, finished, done, queue, fold.groups)

        @always_comb
        def finish():
            finished.tvalid.next = steps.valid and steps.last

        @always_comb
        def flow():
            go.next = finished.tready or not finished.tvalid
    else:
        @always_comb
        def flow():
            go.next = done.tready or not done.tvalid

        @always_seq(clk.posedge, reset=rst)
        def finish():
            if go:
                done.tvalid.next = steps.valid and steps.last

    return instances()


@block
def mac_array(clk: SignalType, steps: Steps, queue: Queue, operand: SignalType, shape: StreamShape,
              weight: list[SignalType], total: list[SignalType], fold: Fold) -> Instances:
    """A processing element for each of PE outputs.

    operand -- word of the StreamShape ``shape``
    weight  -- PE x SIMD signed signals, SIMD minor
    total   -- PE signed signals
    """
    pe, simd, lanes = fold.pe, fold.simd, shape.lanes
    x = [sint(shape.bits) if shape.signed else uint(shape.bits) for _ in range(lanes)]
    operands = unpack(operand, x)
    alone = pe % 2 if fold.pairs else pe
    twos = [processing_pair(
        clk, steps, queue, x, weight[j * simd:(j + 2) * simd], total[j:j + 2], fold, fold.pairs)
        for j in range(0, pe - alone, 2)]
    elements = [processing_element(
        clk, steps, queue, x if fold.shared else x[j::pe], weight[j * simd:(j + 1) * simd],
        total[j], fold) for j in range(pe - alone, pe)]
    return instances()
