"""Elaboration: names begin anew in a context, and contexts nest."""
import inspect

import myhdl

from hdl.blocks.stream import register_slice
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from tests.support.blocks import stream_pair


def name():
    """Of a register slice, elaborated once more."""
    return register_slice(*clock_and_reset(), *stream_pair(1, 4).values()).name


def test_contexts_nest():
    """An inner one leaves the outer one its names, and what MyHDL inspects frames with."""
    with fresh_elaboration():
        first = name()
        with fresh_elaboration():
            assert name() == first
        second = name()
        assert type(myhdl._block.inspect).__name__ == "_QuickInspect"
    assert second != first and myhdl._block.inspect is inspect
    with fresh_elaboration():
        assert [name(), name()] == [first, second]


def test_signals_are_forgotten():
    known = len(myhdl._simulator._signals)
    with fresh_elaboration():
        name()
        assert len(myhdl._simulator._signals) > known
    assert len(myhdl._simulator._signals) == known
