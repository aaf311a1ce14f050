"""Tile patch: the pixels that an output tile is made of, out of tiles that creep.

A patch is a tile with some rows above it and as many columns to the left: two where 3x3 windows
are cut out of it, one where its upper left tile only waits for others.  The rows are those of the
beat one row of tiles ago, kept in a memory, the columns those of the beat before, kept in a
register.  Four tiles have pieces in an output tile; which of them are real, and which borders of
the frame they touch, is counted here.  Latency 1 cycle, 1 tile per cycle.
"""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.fifo import ram
from hdl.blocks.lanes import field, pack
from hdl.blocks.refusals import refuse_marks
from hdl.blocks.registers import counter, register
from hdl.blocks.signals import Instances, count, flag, uint
from hdl.plan.tiles import TileGeometry

LATENCY = 1     # cycles
EDGES = 8       # bits of Patch.edges


class Patch(Bundle):
    """A patch, and what is real of the tile that is cut out of it; goes on when ``tready``.

    ``edges`` tell which borders of the frame lie in the output tile: two bits each for left, right,
    top and bottom, the lower one for the piece behind the creep, the upper one for that before it.
    """

    def __init__(self, width: int) -> None:
        self.tdata = uint(width)
        self.tvalid = flag()
        self.tready = flag()
        self.own = flag()           # the output beat brings a tile of its own
        self.edges = uint(EDGES)


class Borders(Bundle):
    """Which borders of its frame a tile touches."""

    def __init__(self) -> None:
        self.left = flag()
        self.right = flag()
        self.top = flag()
        self.bottom = flag()


@block
def tile_patch(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, patch: Patch,
               geometry: TileGeometry) -> Instances:
    """The patch of every beat that comes; without a piece that is real none is offered.

    s_axis   -- creeping tiles
    patch    -- Patch of geometry.patch x geometry.patch pixels, in raster order
    geometry -- TileGeometry
    """
    shape = s_axis.shape
    refuse_marks("tile_patch", s_axis)
    pixel = shape.lanes * shape.bits
    if (shape.tile, shape.creep) != (geometry.tile, geometry.creep) \
            or len(patch.tdata) != geometry.patch ** 2 * pixel:
        raise ValueError(f"tile_patch takes tiles of {geometry.tile} x {geometry.tile} pixels that "
                         f"creep by {geometry.creep} and gives patches of {geometry.patch} x "
                         f"{geometry.patch}: {shape} come in, {len(patch.tdata)} bits go out")
    width = shape.width - 1
    step, coming, held, real = flag(), flag(), flag(), flag()
    arriving, tile = uint(width), uint(width)
    elements = field(s_axis.tdata, arriving, 0)
    keep = register(clk, step, arriving, tile)
    neighbours = tile_neighbours(clk, rst, step, tile, patch.tdata, pixel, geometry)
    pieces = tile_pieces(clk, rst, step, coming, real, patch, geometry)

    @always_comb
    def flow():
        patch.tvalid.next = held and real
        s_axis.tready.next = patch.tready or not held or not real

    @always_comb
    def take():
        step.next = s_axis.tvalid and (patch.tready or not held or not real)
        coming.next = s_axis.tdata[width]

    @always_seq(clk.posedge, reset=rst)
    def hold():
        if patch.tready or not held or not real:
            held.next = s_axis.tvalid

    return instances()


@block
def tile_neighbours(clk: SignalType, rst: ResetSignal, step: SignalType, tile: SignalType,
                    patch: SignalType, pixel: int, geometry: TileGeometry) -> Instances:
    """patch = the tile and the pixels above it and to the left of it.

    step  -- the next tile comes
    pixel -- bits of one
    """
    side, reach, tiles = geometry.tile, geometry.kernel - 1, geometry.tiles
    rows, row, part = geometry.patch, side * pixel, reach * pixel
    newest, kept, above = [uint(reach * row) for _ in range(3)]
    last, beside, left = [uint(rows * part) for _ in range(3)]
    strip = uint(rows * row)        # the tile and the rows above it
    strip_rows, left_rows = [uint(row) for _ in range(rows)], [uint(part) for _ in range(rows)]
    last_parts = [uint(part) for _ in range(rows)]
    patch_rows = [signal for y in range(rows) for signal in (left_rows[y], strip_rows[y])]

    join = pack([above, tile], strip)
    split_strip = [field(strip, strip_rows[y], y * row) for y in range(rows)]
    split_left = [field(left, left_rows[y], y * part) for y in range(rows)]
    whole = pack(patch_rows, patch)
    # Of the patch, not of the tile: tiles of one pixel have their own left neighbours in it.
    lasts = [field(patch, last_parts[y], (y + 1) * (row + part) - part) for y in range(rows)]
    lower = field(strip, newest, side * row)
    side_join = pack(last_parts, last)
    columns = register(clk, step, last, beside)
    keep = row_delay(clk, rst, step, newest, kept, tiles)
    known = tile_known(clk, rst, step, kept, above, beside, left, tiles)
    return instances()


