"""Depthwise 3x3 convolution: PE channels at once, 1, 3 or 9 taps of each a cycle.

Where windows pause while the line buffer takes pixels that had to wait for its memory (between two
rows of a stride of 2, between frames of two rows), one FIFO holds those pixels, another the output
that bridges the pause.
"""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.convolve import convolve
from hdl.line_buffer import line_buffer
from hdl.stream import fifo, width_converter

PIXELS_AHEAD = 1    # what the next unit works on during the pause


@block
def depthwise(clk, rst, s_axis, m_axis, config):
    """m[c] = requantize(sum over taps t of window[t, c] * w[t, c]).

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    config         -- UnitConfig of a depthwise unit
    """
    folding, unit = config.folding, config.unit
    gathered = AxiStream(folding.pe, s_axis.bits, s_axis.signed)
    windows = AxiStream(folding.simd * folding.pe, s_axis.bits, s_axis.signed)
    gather = width_converter(clk, rst, s_axis, gathered)
    if not folding.fifo_depth:
        lines = line_buffer(clk, rst, gathered, windows, unit.size_in, unit.channels_in,
                            unit.stride, unit.pad, folding.simd)
        array = convolve(clk, rst, windows, m_axis, config)
    else:
        waiting = AxiStream(folding.pe, s_axis.bits, s_axis.signed)
        results = AxiStream(m_axis.lanes, m_axis.bits, m_axis.signed)
        wait = fifo(clk, rst, gathered, waiting, folding.fifo_depth)
        lines = line_buffer(clk, rst, waiting, windows, unit.size_in, unit.channels_in,
                            unit.stride, unit.pad, folding.simd)
        array = convolve(clk, rst, windows, results, config)
        bridge = fifo(clk, rst, results, m_axis, PIXELS_AHEAD * unit.channels_out // m_axis.lanes)
    return instances()
