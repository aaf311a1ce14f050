"""Stem: the first 3x3 convolution, whole windows that feed a matrix unit."""
from dataclasses import replace

from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances
from hdl.blocks.stream import width_converter
from hdl.blocks.tile_windows import tile_windows
from hdl.plan.config import UnitConfig
from hdl.plan.geometry import TAPS, TILE
from hdl.units.pointwise import matrix


@block
def stem(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
         config: UnitConfig) -> Instances:
    """m[c] = requantize(sum over taps t and colours k of window[t, k] * w[t * 3 + k, c]).

    s_axis -- AxiStream of one pixel, or one tile of 2 x 2, a beat: q = 2p - 255 of each byte
    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of the stem
    """
    folding, unit = config.folding, config.unit
    refuse_other(unit.name, "an input", s_axis, config.stream_in())
    windows = AxiStream(replace(s_axis.shape, tile=1, lanes=TAPS * s_axis.shape.lanes))
    if s_axis.shape.tile == TILE:
        lines = tile_windows(clk, rst, s_axis, windows, unit.size_in, unit.pad, folding.steps)
    else:
        waiting = AxiStream(s_axis.shape)
        wait = link(clk, rst, s_axis, waiting, config.buffers.fifo_depth)
        lines = line_buffer(clk, rst, waiting, windows, config.plan.windows)
    operands = AxiStream(windows.shape.with_lanes(folding.simd))
    split = width_converter(clk, rst, windows, operands)
    sums = matrix(clk, rst, operands, m_axis, config)
    return instances()
