"""Exported folders: the bench in each passes without Python, and fails where it should."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hdl.convert.network import TOP
from hdl.export.texts import LANGUAGES
from hdl.layers import PRECISIONS
from hdl.plan.config import memory_files
from tests.support.exported import CYCLES, LANGUAGE, PASS, check, folder, made, passes, run
from tests.support.networks import STAGES
from tests.support.simulators import available


@pytest.mark.parametrize("tool, stage", [
    *((tool, "stem") for tool in LANGUAGE), ("icarus", "block_2"), ("icarus", "head")])
def test_bench_of_a_stage(tmp_path, tool, stage):
    directory = folder(tmp_path, stage, LANGUAGE[tool])
    constants = made()[stage].constants()
    beats = constants["S_AXIS_BEATS"], constants["M_AXIS_BEATS"]
    assert passes(tool, directory)[:2] == beats


# Tiles that creep at so many cycles a frame: only at the output, whose beats the stage's own flush
# makes; only at the input; on both sides, through a stride of 2; to whole tiles.
CREEPING = {(64, "stem"): (None, 1), (64, "expanded_conv"): (1, None), (4, "block_1"): (2, 2),
            (4, "block_3"): (3, None)}


@pytest.mark.parametrize("tool, cycles, stage", [
    ("icarus", 64, "stem"), ("icarus", 64, "expanded_conv"), ("ghdl", 64, "expanded_conv"),
    *(pytest.param(tool, *case, marks=pytest.mark.full) for tool in LANGUAGE
      for case in [(4, "block_1"), (4, "block_3")])])
def test_bench_of_a_stage_whose_tiles_creep(tmp_path, tool, cycles, stage):
    block, creeps = made(cycles=cycles)[stage], CREEPING[cycles, stage]
    assert tuple(stream.creep for stream in block.inner_streams) == creeps
    directory = folder(tmp_path, stage, LANGUAGE[tool], cycles=cycles)
    constants = block.constants()
    words, beats = constants["S_AXIS_WORDS"], constants["M_AXIS_BEATS"]
    assert passes(tool, directory, frames=2)[:2] == (2 * words, 2 * beats)
    page = (directory / "README.md").read_text()
    assert "Tiles creep" in page
    assert [f"| `{side}_tuser` | {way} | 1 |" in page for side, way in (
        ("s_axis", "in"), ("m_axis", "out"))] == [creep is not None for creep in creeps]


@pytest.mark.full
@pytest.mark.parametrize("tool", LANGUAGE)
def test_bench_of_a_chain_of_a_frame_a_clock(tmp_path, tool):
    """Three frames of 32 x 32 pixels a beat, through constants alone."""
    directory = folder(tmp_path, TOP, LANGUAGE[tool], cycles=1)
    assert passes(tool, directory, frames=3)[:2] == (3, 3)


def test_a_wrong_left_over_is_told(tmp_path):
    """A pixel of a tile that leaves a row of beats after it: the first difference has its place."""
    directory, block = folder(tmp_path, "stem", "Verilog", cycles=64), made(cycles=64)["stem"]
    vectors, bits, lanes = directory / "stem_golden.mem", 8, 32
    lines = vectors.read_text().splitlines()
    assert (block.streams[1].tile, block.inner_streams[1].creep, len(lines)) == (2, 1, 64)
    tile, row, column, channel = 10, 1, 0, 5    # in the second row of tiles, its last row
    place = ((row * 2 + column) * lanes + channel) * bits
    lines[tile] = f"{int(lines[tile], 16) ^ 1 << place:0{len(lines[tile])}x}"
    vectors.write_text("\n".join(lines) + "\n")
    status, said = check("icarus", directory)
    assert status != 0 and "frame 0, row 3, column 4, channel 5: expected" in said, said


@pytest.mark.full
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("block", [*STAGES, TOP])
@pytest.mark.parametrize("tool", LANGUAGE)
def test_bench_of_every_block(tmp_path, tool, block, precision):
    passes(tool, folder(tmp_path, block, LANGUAGE[tool], precision))


def test_stalls_are_the_same_in_both_languages(tmp_path):
    found = set()
    for tool in ("icarus", "ghdl"):
        (tmp_path / tool).mkdir()
        directory = folder(tmp_path / tool, "stem", LANGUAGE[tool])
        found.add(passes(tool, directory, seed=7, frames=2))
    assert len(found) == 1


@pytest.mark.full
def test_time_of_the_chain_is_what_its_page_says(tmp_path):
    """Without stalls, from the first beat in to the last one out of the second frame."""
    block, directory = made()[TOP], folder(tmp_path, TOP, "Verilog")
    constants = block.constants()
    beats = constants["S_AXIS_BEATS"], constants["M_AXIS_BEATS"]
    *found, cycles = passes("icarus", directory, seed=0, frames=2)
    assert tuple(found) == (2 * beats[0], 2 * beats[1])
    assert cycles == CYCLES + constants["LAST_OUTPUT_CYCLES"]
    assert f"| {constants['LAST_OUTPUT_CYCLES']:,} |" in (directory / "README.md").read_text()


ELSEWHERE = {   # what starts the simulation, and the same for another folder than the export's
    "icarus": ("vvp -n ", "cd {0} && vvp -n {1}/"),
    "verilator": ("./obj_dir", "cd {0} && {1}/obj_dir"),
    "ghdl": ("ghdl --elab-run ", "cd {0} && ghdl --elab-run --workdir={1} ")}


@pytest.mark.parametrize("tool", [
    "icarus", "ghdl", pytest.param("verilator", marks=pytest.mark.full)])
def test_a_simulation_that_starts_elsewhere(tmp_path, tool):
    """The folder of memories reaches every ROM, two or three levels down, and the vectors."""
    stages = {"stages": STAGES[:2]} if tool == "icarus" else {}
    directory = folder(tmp_path, TOP if stages else "stem", LANGUAGE[tool], **stages)

    def elsewhere(command):
        start, there = ELSEWHERE[tool]
        assert command.count(start) == 1
        return command.replace(start, there.format(tmp_path, directory))

    status, said = check(tool, directory, elsewhere, memory_folder=str(directory))
    assert status == 0 and PASS.search(said), said[-3000:]


def two_networks(tmp_path, hdl):
    """Folders of blocks of the same name and other numbers, a_stem and b_stem, and their files."""
    folders = [folder(tmp_path, "stem", hdl, precision, prefix=prefix)
               for prefix, precision in (("a", "w8a8"), ("b", "w16a16"))]
    assert [each.name for each in folders] == ["a_stem", "b_stem"]
    return folders, " ".join(
        f"{each.name}/{name}" for each in folders
        for name in [*(each / "files.f").read_text().split(), next(each.glob("*_bench.*")).name])


def passed(said):
    """The blocks whose benches pass."""
    return [found[0] for found in PASS.findall(said)]


def test_two_exports_in_one_design_in_verilog(tmp_path):
    """Both benches run at once; either ends first where the other one has more frames."""
    available("icarus")
    (tmp_path / "both.sv").write_text("""\
