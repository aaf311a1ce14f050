"""What the command of RTL coverage reads of Verilator's file."""
from click.testing import CliRunner

from tests import coverage_rtl


def line(**fields):
    """A line of Verilator's file."""
    *fields, count = fields.items()
    return "C '" + "".join(f"\x01{name}\x02{value}" for name, value in fields) + f"' {count[1]}\n"


def test_instances_of_a_module_count_together(tmp_path, capsys):
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "dut.v").write_text("// a\nmodule dut (input wire clk);\nendmodule\n")
    (tmp_path / "coverage.dat").write_text("# SystemC::Coverage-3\n" + "".join((
        line(f="rtl/dut.v", l=3, page="v_line/dut", o="block", h="top.a", count=0),
        line(f="rtl/dut.v", l=3, page="v_line/dut", o="block", h="top.b", count=7),
        line(f="rtl/dut.v", l=2, page="v_toggle/dut", o="clk[0]:0->1", h="top.a", count=0),
        line(f="rtl/dut.v", l=2, page="v_toggle/dut", o="clk[1]:0->1", h="top.a", count=0),
        line(f="bench.sv", l=1, page="v_line/bench", o="block", h="top", count=0))))
    points = coverage_rtl.read(tmp_path)
    assert sorted((kind, at, what, count) for (kind, _, at, what), count in points.items()) == [
        ("line", 3, "block", 7), ("toggle", 2, "clk[0]:0->1", 0), ("toggle", 2, "clk[1]:0->1", 0)]
    coverage_rtl.tell(points)
    assert capsys.readouterr().out.endswith("toggle dut:2 clk (2 times)\n")


def test_another_block_is_refused():
    done = CliRunner().invoke(coverage_rtl.main, ["--block", "block_99"])
    assert done.exit_code == 2 and "block_99 is neither a stage nor the chain" in done.output
