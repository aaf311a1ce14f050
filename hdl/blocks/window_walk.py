"""Window walk: the windows of a frame one after the other, and where their taps lie in memory."""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, instances

from hdl.axis import Bundle
from hdl.blocks.signals import Instances, count, flag, start
from hdl.blocks.window_mux import Place
from hdl.plan.geometry import KERNEL, WindowGeometry


class Walk(Bundle):
    """The taps that are read next: counters, each inside the next, and what their read ends."""

    def __init__(self, geometry: WindowGeometry) -> None:
        size_out = geometry.size_out
        self.row_step = count(KERNEL)       # rows of the window, where not all leave at once
        self.column_step = count(KERNEL)    # columns of the window, the same
        self.group = count(geometry.groups)
        self.column = count(size_out)       # of the output pixel
        self.row = count(size_out)
        self.column_last = flag()           # the read is the last of a column of the window
        self.window_last = flag()           # ... of a window's channel group
        self.pixel_last = flag()            # ... of all groups of an output pixel
        self.row_last = flag()              # ... of a row of output pixels
        self.frame_last = flag()            # ... of a frame


class Step(Bundle):
    """How far the taps that are read move with the next read."""

    def __init__(self, geometry: WindowGeometry) -> None:
        self.banks = count(geometry.banks)
        self.near = count(geometry.depth)   # words of address
        self.far = count(geometry.depth)    # ... if the banks are begun anew


@block
def window_walk(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk, place: Place,
                read_address: list[SignalType], geometry: WindowGeometry) -> Instances:
    """Go through rows, columns, channel groups and steps, one on at every ``read``.

    walk         -- Walk
    place        -- Place of the taps whose words the memories give in the next cycle
    read_address -- of each bank, of the taps that are read now
    geometry     -- WindowGeometry
    """
    step = Step(geometry)
    counters = walk_counters(clk, rst, read, walk, geometry)
    stride = choose_step(walk, step, geometry)
    firsts = [geometry.lies(geometry.first + row * geometry.pitch)
              for row in range(geometry.rows_at_once)]
    bank = [start(first, geometry.banks) for first, _ in firsts]
    address = [start(first, geometry.depth) for _, first in firsts]
    beyond = [start((first + geometry.groups) % geometry.depth, geometry.depth)
              for _, first in firsts]
    rows = [row_place(clk, rst, read, step, *row, geometry) for row in zip(bank, address, beyond)]
    locate = bank_address(bank, address, beyond, read_address, geometry)
    places = keep_place(clk, rst, read, walk, bank[0], place, geometry)
    return instances()


@block
def walk_counters(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk,
                  geometry: WindowGeometry) -> Instances:
    """The counters of Walk, each one on with the last of the one before it."""
    row_step, column_step, group, column, row = (walk.row_step, walk.column_step, walk.group,
                                                 walk.column, walk.row)
    column_last, window_last, pixel_last, row_last, frame_last = (
        walk.column_last, walk.window_last, walk.pixel_last, walk.row_last, walk.frame_last)
    last_row_step = KERNEL - geometry.rows_at_once
    last_column_step = KERNEL - geometry.columns_at_once
    last_group, last = geometry.groups - 1, geometry.size_out - 1

    @always_comb
    def finish():
        column_last.next = row_step == last_row_step
        window_last.next = row_step == last_row_step and column_step == last_column_step

    @always_comb
    def finish_pixel():
        pixel_last.next = window_last and group == last_group
        row_last.next = window_last and group == last_group and column == last
        frame_last.next = (window_last and group == last_group and column == last
                           and row == last)

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if read:
            row_step.next = 0 if column_last else row_step + 1
            if column_last:
                column_step.next = 0 if window_last else column_step + 1
            if window_last:
                group.next = 0 if pixel_last else group + 1
            if pixel_last:
                column.next = 0 if row_last else column + 1
            if row_last:
                row.next = 0 if frame_last else row + 1

    return instances()


