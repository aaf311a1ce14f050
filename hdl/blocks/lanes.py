"""Lanes of a packed word: constant slices out of ``tdata``, concatenation into it; wires only.

Converted, a list of signals is a packed word itself, the first signal lowest: each block is one
assignment there, hand-written, in the module that they are part of.
"""
from collections.abc import Sequence

from myhdl import SignalType, always, block

from hdl.blocks.signals import Instances


@block
def unpack(tdata: SignalType, lanes: list[SignalType]) -> Instances:
    """lanes[i] = field i of ``tdata``, as wide as the lane.

    lanes -- list of signals of one kind: signed where a field is two's complement
    """
    bits, signed, count = len(lanes[0]), lanes[0].min < 0, len(lanes)
    if len(tdata) != count * bits:
        raise ValueError(f"a word of {len(tdata)} bits is not {count} fields of {bits}")
    mask, sign, kind = (1 << bits) - 1, (1 << bits - 1 if signed else 0), kind_of(lanes)

    @always(tdata)
    def take():
        word = int(tdata)
        for lane in lanes:
            lane.next = ((word & mask) ^ sign) - sign
            word >>= bits

    unpack.verilog_code = "assign $lanes = $tdata;"
    unpack.vhdl_code = "$lanes <= $kind($tdata);"
    return take


@block
def pack(lanes: list[SignalType], tdata: SignalType) -> Instances:
    """tdata = the bits of all ``lanes``, lane 0 lowest."""
    bits = sum(len(lane) for lane in lanes)
    if len(tdata) != bits:
        raise ValueError(f"lanes of {bits} bits together are not a word of {len(tdata)}")
    fields = [(lane, len(lane), (1 << len(lane)) - 1) for lane in reversed(lanes)]

    @always(*lanes)
    def join():
        word = 0
        for lane, width, mask in fields:
            word = word << width | int(lane) & mask
        tdata.next = word

    pack.verilog_code = "assign $tdata = $lanes;"
    pack.vhdl_code = "$tdata <= unsigned($lanes);"
    return join


@block
def field(tdata: SignalType, lane: SignalType, low: int) -> Instances:
    """lane = as many bits of ``tdata`` as it has, from bit ``low``."""
    top = low + len(lane)
    high = top - 1

    @always(tdata)
    def take():
        lane.next = tdata[top:low]

    field.verilog_code = "assign $lane = $tdata[$high:$low];"
    field.vhdl_code = "$lane <= $tdata($high downto $low);"
    return take


def kind_of(lanes: Sequence[SignalType]) -> str:
    """The type in VHDL of a list of signals as a packed word."""
    return "signed" if all(lane.min < 0 for lane in lanes) else "unsigned"


unpack.func.outputs, unpack.func.in_place = ("lanes",), True
pack.func.outputs, pack.func.in_place = ("tdata",), True
field.func.outputs, field.func.in_place = ("lane",), True