module both;
parameter integer A = 1, B = 1;
a_stem_bench #(.FRAMES(A), .MEMORY_FOLDER("a_stem")) a ();
b_stem_bench #(.FRAMES(B), .MEMORY_FOLDER("b_stem")) b ();
endmodule
""")
    _, files = two_networks(tmp_path, "Verilog")
    for a, b, first in ((1, 9, "a_stem"), (9, 1, "b_stem")):
        status, said = run("icarus", f"iverilog -g2012 -Ia_stem -Ib_stem -s both -Pboth.A={a} "
                           f"-Pboth.B={b} -o both {files} both.sv && vvp -n both", tmp_path)
        assert status == 0 and passed(said) == [first], said[-3000:]


def test_two_exports_in_one_design_in_vhdl(tmp_path):
    """Both analysed into one library, then each bench, which takes the block of its own."""
    available("ghdl")
    folders, files = two_networks(tmp_path, "VHDL")
    status, said = run("ghdl", f"ghdl -a --std=08 {files}", tmp_path)
    assert (status, said) == (0, "")
    for each in folders:
        status, said = run("ghdl", f"ulimit -s \"$(ulimit -H -s)\" && ghdl --elab-run --std=08 "
                           f"{each.name}_bench --ieee-asserts=disable-at-0 -gSEED=0 "
                           f"-gMEMORY_FOLDER={each.name}", tmp_path)
        assert status == 0 and passed(said) == [each.name], said[-3000:]


def test_two_cores_in_one_design(tmp_path):
    """FuseSoC takes the cores of two networks, whose names tell them apart."""
    available("icarus")
    two_networks(tmp_path, "Verilog")
    cores = [f"impossible-mobilenet:verilog:{name}-1024"
             for name in ("a_stem-alpha1.0-32-w8a8", "b_stem-alpha1.0-32-w16a16")]
    (tmp_path / "both.v").write_text(
        "module both;\nreg clk = 0;\na_stem_axis a (.clk(clk));\nb_stem_axis b (.clk(clk));\n"
        "initial begin #1 $display(\"BOTH\"); $finish; end\nendmodule\n")
    (tmp_path / "both.core").write_text(f"""CAPI=2:
