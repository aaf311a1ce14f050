"""Depthwise 3x3 convolution: PE channels at once, 1, 3 or 9 taps of each a cycle."""
from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances
from hdl.plan.config import UnitConfig
from hdl.units.convolve import convolve


@block
def depthwise(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
              config: UnitConfig) -> Instances:
    """m[c] = requantize(sum over taps t of window[t, c] * w[t, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a depthwise unit
    """
    folding, unit = config.folding, config.unit
    refuse_other(unit.name, "an input", s_axis, config.stream_in())
    gathered = AxiStream(s_axis.shape.with_lanes(folding.pe))
    windows = AxiStream(s_axis.shape.with_lanes(folding.simd * folding.pe))
    gather = link(clk, rst, s_axis, gathered, config.buffers.fifo_depth)
    lines = line_buffer(clk, rst, gathered, windows, config.plan.windows)
    array = convolve(clk, rst, windows, m_axis, config)
    return instances()
