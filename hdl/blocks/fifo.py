"""Memories between blocks: RAM, FIFO, the link before a unit, and the replay of a pixel."""
from math import lcm

from myhdl import always, always_comb, always_seq, block, instances

from hdl.axis import AxiStream
from hdl.blocks.signals import count, flag, uint
from hdl.blocks.stream import width_converter


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
