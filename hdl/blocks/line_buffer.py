"""Line buffer: pixels in, the taps of their 3x3 windows out, borders filled with zero.

Three or four row memories in rotation; the writer fills one while the window reader works on the
rows it needs, so borders, strides and frame edges cost no cycle.  A window leaves as soon as its
newest channel group has arrived; the last rows of a frame do not wait for the next frame.
Latency 3 cycles from the last beat a window needs, 1 beat per cycle.
"""
from myhdl import Signal, always, always_comb, always_seq, block, instances, intbv

from hdl.blocks.fifo import ram
from hdl.blocks.lanes import pack
from hdl.blocks.registers import count_down
from hdl.blocks.signals import count, flag, start, uint
from hdl.plan.geometry import KERNEL, TAPS, rows_kept


@block
def line_buffer(clk, rst, s_axis, m_axis, size, channels, stride, pad, taps, interval=1):
    """Windows of a ``size`` x ``size`` frame, output pixels in raster order.

    s_axis   -- s_axis.lanes channels of a pixel a beat, all channels of a pixel, then the next
    m_axis   -- ``taps`` window taps x s_axis.lanes channels a beat, channels minor; for every
                pixel and channel group 9 / taps beats: all nine taps row by row (taps 9), a
                column top to bottom (3), a tap, columns before rows (1)
    stride   -- 1 or 2
    pad      -- zero rows (columns) before and after
    taps     -- 1, 3 or 9 taps a beat; 9 splits each row memory in three column banks
    interval -- cycles from beat to beat at the soonest: what a slower unit takes for it
    """
    if taps not in (1, 3, 9):
        raise ValueError(f"a window leaves 1, 3 or 9 taps at a time, not {taps}")
    if channels % s_axis.lanes:
        raise ValueError(f"{channels} channels do not fill beats of {s_axis.lanes}")
    if m_axis.lanes != taps * s_axis.lanes:
        raise ValueError(f"{taps} taps of {s_axis.lanes} lanes each leave together, not "
                         f"{m_axis.lanes}")
    before, after = pad
    rows = rows_kept(size, stride)
    size_out = (size + before + after - KERNEL) // stride + 1
    lanes_bits = s_axis.width
    groups = channels // s_axis.lanes
    banks = KERNEL if taps == TAPS else 1
    depth = -(-size // banks) * groups
    rows_at_once, columns_at_once = (1 if taps == 1 else KERNEL), (KERNEL if taps == TAPS else 1)
    last_row_step, last_column_step = KERNEL - rows_at_once, KERNEL - columns_at_once
    last_out, last_group = size_out - 1, groups - 1
    frame_rows = size - stride * last_out   # from the last window row to the next frame's first
    base_start = -before * groups
    phase_start = KERNEL - before if banks == KERNEL and before else 0
    row_start = rows - before if before else 0
    newest_start = min(KERNEL - 1 - before, size - 1)

    # writer: the pixel and channel group that arrives next
    column, group_in, row_in, bank_in = count(size), count(groups), count(rows), count(KERNEL)
    write_address = count(depth)
    accept, row_written = flag(), flag()
    # reader: the output pixel, channel group and tap that leaves next
    row_out, column_out, group = count(size_out), count(size_out), count(groups)
    row_step, column_step, offset = count(KERNEL), count(KERNEL), count(2 * groups + 1)
    row_top = start(row_start, rows)        # memory of the window's top row
    phase = start(phase_start, KERNEL)      # column bank of the window's left column
    base = Signal(intbv(base_start, min=-groups - 1, max=(size + KERNEL) * groups))
    newest, oldest = start(newest_start, size), count(size + KERNEL)
    lead = start(before, rows + 1)          # rows between the window's top row and the writer's
    bottom, arrived, complete, read, row_read, go, fetched = [flag() for _ in range(7)]
    available = flag() if interval > 1 else complete
    rest = count(interval)
    # of the words that the memories have just delivered
    row_top_q = count(rows)
    phase_q, row_step_q, column_step_q = [count(KERNEL) for _ in range(3)]
    top_q, bottom_q, left_q, right_q = [flag() for _ in range(4)]   # the edge lies outside

    write = [flag() for _ in range(rows * banks)]
    read_address = [count(depth) for _ in range(banks)]
    word = [uint(lanes_bits) for _ in range(rows * banks)]
    memories = [ram(clk, write[i], write_address, s_axis.tdata, read, read_address[i % banks],
                    word[i], depth) for i in range(rows * banks)]
    tap = [uint(lanes_bits) for _ in range(taps)]
    window = pack(tap, m_axis.tdata)

    @always_comb
    def admit():
        s_axis.tready.next = lead < rows or column < oldest
        accept.next = s_axis.tvalid and (lead < rows or column < oldest)

    @always_comb
    def select():
        for i in range(rows):
            for j in range(banks):
                write[i * banks + j].next = accept and row_in == i and bank_in == j

    @always_comb
    def finish_row():
        row_written.next = accept and group_in == last_group and column == size - 1

    @always_seq(clk.posedge, reset=rst)
    def arrive():
        if accept:
            if group_in != last_group:
                group_in.next = group_in + 1
                write_address.next = write_address + 1
            else:
                group_in.next = 0
                if column != size - 1:
                    column.next = column + 1
                    if bank_in == banks - 1:
                        bank_in.next = 0
                        write_address.next = write_address + 1
                    else:
                        bank_in.next = bank_in + 1
                        write_address.next = write_address - last_group
                else:
                    column.next = 0
                    bank_in.next = 0
                    write_address.next = 0
                    row_in.next = 0 if row_in == rows - 1 else row_in + 1

    @always_comb
    def wait():
        bottom.next = row_out == last_out and after != 0
        arrived.next = column > newest or (column == newest and group_in > group)

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid
        if bottom:
            complete.next = lead > 1 or (lead == 1 and arrived)
        else:
            complete.next = lead > 2 or (lead == 2 and arrived)

    if interval > 1:
        @always_comb
        def space():
            available.next = complete and rest == 0

        pause = count_down(clk, rst, read, rest, interval - 1)

    @always_comb
    def step():
        read.next = go and available
        row_read.next = (go and available and column_out == last_out and group == last_group
                         and row_step == last_row_step and column_step == last_column_step)

    @always_comb
    def locate():
        place = intbv(0, min=-groups - 1, max=(size + 2 * KERNEL) * groups)
        for i in range(banks):
            place[:] = base + offset
            if phase > i:
                place[:] = place + groups
            if place < 0 or place >= depth:
                place[:] = 0
            read_address[i].next = place

    @always_seq(clk.posedge, reset=rst)
    def keep_lead():
        if row_read:
            if row_out == last_out:
                if row_written:
                    lead.next = lead - (frame_rows - 1)
                else:
                    lead.next = lead - frame_rows
            elif row_written:
                lead.next = lead - (stride - 1)
            else:
                lead.next = lead - stride
        elif row_written:
            lead.next = lead + 1

    @always_seq(clk.posedge, reset=rst)
    def leave():
        if go:
            fetched.next = available
            m_axis.tvalid.next = fetched
        if read:
            row_top_q.next = row_top
            phase_q.next = phase
            row_step_q.next = row_step
            column_step_q.next = column_step
            top_q.next = row_out == 0 and before != 0
            bottom_q.next = bottom
            left_q.next = column_out == 0 and before != 0
            right_q.next = column_out == last_out and after != 0
            if row_step != last_row_step:
                row_step.next = row_step + 1
            elif column_step != last_column_step:
                row_step.next = 0
                column_step.next = column_step + 1
                offset.next = offset + groups
            else:
                row_step.next = 0
                column_step.next = 0
                offset.next = 0
                if group != last_group:
                    group.next = group + 1
                    base.next = base + 1
                elif column_out != last_out:
                    group.next = 0
                    column_out.next = column_out + 1
                    newest.next = newest + stride if newest + stride < size else size - 1
                    oldest.next = oldest + stride if column_out != 0 else stride - before
                    if banks == 1:
                        base.next = base + 1 + (stride - 1) * groups
                    elif phase + stride < banks:
                        phase.next = phase + stride
                        base.next = base + 1 - groups
                    else:
                        phase.next = phase + stride - banks
                        base.next = base + 1
                else:
                    group.next = 0
                    column_out.next = 0
                    newest.next = newest_start
                    oldest.next = 0
                    base.next = base_start
                    phase.next = phase_start
                    if row_out != last_out:
                        row_out.next = row_out + 1
                        row_top.next = row_top + stride if row_top + stride < rows \
                            else row_top + stride - rows
                    else:
                        row_out.next = 0
                        row_top.next = row_top + frame_rows if row_top + frame_rows < rows \
                            else row_top + frame_rows - rows

    @always(clk.posedge)
    def assemble():
        if go and fetched:
            for i in range(rows_at_once):
                for j in range(columns_at_once):
                    row = row_top_q + row_step_q + i
                    if row >= rows:
                        row = row - rows
                    bank = phase_q + j
                    if bank >= banks:
                        bank = bank - banks
                    if ((top_q and row_step_q + i == 0)
                            or (bottom_q and row_step_q + i == KERNEL - 1)
                            or (left_q and column_step_q + j == 0)
                            or (right_q and column_step_q + j == KERNEL - 1)):
                        tap[i * columns_at_once + j].next = 0
                    else:
                        tap[i * columns_at_once + j].next = word[row * banks + bank]

    return instances()
