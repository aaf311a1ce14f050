"""Stream helpers without a memory: wires, register slice, width converter, fork.

All hold the AXI4-Stream rule: tvalid, once high, stays with stable tdata until taken, and no
tvalid depends on a tready.
"""
from math import lcm

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.refusals import refuse_marks, refuse_tiles, refuse_unequal
from hdl.blocks.signals import Instances, count, flag, uint

SLICE_LATENCY = 1   # cycles, of a register slice, of ``widen`` and of ``narrow``


def refuse_other_elements(name: str, s_axis: AxiStream, m_axis: AxiStream) -> None:
    """ValueError unless the streams differ in their lanes alone, one pixel a beat."""
    refuse_tiles(name, s_axis, m_axis)
    if s_axis.shape.with_lanes(m_axis.shape.lanes) != m_axis.shape:
        raise ValueError(f"{name} changes the lanes of a beat, not its elements: {s_axis.shape} "
                         f"come in, {m_axis.shape} go out")


@block
def connect(s_axis: AxiStream, m_axis: AxiStream) -> Instances:
    """Wires from one stream to another of the same shape.  Latency 0."""
    refuse_unequal("connect", s_axis, m_axis)

    @always_comb
    def forward():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid

    @always_comb
    def backward():
        s_axis.tready.next = m_axis.tready

    return instances()


@block
def register_slice(clk: SignalType, rst: ResetSignal, s_axis: AxiStream,
                   m_axis: AxiStream) -> Instances:
    """Registers data, valid and ready.  Latency 1 cycle, 1 beat per cycle, holds 2 beats."""
    refuse_unequal("register_slice", s_axis, m_axis)
    held = uint(s_axis.shape.width)
    full = flag()

    @always_comb
    def accept():
        s_axis.tready.next = not full

    @always_seq(clk.posedge, reset=rst)
    def move():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid or full
            full.next = False
        elif s_axis.tvalid:
            full.next = True

    @always(clk.posedge)
    def carry():
        if full or s_axis.tvalid:
            if m_axis.tready or not m_axis.tvalid:
                m_axis.tdata.next = held if full else s_axis.tdata
            elif not full:
                held.next = s_axis.tdata

    return instances()


@block
def widen(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream) -> Instances:
    """Gather a whole number of input beats in an output beat, first beat lowest.

    Latency 1 cycle after the last beat gathered, 1 input beat per cycle; no beat comes in while one
    waits to leave.
    """
    refuse_other_elements("widen", s_axis, m_axis)
    lanes, gathered = s_axis.shape.lanes, m_axis.shape.lanes
    if gathered < 2 * lanes or gathered % lanes:
        raise ValueError(f"beats of {gathered} lanes are not gathered from two or more whole "
                         f"beats of {lanes}")
    slots = m_axis.shape.width // s_axis.shape.width
    low, high = s_axis.shape.width, m_axis.shape.width
    filled = count(slots)

    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def fill():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid and filled == slots - 1
            if s_axis.tvalid:
                filled.next = 0 if filled == slots - 1 else filled + 1

    @always(clk.posedge)
    def gather():
        if s_axis.tvalid and (m_axis.tready or not m_axis.tvalid):
            m_axis.tdata.next = concat(s_axis.tdata, m_axis.tdata[high:low])

    return instances()


@block
def narrow(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream) -> Instances:
    """Split an input beat in a whole number of output beats, lowest lanes first.

    Latency 1 cycle, 1 output beat per cycle; the next beat loads as the last part leaves.
    """
    refuse_other_elements("narrow", s_axis, m_axis)
    lanes, split = s_axis.shape.lanes, m_axis.shape.lanes
    if lanes < 2 * split or lanes % split:
        raise ValueError(f"beats of {lanes} lanes are not split in two or more whole beats "
                         f"of {split}")
    parts = s_axis.shape.width // m_axis.shape.width
    low, high = m_axis.shape.width, s_axis.shape.width
    rest = uint(high)
    left = count(parts + 1)

    @always_comb
    def offer():
        m_axis.tvalid.next = left != 0
        m_axis.tdata.next = rest[low:]

    @always_comb
    def accept():
        s_axis.tready.next = left == 0 or (left == 1 and m_axis.tready)

    @always_seq(clk.posedge, reset=rst)
    def progress():
        if s_axis.tready:
            left.next = parts if s_axis.tvalid else 0
        elif m_axis.tready:
            left.next = left - 1

    @always(clk.posedge)
    def shift():
        if s_axis.tready:
            rest.next = s_axis.tdata
        elif m_axis.tready:
            rest.next = rest[high:low]

    return instances()


@block
def width_converter(clk: SignalType, rst: ResetSignal, s_axis: AxiStream,
                    m_axis: AxiStream) -> Instances:
    """From one number of lanes to another, any two; elements keep their order.

    Latency 0, 1 or 2 cycles: wires when equal, ``widen`` or ``narrow`` when one divides the
    other, both through the least common multiple when neither does.
    """
    refuse_marks("width_converter", s_axis, m_axis)
    if s_axis.shape == m_axis.shape:
        convert = connect(s_axis, m_axis)
    elif m_axis.shape.lanes % s_axis.shape.lanes == 0:
        convert = widen(clk, rst, s_axis, m_axis)
    elif s_axis.shape.lanes % m_axis.shape.lanes == 0:
        convert = narrow(clk, rst, s_axis, m_axis)
    else:
        refuse_other_elements("width_converter", s_axis, m_axis)
        middle = AxiStream(s_axis.shape.with_lanes(lcm(s_axis.shape.lanes, m_axis.shape.lanes)))
        gather = widen(clk, rst, s_axis, middle)
        split = narrow(clk, rst, middle, m_axis)
    return instances()


@block
def fork(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis_a: AxiStream,
         m_axis_b: AxiStream) -> Instances:
    """Give every beat to both outputs, each at its own time.  Latency 0."""
    refuse_unequal("fork", s_axis, m_axis_a, m_axis_b)
    done_a, done_b = flag(), flag()

    @always_comb
    def offer():
        m_axis_a.tdata.next = s_axis.tdata
        m_axis_b.tdata.next = s_axis.tdata
        m_axis_a.tvalid.next = s_axis.tvalid and not done_a
        m_axis_b.tvalid.next = s_axis.tvalid and not done_b

    @always_comb
    def accept():
        s_axis.tready.next = (m_axis_a.tready or done_a) and (m_axis_b.tready or done_b)

    @always_seq(clk.posedge, reset=rst)
    def remember():
        done_a.next = s_axis.tvalid and not s_axis.tready and (m_axis_a.tready or done_a)
        done_b.next = s_axis.tvalid and not s_axis.tready and (m_axis_b.tready or done_b)

    return instances()
