"""Serialise: results that are there at the same time, through fewer lanes, the first lowest."""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, instances

from hdl.axis import AxiStream, Handshake
from hdl.blocks.lanes import pack
from hdl.blocks.registers import register, shift_register
from hdl.blocks.signals import Instances, count, flag, sint

LATENCY = 1     # cycles where the results share lanes; 0 where each has its own


@block
def serialise(clk: SignalType, rst: ResetSignal, total: list[SignalType], done: Handshake,
              m_axis: AxiStream) -> Instances:
    """The totals of all PE, that are there at the same time, through the lanes of ``m_axis``.

    A chain of registers, one a PE, that loads all totals at once and moves down by
    the output's lanes.  Latency 1 cycle, 1 beat per cycle; the next totals load as the last beat
    leaves.  Wires where every PE has a lane.

    total -- list of signed signals
    done  -- Handshake of the totals
    """
    if len(total) == m_axis.shape.lanes:
        word = pack(total, m_axis.tdata)

        @always_comb
        def forward():
            m_axis.tvalid.next = done.tvalid
            done.tready.next = m_axis.tready
    else:
        chain = register_chain(clk, rst, total, done, m_axis)

    return instances()


@block
def register_chain(clk: SignalType, rst: ResetSignal, total: list[SignalType], done: Handshake,
                   m_axis: AxiStream) -> Instances:
    """The registers of ``serialise`` and when they load and move.

    total -- list of signed signals, a multiple of the output's lanes
    """
    lanes, parts = m_axis.shape.lanes, len(total) // m_axis.shape.lanes
    held = [sint(m_axis.shape.bits) for _ in total]
    load, shift = flag(), flag()
    left = count(parts + 1)
    chain = [shift_register(clk, load, shift, d, above, q)
             for d, above, q in zip(total, held[lanes:], held)]
    top = [register(clk, load, d, q) for d, q in zip(total[-lanes:], held[-lanes:])]
    word = pack(held[:lanes], m_axis.tdata)

    @always_comb
    def offer():
        m_axis.tvalid.next = left != 0
        done.tready.next = left == 0 or (left == 1 and m_axis.tready)

    @always_comb
    def move():
        load.next = done.tvalid and (left == 0 or (left == 1 and m_axis.tready))
        shift.next = m_axis.tready and left != 0

    @always_seq(clk.posedge, reset=rst)
    def progress():
        if load:
            left.next = parts
        elif left != 0 and m_axis.tready:
            left.next = left - 1

    return instances()
