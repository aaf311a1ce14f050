"""Tile windows: tiles of 2 x 2 pixels in, a 3x3 window for each out, at a stride of 2.

The window of an output pixel lies in a block of 2 x 2 tiles, so one row of tiles is kept.  A delay
line, not rows of memory: with every tile the block moves on by one, from the end of a row to the
start of the next, and borders are a mask on what is read.  The last windows of a frame leave by
themselves, or with the next frame's tiles once it has begun.  Latency 2 cycles, 1 tile per cycle.
"""
from myhdl import always, always_comb, always_seq, block, instances

from hdl.blocks.fifo import ram
from hdl.blocks.lanes import pack
from hdl.blocks.registers import count_down
from hdl.blocks.signals import count, flag, uint
from hdl.plan.geometry import KERNEL, TAPS, TILE


@block
def tile_windows(clk, rst, s_axis, m_axis, size, pad, interval=1):
    """Windows of a ``size`` x ``size`` frame at a stride of 2, output pixels in raster order.

    s_axis -- tiles of 2 x 2 pixels in raster order, ceil(size / 2) a row; of an odd size, the
              pixels of the last ones that lie outside are ignored
    m_axis -- nine taps, row by row, of s_axis.lanes channels each
    interval -- cycles between the windows that leave by themselves: what a slower unit takes
    pad      -- zero rows (columns) before and after: (0, 1) where the size is even, else (1, 1)
    """
    if s_axis.tile != TILE or m_axis.lanes != TAPS * s_axis.lanes:
        raise ValueError(f"tiles of {TILE} x {TILE} pixels become {TAPS} taps, not tiles of "
                         f"{s_axis.tile} pixels {m_axis.lanes // s_axis.lanes} taps")
    before = pad[0]
    tiles = -(-size // TILE)                # a row, and output pixels a row
    last = tiles - 1
    # Tiles that come after the window's upper left one before the window is complete: with zeros
    # before the frame its newest tile is its own, else the one below and to the right.
    delay = 0 if before else tiles + 1
    bits = s_axis.width // (TILE * TILE)    # of a pixel

    go, step, alone, complete, give = [flag() for _ in range(5)]
    rest = count(interval)
    row_in, column_in, place = count(tiles), count(tiles), count(tiles)
    own = count(delay + 1)      # tiles of the frame that comes in, up to delay
    behind = flag()             # it has come in, its last windows have not left
    row, column = count(tiles), count(tiles)
    fetched = flag()
    top, bottom, left, right = [flag() for _ in range(4)]   # the edge lies outside
    newest, newest_left = uint(s_axis.width), uint(s_axis.width)
    above, above_left = uint(s_axis.width), uint(s_axis.width)
    tap = [uint(bits) for _ in range(TAPS)]

    memory = ram(clk, step, place, s_axis.tdata, step, place, above, tiles)
    block_tiles = ((above_left, above), (newest_left, newest))
    edges = ((top if before else None, None, bottom), (left if before else None, None, right))
    taps = [choose(clk, give, block_tiles[(y + before) // TILE][(x + before) // TILE],
                   ((y + before) % TILE * TILE + (x + before) % TILE) * bits,
                   [edge for edge in (edges[0][y], edges[1][x]) if edge is not None],
                   tap[y * KERNEL + x]) for y in range(KERNEL) for x in range(KERNEL)]
    window = pack(tap, m_axis.tdata)

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        s_axis.tready.next = go
        step.next = go and (s_axis.tvalid or alone)
        complete.next = behind or own == delay
        give.next = go and fetched

    if interval > 1:
        @always_comb
        def space():
            alone.next = behind and own == 0 and rest == 0

        pause = count_down(clk, rst, step, rest, interval - 1)
    else:
        @always_comb
        def follow():
            alone.next = behind and own == 0

    @always_seq(clk.posedge, reset=rst)
    def arrive():
        if step:
            place.next = 0 if place == last else place + 1
            if s_axis.tvalid:
                if own != delay:
                    own.next = own + 1
                column_in.next = 0 if column_in == last else column_in + 1
                if column_in == last:
                    row_in.next = 0 if row_in == last else row_in + 1
                    if row_in == last:
                        own.next = 0
            if s_axis.tvalid and row_in == last and column_in == last:
                behind.next = delay != 0
            elif complete and row == last and column == last:
                behind.next = False

    @always_seq(clk.posedge, reset=rst)
    def leave():
        if go:
            fetched.next = step and complete
            m_axis.tvalid.next = fetched
        if step and complete:
            top.next = row == 0
            bottom.next = row == last
            left.next = column == 0
            right.next = column == last
            column.next = 0 if column == last else column + 1
            if column == last:
                row.next = 0 if row == last else row + 1

    @always(clk.posedge)
    def move():
        if step:
            newest.next = s_axis.tdata
            newest_left.next = newest
            above_left.next = above

    return instances()


@block
def choose(clk, enable, tile, low, outside, tap):
    """tap = the pixel of ``tile`` from bit ``low``, zero where one of the edges is ``outside``."""
    high = low + len(tap)
    if len(outside) == 2:
        vertical, horizontal = outside

        @always(clk.posedge)
        def corner():
            if enable:
                tap.next = 0 if vertical or horizontal else tile[high:low]
    elif len(outside) == 1:
        edge = outside[0]

        @always(clk.posedge)
        def side():
            if enable:
                tap.next = 0 if edge else tile[high:low]
    else:
        @always(clk.posedge)
        def inside():
            if enable:
                tap.next = tile[high:low]

    return instances()
