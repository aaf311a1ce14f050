"""Pointwise convolution (expand, project, head): a pixel's channels in, all its outputs out.

Takes channels_in / SIMD x channels_out / PE cycles a pixel, in one of two orders, whichever keeps
less.  A unit with more outputs than inputs goes through the pixel again for each group of PE
outputs; the first group begins while its pixel still arrives, the others read it from a memory.
A unit with fewer outputs than inputs takes every input once for all groups, whose accumulators
wait in memories.
"""
from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link, replay
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances
from hdl.plan.config import UnitConfig
from hdl.units.convolve import convolve


@block
def pointwise(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
              config: UnitConfig) -> Instances:
    """m[c] = requantize(sum over k of s[k] * w[k, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a pointwise unit
    """
    refuse_other(config.unit.name, "an input", s_axis, config.stream_in())
    gathered = AxiStream(s_axis.shape.with_lanes(config.folding.simd))
    gather = link(clk, rst, s_axis, gathered, config.buffers.fifo_depth)
    sums = matrix(clk, rst, gathered, m_axis, config)
    return instances()


@block
def matrix(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
           config: UnitConfig) -> Instances:
    """All outputs of a pixel, or of a window as if it were one, in as many passes as it takes.

    s_axis -- SIMD inputs a beat
    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of a pointwise unit, or of the stem
    """
    passes = config.folding.passes
    if passes > 1:
        operands = AxiStream(s_axis.shape)
        hold = replay(clk, rst, s_axis, operands, config.beats, passes, config.buffers.words_held)
        array = convolve(clk, rst, operands, m_axis, config)
    else:
        array = convolve(clk, rst, s_axis, m_axis, config)
    return instances()
