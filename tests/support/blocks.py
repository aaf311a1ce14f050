"""Small blocks that the tests of the simulators run: a good one, and each kind of bad one."""
from myhdl import Signal, always, always_comb, always_seq, block, instances, intbv

from hdl.axis import AxiStream
from hdl.blocks.fifo import replay
from hdl.blocks.frame_repair import FAULTS, frame_repair
from hdl.blocks.lanes import pack
from hdl.blocks.registers import counter
from hdl.blocks.signals import count, flag, sint, uint
from hdl.blocks.stream import fork
from hdl.blocks.weight_rom import VHDL_MEMORY, weight_rom
from hdl.units.convolve import convolve
from hdl.units.video import video
from tests.support.streams import stream


@block
def register_slice(clk, rst, s_axis, m_axis):
    """A pipeline register; tready passes straight through."""
    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid

    @always(clk.posedge)
    def hold():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tdata.next = s_axis.tdata

    return instances()


@block
def with_memory_of_its_own(clk, rst, s_axis, m_axis, edges):
    """A register slice beside a process that keeps what no signal shows."""
    slice_ = register_slice(clk, rst, s_axis, m_axis)

    @always(clk.posedge)
    def remember():
        edges.append(len(edges))

    return slice_, remember


@block
def two_slices(clk, rst, s_axis, m_axis, link):
    """Two register slices, the stream ``link`` between them."""
    block_1 = register_slice(clk, rst, s_axis, link)
    block_2 = register_slice(clk, rst, link, m_axis)
    return block_1, block_2


@block
def one_of_two_stops(clk, rst, s_axis, s_second, m_axis, m_second):
    """A register slice, and beside it a stream that is never taken."""
    first = register_slice(clk, rst, s_axis, m_axis)

    @always_seq(clk.posedge, reset=rst)
    def stop():
        s_second.tready.next = False
        m_second.tvalid.next = False

    @always(clk.posedge)
    def hold():
        if m_second.tready and s_second.tvalid:
            m_second.tdata.next = s_second.tdata

    return instances()


@block
def video_slice(clk, rst, s_axis, m_axis):
    """register_slice with tlast and tuser."""
    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid
            m_axis.tdata.next = s_axis.tdata
            m_axis.tlast.next = s_axis.tlast
            m_axis.tuser.next = s_axis.tuser

    return instances()


@block
def join_sum(clk, rst, s_axis, s_axis_skip, m_axis):
    """Sum of two streams, modulo the output's width."""
    go = Signal(bool(0))

    @always_comb
    def join():
        go.next = (s_axis.tvalid and s_axis_skip.tvalid
                   and (m_axis.tready or not m_axis.tvalid))

    @always_comb
    def accept():
        s_axis.tready.next = go
        s_axis_skip.tready.next = go

    @always_seq(clk.posedge, reset=rst)
    def add():
        if go:
            m_axis.tvalid.next = True
            m_axis.tdata.next = s_axis.tdata + s_axis_skip.tdata
        elif m_axis.tready:
            m_axis.tvalid.next = False

    return instances()


@block
def rom_multiply(clk, rst, s_axis, m_axis, name, values):
    """Beat n times values[n modulo their number], the values from a memory file in Verilog."""
    depth, last = len(values), len(values) - 1
    bits = max(value.bit_length() for value in values)
    address = Signal(intbv(0, min=0, max=depth))
    factor = Signal(intbv(0)[bits:])
    rom = rom_word(address, factor, name, values)

    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def multiply():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid
            m_axis.tdata.next = s_axis.tdata * factor
            if s_axis.tvalid:
                if address == last:
                    address.next = 0
                else:
                    address.next = address + 1

    return rom, accept, multiply


@block
def rom_word(address, word, name, values):
    """word = values[address]."""
    last, high = len(values) - 1, len(word) - 1

    @always(address)
    def read():
        word.next = values[int(address)]

    rom_word.verilog_code = """
reg [$high:0] rom [0:$last];
initial $$readmemh("$name.mem", rom);
assign $word = rom[$address];
"""
    rom_word.vhdl_code = VHDL_MEMORY + """
begin
    $word <= unsigned(rom(to_integer($address)));
"""
    return read


rom_word.func.outputs = ("word",)


@block
def many_registers(clk, rst, s_axis, m_axis):
    """A block whose generators set and read many names."""
    alpha, beta, gamma, delta, epsilon = [Signal(bool(0)) for _ in range(5)]

    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready and alpha and beta and gamma and delta and epsilon

    @always_seq(clk.posedge, reset=rst)
    def advance():
        alpha.next = s_axis.tvalid
        beta.next = alpha
        gamma.next = beta
        delta.next = gamma
        epsilon.next = delta
        m_axis.tvalid.next = epsilon
        m_axis.tdata.next = s_axis.tdata

    return accept, advance


@block
def withdraws(clk, rst, s_axis, m_axis):
    """Breaks the protocol: offers each beat for one cycle only."""
    @always_comb
    def accept():
        s_axis.tready.next = not rst

    @always_seq(clk.posedge, reset=rst)
    def offer():
        m_axis.tvalid.next = s_axis.tvalid
        m_axis.tdata.next = s_axis.tdata

    return instances()


