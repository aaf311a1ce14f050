"""Lanes of a packed word: constant slices out of ``tdata``, concatenation into it."""
from myhdl import ConcatSignal, always_comb, block, intbv


@block
def unpack(tdata, lanes, bits, signed):
    """lanes[i] = field i of ``tdata``; wires only.

    lanes  -- list of signed signals
    bits   -- of a field
    signed -- whether a field is two's complement; else lanes have a bit more
    """
    fields, mask = len(lanes), (1 << bits) - 1

    @always_comb
    def split():
        field = intbv(0)[bits:]
        for i in range(fields):
            field[:] = (tdata >> (i * bits)) & mask
            if signed:
                lanes[i].next = field.signed()
            else:
                lanes[i].next = field

    return split


@block
def pack(lanes, tdata):
    """tdata = the unsigned signals ``lanes``, lane 0 lowest; wires only."""
    word = ConcatSignal(*reversed(lanes)) if len(lanes) > 1 else lanes[0]

    @always_comb
    def join():
        tdata.next = word

    return join
