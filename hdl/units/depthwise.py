"""Depthwise 3x3 convolution: PE channels at once, 1, 3 or 9 taps of each a cycle."""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link
from hdl.blocks.line_buffer import line_buffer
from hdl.units.convolve import convolve


@block
def depthwise(clk, rst, s_axis, m_axis, config):
    """m[c] = requantize(sum over taps t of window[t, c] * w[t, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a depthwise unit
    """
    folding, unit = config.folding, config.unit
    gathered = AxiStream(folding.pe, s_axis.bits, s_axis.signed)
    windows = AxiStream(folding.simd * folding.pe, s_axis.bits, s_axis.signed)
    gather = link(clk, rst, s_axis, gathered, config.buffers.fifo_depth)
    lines = line_buffer(clk, rst, gathered, windows, unit.size_in, unit.channels_in, unit.stride,
                        unit.pad, folding.simd)
    array = convolve(clk, rst, windows, m_axis, config)
    return instances()
