"""Integer signals that the blocks share, and the type of what a block returns."""
from myhdl import Signal, SignalType, intbv

# The processes and blocks inside a block, as one of MyHDL's instances or a list of them: to be
# handed on, never looked into.
Instances = object

# Sums are computed in 64 bits, of which a result keeps what it needs: a simulator's machine words
# need no masks then, and synthesis drops the bits that nobody reads.
WIDE = 1 << 63


def sint(width: int) -> SignalType:
    """A signed signal of ``width`` bits."""
    return Signal(intbv(0, min=-(1 << (width - 1)), max=1 << (width - 1)))


def uint(width: int) -> SignalType:
    """An unsigned signal of ``width`` bits."""
    return Signal(intbv(0)[width:])


def count(limit: int) -> SignalType:
    """A counter for 0 ... limit - 1, of at least one bit; an overrun raises in MyHDL."""
    return Signal(intbv(0, min=0, max=max(limit, 2)))


def start(value: int, limit: int) -> SignalType:
    """A counter for 0 ... limit - 1 that starts, and restarts at reset, from ``value``."""
    return Signal(intbv(value, min=0, max=max(limit, 2)))


def flag() -> SignalType:
    """A single wire or register, low at reset."""
    return Signal(bool(0))
