"""Registers: one that holds, one of a chain, counters."""
from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, instances

from hdl.blocks.signals import Instances


@block
def register(clk: SignalType, enable: SignalType, d: SignalType, q: SignalType) -> Instances:
    """q = d, a cycle later, when ``enable``."""

    @always(clk.posedge)
    def hold():
        if enable:
            q.next = d

    return hold


@block
def shift_register(clk: SignalType, load: SignalType, shift: SignalType, d: SignalType,
                   above: SignalType, q: SignalType) -> Instances:
    """q = d at ``load``, else, at ``shift``, what the register above holds."""

    @always(clk.posedge)
    def move():
        if load:
            q.next = d
        elif shift:
            q.next = above

    return move


@block
def counter(clk: SignalType, rst: ResetSignal, step: SignalType, value: SignalType, limit: int,
            carry: SignalType | None = None) -> Instances:
    """value counts 0 ... limit - 1 and begins anew, one on at every ``step``.

    carry -- this step is the last of ``limit``: what counts rounds steps on it; None where
             nothing does
    """
    last = limit - 1

    if carry is not None:
        @always_comb
        def finish():
            carry.next = step and value == last

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if step:
            value.next = 0 if value == last else value + 1

    return instances()


@block
def count_down(clk: SignalType, rst: ResetSignal, load: SignalType, left: SignalType,
               first: int) -> Instances:
    """left = ``first`` a cycle after ``load``, then one less a cycle down to 0."""

    @always_seq(clk.posedge, reset=rst)
    def down():
        if load:
            left.next = first
        elif left != 0:
            left.next = left - 1

    return down
