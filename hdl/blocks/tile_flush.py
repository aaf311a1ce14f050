"""Tile flush: beats that push what creeping tiles leave over out, where no frame follows.

A tile that creeps leaves with the tile after it and with those one row of tiles later.  After the
last tile of a frame there are none of these until the next frame comes, so beats without a tile of
their own take their place, one in every cycle until that frame begins or all has left.
"""
from dataclasses import replace

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.refusals import refuse_marks, refuse_other
from hdl.blocks.registers import counter
from hdl.blocks.signals import Instances, count, flag, uint

LATENCY = 1     # cycles


@block
def tile_flush(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream, frame: int,
               tail: int) -> Instances:
    """Every beat that comes, and up to ``tail`` beats without a tile after each frame.

    Latency 1 cycle, 1 beat per cycle; a beat that comes never waits for one without a tile.

    s_axis -- tiles that do not creep
    m_axis -- the same with a creep of 0: the bit above the elements says whether a tile came
    frame  -- tiles of a frame
    tail   -- beats after a frame's last tile until all of it has left
    """
    refuse_marks("tile_flush", s_axis)
    refuse_other("tile_flush", "an input", s_axis, replace(s_axis.shape, creep=None))
    refuse_other("tile_flush", "an output", m_axis, replace(s_axis.shape, creep=0))
    place, left = count(frame), count(tail + 1)
    go, take, alone, own, valid = [flag() for _ in range(5)]
    tile = uint(s_axis.shape.width)
    places = counter(clk, rst, take, place, frame)

    @always_comb
    def flow():
        go.next = m_axis.tready or not valid

    @always_comb
    def accept():
        s_axis.tready.next = go
        take.next = go and s_axis.tvalid
        alone.next = go and not s_axis.tvalid and place == 0 and left != 0

    @always_comb
    def offer():
        m_axis.tvalid.next = valid
        m_axis.tdata.next = concat(own, tile)

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            valid.next = take or alone
        if take:
            left.next = tail
        elif alone:
            left.next = left - 1

    @always(clk.posedge)
    def carry():
        if go:
            own.next = take
        if take:
            tile.next = s_axis.tdata

    return instances()
