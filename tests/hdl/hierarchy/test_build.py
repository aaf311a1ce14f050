"""A module for each block: which are equal, what they connect to, what they compute."""
import inspect
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from myhdl import ConcatSignal, Signal, always, always_comb, always_seq, block, instances, intbv

from hdl.axis import Bundle
from hdl.beats import pack
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import flag, sint, uint
from hdl.convert.block import convert_block
from hdl.hierarchy.naming import LONGEST
from hdl.hierarchy.reserved import legal
from hdl.hierarchy.verilog import compact
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Sink, Source
from tests.support.streams import stream

LANES = 4


class Step(Bundle):
    """An interface of which one member is used."""

    def __init__(self):
        self.go = flag()
        self.unused = uint(3)


@block
def plus(clk, step, x, y, amount):
    """y = x + amount, a cycle later.

    step   -- when
    amount -- what is added
    """
    @always(clk.posedge)
    def add():
        if step.go:
            y.next = x + amount

    return add


@block
def picked(words, which, before, output):
    """output = the word that ``which`` says; before = all words, one place on."""
    @always_comb
    def pick():
        output.next = words[which]

    @always_comb
    def move():
        for i in range(LANES):
            before[i].next = words[LANES - 1 - i]

    return instances()


@block
def everything(clk, rst, s_axis, m_axis):
    """Rows of equal blocks, lists, constants, names that languages have reserved."""
    step, low = Step(), Signal(intbv(2)[2:])
    lane = [sint(6) for _ in range(LANES)]
    new, turned = [[sint(8) for _ in range(LANES)] for _ in range(2)]
    first, always_, signal, which = lane[0], sint(9), sint(8), uint(2)
    row = [plus(clk, step, x, y, 3) for x, y in zip(lane, new)]
    other = plus(clk, step, first, always_, 5)
    choose = picked(new, which, turned, signal)

    @always_comb
    def handshake():
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid
        step.go.next = s_axis.tvalid and (m_axis.tready or not m_axis.tvalid)

    @always_comb
    def spread():
        for i in range(LANES):
            lane[i].next = s_axis.tdata[6:].signed()

    @always_seq(clk.posedge, reset=rst)
    def wait():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid
            if s_axis.tvalid:
                which.next = s_axis.tdata[2:]

    @always_comb
    def join():
        total = intbv(0, min=-1024, max=1024)
        total[:] = signal + turned[0] + always_ + low
        m_axis.tdata.next = total[8:]

    return instances()


def ports():
    return {"s_axis": stream(1, 6, False), "m_axis": stream(1, 8, False)}


def converted(tmp_path, function, arguments, hdl="Verilog"):
    """{module: text}."""
    with fresh_elaboration():
        files = convert_block(function(*clock_and_reset(), **arguments), tmp_path,
                              function.func.__name__, hdl)
    return {file.stem: file.read_text() for file in files}


def test_it_computes_the_same_everywhere(simulator):
    """Of a word x: twice x + 3, once x + 5, and a constant 2."""
    words = np.arange(1, 65)[:, None] % 64    # Verilog's always @ waits for a change
    run = simulate(simulator, Design(everything, ports()),
                   {"s_axis": Source(pack(words, 6), np.array([True, False, False])),
                    "m_axis": Sink(64, np.array([False, True]))})
    signed = np.where(words > 31, words - 64, words)
    assert run["m_axis"].words.tolist() == ((3 * signed + 13) % 256).tolist()


def test_equal_blocks_are_one_module_and_stand_in_a_row(tmp_path):
    texts = converted(tmp_path, everything, ports())
    assert sorted(texts) == ["everything", "picked_4x8_2_4x8_8", "plus_6_8_3", "plus_6_9_5"]
    own = texts["everything"]
    assert re.search(r"row_index < 4;.*begin: row\n +plus_6_8_3 each \(", own)
    assert ".x(lane[row_index * 6 +: 6]), .y(new_i[row_index * 8 +: 8])" in own
    assert re.search(r"^plus_6_9_5 other \(", own, re.M)


def test_names_are_those_of_the_source_where_languages_have_them(tmp_path):
    for hdl in ("Verilog", "VHDL"):
        own = converted(tmp_path, everything, ports(), hdl)["everything"]
        for name in ("lane", "new_i", "turned", "low", "always_i", "signal_i", "wait_i", "step_go"):
            assert re.search(rf"\b{name}\b", own), (hdl, name)
    assert legal("a__b_") == "a_b" and legal("Register") == "Register_i" and legal("tap") == "tap"


