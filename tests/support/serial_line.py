"""A serial line, as levels and how long each lasts: what plays and what records them, and bytes as
they are on it, with whatever can go wrong."""
import shutil
from pathlib import Path

import numpy as np
from myhdl import Signal, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.signals import flag, uint
from hdl.board import top as board_top
from hdl.board.clock import pll_settings
from hdl.board.top import LEDS, BoardTop, board
from hdl.shape import StreamShape
from hdl.sim.design import Design
from tests.support.bench import Bench

PLL_MODEL = Path(board_top.__file__).with_name("ehxplll.v")
CYCLES = 4          # of a bit
PATIENCE = 600
PIXELS = StreamShape(3, 9, True)
SETTINGS = pll_settings(25, 50)
LONGEST = (1 << 15) - 1     # cycles of a beat
LIGHTS = StreamShape(lanes=1, bits=LEDS, signed=False)
RUNS = StreamShape(lanes=1, bits=16, signed=False)      # cycles, and above them the level


@block
def play(clk, rst, s_axis, line):
    """Each level of RUNS for as many cycles; high in between."""
    left = uint(15)

    @always_comb
    def accept():
        s_axis.tready.next = left < 2

    @always_seq(clk.posedge, reset=rst)
    def hold():
        if left < 2:
            line.next = s_axis.tdata[15] or not s_axis.tvalid
            left.next = s_axis.tdata[15:] if s_axis.tvalid else 0
        else:
            left.next = left - 1

    return instances()


@block
def record(clk, rst, line, m_axis):
    """A beat of RUNS for each level that has ended."""
    level, cycles = Signal(bool(1)), uint(15)

    @always_seq(clk.posedge, reset=rst)
    def watch():
        m_axis.tvalid.next = line != level
        level.next = line
        if line != level:
            m_axis.tdata.next = concat(level, cycles)
            cycles.next = 1
        elif cycles != LONGEST:
            cycles.next = cycles + 1

    return watch


@block
def tell(clk, rst, value, m_axis):
    """A beat for each new value."""
    last = uint(len(value))

    @always_seq(clk.posedge, reset=rst)
    def watch():
        m_axis.tvalid.next = value != last
        m_axis.tdata.next = value
        last.next = value

    return watch


@block
def wired(clk, rst, s_axis, m_axis, m_led, top):
    """A board whose serial lines are RUNS; m_led has a beat for each change of the LEDs."""
    rx, tx, high, led = Signal(bool(1)), Signal(bool(1)), flag(), uint(LEDS)
    send = play(clk, rst, s_axis, rx)
    whole = board(clk, rx, tx, led, high, top)
    hear = record(clk, rst, tx, m_axis)
    look = tell(clk, rst, led, m_led)
    return instances()


@block
def every_second(clk, rst, s_axis, m_axis):
    """What the small board has in place of a network: of two pixels it gives the first."""
    odd = flag()

    @always_comb
    def forward():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid and not odd
        s_axis.tready.next = m_axis.tready or odd

    @always_seq(clk.posedge, reset=rst)
    def turn():
        if s_axis.tvalid and s_axis.tready:
            odd.next = not odd

    return instances()


def small():
    """A board of photos of six pixels; a feature is 9 bits in two bytes."""
    return BoardTop(every_second, (), (PIXELS, PIXELS), 6, (3, 1, 3), SETTINGS, CYCLES, PATIENCE)


def wired_bench(simulator, top, memories=None):
    """A Bench of a board whose serial lines are RUNS."""
    bench = Bench(simulator, wired, {"s_axis": AxiStream(RUNS), "m_axis": AxiStream(RUNS),
                                     "m_led": AxiStream(LIGHTS), "top": top}, memories)
    converted = bench.plain

    def with_model(directory, language):
        files, name = converted.convert(directory, language)
        return [Path(shutil.copy(PLL_MODEL, directory)), *files], name

    bench.plain = Design(wired, bench.arguments, hdl=with_model)
    return bench


def levels(data, cycles, stop=1):
    """[(level, cycles)] of bytes on the line; ``cycles`` may be a fraction."""
    bits = [bit for byte in data for bit in (0, *(byte >> place & 1 for place in range(8)), stop)]
    edges = [round(place * cycles) for place in range(len(bits) + 1)]
    return [(bit, end - start) for bit, start, end in zip(bits, edges, edges[1:])]


def pause(cycles):
    """[(level, cycles)] of a line on which nothing comes."""
    return [(1, min(LONGEST, cycles - done)) for done in range(0, cycles, LONGEST)]


def words(runs):
    """Beats of RUNS, (beats, 1)."""
    return np.array([[level << 15 | cycles] for level, cycles in runs], np.uint32)


def changes(data):
    """How often the level of a line changes while it brings bytes."""
    flat = [1, *(level for level, _ in levels(data, 1))]
    return sum(one != other for one, other in zip(flat, flat[1:]))


def received(beats, cycles):
    """Bytes of what was recorded; AssertionError where a bit has not its length."""
    found, line = bytearray(), []
    for beat in beats:
        level, length = divmod(int(beat), LONGEST + 1)
        line.append((level, length))
    while line and line[0][0]:
        line.pop(0)     # before the first start bit
    bits = []
    for level, length in line:
        whole, rest = divmod(length, cycles)
        assert level or not rest, "a bit is longer or shorter than it should be"
        if level and len(bits) + whole >= 9:
            whole = 10 - len(bits)      # the stop bit, and a pause
        bits += [level] * whole
        if len(bits) == 10:
            assert bits[0] == 0 and bits[9] == 1
            found.append(sum(bit << place for place, bit in enumerate(bits[1:9])))
            bits = []
    if bits:        # the last byte's high bits and its stop bit have no end
        bits += [1] * (10 - len(bits))
        found.append(sum(bit << place for place, bit in enumerate(bits[1:9])))
    return bytes(found)
