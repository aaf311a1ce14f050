"""Integer signal types shared by the blocks."""
from myhdl import Signal, intbv


def sint(width):
    """A signed signal of ``width`` bits."""
    return Signal(intbv(0, min=-(1 << (width - 1)), max=1 << (width - 1)))


def uint(width):
    """An unsigned signal of ``width`` bits."""
    return Signal(intbv(0)[width:])


def count(limit):
    """A counter for 0 ... limit - 1, of at least one bit; an overrun raises in simulation."""
    return Signal(intbv(0, min=0, max=max(limit, 2)))


def start(value, limit):
    """A counter for 0 ... limit - 1 that starts, and restarts at reset, from ``value``."""
    return Signal(intbv(value, min=0, max=max(limit, 2)))


def flag():
    """A single wire or register, low at reset."""
    return Signal(bool(0))


def signed_width(low, high):
    """Bits of the narrowest signed integer that holds both ``low`` and ``high``."""
    return max(int(high).bit_length(), (-int(low) - 1).bit_length() if low < 0 else 0) + 1