def test_what_nobody_uses_is_no_port_and_what_nobody_drives_a_constant(tmp_path):
    texts = converted(tmp_path, everything, ports())
    assert "unused" not in "".join(texts.values())
    assert "rst" not in texts["plus_6_8_3"]
    assert "assign low = 2'd2;" in texts["everything"]


def test_docstrings_are_told_once_and_without_what_is_no_port(tmp_path):
    texts = converted(tmp_path, everything, ports())
    assert texts["plus_6_8_3"].startswith(
        "// y = x + amount, a cycle later.\n//\n// step   -- when\n")
    assert texts["plus_6_9_5"].startswith("// y = x + amount, a cycle later.\nmodule ")
    assert "what is added" not in "".join(texts.values())


@block
def memory(clk, write, address, word, read):
    """read = word, later, from one of some words."""
    words = [uint(len(word)) for _ in range(2 ** len(address))]

    @always(clk.posedge)
    def move():
        if write:
            words[address].next = word
        read.next = words[address]

    return move


@block
def alike(clk, rst, s_axis, m_axis):
    """Two memories that differ in widths, whose words are added."""
    wide, narrow, small = uint(6), uint(4), uint(4)
    upper = memory(clk, s_axis.tvalid, s_axis.tdata, s_axis.tdata, wide)
    lower = memory(clk, s_axis.tvalid, small, small, narrow)

    @always_comb
    def cut():
        small.next = s_axis.tdata[4:]
        s_axis.tready.next = m_axis.tready or not m_axis.tvalid
        m_axis.tdata.next = wide + narrow

    @always_seq(clk.posedge, reset=rst)
    def move():
        if m_axis.tready or not m_axis.tvalid:
            m_axis.tvalid.next = s_axis.tvalid

    return instances()


def test_modules_that_differ_in_widths_are_one_with_parameters(tmp_path):
    texts = converted(tmp_path, alike, ports())
    assert sorted(texts) == ["alike", "memory"]
    assert "parameter ADDRESS_BITS = 6,\n    parameter DEPTH = 64\n)" in texts["memory"]
    assert "reg [ADDRESS_BITS-1:0] words [0:DEPTH-1];" in texts["memory"]
    assert "memory #(.ADDRESS_BITS(6), .DEPTH(64)) upper (" in texts["alike"]
    assert "memory #(.ADDRESS_BITS(4), .DEPTH(16)) lower (" in texts["alike"]
    texts = converted(tmp_path, alike, ports(), "VHDL")
    assert "ADDRESS_BITS : natural := 6;\n        DEPTH : natural := 64);" in texts["memory"]
    assert "lower : entity work.memory generic map (ADDRESS_BITS => 4, DEPTH => 16) port map" \
        in texts["alike"]


def test_such_a_module_has_the_name_of_its_block(tmp_path, monkeypatch):
    """Not what the names of the units that have it begin with."""
    monkeypatch.setattr(memory.func, "module_name", lambda address, **others:
                        f"block_2_{len(address)}_memory", raising=False)
    assert sorted(converted(tmp_path, alike, ports())) == ["alike", "memory"]


@block
def left_open(clk, rst, s_axis, m_axis):
    """Does not read one of the outputs of its part."""
    words = [uint(4) for _ in range(LANES)]
    before, which = [uint(4) for _ in range(LANES)], uint(2)
    choose = picked(words, which, before, m_axis.tdata)

    @always_comb
    def spread():
        for i in range(LANES):
            words[i].next = s_axis.tdata

    return instances()


def test_an_output_that_nobody_reads_is_open(tmp_path):
    arguments = {"s_axis": stream(1, 4, False), "m_axis": stream(1, 4, False)}
    assert ".before_i()" in converted(tmp_path, left_open, arguments)["left_open"]
    assert "before_i => open" in converted(tmp_path, left_open, arguments, "VHDL")["left_open"]


@block
def joined(clk, rst, s_axis, m_axis):
    """Uses one of MyHDL's shadow signals."""
    whole = ConcatSignal(s_axis.tdata, s_axis.tdata)

    @always_comb
    def join():
        m_axis.tdata.next = whole[8:]

    return join


@block
def both_ways(clk, words):
    """One of the words is read, the other one driven."""
    first, second = words

    @always(clk.posedge)
    def hold():
        second.next = first

    return hold


