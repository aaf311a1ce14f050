"""Line buffer: pixels in, the taps of their 3x3 windows out, borders filled with zero.

Three or four row memories in rotation; ``row_writer`` fills one while ``window_walk`` goes through
the windows and asks for the rows that they need, so borders, strides and frame edges cost no cycle.
``window_mux`` makes windows of what the memories give.  A window leaves as soon as its newest
channel group has arrived; the last rows of a frame do not wait for the next frame.
Latency 3 cycles from the last beat a window needs, 1 beat per cycle.
"""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.fifo import ram
from hdl.blocks.lanes import pack
from hdl.blocks.refusals import refuse_other, refuse_tiles
from hdl.blocks.registers import count_down
from hdl.blocks.signals import Instances, count, flag, start, uint
from hdl.blocks.window_mux import Place, window_mux
from hdl.blocks.window_walk import Walk, window_walk
from hdl.plan.geometry import KERNEL, WindowGeometry

LATENCY = 3     # cycles from the last beat that a window needs to the window


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
    rows, banks, depth = geometry.rows, geometry.banks, geometry.depth
    written, walk, place = Written(geometry), Walk(geometry), Place(geometry)
    lead = start(geometry.before, rows + 1)     # rows from the window's top to the writer's
    go, complete, read, give, fetched = [flag() for _ in range(5)]
    write = [flag() for _ in range(rows * banks)]
    read_address = [count(depth) for _ in range(banks)]
    word = [uint(s_axis.shape.width) for _ in range(rows * banks)]
    tap = [uint(s_axis.shape.width) for _ in range(geometry.taps)]

    writer = row_writer(clk, rst, s_axis, lead, walk.oldest, write, written, geometry)
    memories = [ram(clk, write[i], written.address, s_axis.tdata, read, read_address[i % banks],
                    word[i], depth) for i in range(rows * banks)]
    rows_between = row_lead(clk, rst, written.row_done, walk, lead, geometry)
    walker = window_walk(clk, rst, read, walk, place, read_address, geometry)
    arrival = window_complete(written, walk, lead, complete, geometry)
    mux = window_mux(clk, give, word, place, tap, geometry)
    window = pack(tap, m_axis.tdata)

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid
        give.next = (m_axis.tready or not m_axis.tvalid) and fetched

    if geometry.interval > 1:
        rest = count(geometry.interval)
        pause = count_down(clk, rst, read, rest, geometry.interval - 1)

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
            m_axis.tvalid.next = fetched

    return instances()


class Written(Bundle):
    """The pixel and channel group that arrives next, and where it is written."""

    def __init__(self, geometry: WindowGeometry) -> None:
        self.column = count(geometry.size)
        self.group = count(geometry.groups)
        self.address = count(geometry.depth)
        self.row_done = flag()      # the last beat of a row is taken


@block
def row_writer(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, lead: SignalType,
               oldest: SignalType, write: list[SignalType], written: Written,
               geometry: WindowGeometry) -> Instances:
    """Take what has room, into the row memories in turn.

    lead    -- rows from the window's top row to the one that is written
    oldest  -- first column that windows still need of the row whose memory is taken next
    write   -- for each row and bank
    written -- Written
    """
    size, rows, banks = geometry.size, geometry.rows, geometry.banks
    last_group = geometry.groups - 1
    column, group, address, row_done = (written.column, written.group, written.address,
                                        written.row_done)
    accept, pixel_done = flag(), flag()
    row, bank = count(rows), count(KERNEL)

    @always_comb
    def admit():
        s_axis.tready.next = lead < rows or column < oldest
        accept.next = s_axis.tvalid and (lead < rows or column < oldest)

    @always_comb
    def finish():
        pixel_done.next = accept and group == last_group
        row_done.next = accept and group == last_group and column == size - 1

    @always_comb
    def select():
        for i in range(rows):
            for j in range(banks):
                write[i * banks + j].next = accept and row == i and bank == j

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if accept:
            group.next = 0 if pixel_done else group + 1
        if pixel_done:
            column.next = 0 if row_done else column + 1
        if row_done:
            row.next = 0 if row == rows - 1 else row + 1
            bank.next = 0
            address.next = 0
        elif pixel_done and bank != banks - 1:
            bank.next = bank + 1
            address.next = address - last_group
        elif accept:
            address.next = address + 1
            if pixel_done:
                bank.next = 0

    return instances()


@block
def row_lead(clk: SignalType, rst: ResetSignal, row_done: SignalType, walk: Walk, lead: SignalType,
             geometry: WindowGeometry) -> Instances:
    """lead = rows from the top row of the window to the one that is written.

    row_done -- a row more is written
    walk     -- Walk: a row of windows more is read, or the last of a frame
    """
    stride, frame_rows = geometry.stride, geometry.frame_rows
    row_read, frame_read = walk.row_read, walk.frame_read

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if frame_read:
            if row_done:
                lead.next = lead - (frame_rows - 1)
            else:
                lead.next = lead - frame_rows
        elif row_read:
            if row_done:
                lead.next = lead - (stride - 1)
            else:
                lead.next = lead - stride
        elif row_done:
            lead.next = lead + 1

    return keep


@block
def window_complete(written: Written, walk: Walk, lead: SignalType, complete: SignalType,
                    geometry: WindowGeometry) -> Instances:
    """complete: all that the window's next channel group needs has been written.

    Its last row is at hand where more rows than two lie between, or its own so far; the bottom
    row of a frame that ends in zeros needs a row less.
    """
    last_row, after = geometry.size_out - 1, geometry.after
    column, group, newest = written.column, written.group, walk.newest
    walk_row, walk_group = walk.row, walk.group
    arrived = flag()

    @always_comb
    def arrive():
        arrived.next = column > newest or (column == newest and group > walk_group)

    @always_comb
    def wait():
        if walk_row == last_row and after != 0:
            complete.next = lead > 1 or (lead == 1 and arrived)
        else:
            complete.next = lead > 2 or (lead == 2 and arrived)

    return instances()
