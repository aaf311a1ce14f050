"""The serial port against a line of plain levels: bytes, baud rates that are off, faults."""
import numpy as np
import pytest
from myhdl import Signal, always_comb, block, concat, instances

from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.board.uart import BYTES, Arrival, bit_cycles, uart_receiver, uart_transmitter
from hdl.shape import StreamShape
from hdl.sim.endpoints import Sink, Source, random_pattern
from tests.support.bench import Bench, seed_of
from tests.support.serial_line import (LONGEST, RUNS, changes, levels, pause, play, received,
                                       record, words)

HEARD = StreamShape(lanes=1, bits=9, signed=False)      # a byte, and above it that it is bad


@block
def heard(clk, rst, s_axis, m_axis, cycles):
    """What a receiver makes of a line of RUNS."""
    line, arrival = Signal(bool(1)), Arrival()
    send = play(clk, rst, s_axis, line)
    receive = uart_receiver(clk, rst, line, arrival, cycles)

    @always_comb
    def show():
        m_axis.tvalid.next = arrival.valid
        m_axis.tdata.next = concat(arrival.bad, arrival.data)

    return instances()


@block
def spoken(clk, rst, s_axis, m_axis, cycles):
    """The line of a transmitter as RUNS."""
    line = Signal(bool(1))
    send = uart_transmitter(clk, rst, s_axis, line, cycles)
    hear = record(clk, rst, line, m_axis)
    return instances()


def hear(simulator, runs, count, cycles=12):
    """[(byte, whether it is bad)] of a line, and that no more come."""
    bench = Bench(simulator, heard, {"s_axis": AxiStream(RUNS), "m_axis": AxiStream(HEARD),
                                     "cycles": cycles})
    done = bench.simulated({"s_axis": Source(words(runs)), "m_axis": Sink(count)},
                           timeout=2 * LONGEST, drain=20 * cycles)
    return [(value & 255, value >> 8) for value in done["m_axis"].values(HEARD).ravel().tolist()]


@pytest.mark.parametrize("off", [-0.03, 0, 0.03])
def test_bytes_arrive(simulator, rng, off):
    """Back to back, at a baud rate that is off by three hundredths, too."""
    data = bytes(rng.permutation(256).tolist())[:64] + b"\x00\xff\x55"
    runs = pause(30) + levels(data, 12 * (1 + off))
    assert hear(simulator, runs, len(data)) == [(byte, 0) for byte in data]


def test_faults_of_the_line(simulator):
    """A byte without its stop bit is told, a break is one such byte, however long, and a glitch
    where a start bit would be is none; what follows is heard."""
    runs = (pause(40) + levels(b"a", 12) + levels(b"b", 12, stop=0) + pause(16) + levels(b"c", 12)
            + pause(20) + [(0, 4)] + pause(200) + levels(b"d", 12) + [(0, 400)] + pause(20)
            + levels(b"e", 12))
    assert hear(simulator, runs, 6) == [(97, 0), (98, 1), (99, 0), (100, 0), (0, 1), (101, 0)]


@pytest.mark.parametrize("stall", [False, True])
def test_bytes_leave(rng, stall):
    """Here in MyHDL; the tests of a whole board have other simulators check each bit's length."""
    data, cycles = bytes(rng.permutation(256).tolist())[:40] + b"\x00\xff", 5
    bench = Bench("myhdl", spoken, {"s_axis": AxiStream(BYTES), "m_axis": AxiStream(RUNS),
                                    "cycles": cycles})
    idle = random_pattern(seed_of(rng), 0.97) if stall else None
    done = bench.simulated({"s_axis": Source(payload(BYTES, np.array(list(data))[:, None]), idle),
                            "m_axis": Sink(changes(data))}, drain=20 * cycles)
    assert received(done["m_axis"].values(RUNS).ravel(), cycles) == data


def test_cycles_of_a_bit():
    assert bit_cycles(80, 1_000_000) == 80 and bit_cycles(25, 115_200) == 217
    for clock, baud in ((10, 3_000_000), (27, 4_000_000), (25, 10_000_000)):
        with pytest.raises(ValueError, match=rf"^a clock of {clock} MHz has no {baud:,} baud: a "
                                             "bit is .*; give another --baud, such as 115200$"):
            bit_cycles(clock, baud)


def test_a_transmitter_of_other_streams():
    with pytest.raises(ValueError, match="^uart_transmitter has an input of 1 x 8 bits unsigned"):
        uart_transmitter(Signal(bool(0)), Signal(bool(0)), AxiStream(HEARD), Signal(bool(1)), 8)
