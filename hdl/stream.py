"""Stream helpers: register slice, width converter, FIFO, fork, replay.

All hold the AXI4-Stream rule: tvalid, once high, stays with stable tdata until taken, and no
tvalid depends on a tready.
"""
from math import lcm

from myhdl import always, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream
from hdl.types import count, flag, uint


@block
def connect(s_axis, m_axis):
    """Wires from one stream to another of the same width."""

    @always_comb
    def forward():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid

    @always_comb
    def backward():
        s_axis.tready.next = m_axis.tready

    return instances()


@block
def register_slice(clk, rst, s_axis, m_axis):
    """Registers data, valid and ready.  Latency 1 cycle, 1 beat per cycle, holds 2 beats."""
    held = uint(s_axis.width)
    full = flag()

    @always_comb
    def accept():
        s_axis.tready.next = not full

    @always_seq(clk.posedge, reset=rst)
    def move():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid or full
            full.next = False
        elif s_axis.tvalid:
            full.next = True

    @always(clk.posedge)
    def carry():
        if full or s_axis.tvalid:
            if m_axis.tready or not m_axis.tvalid:
                m_axis.tdata.next = held if full else s_axis.tdata
            elif not full:
                held.next = s_axis.tdata

    return instances()


@block
def widen(clk, rst, s_axis, m_axis):
    """Gather a whole number of input beats in an output beat, first beat lowest.

    Latency 1 cycle after the last beat gathered, 1 input beat per cycle; no beat comes in while one
    waits to leave.
    """
    if m_axis.width < 2 * s_axis.width or m_axis.width % s_axis.width:
        raise ValueError(f"beats of {m_axis.width} bits are not gathered from two or more whole "
                         f"beats of {s_axis.width}")
    slots = m_axis.width // s_axis.width
    low, high = s_axis.width, m_axis.width
    filled = count(slots)

    @always_comb
    def accept():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def fill():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid and filled == slots - 1
            if s_axis.tvalid:
                filled.next = 0 if filled == slots - 1 else filled + 1

    @always(clk.posedge)
    def gather():
        if s_axis.tvalid and (m_axis.tready or not m_axis.tvalid):
            m_axis.tdata.next = concat(s_axis.tdata, m_axis.tdata[high:low])

    return instances()


@block
def narrow(clk, rst, s_axis, m_axis):
    """Split an input beat in a whole number of output beats, lowest lanes first.

    Latency 1 cycle, 1 output beat per cycle; the next beat loads as the last part leaves.
    """
    if s_axis.width < 2 * m_axis.width or s_axis.width % m_axis.width:
        raise ValueError(f"beats of {s_axis.width} bits are not split in two or more whole beats "
                         f"of {m_axis.width}")
    parts = s_axis.width // m_axis.width
    low, high = m_axis.width, s_axis.width
    rest = uint(high)
    left = count(parts + 1)

    @always_comb
    def offer():
        m_axis.tvalid.next = left != 0
        m_axis.tdata.next = rest[low:]

    @always_comb
    def accept():
        s_axis.tready.next = left == 0 or (left == 1 and m_axis.tready)

    @always_seq(clk.posedge, reset=rst)
    def progress():
        if s_axis.tready:
            left.next = parts if s_axis.tvalid else 0
        elif m_axis.tready:
            left.next = left - 1

    @always(clk.posedge)
    def shift():
        if s_axis.tready:
            rest.next = s_axis.tdata
        elif m_axis.tready:
            rest.next = rest[high:low]

    return instances()


@block
def width_converter(clk, rst, s_axis, m_axis):
    """From s_axis.lanes to m_axis.lanes, any two numbers; elements keep their order.

    Latency 0, 1 or 2 cycles: wires when equal, ``widen`` or ``narrow`` when one divides the
    other, both through the least common multiple when neither does.
    """
    if (s_axis.bits, s_axis.signed, s_axis.tile) != (m_axis.bits, m_axis.signed, m_axis.tile):
        raise ValueError(f"a width converter changes the lanes of a beat, not its elements: "
                         f"{s_axis.bits} bits come in, {m_axis.bits} go out")
    if s_axis.lanes == m_axis.lanes:
        convert = connect(s_axis, m_axis)
    elif m_axis.lanes % s_axis.lanes == 0:
        convert = widen(clk, rst, s_axis, m_axis)
    elif s_axis.lanes % m_axis.lanes == 0:
        convert = narrow(clk, rst, s_axis, m_axis)
    else:
        middle = AxiStream(lcm(s_axis.lanes, m_axis.lanes), s_axis.bits, s_axis.signed)
        gather = widen(clk, rst, s_axis, middle)
        split = narrow(clk, rst, middle, m_axis)
    return instances()


@block
def ram(clk, write, write_address, write_data, read, read_address, read_data, depth):
    """Simple dual-port memory of ``depth`` words, one write and one registered read a cycle."""
    memory = [uint(len(write_data)) for _ in range(depth)]

    @always(clk.posedge)
    def store():
        if write:
            memory[write_address].next = write_data

    @always(clk.posedge)
    def fetch():
        if read:
            read_data.next = memory[read_address]

    return instances()


