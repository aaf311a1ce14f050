"""The outside of a block that people take home: AXI4-Stream of whole bytes, tlast after a frame."""
from collections.abc import Callable

from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.signals import Instances
from hdl.blocks.whole_bytes import from_bytes, to_bytes
from hdl.shape import StreamShape


@block
def outside(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
            shapes: tuple[StreamShape, StreamShape], inside: Callable[..., Instances],
            arguments: tuple[object, ...], beats: int) -> Instances:
    """A block with streams of whole bytes around it.  Its latency is the block's.

    s_axis    -- AxiStream of shapes[0].whole_bytes(), without tlast: a frame's beats are counted
    m_axis    -- AxiStream of shapes[1].whole_bytes("tlast"), tlast with a frame's last beat
    shapes    -- of what the block takes and of what it gives
    inside    -- the block, which is called with clk, rst, these two streams and ``arguments``
    beats     -- of a frame at m_axis; of creeping tiles those that bring one
    """
    taken, given = AxiStream(shapes[0]), AxiStream(shapes[1])
    cut = from_bytes(s_axis, taken)
    core = inside(clk, rst, taken, given, *arguments)
    fill = to_bytes(clk, rst, given, m_axis, beats)
    return instances()
