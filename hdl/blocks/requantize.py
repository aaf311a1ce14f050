"""Requantize: accumulators in, activations out, a serial channel sequence through few multipliers.

y[c] = clip(((acc + bias[c]) * multiplier[c] + 2**(shift[c] - 1)) >> shift[c]), rounding halves up
with an arithmetic shift.  Latency 6 cycles, 1 beat per cycle; holds while the sink stalls.
"""
from dataclasses import dataclass

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances, intbv

from hdl.axis import AxiStream, Bundle
from hdl.blocks.lanes import pack, unpack
from hdl.blocks.refusals import refuse_tiles
from hdl.blocks.registers import register
from hdl.blocks.signals import WIDE, Instances, flag, sint, uint
from hdl.blocks.weight_rom import Fetch, weight_rom
from hdl.plan.rom import Rom

LATENCY = 6     # cycles


@dataclass(frozen=True)
class Scaling:
    """Widths and limits that all lanes of a unit share."""

    biased_bits: int    # of the signed sum of accumulator and bias
    shift_base: int     # the least shift; the ROM holds what comes on top
    low: int            # the least activation
    high: int           # the greatest


@block
def requantize(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream, rom: Rom,
               scaling: Scaling) -> Instances:
    """Scale, round and clip as many channels at once as a beat has lanes.

    s_axis  -- signed accumulators, channels in order, wrapping at the last of the pixel
    m_axis  -- activations in [scaling.low, scaling.high], as many lanes
    rom     -- Rom, one row a beat: biases, then multipliers, then shifts above shift_base
    scaling -- Scaling
    """
    check(s_axis, m_axis, rom)
    lanes = s_axis.shape.lanes
    steps = ScalingSteps()
    fetch = Fetch(len(rom.rows))
    held, operand = [uint(s_axis.shape.width) for _ in range(2)]
    acc = [sint(s_axis.shape.bits) for _ in range(lanes)]
    factors = [Factors(*(rom.widths[i * lanes] for i in range(3))) for _ in range(lanes)]
    activation = [uint(m_axis.shape.bits) for _ in range(lanes)]

    control = requantize_control(clk, rst, s_axis, m_axis, fetch, steps)
    hold = register(clk, fetch.step, s_axis.tdata, held)
    use = register(clk, steps.read, held, operand)
    parameters = weight_rom(clk, fetch.step, fetch.address, (
        *(each.bias for each in factors), *(each.multiplier for each in factors),
        *(each.shift for each in factors)), rom, steps.read)
    accumulators = unpack(operand, acc)
    scalers = [scaler(clk, steps, acc[i], factors[i], activation[i], scaling)
               for i in range(lanes)]
    activations = pack(activation, m_axis.tdata)
    return instances()


def check(s_axis: AxiStream, m_axis: AxiStream, rom: Rom) -> None:
    """ValueError where streams and ROM do not fit each other."""
    refuse_tiles("requantize", s_axis, m_axis)
    lanes = s_axis.shape.lanes
    if m_axis.shape.lanes != lanes or len(rom.widths) != 3 * lanes or not s_axis.shape.signed:
        raise ValueError(f"requantize takes signed accumulators and gives as many lanes, with a "
                         f"bias, a multiplier and a shift each: {s_axis.shape} come in, "
                         f"{m_axis.shape} go out, the ROM has {len(rom.widths)} fields")


class ScalingSteps(Bundle):
    """Which steps of the pipeline move in a cycle."""

    def __init__(self) -> None:
        self.read = flag()          # what was read beside what it is for
        self.add = flag()           # the bias
        self.multiply = flag()
        self.scale = flag()         # shift
        self.saturate = flag()      # round and clip


class Factors(Bundle):
    """What scales a channel."""

    def __init__(self, bias_bits: int, multiplier_bits: int, shift_bits: int) -> None:
        self.bias = sint(bias_bits)
        self.multiplier = uint(multiplier_bits)
        self.shift = uint(shift_bits)


@block
def requantize_control(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                       fetch: Fetch, steps: ScalingSteps) -> Instances:
    """When a beat is taken and when each step moves.

    fetch -- Fetch of its parameters
    steps -- ScalingSteps
    """
    take, address, depth = fetch.step, fetch.address, fetch.rows
    go, busy = flag(), flag()
    held_valid, read_valid, biased_valid, product_valid, scaled_valid = [flag() for _ in range(5)]

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        s_axis.tready.next = go
        take.next = go and s_axis.tvalid

    @always_comb
    def work():
        busy.next = (held_valid or read_valid or biased_valid or product_valid or scaled_valid
                     or m_axis.tvalid)
        steps.read.next = go and held_valid
        steps.add.next = go and read_valid
        steps.multiply.next = go and biased_valid
        steps.scale.next = go and product_valid
        steps.saturate.next = go and scaled_valid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go and (busy or s_axis.tvalid):
            held_valid.next = s_axis.tvalid
            read_valid.next = held_valid
            biased_valid.next = read_valid
            product_valid.next = biased_valid
            scaled_valid.next = product_valid
            m_axis.tvalid.next = scaled_valid
            if s_axis.tvalid:
                address.next = 0 if address == depth - 1 else address + 1

    return instances()


@block
def scaler(clk: SignalType, steps: ScalingSteps, acc: SignalType, factors: Factors,
           activation: SignalType, scaling: Scaling) -> Instances:
    """One lane's four steps: add the bias, multiply, shift but for the half, round and clip.

    factors -- Factors of the channel, read with the accumulator ``acc``
    """
    bias, multiplier, shift = factors.bias, factors.multiplier, factors.shift
    add, multiply, scale, saturate = steps.add, steps.multiply, steps.scale, steps.saturate
    most = scaling.shift_base - 1
    product_bits = scaling.biased_bits + len(multiplier)
    factor = sint(len(multiplier) + 1)
    shift_2, shift_3 = uint(len(shift)), uint(len(shift))
    biased, product = sint(scaling.biased_bits), sint(product_bits)
    # Of a channel whose products are less than a half, the sign is left, which rounds to 0.
    scaled = sint(max(product_bits - most, 1))
    clip = round_and_clip(clk, saturate, scaled, activation, scaling.low, scaling.high)

    @always(clk.posedge)
    def pipeline():
        if add:
            biased.next = acc + bias
            factor.next = multiplier
            shift_2.next = shift
        if multiply:
            wide = intbv(0, min=-WIDE, max=WIDE)
            wide[:] = biased * factor
            product.next = wide
            shift_3.next = shift_2
        if scale:
            scaled.next = product >> (shift_3 + most)

    return instances()


@block
def round_and_clip(clk: SignalType, enable: SignalType, scaled: SignalType, activation: SignalType,
                   low: int, high: int) -> Instances:
    """activation = half of ``scaled``, rounded up and clipped, a cycle later, when ``enable``."""
    bits = len(activation)
    full = 1 << max(len(scaled), bits)

    @always(clk.posedge)
    def clip():
        if enable:
            rounded = intbv(0, min=-full, max=full)
            rounded[:] = scaled
            rounded[:] = rounded + 1
            rounded[:] = rounded >> 1
            if rounded > high:
                rounded[:] = high
            elif rounded < low:
                rounded[:] = low
            activation.next = rounded[bits:]

    return clip
