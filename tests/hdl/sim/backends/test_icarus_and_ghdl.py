"""Icarus and GHDL beside MyHDL: wide streams, every cycle the same, every fault told."""
import importlib.metadata
import shutil

import numpy as np
import pytest

from hdl.beats import pack
from hdl.build import tool_version
from hdl.errors import DeadlockError, ProtocolError, ToolError
from hdl.plan.rom import Rom
from hdl.sim.backends import ghdl, icarus
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Counter, Monitor, Sink, Source, random_pattern
from tests.support import blocks as sim_blocks
from tests.support.bench import agree
from tests.support.simulators import ODD, available
from tests.support.streams import stream


@pytest.fixture(params=["icarus", "ghdl"])
def other_simulator(request):
    return available(request.param)


def two_slices():
    """Two register slices of 990 bits and the stream between them."""
    link = stream(30, 33)
    return Design(sim_blocks.two_slices, {**sim_blocks.stream_pair(30, 33), "link": link},
                  inner=("link",), monitors={"watched": Monitor(link, "", "link")})


def test_wide_streams_move_in_the_cycles_of_myhdl(other_simulator, rng):
    design = two_slices()
    words = pack(rng.integers(-1 << 32, 1 << 32, (60, 30)), 33)
    ends = {"s_axis": Source(words, random_pattern(1, 0.4, 257)),
            "m_axis": Sink(60, random_pattern(2, 0.4, 257))}
    one, other = (simulate(name, design, ends, drain=7) for name in ("myhdl", other_simulator))
    np.testing.assert_array_equal(other["watched"].words, words)
    agree(one, other)
    assert min(one.input_stalls.values()) > 0


def test_a_broken_protocol_is_told(other_simulator):
    design = Design(sim_blocks.changes, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack([[5]], 4)), "m_axis": Sink(9, np.array([1, 1, 0], bool))}
    with pytest.raises(ProtocolError) as told:
        simulate(other_simulator, design, ends)
    assert (told.value.stream, told.value.cycle) == ("m_axis", 2)


def test_a_deadlock_is_told(other_simulator):
    design = Design(sim_blocks.stops, {**sim_blocks.stream_pair(1, 4), "beats": 3})
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}
    with pytest.raises(DeadlockError) as told:
        simulate(other_simulator, design, ends, timeout=50)
    assert (told.value.beats, told.value.cycle) == ({"s_axis": 3, "m_axis": 3}, 52)


def rom_run(simulator, memory, build_dir=None):
    """A weight ROM of two words, read at 0 and 1, with ``memory`` as its file."""
    rom = Rom("content", ((1, -2), (-3, 4)), (5, 7))
    ports = {"s_axis": stream(1, 1, signed=False), "m_axis": stream(1, rom.width, False)}
    design = Design(sim_blocks.rom_reader, {**ports, "rom": rom},
                    memories={"content.mem": rom.mem() if memory is None else memory})
    ends = {"s_axis": Source(pack([[0], [1]], 1)), "m_axis": Sink(2)}
    run = simulate(simulator, design, ends, build_dir=build_dir)
    return run["m_axis"].words[:, 0].tolist()


WORDS = [1 | 126 << 5, 29 | 4 << 5]


def test_a_rom_reads_its_file(other_simulator):
    assert rom_run(other_simulator, None) == WORDS


def test_any_name_of_a_folder(other_simulator, monkeypatch, tmp_path):
    """Of the cache and of temporary files: no name is given to a shell."""
    for name in ("cache", "temporary"):
        (tmp_path / name / ODD).mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary" / ODD))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary" / ODD))
    assert rom_run(other_simulator, None, tmp_path / "cache" / ODD) == WORDS


