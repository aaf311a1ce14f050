"""A network with AXI4-Stream Video around it: any input makes whole frames, damage is told."""
from collections.abc import Callable
from dataclasses import dataclass

from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import fifo
from hdl.blocks.frame_repair import VERDICT, VideoFrame, frame_repair, mark_frames, pixels_of_bytes
from hdl.blocks.signals import Instances
from hdl.blocks.whole_bytes import to_bytes
from hdl.shape import MARKS, StreamShape

UG934 = "gbr"   # a pixel's bytes in AXI4-Stream Video, the lowest first


@dataclass(frozen=True)
class VideoTop:
    """What stands between two streams of video.

    inside     -- the network's block, called with clk, rst, its two streams and ``arguments``
    shapes     -- StreamShape of what it takes and of what it gives
    frame      -- VideoFrame of its input
    beats      -- of a frame at its output
    frames     -- that can have come in whole before the first of them has left, 1 or more
    components -- the order of a pixel's bytes, the lowest first
    """

    inside: Callable[..., Instances]
    arguments: tuple[object, ...]
    shapes: tuple[StreamShape, StreamShape]
    frame: VideoFrame
    beats: int
    frames: int
    components: str = UG934

    @property
    def bytes_in(self) -> StreamShape:
        """A pixel's bytes, or a tile's."""
        return self.shapes[0].video()

    @property
    def s_axis(self) -> StreamShape:
        """The input: those, with tuser at the first beat of a frame and tlast at a line's last."""
        return self.shapes[0].video(*MARKS)

    @property
    def m_axis(self) -> StreamShape:
        """The output: whole bytes, tlast at the last beat of a frame, with tuser if the frame is
        damaged."""
        return self.shapes[1].whole_bytes(*MARKS)


@block
def video(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
          frame_error: SignalType, top: VideoTop) -> Instances:
    """The network inside ``top`` between streams of video.

    s_axis      -- AxiStream of top.s_axis
    m_axis      -- AxiStream of top.m_axis
    frame_error -- a bit for each of frame_repair.FAULTS, high from the fault on until reset
    top         -- VideoTop

    Latency: the network's and 2 cycles.
    """
    pixels, taken, given = [AxiStream(shape) for shape in (top.bytes_in, *top.shapes)]
    filled = AxiStream(top.shapes[1].whole_bytes("tlast"))
    told, known = AxiStream(VERDICT), AxiStream(VERDICT)
    repair = frame_repair(clk, rst, s_axis, pixels, told, frame_error, top.frame)
    spread = pixels_of_bytes(pixels, taken, top.components)
    core = top.inside(clk, rst, taken, given, *top.arguments)
    fill = to_bytes(clk, rst, given, filled, top.beats)
    wait = fifo(clk, rst, told, known, top.frames)
    mark = mark_frames(filled, known, m_axis)
    return instances()
