"""Conversion: repeatable to the byte, a module for each stage, streams under their own names."""
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hdl.convert import network as convert
from hdl.convert.network import cached_stage, convert_network
from hdl.convert.stage import convert_stage
from hdl.convert.top import top_verilog
from hdl.layers import PRECISIONS
from hdl.myhdl_fixes.elaborate import _Frame
from hdl.plan.config import by_stage, configure_network, memory_files
from hdl.plan.network import plan_network
from tests.support.networks import STAGES, TABLE, configs, golden, plan, stage

ROOT = Path(__file__).resolve().parents[3]
STAGE = "block_2"   # expand, depthwise, project and add


def test_the_same_bytes_in_every_process(tmp_path):
    """MyHDL collects signals in sets, whose order PYTHONHASHSEED shuffles."""
    def digest(file):
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()

    def elsewhere(seed):
        script = ("import sys; from tests.support.networks import stage\n"
                  "from hdl.convert.stage import convert_stage\n"
                  f"print(convert_stage(stage({STAGE!r}), sys.argv[1])[-1])")
        folder = tmp_path / str(seed)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)})
        assert done.returncode == 0, done.stderr
        return digest(done.stdout.split()[-1])

    first, again = (digest(convert_stage(stage(STAGE), tmp_path)[-1]) for _ in range(2))
    assert first == again == elsewhere(1) == elsewhere(2)


def test_names_come_in_the_order_of_the_source():
    """Whatever this version of Python thinks of comprehensions and of arguments in closures."""
    def names():
        frame = sys._getframe(1)
        while frame.f_code.co_name != "outer":
            frame = frame.f_back
        return list(_Frame(frame).f_locals)

    def outer(clk, used_inside, s_axis):
        last, first = 1, 2

        def inner():
            return used_inside, first

        seen = [names() for lane in (s_axis, last)]
        return seen[0], inner

    assert outer(1, 2, 3)[0] == ["clk", "used_inside", "s_axis", "last", "first", "inner", "names"]


def test_a_module_for_each_stage_and_its_streams_by_name(tmp_path):
    text = convert_stage(stage(STAGE), tmp_path)[-1].read_text()
    assert re.findall(r"^module (\w+)", text, re.M) == [STAGE]
    ports = re.search(r"\((.*?)\);", text, re.S)[1].replace(" ", "").replace("\n", "").split(",")
    assert ports == ["clk", "rst", *(f"{side}_axis_{member}" for side in "sm"
                                     for member in ("tdata", "tvalid", "tready"))]
    for unit in ("expand", "depthwise", "project"):
        for member in ("tdata", "tvalid", "tready"):
            assert re.search(rf"^(wire|reg) .*\b{unit}_axis_{member}\b", text, re.M), unit
    for rom in ("expand_weights", "expand_scales", "depthwise_weights", "project_scales"):
        assert f'$readmemh("{STAGE}_{rom}.mem"' in text


def test_the_top_joins_every_stage_by_name():
    grouped = by_stage(configs("w8a8"))
    text = top_verilog(grouped)
    assert re.findall(r"^(\w+) (\w+)_stage \(", text, re.M) == [(name, name) for name in STAGES]
    links = re.findall(r"\.(s|m)_axis_tdata\((\w+)_axis_tdata\)", text)
    inner = STAGES[:-1]
    assert [link for side, link in links if side == "s"] == ["s", *inner]
    assert [link for side, link in links if side == "m"] == [*inner, "m"]
    widths = {name: int(high) + 1
              for high, name in re.findall(r"wire \[(\d+):0\] (\w+)_axis_tdata", text)}
    for name, members in grouped.items():
        assert widths["m" if name == STAGES[-1] else name] == members[-1].stream_out().width


def test_a_network_is_a_file_for_each_stage_and_a_top(tmp_path):
    some = tuple(config for name in ("stem", "expanded_conv") for config in stage(name))
    files = [Path(file) for file in convert_network(some, tmp_path, tmp_path / "cache")]
    assert [file.name for file in files] == ["stem.v", "expanded_conv.v", "mobilenet_v2.v"]
    for file in files:
        assert re.findall(r"^module (\w+)", file.read_text(), re.M) == [file.stem]


def test_converted_stages_are_kept(tmp_path, monkeypatch):
    members, cache = stage("stem"), tmp_path / "cache"
    first = Path(convert_network(members, tmp_path, cache)[0]).read_bytes()
    assert [file.name for file in cache.glob("*.v")] == [cached_stage(members, cache).name]

    def never(*arguments):
        raise AssertionError("converted again")

    monkeypatch.setattr(convert, "fill_cache", never)
    again = tmp_path / "again"
    again.mkdir()
    assert Path(convert_network(members, again, cache)[0]).read_bytes() == first
    with pytest.raises(AssertionError, match="converted again"):
        convert_network(stage("head"), again, cache)


def test_the_cache_knows_structures_not_weights(tmp_path):
    """Other weights of the same widths are other .mem files to the same Verilog."""
    members = stage("head")
    params = dict(golden("w8a8").params)
    other = type(params["Conv_1"])(**{**vars(params["Conv_1"]),
                                      "weights": params["Conv_1"].weights[::-1]})
    turned = by_stage(configure_network(plan("w8a8").units, {**params, "Conv_1": other}))["head"]
    assert memory_files(turned) != memory_files(members)
    assert cached_stage(turned, tmp_path) == cached_stage(members, tmp_path)
    wider = configure_network(plan_network(TABLE, PRECISIONS["w8a8"], 4096).units, params)
    assert cached_stage(by_stage(wider)["head"], tmp_path) != cached_stage(members, tmp_path)


def test_memory_files_of_a_stage():
    assert sorted(memory_files(stage(STAGE))) == sorted(
        f"{STAGE}_{role}_{content}.mem" for role in ("expand", "depthwise", "project")
        for content in ("weights", "scales"))
