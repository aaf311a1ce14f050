"""A serial port: bytes of eight bits, the lowest first, no parity, one stop bit; the line is high
while nothing comes."""
from myhdl import ResetSignal, Signal, SignalType, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances, count, flag, uint
from hdl.shape import StreamShape

BYTES = StreamShape(lanes=1, bits=8, signed=False)
LEAST = 4           # cycles of a bit: fewer do not find its middle
WRONG = 0.02        # of a bit's length, at most: with as much at the other end a byte still arrives
BITS = 10           # of a byte on the line, start and stop bit included
START, STOP = 0, BITS - 1


def bit_cycles(clock_mhz: float, baud: int) -> int:
    """Cycles of a bit on the line; ValueError where no whole number is near enough."""
    exact = clock_mhz * 1e6 / baud
    cycles = round(exact)
    if cycles < LEAST or abs(cycles / exact - 1) > WRONG:
        raise ValueError(f"a clock of {clock_mhz:g} MHz has no {baud:,} baud: a bit is {exact:.2f} "
                         f"cycles, which must be {LEAST} or more and within {WRONG:.0%} of a whole "
                         "number; give another --baud, such as 115200")
    return cycles


class Arrival(Bundle):
    """A byte that has come, for one cycle."""

    def __init__(self) -> None:
        self.valid = flag()
        self.data = uint(8)
        self.bad = flag()       # it has no stop bit


@block
def synchronise(clk: SignalType, rst: ResetSignal, line: SignalType,
                level: SignalType) -> Instances:
    """level = line two cycles ago; high at reset.

    level -- made high, as the line is while nothing comes
    """
    first = Signal(bool(1))

    @always_seq(clk.posedge, reset=rst)
    def follow():
        first.next = line
        level.next = first

    return follow


@block
def uart_receiver(clk: SignalType, rst: ResetSignal, line: SignalType, arrival: Arrival,
                  cycles: int) -> Instances:
    """Bytes from a line.  A start bit that is over before its middle is a glitch, and no byte.

    line    -- of any clock
    arrival -- Arrival, half a stop bit before the byte ends; the next byte begins when the line
               has been high
    cycles  -- of a bit
    """
    level, armed, busy = Signal(bool(1)), flag(), flag()
    left, place = count(cycles), count(BITS)
    whole, half = cycles - 1, cycles // 2 - 1
    settle = synchronise(clk, rst, line, level)

    @always_seq(clk.posedge, reset=rst)
    def sample():
        arrival.valid.next = False
        if not busy:
            armed.next = level
            left.next = half
            place.next = START
            busy.next = armed and not level
        elif left != 0:
            left.next = left - 1
        else:
            left.next = whole
            if place == STOP:
                busy.next = False
                arrival.valid.next = True
                arrival.bad.next = not level
            elif place == START and level:
                busy.next = False
            else:
                arrival.data.next = concat(level, arrival.data[8:1])
                place.next = place + 1

    return instances()


@block
def uart_transmitter(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, line: SignalType,
                     cycles: int) -> Instances:
    """Bytes onto a line, one after the other without a pause.

    s_axis -- AxiStream of BYTES
    line   -- made high
    cycles -- of a bit
    """
    refuse_other("uart_transmitter", "an input", s_axis, BYTES)
    busy, word = flag(), uint(8)
    left, place = count(cycles), count(BITS)
    whole = cycles - 1

    @always_comb
    def accept():
        s_axis.tready.next = not busy

    @always_seq(clk.posedge, reset=rst)
    def send():
        if not busy:
            left.next = whole
            place.next = START
            if s_axis.tvalid:
                busy.next = True
                word.next = s_axis.tdata
                line.next = False
        elif left != 0:
            left.next = left - 1
        elif place == STOP:
            busy.next = False
        else:
            left.next = whole
            place.next = place + 1
            line.next = word[0] or place == STOP - 1
            word.next = word[8:1]

    return instances()