@block
def choose_step(walk: Walk, step: Step, geometry: WindowGeometry) -> Instances:
    """step = how far it is from the taps that are read now to the next."""
    column_last, window_last, pixel_last, row_last, frame_last = (
        walk.column_last, walk.window_last, walk.pixel_last, walk.row_last, walk.frame_last)
    banks, near, far = step.banks, step.near, step.far
    pitch = geometry.pitch
    down = KERNEL - geometry.rows_at_once       # of a window's last tap, from its first
    back = -down * pitch - (KERNEL - geometry.columns_at_once)
    next_group = 1 - geometry.groups
    tap_banks, tap_near, tap_far = geometry.step(pitch, 0)
    column_banks, column_near, column_far = geometry.step(1 - down * pitch, 0)
    group_banks, group_near, group_far = geometry.step(back, 1)
    pixel_banks, pixel_near, pixel_far = geometry.step(back + geometry.stride, next_group)
    row_banks, row_near, row_far = geometry.step(back + geometry.row_step, next_group)
    frame_banks, frame_near, frame_far = geometry.step(back + geometry.frame_step, next_group)

    @always_comb
    def choose():
        if frame_last:
            banks.next = frame_banks
            near.next = frame_near
            far.next = frame_far
        elif row_last:
            banks.next = row_banks
            near.next = row_near
            far.next = row_far
        elif pixel_last:
            banks.next = pixel_banks
            near.next = pixel_near
            far.next = pixel_far
        elif window_last:
            banks.next = group_banks
            near.next = group_near
            far.next = group_far
        elif column_last:
            banks.next = column_banks
            near.next = column_near
            far.next = column_far
        else:
            banks.next = tap_banks
            near.next = tap_near
            far.next = tap_far

    return choose


@block
def row_place(clk: SignalType, rst: ResetSignal, read: SignalType, step: Step, bank: SignalType,
              address: SignalType, beyond: SignalType, geometry: WindowGeometry) -> Instances:
    """bank, address = place of the first tap that is read of a row of the window.

    beyond -- address of the row's taps in banks that are begun anew
    """
    banks, depth = geometry.banks, geometry.depth

    @always_seq(clk.posedge, reset=rst)
    def move():
        if read:
            if bank + step.banks >= banks:
                bank.next = bank + step.banks - banks
                if address + step.far >= depth:
                    address.next = address + step.far - depth
                else:
                    address.next = address + step.far
                if beyond + step.far >= depth:
                    beyond.next = beyond + step.far - depth
                else:
                    beyond.next = beyond + step.far
            else:
                bank.next = bank + step.banks
                if address + step.near >= depth:
                    address.next = address + step.near - depth
                else:
                    address.next = address + step.near
                if beyond + step.near >= depth:
                    beyond.next = beyond + step.near - depth
                else:
                    beyond.next = beyond + step.near

    @always_seq(clk.posedge, reset=rst)
    def move_on():
        if read:
            if address + step.near >= depth:
                address.next = address + step.near - depth
            else:
                address.next = address + step.near

    return move if banks > 1 else move_on


@block
def bank_address(bank: list[SignalType], address: list[SignalType], beyond: list[SignalType],
                 read_address: list[SignalType], geometry: WindowGeometry) -> Instances:
    """read_address = of each bank, the address of its tap.

    bank, address -- of the first tap of each row; the row's others lie in the banks after it
    beyond        -- of each row, the address in banks that are begun anew
    """
    rows, columns, banks = geometry.rows_at_once, geometry.columns_at_once, geometry.banks

    @always_comb
    def forward():
        read_address[0].next = address[0]

    @always_comb
    def locate():
        for k in range(banks):
            read_address[k].next = address[0]
            for i in range(rows):
                for j in range(columns):
                    if bank[i] == k - j:
                        read_address[k].next = address[i]
                    elif bank[i] == k - j + banks:  # a row's bank is begun anew
                        read_address[k].next = beyond[i]

    return locate if banks > 1 else forward


@block
def keep_place(clk: SignalType, rst: ResetSignal, read: SignalType, walk: Walk, bank: SignalType,
               place: Place, geometry: WindowGeometry) -> Instances:
    """The place of the taps that are read, for the cycle in which their words are there.

    bank -- of the first tap
    """
    before, after, last = geometry.before, geometry.after, geometry.size_out - 1
    row, column, row_step, column_step = walk.row, walk.column, walk.row_step, walk.column_step
    low = len(place.bank)

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if read:
            place.row_step.next = row_step
            place.column_step.next = column_step
            place.top.next = row == 0 and before != 0
            place.bottom.next = row == last and after != 0
            place.left.next = column == 0 and before != 0
            place.right.next = column == last and after != 0

    @always_seq(clk.posedge, reset=rst)
    def keep_bank():
        if read:
            place.bank.next = bank

    @always_seq(clk.posedge, reset=rst)
    def keep_threes():
        if read:
            if bank >= 9:
                place.three.next = 3
                place.bank.next = bank - 9
            elif bank >= 6:
                place.three.next = 2
                place.bank.next = bank - 6
            elif bank >= 3:
                place.three.next = 1
                place.bank.next = bank - 3
            else:
                place.three.next = 0
                place.bank.next = bank[low:]

    return keep, *bank_kept(geometry, keep_bank, keep_threes)


def bank_kept(geometry: WindowGeometry, few: Instances, threes: Instances) -> list[Instances]:
    """What keeps the place of a bank: nothing of one, ``few`` of three, ``threes`` of more."""
    if geometry.banks > KERNEL:
        return [threes]
    return [few] if geometry.banks > 1 else []
