"""A network with video around it, exported: the bench sends every fault there is, and tells one
that the hardware does not mend."""
import re

import pytest

from hdl.beats import tiled
from hdl.blocks.frame_repair import FAULTS
from hdl.convert.network import TOP
from hdl.export.block import with_video
from hdl.export.film import GARBAGE, script
from hdl.layers import PRECISIONS
from tests.support.exported import CYCLES, LANGUAGE, check, exported, made, passes, run, small
from tests.support.networks import golden
from tests.support.reference import reference

PATIENCE = 200


def filmed(rng, tile=1):
    """A stem of few pixels with video around it."""
    block, photo, outputs = small(rng, tile)
    return with_video(block, photo, PATIENCE, outputs)


@pytest.mark.parametrize("tool, tile", [
    ("icarus", 2), ("ghdl", 1), pytest.param("icarus", 1, marks=pytest.mark.full),
    pytest.param("ghdl", 2, marks=pytest.mark.full),
    pytest.param("verilator", 1, marks=pytest.mark.full)])
def test_every_fault_is_mended(tmp_path, rng, tool, tile):
    block = filmed(rng, tile)
    directory = exported(tmp_path, block, LANGUAGE[tool])
    found = block.film.script
    assert found.faults == ("short_line", "long_line", "outside", "early_start", "silence")
    assert passes(tool, directory, frames=2, seed=3)[:2] == (
        2 * len(found.shots), 2 * len(found.takes) * block.constants()["M_AXIS_BEATS"])
    page = (directory / "README.md").read_text()
    assert "| `frame_error` | out | 5 |" in page and "AXI4-Stream Video" in page


BROKEN = {  # file of the converted text, what is changed in it, what the bench then says
    "a mark that is lost": ("mark_frames", r"m_axis_tuser = .*;", "m_axis_tuser = 0;",
                            "tuser, which says that a frame is damaged, is 0 with beat 71"),
    "a mark too many": ("mark_frames", r"m_axis_tuser = .*;", "m_axis_tuser = s_axis_tlast;",
                        "tuser, which says that a frame is damaged, is 1 with beat 35"),
    "no patience": ("repair_patience", r"repair_waited = .*;", "repair_waited = 0;",
                    "frame_error is 10111, not 11111"),
    "not black": ("frame_repair", "repair_fill [?] 0 : beat_data", "beat_data", ": expected ")}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_not_mended_is_told(tmp_path, rng, fault):
    directory = exported(tmp_path, filmed(rng), "Verilog")
    name, pattern, instead, words = BROKEN[fault]
    file = next(directory.glob(f"rtl/{name}_*.v"))
    text, count = re.subn(pattern, instead, file.read_text())
    assert count == 1
    file.write_text(text)
    status, said = check("icarus", directory)
    assert status != 0 and words in said and "PASS" not in said, said


def test_frames_that_have_hardly_a_place_for_a_fault():
    """What leaves is whole frames of the photo's beats and of black, as the shots say."""
    for rows, columns in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 5)):
        found = script(rows, columns)
        assert set(found.faults) == set(FAULTS) - ({"short_line"} if columns == 1 else set()) \
            - ({"early_start", "silence"} if rows * columns == 1 else set())
        assert sum(shot.first for shot in found.shots) == len(found.takes)
        assert not found.takes[0].damaged and all(
            take.kept.all() for take in found.takes if not take.damaged)
        assert all(shot.place in range(rows * columns) or shot.place == GARBAGE
                   for shot in found.shots)


def test_lint(tmp_path, rng, verilator):
    directory = exported(tmp_path, filmed(rng), "Verilog")
    status, said = run("verilator", "verilator --lint-only -Wall lint.vlt -f files.f", directory)
    assert status == 0 and "%" not in said, said


@pytest.mark.parametrize("name, cycles", [("block_1", CYCLES), ("stem", 64)])
def test_what_has_no_video_is_refused(name, cycles):
    block = made(cycles=cycles)[name]
    with pytest.raises(ValueError, match=f"video goes around .* {name} does not: give the chain"):
        with_video(block, golden("w8a8").image, PATIENCE, tiled)


@pytest.mark.full
@pytest.mark.parametrize("cycles", [CYCLES, 64])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("tool", LANGUAGE)
def test_the_chain(tmp_path, tool, precision, cycles):
    network = reference(precision)
    chain = made(precision, cycles=cycles)[TOP]
    block = with_video(chain, golden(precision).image, 10 * CYCLES,
                       lambda photo: network.fixed(photo)[chain.configs[-1].name])
    directory = exported(tmp_path, block, LANGUAGE[tool])
    passes(tool, directory)
    if tool == "verilator":
        status, said = run(tool, "verilator --lint-only -Wall lint.vlt -f files.f", directory)
        assert status == 0 and "%" not in said, said
