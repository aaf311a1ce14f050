"""Line buffer: pixels in, the taps of their 3x3 windows out, borders filled with zero.

Pixels go round a memory, or several where several taps are read at once; ``row_writer`` fills it
while ``window_walk`` goes through the windows and asks for the taps that they need, so borders,
strides and frame edges cost no cycle.  ``window_mux`` makes windows of what the memories give.  A
window leaves as soon as its newest channel group has arrived; the last rows of a frame do not wait
for the next frame.  Latency 4 cycles from the last beat a window needs, 1 beat per cycle.
"""
from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances, intbv

from hdl.axis import AxiStream, Bundle
from hdl.blocks.fifo import ram
from hdl.blocks.lanes import pack
from hdl.blocks.refusals import refuse_other, refuse_tiles
from hdl.blocks.registers import count_down, counter, register
from hdl.blocks.signals import Instances, count, flag, start, uint
from hdl.blocks.window_mux import Place, window_mux
from hdl.blocks.window_walk import Walk, bank_kept, window_walk
from hdl.plan.geometry import KERNEL, WindowGeometry

LATENCY = 4     # cycles from the last beat that a window needs to the window


@block
def line_buffer(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                geometry: WindowGeometry) -> Instances:
    """Windows of square frames, output pixels in raster order.

    s_axis   -- some channels of a pixel a beat, all channels of a pixel, then the next
    m_axis   -- some taps of a window x as many channels a beat, channels minor; for every
                pixel and channel group 9 / taps beats: all nine taps row by row (taps 9), a
                column top to bottom (3), a tap, columns before rows (1)
    geometry -- WindowGeometry
    """
    refuse_tiles("line_buffer", s_axis, m_axis)
    refuse_other("line_buffer", f"an output of {geometry.taps} taps a beat", m_axis,
                 s_axis.shape.with_lanes(geometry.taps * s_axis.shape.lanes))
    banks, depth = geometry.banks, geometry.depth
    written, walk = Written(geometry), Walk(geometry)
    places = [Place(geometry) for _ in range(2)]
    complete, read = flag(), flag()
    write = [flag() for _ in range(banks)]
    read_address = [count(depth) for _ in range(banks)]
    word, settled = [[uint(s_axis.shape.width) for _ in range(banks)] for _ in range(2)]
    tap = [uint(s_axis.shape.width) for _ in range(geometry.taps)]
    steps = WindowSteps()

    writer = row_writer(clk, rst, s_axis, write, written, geometry)
    memories = [ram(clk, write[i], written.address, s_axis.tdata, read, read_address[i], word[i],
                    depth) for i in range(banks)]
    settle = [register(clk, steps.settle, *words) for words in zip(word, settled)]
    between = words_between(clk, rst, read, written, walk, complete, geometry)
    walker = window_walk(clk, rst, read, walk, places[0], read_address, geometry)
    follow = follow_place(clk, steps.settle, *places, geometry)
    mux = window_mux(clk, steps.give, settled, places[1], tap, geometry)
    window = pack(tap, m_axis.tdata)
    control = window_control(clk, rst, m_axis, complete, read, steps, geometry.interval)
    return instances()


class WindowSteps(Bundle):
    """Which steps of a line buffer's pipeline move in a cycle."""

    def __init__(self) -> None:
        self.settle = flag()    # words that the memories give, into the registers behind them
        self.give = flag()      # ... from there into the window


class Written(Bundle):
    """The pixel and channel group that arrives next, and where it is written."""

    def __init__(self, geometry: WindowGeometry) -> None:
        self.address = count(geometry.depth)
        self.accept = flag()        # a word is taken
        self.row_done = flag()      # ... the last of a row
        # Words from the first that windows need to this one.
        self.ahead = start(-geometry.first * geometry.groups, geometry.room + 1
                           + (geometry.pitch - geometry.size) * geometry.groups)


@block
def row_writer(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, write: list[SignalType],
               written: Written, geometry: WindowGeometry) -> Instances:
    """Take what has room, pixel after pixel into the banks in turn.

    write   -- for each bank
    written -- Written
    """
    size, banks, room, last_group = (geometry.size, geometry.banks, geometry.room,
                                     geometry.groups - 1)
    ahead, address, accept, row_done = (written.ahead, written.address, written.accept,
                                        written.row_done)
    pixel_done = flag()
    column, group = count(size), count(geometry.groups)

    @always_comb
    def admit():
        s_axis.tready.next = ahead < room
        accept.next = s_axis.tvalid and ahead < room

    @always_comb
    def finish():
        pixel_done.next = accept and group == last_group
        row_done.next = accept and group == last_group and column == size - 1

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if accept:
            group.next = 0 if pixel_done else group + 1
        if pixel_done:
            column.next = 0 if row_done else column + 1

    if banks == 1:
        addresses = counter(clk, rst, accept, address, geometry.depth)

        @always_comb
        def forward():
            write[0].next = accept
    else:
        places = bank_writer(clk, rst, write, written, pixel_done, geometry)

    return instances()


