"""Stem: the first 3x3 convolution, a line buffer whose whole windows feed a matrix unit."""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.line_buffer import TAPS, line_buffer
from hdl.pointwise import pointwise


@block
def stem(clk, rst, s_axis, m_axis, config):
    """m[c] = requantize(sum over taps t and colours k of window[t, k] * w[t * 3 + k, c]).

    s_axis -- AxiStream of one pixel a beat, q = 2p - 255 of each of its three bytes
    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of the stem
    """
    unit = config.unit
    windows = AxiStream(TAPS * s_axis.lanes, s_axis.bits, s_axis.signed)
    lines = line_buffer(clk, rst, s_axis, windows, unit.size_in, unit.channels_in, unit.stride,
                        unit.pad, TAPS)
    matrix = pointwise(clk, rst, windows, m_axis, config)
    return instances()
