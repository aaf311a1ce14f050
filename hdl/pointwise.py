"""Pointwise convolution (expand, project, head): a pixel's channels in, all its outputs out.

Takes channels_in / SIMD x channels_out / PE cycles a pixel.  Output groups follow each other; the
first begins while its pixel still arrives, the others read the pixel again from a memory of two.
"""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.convolve import convolve
from hdl.stream import replay, width_converter


@block
def pointwise(clk, rst, s_axis, m_axis, config):
    """m[c] = requantize(sum over k of s[k] * w[k, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a pointwise unit, or of the stem, whose pixels are windows
    """
    folding, inputs = config.folding, config.unit.weight_shape[0]
    passes = config.unit.channels_out // folding.pe
    gathered = AxiStream(folding.simd, s_axis.bits, s_axis.signed)
    gather = width_converter(clk, rst, s_axis, gathered)
    if passes == 1:
        array = convolve(clk, rst, gathered, m_axis, config)
    else:
        operands = AxiStream(folding.simd, s_axis.bits, s_axis.signed)
        repeat = replay(clk, rst, gathered, operands, inputs // folding.simd, passes)
        array = convolve(clk, rst, operands, m_axis, config)
    return instances()