@block
def bank_writer(clk: SignalType, rst: ResetSignal, write: list[SignalType], written: Written,
                pixel_done: SignalType, geometry: WindowGeometry) -> Instances:
    """Which bank is written, and where: pixels take turns, a row begins ``pitch`` places on."""
    banks, last_group, last_address = geometry.banks, geometry.groups - 1, geometry.depth - 1
    skipped = geometry.pitch - geometry.size
    address, accept, row_done = written.address, written.accept, written.row_done
    bank, anew = count(banks), flag()

    @always_comb
    def select():
        for i in range(banks):
            write[i].next = accept and bank == i

    @always_comb
    def end():
        if row_done:
            anew.next = bank >= banks - 1 - skipped
        else:
            anew.next = bank == banks - 1

    @always_seq(clk.posedge, reset=rst)
    def move():
        if accept:
            if pixel_done and not anew:
                address.next = address - last_group
            else:
                address.next = 0 if address == last_address else address + 1
        if row_done:
            bank.next = bank + 1 + skipped - banks if anew else bank + 1 + skipped
        elif pixel_done:
            bank.next = 0 if anew else bank + 1

    return instances()


@block
def words_between(clk: SignalType, rst: ResetSignal, read: SignalType, written: Written, walk: Walk,
                  complete: SignalType, geometry: WindowGeometry) -> Instances:
    """written.ahead, and complete: all that the window's next channel group needs is written.

    The bottom row of a frame that ends in zeros needs a row less, its last column a pixel less.
    """
    groups, pitch, after, last = (geometry.groups, geometry.pitch, geometry.after,
                                  geometry.size_out - 1)
    window_last, pixel_last, row_last, frame_last = (walk.window_last, walk.pixel_last,
                                                     walk.row_last, walk.frame_last)
    row, column = walk.row, walk.column
    ahead, accept, row_done = written.ahead, written.accept, written.row_done
    a_row, a_column = pitch * groups, groups
    whole = (KERNEL - 1) * (a_row + a_column)
    row_words = 1 + (pitch - geometry.size) * groups
    pixel_words = 1 + (geometry.stride - 1) * groups
    line_words = 1 + (geometry.row_step - 1) * groups
    frame_words = 1 + (geometry.frame_step - 1) * groups
    most = max(ahead.max, 1 + max(row_words, pixel_words, line_words, frame_words))   # as wide

    @always_comb
    def wait():
        if row == last and column == last and after != 0:
            complete.next = ahead > whole - a_row - a_column
        elif row == last and after != 0:
            complete.next = ahead > whole - a_row
        elif column == last and after != 0:
            complete.next = ahead > whole - a_column
        else:
            complete.next = ahead > whole

    @always_seq(clk.posedge, reset=rst)
    def keep():
        more = intbv(0, min=0, max=most)
        fewer = intbv(0, min=0, max=most)
        if row_done:
            more[:] = row_words
        elif accept:
            more[:] = 1
        if read and window_last:
            if frame_last:
                fewer[:] = frame_words
            elif row_last:
                fewer[:] = line_words
            elif pixel_last:
                fewer[:] = pixel_words
            else:
                fewer[:] = 1
        ahead.next = ahead + more - fewer

    return instances()


@block
def follow_place(clk: SignalType, enable: SignalType, place: Place, settled: Place,
                 geometry: WindowGeometry) -> Instances:
    """settled = place, a cycle later, when ``enable``."""

    @always(clk.posedge)
    def follow():
        if enable:
            settled.row_step.next = place.row_step
            settled.column_step.next = place.column_step
            settled.top.next = place.top
            settled.bottom.next = place.bottom
            settled.left.next = place.left
            settled.right.next = place.right

    @always(clk.posedge)
    def follow_bank():
        if enable:
            settled.bank.next = place.bank

    @always(clk.posedge)
    def follow_threes():
        if enable:
            settled.bank.next = place.bank
            settled.three.next = place.three

    return follow, *bank_kept(geometry, follow_bank, follow_threes)


@block
def window_control(clk: SignalType, rst: ResetSignal, m_axis: AxiStream, complete: SignalType,
                   read: SignalType, steps: WindowSteps, interval: int) -> Instances:
    """When taps are read, and when each step after that moves.

    interval -- cycles from read to read at the soonest
    """
    go, fetched, settled = [flag() for _ in range(3)]
    settle, give = steps.settle, steps.give

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def work():
        settle.next = go and fetched
        give.next = go and settled

    if interval > 1:
        rest = count(interval)
        pause = count_down(clk, rst, read, rest, interval - 1)

        @always_comb
        def step():
            read.next = go and complete and rest == 0
    else:
        @always_comb
        def step():
            read.next = go and complete

    @always_seq(clk.posedge, reset=rst)
    def leave():
        if go:
            fetched.next = read
            settled.next = fetched
            m_axis.tvalid.next = settled

    return instances()
