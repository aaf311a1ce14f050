"""Window walk: the windows of a frame one after the other, and where their taps lie in memory."""
from myhdl import ResetSignal, Signal, SignalType, always_comb, always_seq, block, instances, intbv

from hdl.axis import Bundle
from hdl.blocks.signals import Instances, count, flag, start
from hdl.blocks.window_mux import Place
from hdl.plan.geometry import KERNEL, WindowGeometry


class Walk(Bundle):
    """The taps that are read next: counters, each inside the next, and what they need."""

    def __init__(self, geometry: WindowGeometry) -> None:
        size, size_out = geometry.size, geometry.size_out
        self.row_step = count(KERNEL)       # rows of the window, where not all leave at once
        self.column_step = count(KERNEL)    # columns of the window, the same
        self.group = count(geometry.groups)
        self.column = count(size_out)       # of the output pixel
        self.row = count(size_out)
        self.column_done = flag()           # the read is the last of a column of the window
        self.window_done = flag()           # ... of a window's channel group
        self.pixel_done = flag()            # ... of all groups of an output pixel
        self.row_read = flag()              # ... of a row of output pixels
        self.frame_read = flag()            # ... of a frame
        self.newest = start(geometry.first_newest, size)    # last column that the window needs
        self.oldest = count(size + KERNEL)  # first column that the windows of the row need


@block
def window_walk(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk, place: Place,
                read_address: list[SignalType], geometry: WindowGeometry) -> Instances:
    """Go through rows, columns, channel groups and steps, one on at every ``read``.

    walk         -- Walk
    place        -- Place of the taps whose words the memories give in the next cycle
    read_address -- of each bank, of the taps that are read now
    geometry     -- WindowGeometry
    """
    steps = walk_counters(clk, rst, read, walk, geometry)
    reach = window_reach(clk, rst, walk, geometry)
    row_top = start(geometry.first_row_top, geometry.rows)
    phase = start(geometry.first_phase, KERNEL)
    top = top_row(clk, rst, walk, row_top, geometry)
    addresses = window_address(clk, rst, walk, phase, read_address, geometry)
    places = keep_place(clk, rst, read, walk, row_top, phase, place, geometry)
    return instances()


@block
def walk_counters(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk,
                  geometry: WindowGeometry) -> Instances:
    """The counters of Walk, each one on with the last of the one before it."""
    row_step, column_step, group, column, row = (walk.row_step, walk.column_step, walk.group,
                                                 walk.column, walk.row)
    column_done, window_done, pixel_done, row_read, frame_read = (
        walk.column_done, walk.window_done, walk.pixel_done, walk.row_read, walk.frame_read)
    last_row_step = KERNEL - geometry.rows_at_once
    last_column_step = KERNEL - geometry.columns_at_once
    last_group, last = geometry.groups - 1, geometry.size_out - 1

    @always_comb
    def finish():
        column_done.next = read and row_step == last_row_step
        window_done.next = (read and row_step == last_row_step
                            and column_step == last_column_step)

    @always_comb
    def finish_pixel():
        pixel_done.next = window_done and group == last_group
        row_read.next = window_done and group == last_group and column == last
        frame_read.next = (window_done and group == last_group and column == last
                           and row == last)

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if read:
            row_step.next = 0 if column_done else row_step + 1
        if column_done:
            column_step.next = 0 if window_done else column_step + 1
        if window_done:
            group.next = 0 if pixel_done else group + 1
        if pixel_done:
            column.next = 0 if row_read else column + 1
        if row_read:
            row.next = 0 if frame_read else row + 1

    return instances()


@block
def window_reach(clk: SignalType, rst: ResetSignal, walk: Walk,
                 geometry: WindowGeometry) -> Instances:
    """walk.newest, walk.oldest: the columns that the window and its row need."""
    size, stride, before = geometry.size, geometry.stride, geometry.before
    first_newest = geometry.first_newest
    pixel_done, row_read, column = walk.pixel_done, walk.row_read, walk.column
    newest, oldest = walk.newest, walk.oldest

    @always_seq(clk.posedge, reset=rst)
    def move():
        if row_read:
            newest.next = first_newest
            oldest.next = 0
        elif pixel_done:
            newest.next = newest + stride if newest + stride < size else size - 1
            oldest.next = oldest + stride if column != 0 else stride - before

    return move


@block
def top_row(clk: SignalType, rst: ResetSignal, walk: Walk, row_top: SignalType,
            geometry: WindowGeometry) -> Instances:
    """row_top = the memory of the window's top row, which rotates."""
    rows, stride, frame_rows = geometry.rows, geometry.stride, geometry.frame_rows
    row_read, frame_read = walk.row_read, walk.frame_read

    @always_seq(clk.posedge, reset=rst)
    def rotate():
        if frame_read:
            row_top.next = row_top + frame_rows if row_top + frame_rows < rows \
                else row_top + frame_rows - rows
        elif row_read:
            row_top.next = row_top + stride if row_top + stride < rows \
                else row_top + stride - rows

    return rotate


@block
def window_address(clk: SignalType, rst: ResetSignal, walk: Walk, phase: SignalType,
                   read_address: list[SignalType], geometry: WindowGeometry) -> Instances:
    """Where the taps lie in each bank.

    phase -- column bank of the window's left column: the banks before it hold columns of the
             next three, a pixel further
    """
    groups, banks, depth, stride = (geometry.groups, geometry.banks, geometry.depth,
                                    geometry.stride)
    first_base = -geometry.before * groups
    first_phase = geometry.first_phase
    base = Signal(intbv(first_base, min=-groups - 1, max=(geometry.size + KERNEL) * groups))
    offset = count(2 * groups + 1)      # of the column within the window, where columns take turns
    column_done, window_done, pixel_done, row_read = (walk.column_done, walk.window_done,
                                                      walk.pixel_done, walk.row_read)
    lowest, highest = -groups - 1, (geometry.size + 2 * KERNEL) * groups

    @always_comb
    def locate():
        place = intbv(0, min=lowest, max=highest)
        for i in range(banks):
            place[:] = base + offset
            if phase > i:
                place[:] = place + groups
            if place < 0 or place >= depth:
                place[:] = 0
            read_address[i].next = place

    @always_seq(clk.posedge, reset=rst)
    def move():
        if window_done:
            offset.next = 0
        elif column_done:
            offset.next = offset + groups
        if row_read:
            base.next = first_base
            phase.next = first_phase
        elif pixel_done:
            if banks == 1:
                base.next = base + 1 + (stride - 1) * groups
            elif phase + stride < banks:
                phase.next = phase + stride
                base.next = base + 1 - groups
            else:
                phase.next = phase + stride - banks
                base.next = base + 1
        elif window_done:
            base.next = base + 1

    return instances()


@block
def keep_place(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk, row_top: SignalType,
               phase: SignalType, place: Place, geometry: WindowGeometry) -> Instances:
    """The place of the taps that are read, for the cycle in which their words are there."""
    before, after, last = geometry.before, geometry.after, geometry.size_out - 1
    row, column, row_step, column_step = walk.row, walk.column, walk.row_step, walk.column_step

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if read:
            place.row_top.next = row_top
            place.phase.next = phase
            place.row_step.next = row_step
            place.column_step.next = column_step
            place.top.next = row == 0 and before != 0
            place.bottom.next = row == last and after != 0
            place.left.next = column == 0 and before != 0
            place.right.next = column == last and after != 0

    return keep