@block
def row_delay(clk: SignalType, rst: ResetSignal, step: SignalType, d: SignalType, q: SignalType,
              steps: int) -> Instances:
    """q = what ``d`` was so many steps ago: a register, and a memory before it where steps are more
    than one."""
    if steps > 1:
        place = count(steps - 1)
        places = counter(clk, rst, step, place, steps - 1)
        memory = ram(clk, step, place, d, step, place, q, steps - 1)
    else:
        keep = register(clk, step, d, q)
    return instances()


@block
def tile_known(clk: SignalType, rst: ResetSignal, step: SignalType, kept: SignalType,
               above: SignalType, beside: SignalType, left: SignalType, tiles: int) -> Instances:
    """The rows above and the columns to the left, zeros until there have been any.

    kept, above  -- the rows as they are kept, as they are given
    beside, left -- the columns
    """
    steps = count(tiles + 2)        # since reset, no more than count

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if step and steps != tiles + 1:
            steps.next = steps + 1

    @always_comb
    def give():
        above.next = kept if steps == tiles + 1 else 0
        left.next = beside if steps > 1 else 0

    return instances()


@block
def tile_pieces(clk: SignalType, rst: ResetSignal, step: SignalType, coming: SignalType,
                real: SignalType, patch: Patch, geometry: TileGeometry) -> Instances:
    """What is real of the output tile, and the borders of the frame in it, a cycle after ``step``.

    coming -- the beat that comes brings a tile of its own
    real   -- any piece of the output tile is real
    """
    tiles = geometry.tiles
    line = uint(tiles + 2)      # whether the beats before brought tiles, the latest lowest
    late = flag()               # the beat one row of tiles before the one that comes did
    own, beside, above, corner = [Borders() for _ in range(4)]
    places = tile_borders(clk, rst, step, coming, own, tiles)
    places_above = tile_borders(clk, rst, step, late, above, tiles)
    before = keep_borders(clk, rst, step, own, beside)
    before_above = keep_borders(clk, rst, step, above, corner)

    @always_comb
    def look_back():
        late.next = line[tiles - 1]

    @always_seq(clk.posedge, reset=rst)
    def follow():
        if step:
            line.next = concat(line[tiles + 1:], coming)

    if geometry.whole:
        @always_comb
        def tell():
            real.next = line[tiles + 1]
            patch.own.next = line[tiles + 1]
            patch.edges.next = concat(corner.bottom, corner.bottom, corner.top, corner.top,
                                      corner.right, corner.right, corner.left, corner.left)
    else:
        @always_comb
        def tell():
            real.next = line[0] or line[1] or line[tiles] or line[tiles + 1]
            patch.own.next = line[0]
            patch.edges.next = concat(corner.bottom, above.bottom, beside.top, own.top,
                                      corner.right, beside.right, above.left, own.left)

    return instances()


@block
def tile_borders(clk: SignalType, rst: ResetSignal, step: SignalType, coming: SignalType,
                 borders: Borders, tiles: int) -> Instances:
    """The borders that a tile touches, a cycle after the step with which it comes."""
    last = tiles - 1
    tile, row_done = flag(), flag()
    row, column = count(tiles), count(tiles)
    columns = counter(clk, rst, tile, column, tiles, row_done)
    rows = counter(clk, rst, row_done, row, tiles)

    @always_comb
    def count_tiles():
        tile.next = step and coming

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if step:
            borders.left.next = column == 0
            borders.right.next = column == last
            borders.top.next = row == 0
            borders.bottom.next = row == last

    return instances()


@block
def keep_borders(clk: SignalType, rst: ResetSignal, step: SignalType, borders: Borders,
                 before: Borders) -> Instances:
    """before = the borders of the step before."""

    @always_seq(clk.posedge, reset=rst)
    def keep():
        if step:
            before.left.next = borders.left
            before.right.next = borders.right
            before.top.next = borders.top
            before.bottom.next = borders.bottom

    return keep
