"""Registers: one that holds, one of a chain, a counter that runs down."""
from myhdl import always, always_seq, block


@block
def register(clk, enable, d, q):
    """q = d, a cycle later, when ``enable``."""

    @always(clk.posedge)
    def hold():
        if enable:
            q.next = d

    return hold


@block
def shift_register(clk, load, shift, d, above, q):
    """q = d at ``load``, else, at ``shift``, what the register above holds."""

    @always(clk.posedge)
    def move():
        if load:
            q.next = d
        elif shift:
            q.next = above

    return move


@block
def count_down(clk, rst, load, left, first):
    """left = ``first`` a cycle after ``load``, then one less a cycle down to 0."""

    @always_seq(clk.posedge, reset=rst)
    def down():
        if load:
            left.next = first
        elif left != 0:
            left.next = left - 1

    return down
