"""What MyHDL's conversion computes wrongly, case by case, and that ours makes it right.

A case fails when a new MyHDL mends it: its part of hdl/myhdl_fixes/vhdl.py has nothing left to do.
"""
import contextlib
import re

import numpy as np
import pytest
from myhdl import Signal, always_comb, block, instances, intbv

from hdl.beats import pack
from hdl.blocks.signals import sint, uint
from hdl.errors import ToolError
from hdl.hierarchy import vhdl as convert
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Sink, Source
from tests.support.simulators import available
from tests.support.streams import stream


@block
def compared(x, y):
    @always_comb
    def compute():
        if x + 2 < 4:
            y.next = 1
        else:
            y.next = 0

    return compute


@block
def shifted(x, y):
    number = uint(8)

    @always_comb
    def widen():
        number.next = x

    @always_comb
    def compute():
        y.next = (number + 128) >> (x + 4)

    return instances()


@block
def indexed(x, y):
    memory = [Signal(intbv(0)[4:]) for _ in range(5)]

    @always_comb
    def fill():
        for i in range(5):
            memory[i].next = i + x + 1

    @always_comb
    def compute():
        y.next = memory[x + 1]

    return instances()


@block
def counted(x, y):
    @always_comb
    def compute():
        for i in range(2):
            place = x + i
            if place >= 4:
                place = place - 4
            y.next = place

    return compute


@block
def several_terms(x, y):
    @always_comb
    def compute():
        if x > 1:
            y.next = x + 14 - 16
        else:
            y.next = 0

    return compute


@block
def dut(clk, rst, s_axis, m_axis, function):
    """A stream of x to a stream of y = function(x)."""
    x, y = uint(2), uint(4)
    compute = function(x, y)

    @always_comb
    def connect():
        x.next = s_axis.tdata
        m_axis.tdata.next = y
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready

    return instances()


def results(simulator, function):
    """y of every x."""
    ports = {"s_axis": stream(1, 2, False), "m_axis": stream(1, 4, False)}
    ends = {"s_axis": Source(pack(np.arange(4)[:, None], 2)), "m_axis": Sink(4)}
    run = simulate(simulator, Design(dut, {**ports, "function": function}), ends)
    return run["m_axis"].words[:, 0].tolist()


@block
def words_of_vhdl(clk, rst, s_axis, m_axis):
    """A signal and a process whose names are words of VHDL."""
    group = uint(4)

    @always_comb
    def select():
        group.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready and group != 20

    @always_comb
    def wait():
        m_axis.tdata.next = group

    return instances()


def test_words_of_vhdl_are_no_names():
    available("ghdl")
    ports = {"s_axis": stream(1, 4, False), "m_axis": stream(1, 4, False)}
    ends = {"s_axis": Source(pack([[9]], 4)), "m_axis": Sink(1)}
    run = simulate("ghdl", Design(words_of_vhdl, ports), ends)
    assert run["m_axis"].words.tolist() == [[9]]


CASES = {compared: [1, 1, 0, 0], shifted: [8, 4, 2, 1], indexed: [2, 4, 6, 8],
         counted: [1, 2, 3, 0], several_terms: [0, 0, 0, 1]}


@pytest.fixture(params=CASES, ids=lambda function: function.__name__)
def case(request):
    available("ghdl")
    return request.param


def test_converted_arithmetic_is_exact(case):
    assert results("myhdl", case) == results("ghdl", case) == CASES[case]


# What comes out without the cure: wrong numbers, or words with which GHDL ends.
UNCURED = {compared: [1, 1, 1, 1], shifted: "vector truncated", indexed: [2, 4, 6, 4],
           counted: "bound check failure", several_terms: "vector truncated"}


def test_myhdl_alone_is_wrong(case, monkeypatch):
    """Fails when MyHDL has mended it: see hdl/myhdl_fixes/vhdl.py."""
    monkeypatch.setattr(convert, "exact_vhdl", contextlib.nullcontext)
    if isinstance(UNCURED[case], str):
        with pytest.raises(ToolError, match=UNCURED[case]):
            results("ghdl", case)
    else:
        assert results("ghdl", case) == UNCURED[case] != CASES[case]


@block
def products(clk, rst, a, b, c, d, total):
    @always_comb
    def add():
        total.next = a * b + c * d

    return add


@pytest.mark.parametrize("exact", [True, False])
def test_a_product_is_as_wide_as_its_factors(tmp_path, monkeypatch, exact):
    """Else MyHDL widens a factor to the bits of the sum: mended when the second case fails."""
    if not exact:
        monkeypatch.setattr(convert, "exact_vhdl", contextlib.nullcontext)
    numbers = {name: sint(8) for name in "abcd"}
    Design(products, {**numbers, "total": sint(40)}).convert(tmp_path, "VHDL")
    text = (tmp_path / "products.vhd").read_text()
    assert bool(re.search(r"resize\(a \* b, 40\)", text)) == exact
