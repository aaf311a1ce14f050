"""AXI4-Stream signal bundles."""
from myhdl import Signal, intbv


class AxiStream:
    """One AXI4-Stream link: ``tdata tvalid tready``.

    A beat is a tile of ``tile`` x ``tile`` pixels by ``lanes`` channels of ``bits`` each; lane 0
    is the lowest, channels before pixels.  A port ``s_axis`` converts to ``s_axis_tdata`` ...
    """

    def __init__(self, lanes, bits, signed=True, tile=1):
        self.lanes, self.bits, self.signed, self.tile = lanes, bits, signed, tile
        self.width = tile * tile * lanes * bits
        self.tdata = Signal(intbv(0)[self.width:])
        self.tvalid = Signal(bool(0))
        self.tready = Signal(bool(0))


class VideoStream(AxiStream):
    """The outside's link, AXI4-Stream Video: ``tuser`` = first pixel of a frame, ``tlast`` = last
    pixel of a line."""

    def __init__(self, lanes, bits, signed=True, tile=1):
        super().__init__(lanes, bits, signed, tile)
        self.tlast = Signal(bool(0))
        self.tuser = Signal(bool(0))
