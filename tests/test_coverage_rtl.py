"""The command of RTL coverage, and what it finds of a few blocks; of all of them with --full."""
import re

import pytest
from click.testing import CliRunner

from tests import coverage_rtl
from tests.coverage_rtl import Waiver, judged, main, merged, read, tell, waivers

TEXT = """// A block of two lines.
module {name} (input wire [7:0] a);
always @(a) if (a == {number}) b = 1; else b = 0;
always @(a) if (a == {number}) c = 1;
endmodule
"""
QUICK = "test of fifo", "test of fork", "test of outside"


def line(**fields):
    """A line of Verilator's file."""
    *fields, count = fields.items()
    return "C '" + "".join(f"\x01{name}\x02{value}" for name, value in fields) + f"' {count[1]}\n"


def points(counts):
    """Points of modules of one block, {(module, number in its text, line, branch): times}."""
    return {("branch", TEXT.format(name=name, number=number), at, what): count
            for (name, number, at, what), count in counts.items()}


def test_instances_of_a_module_count_together(tmp_path):
    file, text = tmp_path / "coverage.dat", "module dut (input wire clk);\nendmodule\n"
    file.write_text("# SystemC::Coverage-3\n" + "".join((
        line(f="dut.v", l=3, page="v_line/dut", o="block", h="top.a", count=0),
        line(f="dut.v", l=3, page="v_line/dut", o="block", h="top.b", count=7),
        line(f="dut.v", l=2, page="v_toggle/dut", o="clk[0]:0->1", h="top.a", count=0))))
    assert read(file, {"dut.v": text}) == {("line", text, 3, "block"): 7,
                                           ("toggle", text, 2, "clk[0]:0->1"): 0}


def test_modules_of_a_block_count_together():
    """Whatever their numbers are; a line that a module has twice is two lines."""
    found = merged(points({("mac_8_b", "4'd7", 3, "if"): 0, ("mac", "LAST", 3, "if"): 2,
                           ("block_4_expand_mac", 9, 4, "if"): 0, ("mac_9x3", 0, 4, "if"): 0,
                           ("block_4", 9, 4, "if"): 1}))
    where = "if of always @(a) if (a == N) {} = N;"
    assert found == {("branch", "mac", where.format("b") + " else b = N;", 1): 2,
                     ("branch", "mac", where.format("c"), 1): 0,
                     ("branch", "unit", where.format("c"), 1): 1}
    twice = TEXT.format(name="mac", number=1).replace("b =", "c =").replace(" else c = 0;", "")
    assert sorted(key[3] for key in merged({
        ("branch", twice, at, "if"): 0 for at in (3, 4)})) == [1, 2]


def test_what_is_waived_and_what_is_left(capsys):
    """The first row that fits; a row that waives nothing is told, and so is what is left."""
    found = {("toggle", "mac", "sum[1]:0->1", 1): 0, ("toggle", "mac", "sum[2]:0->1", 1): 0,
             ("toggle", "mac", "go:0->1", 1): 0, ("toggle", "macs", "sum[1]:0->1", 1): 1,
             ("branch", "mac", "else of if (go)", 1): 0}
    rows = [Waiver("one", "toggle", "mac", r"sum\[\d\]:.*", ""),
            Waiver("one", "toggle", "mac", r"sum\[1\]:.*", ""),
            Waiver("one", "toggle", "macs", ".*", "")]
    used, left = judged(found, rows)
    assert list(used.values()) == [2, 0, 0]
    assert left == {("toggle", "mac", "go"): 1, ("branch", "mac", "else of if (go)"): 1}
    tell({}, found, used, left)
    said = capsys.readouterr().out
    assert "branch mac: else of if (go)\ntoggle mac: go\nwaives nothing: one: toggle mac" in said


def test_waivers_are_of_known_subjects_and_say_why():
    rows, known = waivers(), coverage_rtl.subjects()
    assert len({(row.kind, row.block, row.point) for row in rows}) == len(rows) < 40
    for row in rows:
        assert row.subject in known and row.kind in coverage_rtl.KINDS and len(row.why) > 15
        assert re.compile(row.block) and re.compile(row.point)


def test_a_few_blocks(verilator, tmp_path, monkeypatch):
    """Each point is covered or waived, each waiver waives something; else the status is 1."""
    only = [part for name in QUICK for part in ("--only", name)]
    done = CliRunner().invoke(main, only)
    assert done.exit_code == 0, done.output
    assert not re.search(r"^(line|branch|toggle) \w+:|waives nothing", done.output, re.M)
    rows = coverage_rtl.WAIVERS.read_text()
    monkeypatch.setattr(coverage_rtl, "WAIVERS", tmp_path / "waivers.csv")
    for text, said in ((rows + "test of fork,branch,fork,.*,nothing\n",
                        "waives nothing: test of fork: branch fork"),
                       (rows.splitlines()[0] + "\n", "toggle outside: m_axis_tdata")):
        coverage_rtl.WAIVERS.write_text(text)
        done = CliRunner().invoke(main, only)
        assert done.exit_code == 1 and said in done.output


@pytest.mark.full
def test_all_blocks(verilator):
    done = CliRunner().invoke(main)
    assert done.exit_code == 0, done.output


def test_another_subject_is_refused():
    done = CliRunner().invoke(main, ["--only", "block_99"])
    assert done.exit_code == 2 and "no subject has a name that begins with block_99" in done.output
