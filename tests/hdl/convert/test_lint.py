"""The converted text itself: what Verilator, Icarus, GHDL and Yosys say of the whole network."""
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from hdl.build import default_build_dir
from hdl.convert.network import ENDING, TOP, convert_network
from hdl.errors import ToolError
from hdl.layers import PRECISIONS
from hdl.plan.config import by_stage, configure_network, memory_files
from hdl.plan.network import plan_network
from hdl.sim.backends import ghdl, toolchain
from scripts.shared.yosys import YosysError, yosys
from tests.support.networks import STAGES, TABLE, configs, golden
from tests.support.simulators import available

WAIVERS = Path(__file__).resolve().parents[3] / "hdl" / "export" / "lint.vlt"
WAIVER = re.compile(r'^lint_off -rule (\w+) -file "\*\.v" -match "([^"]+)"$')
OUTSIDE = TOP + ENDING
pytestmark = pytest.mark.xdist_group("lint")    # converted once


# The same text but for its widths.
@pytest.fixture(scope="module", params=["w16a16", pytest.param("w8a8", marks=pytest.mark.full)])
def precision(request):
    return request.param


def converted(tmp_path_factory, precision, hdl):
    """Files of the network with the outside around it, beside its .mem files."""
    directory = tmp_path_factory.mktemp(f"{precision}_{hdl}")
    for name, text in memory_files(configs(precision)).items():
        (directory / name).write_text(text)
    return convert_network(configs(precision), directory, default_build_dir("hdl"), hdl,
                           around=True)


@pytest.fixture(scope="module")
def verilog(tmp_path_factory, precision):
    return converted(tmp_path_factory, precision, "Verilog")


@pytest.fixture(scope="module")
def vhdl(tmp_path_factory, precision):
    return converted(tmp_path_factory, precision, "VHDL")


def verilator_says(files, *waivers, top=OUTSIDE):
    """Warnings of ``--lint-only -Wall``: [(rule, message)]."""
    tools = toolchain.find()
    done = subprocess.run(
        [tools.root / "bin" / "verilator_bin", "--lint-only", "-Wall", "--error-limit", "1000000",
         "--top-module", top, *waivers, *files], capture_output=True, text=True,
        env=tools.environment())
    found = re.findall(r"^%Warning-(\w+): [^\n:]*:\d+:\d+: (.*)$", done.stderr, re.M)
    assert bool(found) == bool(done.returncode), done.stderr[-3000:]
    return found


def test_verilator(verilator, verilog):
    assert verilator_says(verilog, WAIVERS) == []


def test_every_waiver_is_one_rule_at_one_place_and_needed(verilator, verilog, tmp_path):
    waivers = [WAIVER.match(line) for line in WAIVERS.read_text().splitlines()
               if line and not line.startswith(("//", "`"))]
    assert waivers and all(waivers), "a rule, and the words of its message"
    found = verilator_says(verilog) + verilator_says(stage_of_pairs("stem", tmp_path), top="stem")
    for waiver in waivers:
        rule, words = waiver.groups()
        assert any(each == rule and fnmatch(message, words) for each, message in found), words


def test_icarus(verilog):
    available("icarus")
    done = subprocess.run(
        ["iverilog", "-g2005", "-Wall", "-s", OUTSIDE, "-o", "/dev/null", *verilog],
        capture_output=True, text=True, cwd=verilog[0].parent)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_ghdl(vhdl):
    available("ghdl")
    ghdl.analyse(ghdl.find(), vhdl[0].parent, *map(str, vhdl))     # refuses any warning


def yosys_checks(files, top):
    """What Yosys says; no latch, no combinational loop, nothing that two drive or none."""
    return yosys(files[0].parent, f"read_verilog {' '.join(file.name for file in files)}",
                 f"hierarchy -check -top {top}", "proc", "select -assert-none t:$dlatch",
                 "select -clear", "flatten", "check -assert")


def test_yosys(verilog):
    said = yosys_checks(verilog, OUTSIDE)
    assert re.findall(r"^Checking module (\w+)", said, re.M) == [OUTSIDE]
    assert "Found and reported 0 problems." in said


def stage_of_pairs(stage, directory, hdl="Verilog", cycles=1024):
    """Files of a stage whose outputs share multipliers two by two, beside its .mem files."""
    units = plan_network(TABLE, PRECISIONS["w8a8"], cycles, factor=27).units
    members = by_stage(configure_network(units, golden("w8a8").params))[stage]
    for name, text in memory_files(members).items():
        (directory / name).write_text(text)
    return convert_network(members, directory, default_build_dir("hdl"), hdl)


@pytest.mark.parametrize("stage, cycles", [("stem", 1024), ("block_7", 1024), ("head", 16_384)])
@pytest.mark.parametrize("hdl", ["Verilog", "VHDL"])
def test_stages_of_pairs(tmp_path, hdl, stage, cycles):
    """Words of one product and of many, and an output without a partner."""
    files = stage_of_pairs(stage, tmp_path, hdl, cycles)
    if hdl == "VHDL":
        available("ghdl")
        ghdl.analyse(ghdl.find(), tmp_path, *map(str, files))
        return
    available("verilator")
    assert verilator_says(files, WAIVERS, top=stage) == []
    assert "Found and reported 0 problems." in yosys_checks(files, stage)


@pytest.mark.parametrize("fault, rule", [
    ("wire spare;\n", "UNUSEDSIGNAL"), ("wire [3:0] spare = clk;\n", "WIDTHEXPAND"),
    ("wire [1:0] spare = s_axis_tdata;\n", "WIDTHTRUNC"),
    ("reg spare;\nalways @* if (rst) spare = clk;\n", "LATCH")])
def test_verilator_would_tell(verilator, verilog, tmp_path, fault, rule):
    head = next(file for file in verilog if file.stem == STAGES[-1])
    planted = tmp_path / head.name
    planted.write_text(head.read_text().replace("endmodule", fault + "endmodule"))
    files = [planted if file == head else file for file in verilog]
    assert rule in {each for each, _ in verilator_says(files, WAIVERS, top=head.stem)}


def test_a_missing_yosys_is_no_finding(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ToolError, match="^Yosys is not installed: pip install "):
        yosys(tmp_path, "stat")


@pytest.mark.parametrize("fault, finding", [
    ("reg spare;\nalways @* if (a) spare = b;\nassign q = spare;\n",
     r"selection is not empty: t:\$dlatch"),
    ("wire spare;\nassign spare = !(q & a);\nassign q = !(spare & b);\n",
     "found logic loop in module planted"),
    ("wire spare;\nassign q = spare & a;\n", r"spare is used but has no driver")])
def test_yosys_would_tell(tmp_path, fault, finding):
    (tmp_path / "planted.v").write_text(
        f"module planted (input a, input b, output q);\n{fault}endmodule\n")
    with pytest.raises(YosysError, match=finding):
        yosys_checks([tmp_path / "planted.v"], "planted")
