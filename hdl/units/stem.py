"""Stem: the first 3x3 convolution, whole windows that feed a matrix unit."""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.tile_windows import tile_windows
from hdl.plan.geometry import TAPS, TILE
from hdl.units.pointwise import pointwise


@block
def stem(clk, rst, s_axis, m_axis, config):
    """m[c] = requantize(sum over taps t and colours k of window[t, k] * w[t * 3 + k, c]).

    s_axis -- AxiStream of one pixel, or one tile of 2 x 2, a beat: q = 2p - 255 of each byte
    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of the stem
    """
    folding, unit = config.folding, config.unit
    windows = AxiStream(TAPS * s_axis.lanes, s_axis.bits, s_axis.signed)
    if s_axis.tile == TILE:
        lines = tile_windows(clk, rst, s_axis, windows, unit.size_in, unit.pad, folding.steps)
    else:
        waiting = AxiStream(s_axis.lanes, s_axis.bits, s_axis.signed)
        wait = link(clk, rst, s_axis, waiting, config.buffers.fifo_depth)
        lines = line_buffer(clk, rst, waiting, windows, unit.size_in, unit.channels_in,
                            unit.stride, unit.pad, TAPS, folding.steps)
    matrix = pointwise(clk, rst, windows, m_axis, config, fifo_depth=0)
    return instances()