@block
def mixed(clk, rst, s_axis, m_axis):
    """Gives what is read and what is driven in one list."""
    part = both_ways(clk, [s_axis.tdata, m_axis.tdata])
    return part


@pytest.mark.parametrize("function, sentence", [
    (joined, "^block joined uses a _?ConcatSignal, which is not written as text: join and cut"),
    (mixed, "^argument words of block both_ways has signals that the block drives and others that "
            "it reads: give them apart$")])
def test_what_is_not_written_is_refused(tmp_path, function, sentence):
    with pytest.raises(ValueError, match=sentence):
        converted(tmp_path, function, ports())


@block
def by_hand(clk, rst, s_axis, m_axis):
    """Hand-written, and does not say what it drives."""
    @always(clk.posedge)
    def nothing():
        pass

    by_hand.verilog_code = by_hand.vhdl_code = ""
    return nothing


def test_a_hand_written_block_says_what_it_drives(tmp_path):
    with pytest.raises(ValueError, match=r"^the text of block by_hand is hand-written: say with "
                                         r"by_hand.func.outputs which of its arguments"):
        converted(tmp_path, by_hand, ports())


@block
def two_alike(clk, rst, s_axis, m_axis):
    """Blocks that differ in what no name tells."""
    one, other = flag(), flag()
    left = chosen(clk, s_axis.tvalid, one, True)
    right = chosen(clk, s_axis.tvalid, other, False)

    @always_comb
    def join():
        m_axis.tvalid.next = one and other

    return instances()


@block
def chosen(clk, d, q, straight):
    """One of two."""
    if straight:
        @always(clk.posedge)
        def hold():
            q.next = d
    else:
        @always(clk.posedge)
        def hold():
            q.next = not d

    return hold


def test_blocks_whose_names_would_be_equal_have_a_letter(tmp_path):
    texts = converted(tmp_path, two_alike, ports())
    assert sorted(texts) == ["chosen", "chosen_b", "two_alike"]
    assert "q <= d;" in texts["chosen"] and "q <= (!d);" in texts["chosen_b"]


def test_no_name_is_longer_than_can_be_read(tmp_path):
    @block
    def top(clk, rst, s_axis, m_axis):
        q = uint(6)
        return wide_facts_of_a_block(clk, s_axis.tdata, q, 1234567, 89101112, 13141516)

    with fresh_elaboration():
        files = convert_block(top(*clock_and_reset(), **ports()), tmp_path, "top")
    assert [file.stem for file in files] == ["wide_facts_of_a_block_6_1234567", "top"]
    assert len(files[0].stem) <= LONGEST


@block
def wide_facts_of_a_block(clk, d, q, one, two, three):
    """Called with many long numbers."""
    @always(clk.posedge)
    def hold():
        q.next = d

    return hold


def page_blocks():
    """{what: text} of the block that docs/hierarchy.md shows."""
    found = {"python": inspect.getsource(residual_add.func)}
    for hdl in ("Verilog", "VHDL"):
        with tempfile.TemporaryDirectory() as folder:
            texts = converted(folder, residual_add, {
                name: stream(4, 12) for name in ("s_axis", "s_axis_shortcut", "m_axis")}, hdl)
            found[hdl.lower()] = texts["residual_add"]
            found[f"{hdl.lower()} part"] = texts["saturating_add_12"]
    return found


def test_the_page_shows_what_is_converted():
    page = (Path(__file__).parents[3] / "docs" / "hierarchy.md").read_text()
    shown = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.M | re.S)
    texts = page_blocks()
    assert shown == [(what.split()[0], texts[what])
                     for what in ("python", "verilog", "verilog part", "vhdl")]


@pytest.mark.parametrize("text, shorter", [
    ("if (a) begin\n    x <= 1;\nend else begin\n    y <= 2;\nend", "if (a) x <= 1;\nelse y <= 2;"),
    ("if (a) begin\n    if (b) begin\n        x <= 1;\n    end\nend else begin\n    y <= 2;\nend",
     "if (a) begin\n    if (b) x <= 1;\nend else y <= 2;"),
    ("if (a) begin\n    if (b) begin\n        x <= 1;\n    end\nend", "if (a) if (b) x <= 1;")])
def test_an_else_stays_with_its_if(text, shorter):
    """Where begin and end are left out."""
    assert compact(text) == shorter