def test_a_folder_of_temporary_files_that_is_gone(other_simulator, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    tool_version.cache_clear()
    assert rom_run(other_simulator, None, tmp_path) == WORDS


def test_what_is_built_is_only_read(other_simulator, tmp_path):
    """So that a cache that cannot be written to will do; a change of any kind leaves a time."""
    rom_run(other_simulator, None, tmp_path)
    for lock in tmp_path.glob("*.lock"):
        lock.unlink()
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    assert rom_run(other_simulator, None, tmp_path) == WORDS
    assert before == {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}


@pytest.mark.parametrize("memory", ["fc1\n", "fc1\nhi\n", ""])
def test_a_memory_file_that_does_not_fit_is_refused(other_simulator, memory):
    with pytest.raises((ToolError, ProtocolError), match="^(Icarus|GHDL): |m_axis has unknown"):
        rom_run(other_simulator, memory)


def test_a_missing_memory_file_is_refused(other_simulator):
    ports = {"s_axis": stream(1, 8), "m_axis": stream(1, 16)}
    design = Design(sim_blocks.rom_multiply, {**ports, "name": "factors", "values": (1, 200, 3)})
    with pytest.raises(ToolError, match="memory file factors.mem is missing"):
        simulate(other_simulator, design, {"s_axis": Source(pack([[1]], 8)), "m_axis": Sink(1)})


@pytest.mark.parametrize("monitor, sentence", [
    (Monitor(stream(1, 4), "", "nowhere"), "nowhere_tdata"),
    (Monitor(stream(1, 4), "nowhere", "s_axis"), "nowhere"),
    (Monitor(stream(1, 9), "", "s_axis"), "4 bits, not 9|constraints don't match")])
def test_a_monitor_that_does_not_fit_is_refused(other_simulator, monitor, sentence):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4),
                    monitors={"watched": monitor})
    with pytest.raises(ToolError, match=sentence):
        simulate(other_simulator, design, {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)})


def test_a_counter_that_does_not_fit_is_refused(other_simulator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4),
                    counters={"counted": Counter(("nowhere",), ("s_axis_tvalid",))})
    with pytest.raises(ToolError, match="nowhere"):
        simulate(other_simulator, design, {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)})


def test_unknown_bits_are_told(other_simulator, tmp_path):
    """MyHDL's cosimulation reads them as zeros."""
    texts = {"Verilog": "module unknown (input clk, input rst, input [3:0] s_axis_tdata, "
                        "input s_axis_tvalid, output s_axis_tready, output [3:0] m_axis_tdata, "
                        "output m_axis_tvalid, input m_axis_tready);\n"
                        "assign s_axis_tready = 1; assign m_axis_tvalid = 1;\n"
                        "assign m_axis_tdata = 4'b00x0;\nendmodule\n",
             "VHDL": "library ieee;\nuse ieee.std_logic_1164.all;\nuse ieee.numeric_std.all;\n"
                     "entity unknown is port (clk, rst : in std_logic; "
                     "s_axis_tdata : in unsigned(3 downto 0); s_axis_tvalid : in std_logic; "
                     "s_axis_tready : out std_logic; m_axis_tdata : out unsigned(3 downto 0); "
                     "m_axis_tvalid : out std_logic; m_axis_tready : in std_logic);\n"
                     "end entity;\narchitecture rtl of unknown is\nbegin\n"
                     "s_axis_tready <= '1'; m_axis_tvalid <= '1'; m_axis_tdata <= \"00X0\";\n"
                     "end architecture;\n"}

    def write(directory, language):
        file = tmp_path / f"unknown.{language}"
        file.write_text(texts[language])
        return [file], "unknown"

    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4), hdl=write)
    with pytest.raises(ProtocolError, match="stream m_axis has unknown bits, in cycle 0 ") as told:
        simulate(other_simulator, design, {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)})
    assert told.value.rule == "known"


def test_a_missing_simulator_is_one_sentence(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(ToolError, match="^GHDL is not installed: apt-get install ghdl$"):
            ghdl.find()
        with pytest.raises(ToolError,
                           match="^Icarus Verilog is not installed: apt-get install iverilog$"):
            icarus.find()
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(importlib.metadata, "files", lambda name: [])
    with pytest.raises(ToolError, match="^MyHDL is installed without its VPI module's source: "
                       "pip install --force-reinstall myhdl$"):
        icarus.find()