@block
def fifo(clk, rst, s_axis, m_axis, depth):
    """First in, first out, in block RAM: ``depth`` beats in memory and one in the output register.

    Latency 2 cycles, 1 beat per cycle.
    """
    if depth < 1:
        raise ValueError(f"a FIFO holds one beat or more, not {depth}")
    head, tail = count(depth), count(depth)
    write, read = flag(), flag()
    memory = ram(clk, write, head, s_axis.tdata, read, tail, m_axis.tdata, depth)
    control = fifo_control(clk, rst, s_axis.tvalid, s_axis.tready, m_axis.tvalid, m_axis.tready,
                           write, head, read, tail, depth)
    return instances()


@block
def fifo_control(clk, rst, s_valid, s_ready, m_valid, m_ready, write, head, read, tail, depth):
    """When and where a FIFO of ``depth`` words writes and reads its memories."""
    level = count(depth + 1)

    @always_comb
    def handshake():
        s_ready.next = level != depth
        write.next = s_valid and level != depth
        read.next = level != 0 and (m_ready or not m_valid)

    @always_seq(clk.posedge, reset=rst)
    def control():
        if write:
            head.next = 0 if head == depth - 1 else head + 1
        if read:
            tail.next = 0 if tail == depth - 1 else tail + 1
        if write and not read:
            level.next = level + 1
        elif read and not write:
            level.next = level - 1
        if read:
            m_valid.next = True
        elif m_ready:
            m_valid.next = False

    return instances()


@block
def link(clk, rst, s_axis, m_axis, depth):
    """A unit's input: a width converter and, where beats have to wait, a FIFO at its widest.

    depth -- beats that wait, of as many lanes as both streams' have a common multiple
    """
    if depth:
        gathered, waiting = [AxiStream(lcm(s_axis.lanes, m_axis.lanes), s_axis.bits, s_axis.signed)
                             for _ in range(2)]
        gather = width_converter(clk, rst, s_axis, gathered)
        wait = fifo(clk, rst, gathered, waiting, depth)
        split = width_converter(clk, rst, waiting, m_axis)
    else:
        convert = width_converter(clk, rst, s_axis, m_axis)
    return instances()


@block
def count_down(clk, rst, load, left, first):
    """left = ``first`` a cycle after ``load``, then one less a cycle down to 0."""

    @always_seq(clk.posedge, reset=rst)
    def down():
        if load:
            left.next = first
        elif left != 0:
            left.next = left - 1

    return down


@block
def replay(clk, rst, s_axis, m_axis, words, passes, depth):
    """Send every run of ``words`` beats ``passes`` times over, from memory for ``depth`` beats.

    The first pass follows the input word by word; the last pass frees each word as it leaves.
    Latency 2 cycles, 1 output beat per cycle.
    """
    if depth < words:
        raise ValueError(f"a memory of {depth} beats does not hold a run of {words}")
    level = count(depth + 1)
    head, oldest, address = [count(depth) for _ in range(3)]
    word, turn = count(words), count(passes)
    write, read, free, ready = [flag() for _ in range(4)]
    memory = ram(clk, write, head, s_axis.tdata, read, address, m_axis.tdata, depth)

    @always_comb
    def handshake():
        s_axis.tready.next = level != depth
        write.next = s_axis.tvalid and level != depth
        if turn == passes - 1:
            ready.next = level != 0
        else:
            ready.next = level > word

    @always_comb
    def step():
        read.next = ready and (m_axis.tready or not m_axis.tvalid)
        free.next = read and turn == passes - 1

    @always_seq(clk.posedge, reset=rst)
    def fill():
        if write:
            head.next = 0 if head == depth - 1 else head + 1
        if write and not free:
            level.next = level + 1
        elif free and not write:
            level.next = level - 1

    @always_seq(clk.posedge, reset=rst)
    def send():
        if read:
            m_axis.tvalid.next = True
            if word != words - 1:
                word.next = word + 1
                address.next = 0 if address == depth - 1 else address + 1
            elif turn != passes - 1:
                word.next = 0
                turn.next = turn + 1
                address.next = oldest
            else:
                word.next = 0
                turn.next = 0
                oldest.next = 0 if address == depth - 1 else address + 1
                address.next = 0 if address == depth - 1 else address + 1
        elif m_axis.tready:
            m_axis.tvalid.next = False

    return instances()


@block
def fork(clk, rst, s_axis, m_axis_a, m_axis_b):
    """Give every beat to both outputs, each at its own time.  Latency 0."""
    done_a, done_b = flag(), flag()

    @always_comb
    def offer():
        m_axis_a.tdata.next = s_axis.tdata
        m_axis_b.tdata.next = s_axis.tdata
        m_axis_a.tvalid.next = s_axis.tvalid and not done_a
        m_axis_b.tvalid.next = s_axis.tvalid and not done_b

    @always_comb
    def accept():
        s_axis.tready.next = (m_axis_a.tready or done_a) and (m_axis_b.tready or done_b)

    @always_seq(clk.posedge, reset=rst)
    def remember():
        done_a.next = s_axis.tvalid and not s_axis.tready and (m_axis_a.tready or done_a)
        done_b.next = s_axis.tvalid and not s_axis.tready and (m_axis_b.tready or done_b)

    return instances()