@block
def changes(clk, rst, s_axis, m_axis):
    """Breaks the protocol: tdata counts while it waits."""
    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready

    @always_seq(clk.posedge, reset=rst)
    def offer():
        m_axis.tvalid.next = True
        m_axis.tdata.next = (m_axis.tdata + 1) & 15

    return instances()


@block
def stops(clk, rst, s_axis, m_axis, beats):
    """Passes ``beats`` beats and then neither takes nor gives."""
    count = Signal(intbv(0, min=0, max=beats + 1))

    @always_comb
    def connect():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid and count != beats
        s_axis.tready.next = m_axis.tready and count != beats

    @always_seq(clk.posedge, reset=rst)
    def tally():
        if s_axis.tvalid and m_axis.tready and count != beats:
            count.next = count + 1

    return instances()


@block
def stale_data(clk, rst, s_axis, m_axis):
    """Gives tdata of every cycle from the first beat on, valid or not."""
    started = Signal(bool(0))

    @always_comb
    def connect():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid or started
        s_axis.tready.next = m_axis.tready

    @always_seq(clk.posedge, reset=rst)
    def start():
        if s_axis.tvalid:
            started.next = True

    return instances()


@block
def overflows(clk, rst, s_axis, m_axis):
    """Raises in MyHDL simulation: a counter with no room."""
    count = Signal(intbv(0, min=0, max=3))

    @always_comb
    def connect():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready

    @always_seq(clk.posedge, reset=rst)
    def tally():
        count.next = count + 1

    return instances()


@block
def forked(clk, rst, s_axis, m_axis_a, m_axis_b):
    """``fork`` as a module by itself, for which its name is a word of Verilog's."""
    split = fork(clk, rst, s_axis, m_axis_a, m_axis_b)
    return split


@block
def rom_reader(clk, rst, s_axis, m_axis, rom):
    """A weight ROM behind a stream of addresses; its lanes lie in tdata, lane 0 lowest."""
    lanes = [sint(bits) for bits in rom.widths]
    address = uint(s_axis.shape.width)
    enable, again, held = [Signal(bool(0)) for _ in range(3)]
    memory = weight_rom(clk, enable, address, tuple(lanes), rom, again)
    word = pack(lanes, m_axis.tdata)

    @always_comb
    def connect():
        address.next = s_axis.tdata
        enable.next = s_axis.tvalid and (m_axis.tready or not m_axis.tvalid)
        again.next = held and (m_axis.tready or not m_axis.tvalid)
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if m_axis.tready or not m_axis.tvalid:
            held.next = s_axis.tvalid
            m_axis.tvalid.next = held

    return memory, word, connect, advance


@block
def matrix_twice(clk, rst, s_axis, m_axis, config):
    """``matrix`` of one pass that computes every pixel twice and drops one of the results."""
    operands, results = AxiStream(s_axis.shape), AxiStream(m_axis.shape)
    beats = config.unit.channels_out // m_axis.shape.lanes
    again = replay(clk, rst, s_axis, operands, config.beats, 2, 2 * config.beats)
    array = convolve(clk, rst, operands, results, config)
    moved, beat = flag(), count(2 * beats)
    walk = counter(clk, rst, moved, beat, 2 * beats)

    @always_comb
    def drop():
        m_axis.tdata.next = results.tdata
        m_axis.tvalid.next = results.tvalid and beat >= beats
        results.tready.next = m_axis.tready or beat < beats
        moved.next = results.tvalid and (m_axis.tready or beat < beats)

    return instances()


def stream_pair(lanes=4, bits=7):
    """Ports of a block with one input and one output of the same shape."""
    return {"s_axis": stream(lanes, bits), "m_axis": stream(lanes, bits)}


@block
def answer(clk, rst, errors, s_ask, m_errors):
    """A beat of ``s_ask`` is answered with what ``errors`` is then."""
    @always_comb
    def ask():
        s_ask.tready.next = m_errors.tready or not m_errors.tvalid

    @always_seq(clk.posedge, reset=rst)
    def tell():
        if m_errors.tready or not m_errors.tvalid:
            m_errors.tvalid.next = s_ask.tvalid
            if s_ask.tvalid:
                m_errors.tdata.next = errors

    return instances()


@block
def repaired(clk, rst, s_axis, s_ask, m_axis, m_verdict, m_errors, frame):
    """frame_repair, whose errors answer when they are asked for."""
    errors = uint(len(FAULTS))
    repair = frame_repair(clk, rst, s_axis, m_axis, m_verdict, errors, frame)
    tell = answer(clk, rst, errors, s_ask, m_errors)
    return instances()


@block
def filmed(clk, rst, s_axis, s_ask, m_axis, m_errors, top):
    """video, whose errors answer when they are asked for."""
    errors = uint(len(FAULTS))
    around = video(clk, rst, s_axis, m_axis, errors, top)
    tell = answer(clk, rst, errors, s_ask, m_errors)
    return instances()
