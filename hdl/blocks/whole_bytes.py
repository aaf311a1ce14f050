"""Streams of whole bytes at the outside, of elements as narrow as their numbers inside.

Each element is filled up to whole bytes by itself, so that the bytes of an element stay together
wherever a stream is cut or joined at bytes.  The bit of creeping tiles, which says whether a beat
brings one, is ``tuser`` outside.  Wires, and a counter of beats for ``tlast``.
"""
from myhdl import ResetSignal, SignalType, always_comb, block, instances

from hdl.axis import AxiStream
from hdl.blocks.refusals import refuse_marks, refuse_other
from hdl.blocks.registers import counter
from hdl.blocks.signals import Instances, count, flag


@block
def from_bytes(s_axis: AxiStream, m_axis: AxiStream) -> Instances:
    """Leave out the bits that fill up each element of ``s_axis``; they may be anything.

    s_axis -- AxiStream of the shape ``m_axis.shape.whole_bytes()``
    m_axis -- AxiStream without marks

    Latency 0, wires only.
    """
    refuse_marks("from_bytes", m_axis)
    refuse_other("from_bytes", "an input", s_axis, m_axis.shape.whole_bytes())
    elements, filled, bits = m_axis.shape.elements, s_axis.shape.bits, m_axis.shape.bits

    if m_axis.shape.creep is None:
        @always_comb
        def cut():
            for element in range(elements):
                for place in range(bits):
                    m_axis.tdata.next[element * bits + place] = s_axis.tdata[
                        element * filled + place]
    else:
        @always_comb
        def cut():
            for element in range(elements):
                for place in range(bits):
                    m_axis.tdata.next[element * bits + place] = s_axis.tdata[
                        element * filled + place]
            m_axis.tdata.next[elements * bits] = s_axis.tuser

    @always_comb
    def handshake():
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready

    return instances()


@block
def to_bytes(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
             beats: int) -> Instances:
    """Fill up each element to whole bytes, with its sign or with zeros, and mark frames' ends.

    s_axis -- AxiStream without marks
    m_axis -- AxiStream of the shape ``s_axis.shape.whole_bytes("tlast")``; tlast is high with every
              last of ``beats`` beats, of those that bring a tile where tiles creep
    beats  -- of a frame, 1 or more

    Latency 0, 1 beat per cycle.
    """
    refuse_marks("to_bytes", s_axis)
    refuse_other("to_bytes", "an output", m_axis, s_axis.shape.whole_bytes("tlast"))
    if beats < 1:
        raise ValueError(f"a frame has one beat or more, not {beats}")
    elements, filled, bits = s_axis.shape.elements, m_axis.shape.bits, s_axis.shape.bits
    moved, beat, last = flag(), count(beats), beats - 1
    walk = counter(clk, rst, moved, beat, beats)

    if s_axis.shape.signed:
        @always_comb
        def fill():
            for element in range(elements):
                for place in range(bits):
                    m_axis.tdata.next[element * filled + place] = s_axis.tdata[
                        element * bits + place]
                for place in range(bits, filled):
                    m_axis.tdata.next[element * filled + place] = s_axis.tdata[
                        element * bits + bits - 1]
    else:
        @always_comb
        def fill():
            for element in range(elements):
                for place in range(bits):
                    m_axis.tdata.next[element * filled + place] = s_axis.tdata[
                        element * bits + place]
                for place in range(bits, filled):
                    m_axis.tdata.next[element * filled + place] = False

    @always_comb
    def handshake():
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready

    if s_axis.shape.creep is None:
        @always_comb
        def mark():
            moved.next = s_axis.tvalid and m_axis.tready
            m_axis.tlast.next = beat == last
    else:
        own = elements * bits

        @always_comb
        def mark():
            moved.next = s_axis.tvalid and m_axis.tready and s_axis.tdata[own]
            m_axis.tlast.next = beat == last and s_axis.tdata[own]
            m_axis.tuser.next = s_axis.tdata[own]

    return instances()
