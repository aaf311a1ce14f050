"""Tile move: creeping tiles as they lie a row and a column further behind, for a shortcut."""
from dataclasses import replace

from myhdl import ResetSignal, SignalType, always_comb, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.lanes import field, pack
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances, uint
from hdl.blocks.tile_patch import Patch, tile_patch
from hdl.plan.tiles import TileGeometry

LATENCY = 1     # cycles


@block
def tile_move(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
              geometry: TileGeometry) -> Instances:
    """The upper left tile of every patch.  Latency 1 cycle, 1 tile per cycle.

    s_axis   -- tiles that creep by geometry.creep
    m_axis   -- ... by geometry.creep_out
    geometry -- TileGeometry of kernel 2
    """
    shape, side = s_axis.shape, geometry.tile
    creep = None if geometry.whole else geometry.creep_out
    refuse_other("tile_move", "an output", m_axis, replace(shape, creep=creep))
    pixel = shape.lanes * shape.bits
    row, wide = side * pixel, geometry.patch * pixel
    patch = Patch(geometry.patch ** 2 * pixel)
    tile_rows, tile = [uint(row) for _ in range(side)], uint(side * row)
    cut = tile_patch(clk, rst, s_axis, patch, geometry)
    parts = [field(patch.tdata, tile_rows[y], y * wide) for y in range(side)]
    join = pack(tile_rows, tile)

    @always_comb
    def flow():
        m_axis.tvalid.next = patch.tvalid
        patch.tready.next = m_axis.tready

    if creep is None:
        @always_comb
        def give():
            m_axis.tdata.next = tile
    else:
        @always_comb
        def give():
            m_axis.tdata.next = concat(patch.own, tile)

    return instances()
