"""Integer signal types shared by the blocks."""
from myhdl import Signal, intbv

# Sums are computed in 64 bits, of which a result keeps what it needs: a simulator's machine words
# need no masks then, and synthesis drops the bits that nobody reads.
WIDE = 1 << 63


def sint(width):
    """A signed signal of ``width`` bits."""
    return Signal(intbv(0, min=-(1 << (width - 1)), max=1 << (width - 1)))


def uint(width):
    """An unsigned signal of ``width`` bits."""
    return Signal(intbv(0)[width:])


def count(limit):
    """A counter for 0 ... limit - 1, of at least one bit; an overrun raises in MyHDL."""
    return Signal(intbv(0, min=0, max=max(limit, 2)))


def start(value, limit):
    """A counter for 0 ... limit - 1 that starts, and restarts at reset, from ``value``."""
    return Signal(intbv(value, min=0, max=max(limit, 2)))


def flag():
    """A single wire or register, low at reset."""
    return Signal(bool(0))
