"""Requantize: accumulators in, activations out, a serial channel sequence through few multipliers.

y[c] = clip(((acc + bias[c]) * multiplier[c] + 2**(shift[c] - 1)) >> shift[c]), rounding halves up
with an arithmetic shift.  Latency 5 cycles, 1 beat per cycle; holds while the sink stalls.
"""
from myhdl import always, always_comb, always_seq, block, instances, intbv

from hdl.blocks.lanes import pack, unpack
from hdl.blocks.signals import WIDE, count, flag, sint, uint
from hdl.blocks.weight_rom import weight_rom


@block
def requantize(clk, rst, s_axis, m_axis, rom, biased_bits, shift_base, low, high):
    """Scale, round and clip s_axis.lanes channels at once.

    s_axis      -- signed accumulators, channels in order, wrapping at the last of the pixel
    m_axis      -- activations in [low, high], as many lanes
    rom         -- Rom, one row a beat: biases, then multipliers, then shifts above shift_base
    biased_bits -- of the signed sum of accumulator and bias
    """
    lanes, depth = s_axis.lanes, len(rom.rows)
    bias_bits, multiplier_bits, shift_bits = (rom.widths[i * lanes] for i in range(3))

    go, take, add, multiply, scale, saturate, busy = [flag() for _ in range(7)]
    held_valid, biased_valid, product_valid, scaled_valid = flag(), flag(), flag(), flag()
    address = count(depth)
    held = uint(s_axis.width)
    acc = [sint(s_axis.bits) for _ in range(lanes)]
    bias = [sint(bias_bits) for _ in range(lanes)]
    multiplier = [uint(multiplier_bits) for _ in range(lanes)]
    shift = [uint(shift_bits) for _ in range(lanes)]
    activation = [uint(m_axis.bits) for _ in range(lanes)]

    parameters = weight_rom(clk, take, address, (*bias, *multiplier, *shift), rom)
    accumulators = unpack(held, acc, s_axis.bits, True)
    scalers = [scaler(clk, add, multiply, scale, saturate, acc[i], bias[i], multiplier[i], shift[i],
                      activation[i], biased_bits, shift_base, low, high) for i in range(lanes)]
    activations = pack(activation, m_axis.tdata)

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        s_axis.tready.next = go
        take.next = go and s_axis.tvalid

    @always_comb
    def work():
        busy.next = held_valid or biased_valid or product_valid or scaled_valid or m_axis.tvalid
        add.next = go and held_valid
        multiply.next = go and biased_valid
        scale.next = go and product_valid
        saturate.next = go and scaled_valid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go and (busy or s_axis.tvalid):
            held_valid.next = s_axis.tvalid
            biased_valid.next = held_valid
            product_valid.next = biased_valid
            scaled_valid.next = product_valid
            m_axis.tvalid.next = scaled_valid
            if s_axis.tvalid:
                address.next = 0 if address == depth - 1 else address + 1

    @always(clk.posedge)
    def capture():
        if take:
            held.next = s_axis.tdata

    return instances()


@block
def scaler(clk, add, multiply, scale, saturate, acc, bias, multiplier, shift, activation,
           biased_bits, shift_base, low, high):
    """One lane's four steps: add the bias, multiply, shift but for the half, round and clip."""
    multiplier_bits, shift_bits, bits = len(multiplier), len(shift), len(activation)
    product_bits = biased_bits + multiplier_bits
    most = shift_base - 1
    scaled_bits = product_bits - most
    full = 1 << scaled_bits

    factor = sint(multiplier_bits + 1)
    shift_2, shift_3 = uint(shift_bits), uint(shift_bits)
    biased, product, scaled = sint(biased_bits), sint(product_bits), sint(scaled_bits)

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

    @always(clk.posedge)
    def clip():
        if saturate:
            rounded = intbv(0, min=-full, max=full)
            rounded[:] = scaled
            rounded[:] = rounded + 1
            rounded[:] = rounded >> 1
            if rounded > high:
                rounded[:] = high
            elif rounded < low:
                rounded[:] = low
            activation.next = rounded[bits:]

    return instances()
