"""The back half that every convolution shares: multiply-accumulate, requantize."""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.blocks.mac import mac
from hdl.blocks.requantize import requantize
from hdl.blocks.stream import register_slice


@block
def convolve(clk, rst, s_axis, m_axis, config):
    """Activations from the operands of the MAC array, lanes_out channels a beat.

    s_axis -- simd inputs that all PE share, or simd x pe inputs of a depthwise unit
    m_axis -- lanes_out activations; data, valid and ready registered
    config -- UnitConfig
    """
    folding, unit = config.folding, config.unit
    low, high = folding.precision.limits(unit.activation)
    results = AxiStream(folding.lanes_out, config.accumulator_bits)
    activations = AxiStream(m_axis.lanes, m_axis.bits, m_axis.signed)

    array = mac(clk, rst, s_axis, results, config.weights, folding.pe, folding.simd,
                unit.facts.shared, config.beats, folding.groups)
    scale = requantize(clk, rst, results, activations, config.scales, config.biased_bits,
                       config.shift_base, low, high)
    output = register_slice(clk, rst, activations, m_axis)
    return instances()
