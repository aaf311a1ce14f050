"""Tile windows: tiles of 2 x 2 pixels in, a 3x3 window for each out, at a stride of 2.

The window of an output pixel lies in a block of 2 x 2 tiles, so one row of tiles is kept.  A delay
line, not rows of memory: with every tile the block moves on by one, from the end of a row to the
start of the next, and borders are a mask on what is read.  The last windows of a frame leave by
themselves, or with the next frame's tiles once it has begun.  Latency 2 cycles, 1 tile per cycle.
"""
from dataclasses import replace

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.fifo import ram
from hdl.blocks.lanes import pack
from hdl.blocks.refusals import refuse_marks, refuse_other
from hdl.blocks.registers import count_down, counter
from hdl.blocks.signals import Instances, count, flag, uint
from hdl.plan.geometry import KERNEL, TAPS, TILE

LATENCY = 2     # cycles from the last tile that a window needs to the window


class Edges(Bundle):
    """Which borders of the frame a window reaches over."""

    def __init__(self) -> None:
        self.top = flag()
        self.bottom = flag()
        self.left = flag()
        self.right = flag()


@block
def tile_windows(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream, size: int,
                 pad: tuple[int, int], interval: int = 1) -> Instances:
    """Windows of a ``size`` x ``size`` frame at a stride of 2, output pixels in raster order.

    s_axis -- tiles of 2 x 2 pixels in raster order, ceil(size / 2) a row; of an odd size, the
              pixels of the last ones that lie outside are ignored
    m_axis -- nine taps, row by row, of all channels each
    interval -- cycles between the windows that leave by themselves: what a slower unit takes
    pad      -- zero rows (columns) before and after: (0, 1) where the size is even, else (1, 1)
    """
    pixel = replace(s_axis.shape, tile=1)
    refuse_marks("tile_windows", s_axis)
    refuse_other("tile_windows", "an input", s_axis, replace(s_axis.shape, tile=TILE))
    refuse_other("tile_windows", f"an output of {TAPS} taps", m_axis,
                 pixel.with_lanes(TAPS * pixel.lanes))
    tiles = -(-size // TILE)    # a row, and output pixels a row
    # Tiles that come after the window's upper left one before the window is complete: with zeros
    # before the frame its newest tile is its own, else the one below and to the right.
    delay = 0 if pad[0] else tiles + 1
    go, step, alone, complete, give, leaves, ended, fetched = [flag() for _ in range(8)]
    edges = Edges()
    newest, newest_left, above, above_left = [uint(s_axis.shape.width) for _ in range(4)]
    place = count(tiles)

    arrival = tile_arrival(clk, rst, step, s_axis, ended, alone, complete, (tiles, delay, interval))
    positions = window_position(clk, rst, leaves, edges, ended, tiles)
    places = counter(clk, rst, step, place, tiles)
    memory = ram(clk, step, place, s_axis.tdata, step, place, above, tiles)
    window = cut_out(clk, give, ((above_left, above), (newest_left, newest)), edges, m_axis, pad[0])

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        s_axis.tready.next = go
        step.next = go and (s_axis.tvalid or alone)
        give.next = go and fetched

    @always_comb
    def finish():
        leaves.next = step and complete

    @always_seq(clk.posedge, reset=rst)
    def leave():
        if go:
            fetched.next = leaves
            m_axis.tvalid.next = fetched

    @always(clk.posedge)
    def move():
        if step:
            newest.next = s_axis.tdata
            newest_left.next = newest
            above_left.next = above

    return instances()


@block
def tile_arrival(clk: SignalType, rst: ResetSignal, step: SignalType, s_axis: AxiStream,
                 ended: SignalType, alone: SignalType, complete: SignalType,
                 timing: tuple[int, int, int]) -> Instances:
    """Whether the next window is complete, and whether it leaves without a tile of its own.

    step     -- the block of tiles moves on by one
    ended    -- the last window of a frame leaves
    alone    -- a frame has come in, its last windows have not left and no other has begun
    complete -- the tiles of the next window have come
    timing   -- (tiles a row, tiles that a window waits for, cycles between windows that leave
                alone)
    """
    tiles, delay, interval = timing
    tile, row_done, frame_done = flag(), flag(), flag()
    row, column = count(tiles), count(tiles)
    own = count(delay + 1)      # tiles of the frame that comes in, up to delay
    behind = flag()             # a frame has come in, its last windows have not left
    columns = counter(clk, rst, tile, column, tiles, row_done)
    rows = counter(clk, rst, row_done, row, tiles, frame_done)

    @always_comb
    def take():
        tile.next = step and s_axis.tvalid
        complete.next = behind or own == delay

    if interval > 1:
        rest = count(interval)
        pause = count_down(clk, rst, step, rest, interval - 1)

        @always_comb
        def follow():
            alone.next = behind and own == 0 and rest == 0
    else:
        @always_comb
        def follow():
            alone.next = behind and own == 0

    @always_seq(clk.posedge, reset=rst)
    def arrive():
        if frame_done:
            own.next = 0
            behind.next = delay != 0
        else:
            if tile and own != delay:
                own.next = own + 1
            if ended:
                behind.next = False

    return instances()


@block
def window_position(clk: SignalType, rst: ResetSignal, leaves: SignalType, edges: Edges,
                    ended: SignalType, tiles: int) -> Instances:
    """edges = borders of the window that leaves, a cycle later; ended: it is the frame's last."""
    last = tiles - 1
    row, column = count(tiles), count(tiles)
    row_done = flag()
    columns = counter(clk, rst, leaves, column, tiles, row_done)
    rows = counter(clk, rst, row_done, row, tiles, ended)

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if leaves:
            edges.top.next = row == 0
            edges.bottom.next = row == last
            edges.left.next = column == 0
            edges.right.next = column == last

    return instances()


@block
def cut_out(clk: SignalType, give: SignalType, tiles: tuple[tuple[SignalType, SignalType], ...],
            edges: Edges, m_axis: AxiStream, before: int) -> Instances:
    """The nine taps of a window out of its block of 2 x 2 tiles, a cycle later, when ``give``."""
    bits = len(m_axis.tdata) // TAPS
    tap = [uint(bits) for _ in range(TAPS)]
    vertical = (edges.top if before else None, None, edges.bottom)
    horizontal = (edges.left if before else None, None, edges.right)
    taps = [choose(clk, give, tiles[(y + before) // TILE][(x + before) // TILE],
                   ((y + before) % TILE * TILE + (x + before) % TILE) * bits,
                   [edge for edge in (vertical[y], horizontal[x]) if edge is not None],
                   tap[y * KERNEL + x]) for y in range(KERNEL) for x in range(KERNEL)]
    window = pack(tap, m_axis.tdata)
    return instances()


@block
def choose(clk: SignalType, enable: SignalType, tile: SignalType, low: int,
           outside: list[SignalType], tap: SignalType) -> Instances:
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
