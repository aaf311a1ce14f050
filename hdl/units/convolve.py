"""The back half that every convolution shares: multiply-accumulate, requantize."""
from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.mac import mac
from hdl.blocks.mac_loops import mac_loops
from hdl.blocks.processing_element import Fold
from hdl.blocks.refusals import refuse_other
from hdl.blocks.requantize import Scaling, requantize
from hdl.blocks.signals import Instances
from hdl.blocks.stream import register_slice
from hdl.plan.config import UnitConfig
from hdl.shape import StreamShape


@block
def convolve(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
             config: UnitConfig) -> Instances:
    """Activations from the operands of the MAC array, lanes_out channels a beat.

    s_axis -- simd inputs that all PE share, or simd x pe inputs of a depthwise unit
    m_axis -- lanes_out activations; data, valid and ready registered
    config -- UnitConfig
    """
    folding, unit = config.folding, config.unit
    refuse_other(unit.name, "an output", m_axis, config.stream_out())
    low, high = folding.precision.limits(unit.activation)
    results = AxiStream(StreamShape(folding.lanes_out, config.accumulator_bits))
    activations = AxiStream(m_axis.shape)

    fold = Fold(folding.pe, folding.simd, shared=unit.facts.shared, beats=config.beats,
                groups=folding.groups, pairs=folding.pairs)
    scaling = Scaling(config.biased_bits, config.shift_base, low, high)
    if folding.loops:
        array = mac_loops(clk, rst, s_axis, results, config.constants[0], fold)
    else:
        array = mac(clk, rst, s_axis, results, config.weights, fold)
    scale = requantize(clk, rst, results, activations, config.scales, scaling)
    output = register_slice(clk, rst, activations, m_axis)
    return instances()
