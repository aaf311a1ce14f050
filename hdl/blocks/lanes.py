"""Lanes of a packed word: constant slices out of ``tdata``, concatenation into it; wires only."""
from myhdl import ConcatSignal, SignalType, always_comb, block

from hdl.blocks.signals import Instances


@block
def unpack(tdata: SignalType, lanes: list[SignalType], bits: int, signed: bool) -> Instances:
    """lanes[i] = field i of ``tdata``.

    lanes  -- list of signed signals
    bits   -- of a field
    signed -- whether a field is two's complement; else lanes have a bit more
    """
    if len(tdata) != len(lanes) * bits:
        raise ValueError(f"a word of {len(tdata)} bits is not {len(lanes)} fields of {bits}")
    return [field(tdata, lane, (i + 1) * bits, i * bits, signed) for i, lane in enumerate(lanes)]


@block
def field(tdata: SignalType, lane: SignalType, high: int, low: int, signed: bool) -> Instances:
    """lane = bits high - 1 ... low of ``tdata``."""
    if signed:
        @always_comb
        def take():
            lane.next = tdata[high:low].signed()
    else:
        @always_comb
        def take():
            lane.next = tdata[high:low]

    return take


@block
def pack(lanes: list[SignalType], tdata: SignalType) -> Instances:
    """tdata = the unsigned signals ``lanes``, lane 0 lowest."""
    bits = sum(len(lane) for lane in lanes)
    if len(tdata) != bits:
        raise ValueError(f"lanes of {bits} bits together are not a word of {len(tdata)}")
    word = ConcatSignal(*reversed(lanes)) if len(lanes) > 1 else lanes[0]

    @always_comb
    def join():
        tdata.next = word

    return join


@block
def unsigned(number: SignalType, plain: SignalType) -> Instances:
    """The bits of a signed number."""
    bits = len(plain)

    @always_comb
    def take():
        plain.next = number[bits:]

    return take
