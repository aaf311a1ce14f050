"""Multiply-accumulate array: PE outputs of SIMD products each, weights from ROM.

An output group takes ``beats`` input beats; the ROM is read in step with the input and wraps by
itself, so weights are never reloaded.  Latency 3 cycles from the last input beat, 1 beat per
cycle; accumulators are as wide as weights and inputs can reach, so they never overflow.
"""
from myhdl import always, always_comb, always_seq, block, instances, intbv

from hdl.lanes import pack, unpack
from hdl.types import count, flag, sint, uint
from hdl.weight_rom import weight_rom

CHUNK = 9   # most products that are added in one cycle


@block
def mac(clk, rst, s_axis, m_axis, rom, pe, simd, shared, beats):
    """out[j] = sum over beats and i of x[j, i] * w[j, i].

    s_axis -- inputs: simd lanes that all outputs share (shared), or simd x pe lanes, PE minor
    m_axis -- pe accumulators, the two's complement of signed numbers
    rom    -- Rom of pe x simd weights a row, SIMD minor; rows in the order of the beats
    beats  -- input beats for an output beat
    """
    depth, lanes = len(rom.rows), pe * simd
    weight_bits, bits = rom.widths[0], m_axis.bits
    x_bits = s_axis.bits if s_axis.signed else s_axis.bits + 1
    x_pe, x_simd = (0, 1) if shared else (1, pe)
    low, high = -(1 << bits - 1), 1 << bits - 1

    chunk = max(d for d in range(1, CHUNK + 1) if simd % d == 0)
    chunks = simd // chunk

    go, take = flag(), flag()
    operand = uint(s_axis.width)
    x = [sint(x_bits) for _ in range(s_axis.lanes)]
    weight = [sint(weight_bits) for _ in range(lanes)]
    chunk_sum = [sint(bits) for _ in range(pe * chunks)]
    accumulator = [sint(bits) for _ in range(pe)]
    result = [uint(bits) for _ in range(pe)]
    beat, address = count(beats), count(depth)
    operand_valid, operand_first, operand_last = flag(), flag(), flag()
    sum_valid, sum_first, sum_last = flag(), flag(), flag()

    weights = weight_rom(clk, take, address, tuple(weight), rom)
    operands = unpack(operand, x, s_axis.bits, s_axis.signed)
    results = pack(result, m_axis.tdata)

    @always_comb
    def flow():
        go.next = m_axis.tready or not (m_axis.tvalid and sum_valid and sum_last)

    @always_comb
    def accept():
        s_axis.tready.next = go
        take.next = go and s_axis.tvalid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            operand_valid.next = s_axis.tvalid
            operand_first.next = beat == 0
            operand_last.next = beat == beats - 1
            sum_valid.next = operand_valid
            sum_first.next = operand_first
            sum_last.next = operand_last
            if take:
                beat.next = 0 if beat == beats - 1 else beat + 1
                address.next = 0 if address == depth - 1 else address + 1
        if go and sum_valid and sum_last:
            m_axis.tvalid.next = True
        elif m_axis.tready:
            m_axis.tvalid.next = False

    @always(clk.posedge)
    def capture():
        if take:
            operand.next = s_axis.tdata

    @always(clk.posedge)
    def multiply():
        if go and operand_valid:
            partial = intbv(0, min=low, max=high)
            for j in range(pe):
                for k in range(chunks):
                    partial[:] = 0
                    for i in range(chunk):
                        partial[:] = partial + (x[j * x_pe + (k * chunk + i) * x_simd]
                                                * weight[j * simd + k * chunk + i])
                    chunk_sum[j * chunks + k].next = partial

    @always(clk.posedge)
    def accumulate():
        if go and sum_valid:
            total = intbv(0, min=low, max=high)
            for j in range(pe):
                total[:] = 0
                if not sum_first:
                    total[:] = accumulator[j]
                for k in range(chunks):
                    total[:] = total + chunk_sum[j * chunks + k]
                accumulator[j].next = total
                if sum_last:
                    result[j].next = total[bits:]

    return instances()
