"""Conversion of the network and its stages: repeatable to the byte, by name, kept."""
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hdl.convert import network as convert
from hdl.convert.network import TOP, cached, convert_network, convert_stages
from hdl.layers import PRECISIONS
from hdl.myhdl_fixes.elaborate import _Frame
from hdl.plan.config import by_stage, configure_network, memory_files
from hdl.plan.network import plan_network
from tests.support.networks import STAGES, TABLE, configs, golden, plan, stage

ROOT = Path(__file__).resolve().parents[3]
STAGE = "block_2"   # expand, depthwise, project and add


def test_the_same_bytes_in_every_process(tmp_path):
    """MyHDL collects signals in sets, whose order PYTHONHASHSEED shuffles."""
    def digest(files):
        return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()

    def elsewhere(seed):
        script = ("import sys; from tests.support.networks import stage\n"
                  "from hdl.convert.network import convert_stages\n"
                  f"print(*convert_stages(stage({STAGE!r}), sys.argv[1]))")
        folder = tmp_path / str(seed)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed)})
        assert done.returncode == 0, done.stderr
        return digest(done.stdout.split())

    first, again = (digest(convert_stages(stage(STAGE), tmp_path)) for _ in range(2))
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


def test_a_stage_shows_its_units_and_streams_by_name(tmp_path):
    *parts, own = convert_stages(stage(STAGE), tmp_path)
    text = own.read_text()
    assert re.findall(r"^module (\w+)", text, re.M) == [STAGE]
    header = re.search(r"^module .*?\);", text, re.M | re.S)[0]
    ports = re.findall(r"\b(\w+)(?:,|\);)", header)
    assert ports == ["clk", "rst", *(f"{side}_axis_{member}" for side in "sm"
                                     for member in ("tdata", "tvalid", "tready"))]
    assert re.findall(r"^(\w+) \w+ \(", text, re.M)[-3:] == [
        f"{STAGE}_expand_pointwise", f"{STAGE}_depthwise", f"{STAGE}_project_pointwise"]
    for unit in ("expand", "depthwise", "project"):
        assert f"{unit}_axis_tdata" in text
    read = re.findall(r'#\(.*"(\w+)\.mem"', "".join(part.read_text() for part in parts))
    assert sorted(read) == sorted(
        f"{STAGE}_{unit}_{content}" for unit in ("expand", "depthwise", "project")
        for content in ("weights", "scales"))


def test_the_top_joins_every_stage_by_name(tmp_path):
    *_, top = convert_stages(configs("w8a8"), tmp_path)
    text = top.read_text()
    assert re.findall(r"^(\w+) (\w+)_stage \(", text, re.M) == [(name, name) for name in STAGES]
    grouped = by_stage(configs("w8a8"))
    inner = [members[-1].unit.name for members in grouped.values()][:-1]
    links = re.findall(r"\.(s|m)_axis_tdata\((\w+)_tdata\)", text)
    assert [link for side, link in links if side == "s"] == ["s_axis", *inner]
    assert [link for side, link in links if side == "m"] == [*inner, "m_axis"]
    widths = {name.removesuffix("_tdata"): int(high) + 1
              for high, names in re.findall(r"^wire \[(\d+):0\] ([^;]*);", text, re.M)
              for name in re.findall(r"\w+", names)}
    for members in list(grouped.values())[:-1]:
        assert widths[members[-1].unit.name] == members[-1].stream_out().width


def test_every_module_has_a_file_and_comes_after_its_parts(tmp_path):
    some = tuple(config for name in ("stem", "expanded_conv") for config in stage(name))
    files = convert_network(some, tmp_path, tmp_path / "cache")
    assert [file.stem for file in files][-1] == TOP
    assert {"stem", "expanded_conv"} <= {file.stem for file in files}
    known = set()
    for file in files:
        text = file.read_text()
        assert re.findall(r"^module (\w+)", text, re.M) == [file.stem]
        parts = set(re.findall(r"^ *(\w+) (?:#\(.*?\) )?\w+ \((?:\n|\.)", text, re.M)) - {"module"}
        assert parts <= known
        known.add(file.stem)


def test_converted_networks_are_kept(tmp_path, monkeypatch):
    members, cache = stage("stem"), tmp_path / "cache"
    first = [file.read_bytes() for file in convert_network(members, tmp_path, cache)]
    assert [folder.name for folder in cache.iterdir() if folder.is_dir()] == [
        cached(members, cache).name]

    def never(*arguments):
        raise AssertionError("converted again")

    monkeypatch.setattr(convert, "convert_stages", never)
    again = tmp_path / "again"
    again.mkdir()
    assert [file.read_bytes() for file in convert_network(members, again, cache)] == first
    with pytest.raises(AssertionError, match="converted again"):
        convert_network(stage("head"), again, cache)
    assert len([folder for folder in cache.iterdir() if folder.is_dir()]) == 1


def test_the_cache_knows_structures_not_weights(tmp_path):
    """Other weights of the same widths are other .mem files to the same Verilog."""
    members = stage("head")
    params = dict(golden("w8a8").params)
    other = type(params["Conv_1"])(**{**vars(params["Conv_1"]),
                                      "weights": params["Conv_1"].weights[::-1]})
    turned = by_stage(configure_network(plan("w8a8").units, {**params, "Conv_1": other}))["head"]
    assert memory_files(turned) != memory_files(members)
    assert cached(turned, tmp_path) == cached(members, tmp_path)
    wider = configure_network(plan_network(TABLE, PRECISIONS["w8a8"], 4096).units, params)
    assert cached(by_stage(wider)["head"], tmp_path) != cached(members, tmp_path)


def test_memory_files_of_a_stage():
    assert sorted(memory_files(stage(STAGE))) == sorted(
        f"{STAGE}_{role}_{content}.mem" for role in ("expand", "depthwise", "project")
        for content in ("weights", "scales"))
