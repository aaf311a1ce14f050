"""A network on a board: an oscillator, a serial port and a few LEDs are all that it needs."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from myhdl import ResetSignal, SignalType, always_comb, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import fifo
from hdl.blocks.frame_repair import RGB, pixels_of_bytes
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances, flag
from hdl.blocks.stream import width_converter
from hdl.blocks.whole_bytes import to_bytes
from hdl.board.clock import PllSettings, pll, reset_at_start
from hdl.board.protocol import STATUS, Lights, Photo, photo_receiver, reply_sender
from hdl.board.uart import BITS, BYTES, Arrival, uart_receiver, uart_transmitter
from hdl.plan.config import UnitConfig
from hdl.shape import StreamShape
from hdl.units.mobilenet_v2 import inner_streams, mobilenet_v2

LEDS = 3    # the PLL has locked; a photo comes in; the last one was damaged


@dataclass(frozen=True)
class BoardTop:
    """What a board has around a network.

    inside     -- the network's block, called with clk, rst, its two streams and ``arguments``
    shapes     -- StreamShape of what it takes, pixels of q = 2p - 255, and of what it gives
    pixels     -- of a photo
    features   -- (rows, columns, channels) of what it gives for one
    settings   -- PllSettings
    bit_cycles -- of the line
    patience   -- cycles for which a sender may pause inside a photo
    """

    inside: Callable[..., Instances]
    arguments: tuple[object, ...]
    shapes: tuple[StreamShape, StreamShape]
    pixels: int
    features: tuple[int, int, int]
    settings: PllSettings
    bit_cycles: int
    patience: int

    def __post_init__(self) -> None:
        for shape in self.shapes:
            if shape.tile != 1 or shape.creep is not None:
                raise ValueError(f"a serial port brings a photo pixel by pixel, not in beats of "
                                 f"{shape}: give --cycles-per-frame of {self.pixels:,} or more")
        if self.reply > self.photo:
            raise ValueError(f"a photo's {self.photo:,} bytes come in sooner than the "
                             f"{self.reply:,} of its features leave: give fewer bits of "
                             "activations, or a smaller alpha")

    @property
    def photo(self) -> int:
        """Bytes of a photo."""
        return self.pixels * len(RGB)

    @property
    def feature_bytes(self) -> int:
        """Of each feature."""
        return self.shapes[1].whole_bytes().bits // BYTES.bits

    @property
    def reply(self) -> int:
        """Bytes of the features of a photo."""
        return prod(self.features) * self.feature_bytes

    @property
    def waiting(self) -> int:
        """Bytes of features that may wait for the line: a row of the last map, which comes within
        one of the photo's, and leaves while the rows of the next one come in."""
        return self.reply // self.features[0]


def network_top(configs: Sequence[UnitConfig], settings: PllSettings, bit_cycles: int,
                patience: int, cycles_per_frame: int) -> BoardTop:
    """The BoardTop of a whole network.

    cycles_per_frame -- which it is made for

    Raises ValueError for a network that a serial port cannot feed.
    """
    first, last = configs[0].unit, configs[-1].unit
    pixels = first.size_in ** 2
    top = BoardTop(mobilenet_v2, (configs, inner_streams(configs)),
                   (configs[0].stream_in(), configs[-1].stream_out()), pixels,
                   (last.size_out, last.size_out, last.channels_out), settings, bit_cycles,
                   patience)
    coming = top.photo * BITS * bit_cycles
    if coming < cycles_per_frame:
        raise ValueError(f"a photo comes in {coming:,} cycles over the serial port, but the "
                         f"network takes one every {cycles_per_frame:,}: give a lower --baud or "
                         "fewer --cycles-per-frame")
    return top


@block
def board(clk_in: SignalType, rx: SignalType, tx: SignalType, led: SignalType, high: SignalType,
          top: BoardTop) -> Instances:
    """The network inside ``top`` behind a serial port, as ``hdl/board/protocol.py`` has it.

    clk_in -- of the oscillator
    rx, tx -- the serial lines in and out; tx is made high
    led    -- LEDS of them, active high
    high   -- for pins that a board wants driven high
    """
    clk, locked, rst = flag(), flag(), ResetSignal(1, active=1, isasync=False)
    arrival, lights = Arrival(), Lights()
    photo, features, reply = [AxiStream(BYTES) for _ in range(3)]
    status = AxiStream(STATUS)
    source = pll(clk_in, clk, locked, top.settings)
    start = reset_at_start(clk, locked, rst)
    hear = uart_receiver(clk, rst, rx, arrival, top.bit_cycles)
    receive = photo_receiver(clk, rst, arrival, photo, status, lights,
                             Photo(top.photo, top.patience))
    core = bytes_through(clk, rst, photo, features, top)
    answer = reply_sender(clk, rst, features, status, reply, top.reply)
    speak = uart_transmitter(clk, rst, reply, tx, top.bit_cycles)

    @always_comb
    def show():
        led.next = concat(lights.damaged, lights.inside, locked)
        high.next = True

    return instances()


@block
def bytes_through(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                  top: BoardTop) -> Instances:
    """A photo's bytes in, the bytes of the network's features out; a row of these may wait.

    s_axis, m_axis -- AxiStream of BYTES
    """
    pixels, (taken, given) = AxiStream(BYTES.with_lanes(len(RGB))), map(AxiStream, top.shapes)
    filled = AxiStream(top.shapes[1].whole_bytes("tlast"))
    parts = AxiStream(BYTES.with_lanes(filled.shape.width // BYTES.bits))
    leaving = AxiStream(BYTES)
    gather = width_converter(clk, rst, s_axis, pixels)
    numbers = pixels_of_bytes(pixels, taken, RGB)
    core = top.inside(clk, rst, taken, given, *top.arguments)
    fill = to_bytes(clk, rst, given, filled, prod(top.features) // given.shape.lanes)
    split = bytes_of_elements(filled, parts)
    narrow = width_converter(clk, rst, parts, leaving)
    wait = fifo(clk, rst, leaving, m_axis, top.waiting)
    return instances()


@block
def bytes_of_elements(s_axis: AxiStream, m_axis: AxiStream) -> Instances:
    """The bytes of each element, the lowest first, without tlast.  Wires.

    s_axis -- AxiStream of elements of whole bytes, with tlast
    m_axis -- AxiStream of as many bytes
    """
    refuse_other("bytes_of_elements", "an output", m_axis,
                 BYTES.with_lanes(s_axis.shape.width // BYTES.bits))

    @always_comb
    def forward():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid

    @always_comb
    def backward():
        s_axis.tready.next = m_axis.tready

    return instances()
