"""Residual add: saturating sum of a stage's projected output and its shortcut."""
from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances, intbv

from hdl.axis import AxiStream
from hdl.blocks.lanes import pack, unpack
from hdl.blocks.refusals import refuse_unequal
from hdl.blocks.signals import Instances, flag, sint, uint

LATENCY = 1     # cycles


@block
def residual_add(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, s_axis_shortcut: AxiStream,
                 m_axis: AxiStream) -> Instances:
    """m = clip(a + b); a beat moves when both inputs hold one.

    s_axis, s_axis_shortcut -- streams of one shape, signed; any tile, element by element
    m_axis                  -- as they are; latency 1 cycle, 1 beat per cycle
    """
    refuse_unequal("residual_add", s_axis, s_axis_shortcut, m_axis)
    if not m_axis.shape.signed:
        raise ValueError(f"residual_add takes and gives signed numbers, not {m_axis.shape}")
    lanes, bits = m_axis.shape.elements, m_axis.shape.bits
    a, b = [[sint(bits) for _ in range(lanes)] for _ in range(2)]
    total = [uint(bits) for _ in range(lanes)]
    move = flag()

    main = unpack(s_axis.tdata, a)
    shortcut = unpack(s_axis_shortcut.tdata, b)
    adders = [saturating_add(clk, move, *lane) for lane in zip(a, b, total)]
    sums = pack(total, m_axis.tdata)
    control = add_control(clk, rst, s_axis, s_axis_shortcut, m_axis, move)
    return instances()


@block
def add_control(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, s_axis_shortcut: AxiStream,
                m_axis: AxiStream, move: SignalType) -> Instances:
    """move: both inputs hold a beat and the sum finds its place."""
    both, go = flag(), flag()

    @always_comb
    def join():
        both.next = s_axis.tvalid and s_axis_shortcut.tvalid
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        move.next = go and both
        s_axis.tready.next = go and both
        s_axis_shortcut.tready.next = go and both

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            m_axis.tvalid.next = both

    return instances()


@block
def saturating_add(clk: SignalType, enable: SignalType, a: SignalType, b: SignalType,
                   total: SignalType) -> Instances:
    """total = the bits of a + b, clipped to as many, a cycle later, when ``enable``."""
    bits = len(total)
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    @always(clk.posedge)
    def add():
        if enable:
            wide = intbv(0, min=2 * low, max=2 * high + 2)
            wide[:] = a
            wide[:] = wide + b
            if wide > high:
                wide[:] = high
            elif wide < low:
                wide[:] = low
            total.next = wide[bits:]

    return add