name: ::both:1
filesets:
  rtl: {{files: [both.v], file_type: verilogSource, depend: [{", ".join(cores)}]}}
targets:
  sim: {{filesets: [rtl], toplevel: both, default_tool: icarus, tools: {{icarus: {{}}}}}}
""")
    assert "\nBOTH\n" in fusesoc(tmp_path, "::both:1")


FAULTS = {  # of one language's text only: (pattern, what takes its place)
    "icarus": (r"rounded = \(rounded \+ 1\);", "rounded = rounded;"),
    "ghdl": (r"rounded := \(rounded \+ 1\);", "rounded := rounded;"),
}


@pytest.mark.parametrize("tool", FAULTS)
def test_a_fault_in_one_language_is_told(tmp_path, tool):
    """The rounding of the converted text left out."""
    directory = folder(tmp_path, "stem", LANGUAGE[tool])
    design = next(directory.glob("rtl/round_and_clip_*"))
    text, count = re.subn(*FAULTS[tool], design.read_text(), count=1)
    assert count == 1
    design.write_text(text)
    status, said = check(tool, directory)
    assert status != 0 and "PASS" not in said
    assert re.search(r"FAIL: cycle \d+: frame 0, row \d+, column \d+, channel \d+: expected \w+, "
                     r"got \w+", said), said


@pytest.mark.parametrize("tool", LANGUAGE)
def test_a_wrong_vector_is_told(tmp_path, tool):
    """The first difference is the element that was changed."""
    directory = folder(tmp_path, "stem", LANGUAGE[tool])
    block, vectors = made()["stem"], directory / "stem_golden.mem"
    lines, lanes = vectors.read_text().splitlines(), block.streams[1].lanes
    beat = len(lines) // 2
    lines[beat] = f"{int(lines[beat], 16) ^ 1:0{len(lines[beat])}x}"
    vectors.write_text("\n".join(lines) + "\n")
    status, said = check(tool, directory)
    row, rest = divmod(beat * lanes, 16 * 32)
    column, channel = divmod(rest, 32)
    assert status != 0 and f"row {row}, column {column}, channel {channel}: expected" in said, said


@pytest.mark.parametrize("tool", ["icarus", "ghdl"])
def test_a_beat_too_many_is_told(tmp_path, tool):
    directory = folder(tmp_path, "stem", LANGUAGE[tool])
    constants = next(directory.glob("stem_constants.*"))
    beats = made()["stem"].constants()["M_AXIS_BEATS"]
    text, count = re.subn(rf"(M_AXIS_(?:BEATS|WORDS) .*?){beats};", rf"\g<1>{beats - 1};",
                          constants.read_text())
    assert count == 2
    constants.write_text(text)
    mark_sooner(directory, beats)
    status, said = check(tool, directory)
    assert status != 0 and f"a beat more than {beats - 1}" in said, said


def mark_sooner(directory, beats):
    """Have tlast a beat before the last of a frame of so many."""
    design = next(directory.glob("rtl/to_bytes_*"))
    text, count = re.subn(rf"(m_axis_tlast .*= ){beats - 1}\b", rf"\g<1>{beats - 2}",
                          design.read_text())
    assert count == 1
    design.write_text(text)


@pytest.mark.parametrize("tool", ["icarus", "ghdl"])
def test_a_frame_that_ends_elsewhere_is_told(tmp_path, tool):
    directory = folder(tmp_path, "stem", LANGUAGE[tool])
    beats = made()["stem"].constants()["M_AXIS_BEATS"]
    mark_sooner(directory, beats)
    status, said = check(tool, directory)
    assert status != 0, said
    assert re.search(rf"tlast is '?1'? with beat {beats - 1} of the {beats} of a frame", said), said


@pytest.mark.parametrize("hdl", LANGUAGES)
def test_page_and_constants_are_those_of_the_text(tmp_path, hdl):
    """Every port of the HDL in its order, with direction and bits; every file is there."""
    directory, block = folder(tmp_path, "block_2", hdl), made()["block_2"]
    text = next(directory.glob("rtl/block_2_axis.v*")).read_text()
    if hdl == "Verilog":
        ports = re.findall(r"\b(in|out)put (?:wire|reg) (?:\[(\d+):0\] )?(\w+)[,)]", text)
    else:
        entity = re.search(r"entity block_2_axis is(.*?)end entity", text, re.S)[1]
        ports = [(way, high, name) for name, way, high in re.findall(
            r"(\w+) ?: (in|out|inout) (?:std_logic|unsigned\((\d+) downto 0\))", entity)]
    found = {name: (way, int(high or 0) + 1) for way, high, name in ports}
    assert found == {name: (way, bits) for name, way, bits, _ in block.ports()}
    page = (directory / "README.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (in|out) \| (\d+) \|", page, re.M)
    assert {name: (way, int(bits)) for name, way, bits in rows} == found
    inner = [stream.bits for stream in block.inner_streams]
    assert inner == [12, 12] and all(f"signed, {bits} bits and its sign above" in page
                                     for bits in inner)
    constants = dict(re.findall(r"(\w+)(?: : natural :)? ?= (\d+);", next(
        directory.glob("block_2_constants.*")).read_text()))
    assert {name: int(value) for name, value in constants.items()} == block.constants()
    assert constants["S_AXIS_BITS"] == str(found["s_axis_tdata"][1])
    assert all(found[f"{side}_axis_tdata"][1] % 8 == 0 for side in "sm")
    for name, content in memory_files(block.configs).items():
        assert (directory / name).read_text() == content
    licence = Path(__file__).parents[3] / "LICENSE"
    assert (directory / "LICENSE").read_text() == licence.read_text()
    for name in (directory / "files.f").read_text().split():
        assert (directory / name).is_file()


def test_lint_as_the_page_says(tmp_path, verilator):
    """Of a folder with a prefix, whose output has signs to fill up."""
    directory = folder(tmp_path, "block_2", "Verilog", prefix="net")
    command = "verilator --lint-only -Wall lint.vlt -f files.f"
    assert f"`{command}` says nothing" in (directory / "README.md").read_text()
    status, said = run("verilator", command, directory)
    assert status == 0 and "%" not in said, said    # a warning is a line that begins with it


@pytest.mark.parametrize("tool", ["icarus", "ghdl"])
def test_fusesoc_runs_the_bench(tmp_path, tool):
    available(tool)
    directory = folder(tmp_path, "stem", LANGUAGE[tool])
    core = f"impossible-mobilenet:{LANGUAGE[tool].lower()}:stem-alpha1.0-32-w8a8-1024"
    assert f"--target=sim {core}`" in (directory / "README.md").read_text()
    assert PASS.search(fusesoc(directory, core))


def fusesoc(directory, core):
    """What FuseSoC says of a core that it runs, of those below a folder."""
    command = Path(sys.executable).with_name("fusesoc")     # beside this Python
    state = {f"XDG_{kind}_HOME": str(directory) for kind in ("CACHE", "DATA", "CONFIG")}
    done = subprocess.run([command, "--cores-root", ".", "run", "--target=sim", core],
                          cwd=directory, capture_output=True, text=True,
                          env={**os.environ, **state})
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    return said
