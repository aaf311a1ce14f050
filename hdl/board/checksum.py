"""CRC-32 of bytes, as Ethernet, PNG and Python's zlib have it."""
from myhdl import SignalType, always, block, intbv

from hdl.blocks.signals import Instances

BITS = 32
ONES = (1 << BITS) - 1
POLYNOMIAL = 0xEDB88320     # x^0 at the highest bit
# What is left behind a message with its CRC-32 after it, lowest byte first.
RESIDUE = 0xDEBB20E3


@block
def crc32(clk: SignalType, clear: SignalType, step: SignalType, data: SignalType,
          remainder: SignalType) -> Instances:
    """remainder goes on by a byte at ``step``; the CRC-32 is its complement.  Latency 1 cycle.

    clear     -- begin anew; goes before ``step``
    data      -- 8 bits
    remainder -- 32 bits
    """

    @always(clk.posedge)
    def advance():
        rest = intbv(0)[BITS:]
        if clear:
            remainder.next = ONES
        elif step:
            rest[:] = remainder ^ data
            for _ in range(8):
                if rest[0] == 1:
                    rest[:] = (rest >> 1) ^ POLYNOMIAL
                else:
                    rest[:] = rest >> 1
            remainder.next = rest

    return advance
