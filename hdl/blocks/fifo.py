"""Memories between blocks: RAM, FIFO, the link before a unit, and the replay of a pixel."""
from math import lcm

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances

from hdl.axis import AxiStream, Bundle, Handshake
from hdl.blocks.refusals import refuse_marks, refuse_unequal
from hdl.blocks.registers import counter
from hdl.blocks.signals import Instances, count, flag
from hdl.blocks.stream import width_converter
from hdl.plan.memory import in_blocks

LATENCY = 2     # cycles, of a FIFO and of a replay


@block
def ram(clk: SignalType, write: SignalType, write_address: SignalType, write_data: SignalType,
        read: SignalType, read_address: SignalType, read_data: SignalType, depth: int) -> Instances:
    """Simple dual-port memory of ``depth`` words, one write and one registered read a cycle.

    Where both addresses are one signal, a word that is read and written in one cycle is read as it
    was before; else what is read then is not known: of no use, and in MyHDL wrong.  The memory lies
    in block RAM or in LUTs, by depth and width (``hdl/plan/memory.py``).
    """
    bits, least = len(write_data), max((depth - 1).bit_length(), 1)
    if len(read_data) != bits:
        raise ValueError(f"a memory of {bits} bits a word does not give words of {len(read_data)}")
    if len(write_address) < least or len(read_address) < least:
        raise ValueError(f"a memory of {depth} words has addresses of {least} bits, not of "
                         f"{len(write_address)} and {len(read_address)}")
    words = [0] * depth
    apart = write_address is not read_address
    style = "block" if in_blocks(depth, bits, written=True) else "distributed"
    attributes = f'{"no_rw_check, " if apart else ""}ram_style = "{style}"'
    high, last, ones = bits - 1, depth - 1, (1 << bits) - 1

    @always(clk.posedge)
    def access():
        if read:
            collide = apart and write and write_address == read_address
            read_data.next = words[int(read_address)] ^ (ones if collide else 0)
        if write:
            words[int(write_address)] = int(write_data)

    ram.verilog_code = """
(* $attributes *)
reg [$high:0] words [0:$last];
reg [$high:0] word;
always @(posedge $clk) begin
    if ($read) word <= words[$read_address];
    if ($write) words[$write_address] <= $write_data;
end
assign $read_data = word;
"""
    ram.vhdl_code = """
    type memory is array (0 to $last) of unsigned($high downto 0);
    signal words : memory;
    attribute ram_style : string;
    attribute ram_style of words : signal is "$style";
begin
    process ($clk) is
    begin
        if rising_edge($clk) then
            if $read = '1' then
                $read_data <= words(to_integer($read_address));
            end if;
            if $write = '1' then
                words(to_integer($write_address)) <= $write_data;
            end if;
        end if;
    end process;
"""
    return access


ram.func.outputs = ("read_data",)


class Queue(Bundle):
    """The ports of memories of ``depth`` words that hold the words of a FIFO."""

    def __init__(self, depth: int) -> None:
        self.write = flag()         # a word comes in, to ``head``
        self.head = count(depth)
        self.read = flag()          # a word goes out, from ``tail``
        self.tail = count(depth)


@block
def fifo(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
         depth: int) -> Instances:
    """First in, first out: ``depth`` beats in memory and one in the output register.

    Latency 2 cycles, 1 beat per cycle.
    """
    refuse_unequal("fifo", s_axis, m_axis)
    if depth < 1:
        raise ValueError(f"a FIFO holds one beat or more, not {depth}")
    queue = Queue(depth)
    memory = ram(clk, queue.write, queue.head, s_axis.tdata, queue.read, queue.tail, m_axis.tdata,
                 depth)
    control = fifo_control(clk, rst, s_axis, m_axis, queue, depth)
    return instances()


@block
def fifo_control(clk: SignalType, rst: ResetSignal, source: AxiStream | Handshake,
                 sink: AxiStream | Handshake, queue: Queue, depth: int) -> Instances:
    """When and where a FIFO of ``depth`` words writes and reads its memories.

    source, sink -- what has tvalid and tready, an AxiStream or a Handshake
    queue        -- Queue
    """
    write, head, read, tail = queue.write, queue.head, queue.read, queue.tail
    s_valid, s_ready, m_valid, m_ready = source.tvalid, source.tready, sink.tvalid, sink.tready
    level = count(depth + 1)
    writer = counter(clk, rst, write, head, depth)
    reader = counter(clk, rst, read, tail, depth)

    @always_comb
    def handshake():
        s_ready.next = level != depth
        write.next = s_valid and level != depth
        read.next = level != 0 and (m_ready or not m_valid)

    @always_seq(clk.posedge, reset=rst)
    def control():
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
def link(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
         depth: int) -> Instances:
    """A unit's input: a width converter and, where beats have to wait, a FIFO at its widest.

    depth -- beats that wait, of as many lanes as both streams' have a common multiple
    """
    refuse_marks("link", s_axis, m_axis)
    if depth:
        widest = s_axis.shape.with_lanes(lcm(s_axis.shape.lanes, m_axis.shape.lanes))
        gathered, waiting = [AxiStream(widest) for _ in range(2)]
        gather = width_converter(clk, rst, s_axis, gathered)
        wait = fifo(clk, rst, gathered, waiting, depth)
        split = width_converter(clk, rst, waiting, m_axis)
    else:
        convert = width_converter(clk, rst, s_axis, m_axis)
    return instances()


@block
def replay(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream, words: int,
           passes: int, depth: int) -> Instances:
    """Send every run of ``words`` beats ``passes`` times over, from memory for ``depth`` beats.

    The first pass follows the input word by word; the last pass frees each word as it leaves.
    Latency 2 cycles, 1 output beat per cycle.
    """
    refuse_unequal("replay", s_axis, m_axis)
    if depth < words:
        raise ValueError(f"a memory of {depth} beats does not hold a run of {words}")
    level = count(depth + 1)
    head, oldest, address = [count(depth) for _ in range(3)]
    word, turn = count(words), count(passes)
    write, read, free, ready, run_done, freed = [flag() for _ in range(6)]
    memory = ram(clk, write, head, s_axis.tdata, read, address, m_axis.tdata, depth)
    writer = counter(clk, rst, write, head, depth)
    run = counter(clk, rst, read, word, words, run_done)
    turns = counter(clk, rst, run_done, turn, passes, freed)

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
    def hold():
        if write and not free:
            level.next = level + 1
        elif free and not write:
            level.next = level - 1

    @always_seq(clk.posedge, reset=rst)
    def send():
        if read:
            m_axis.tvalid.next = True
            if run_done and not freed:
                address.next = oldest
            else:
                address.next = 0 if address == depth - 1 else address + 1
            if freed:
                oldest.next = 0 if address == depth - 1 else address + 1
        elif m_axis.tready:
            m_axis.tvalid.next = False

    return instances()
