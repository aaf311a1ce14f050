"""Pointwise convolution (expand, project, head): a pixel's channels in, all its outputs out.

Takes channels_in / SIMD x channels_out / PE cycles a pixel, in one of two orders, whichever keeps
less.  A unit with more outputs than inputs goes through the pixel again for each group of PE
outputs; the first group begins while its pixel still arrives, the others read it from a memory.
A unit with fewer outputs than inputs takes every input once for all groups, whose accumulators
wait in memories.
"""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link, replay
from hdl.units.convolve import convolve


@block
def pointwise(clk, rst, s_axis, m_axis, config, fifo_depth=None):
    """m[c] = requantize(sum over k of s[k] * w[k, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a pointwise unit, or of the stem, whose pixels are windows
    """
    # Words of the FIFO at the input; the stem gives 0, whose FIFO stands before its windows.
    if fifo_depth is None:
        fifo_depth = config.buffers.fifo_depth
    folding = config.folding
    gathered, operands = [AxiStream(folding.simd, s_axis.bits, s_axis.signed) for _ in range(2)]
    gather = link(clk, rst, s_axis, gathered, fifo_depth)
    if folding.passes > 1:
        hold = replay(clk, rst, gathered, operands, config.beats, folding.passes,
                      config.buffers.words_held)
        array = convolve(clk, rst, operands, m_axis, config)
    else:
        array = convolve(clk, rst, gathered, m_axis, config)
    return instances()
