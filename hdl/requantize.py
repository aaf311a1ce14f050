"""Requantize: accumulators in, activations out, a serial channel sequence through few multipliers.

y[c] = clip(((acc + bias[c]) * multiplier[c] + 2**(shift[c] - 1)) >> shift[c]), rounding halves up
with an arithmetic shift.  Latency 5 cycles, 1 beat per cycle; holds while the sink stalls.
"""
from myhdl import always, always_comb, always_seq, block, instances, intbv

from hdl.lanes import pack, unpack
from hdl.types import count, flag, sint, uint
from hdl.weight_rom import weight_rom


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
    product_bits = biased_bits + multiplier_bits
    most = shift_base - 1
    scaled_bits = product_bits - most
    bits, full = m_axis.bits, 1 << scaled_bits

    go = flag()
    valid = [flag() for _ in range(5)]
    address = count(depth)
    held = uint(s_axis.width)
    acc = [sint(s_axis.bits) for _ in range(lanes)]
    bias = [sint(bias_bits) for _ in range(lanes)]
    multiplier = [uint(multiplier_bits) for _ in range(lanes)]
    shift = [uint(shift_bits) for _ in range(lanes)]
    factor = [sint(multiplier_bits + 1) for _ in range(lanes)]
    shift_2, shift_3 = [[uint(shift_bits) for _ in range(lanes)] for _ in range(2)]
    biased = [sint(biased_bits) for _ in range(lanes)]
    product = [sint(product_bits) for _ in range(lanes)]
    scaled = [sint(scaled_bits) for _ in range(lanes)]
    activation = [uint(bits) for _ in range(lanes)]

    parameters = weight_rom(clk, go, address, (*bias, *multiplier, *shift), rom)
    accumulators = unpack(held, acc, s_axis.bits, True)
    activations = pack(activation, m_axis.tdata)

    @always_comb
    def flow():
        go.next = m_axis.tready or not m_axis.tvalid

    @always_comb
    def accept():
        s_axis.tready.next = go

    @always_comb
    def offer():
        m_axis.tvalid.next = valid[4]

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            valid[0].next = s_axis.tvalid
            for i in range(4):
                valid[i + 1].next = valid[i]
            if s_axis.tvalid:
                address.next = 0 if address == depth - 1 else address + 1

    @always(clk.posedge)
    def scale():
        if go:
            held.next = s_axis.tdata
            for i in range(lanes):
                if valid[0]:
                    biased[i].next = acc[i] + bias[i]
                    factor[i].next = multiplier[i]
                    shift_2[i].next = shift[i]
                if valid[1]:
                    product[i].next = biased[i] * factor[i]
                    shift_3[i].next = shift_2[i]
                if valid[2]:
                    scaled[i].next = product[i] >> (shift_3[i] + most)

    @always(clk.posedge)
    def saturate():
        if go and valid[3]:
            rounded = intbv(0, min=-full, max=full)
            for i in range(lanes):
                rounded[:] = scaled[i]
                rounded[:] = rounded + 1
                rounded[:] = rounded >> 1
                if rounded > high:
                    rounded[:] = high
                elif rounded < low:
                    rounded[:] = low
                activation[i].next = rounded[bits:]

    return instances()
