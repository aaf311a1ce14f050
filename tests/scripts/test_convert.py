"""scripts.convert: what it writes, what it refuses to replace, and that nothing is lost."""
import hashlib
import json

import pytest
from click.testing import CliRunner

from hdl.convert.network import TOP
from scripts import convert
from tests.support.json_page import check

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
pytestmark = [pytest.mark.xdist_group("cosim"), pytest.mark.usefixtures("golden_cache")]


def run(*arguments):
    """The command's result."""
    return CliRunner().invoke(convert.main, list(map(str, arguments)))


def digests(folder):
    """{path: sha256} of all files below."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("hdl", ["verilog", "vhdl"])
def test_the_chain(tmp_path, hdl):
    result = run(*SMALL, "--hdl", hdl, "--out", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    (block,) = summary["blocks"]
    assert block["name"] == TOP and block["folder"] == str(tmp_path / TOP)
    assert block["interval_cycles"] == 1024
    assert block["first_output_cycles"] < block["last_output_cycles"]
    check("scripts.convert", summary)
    assert [path.name for path in tmp_path.iterdir()] == [TOP]
    sources = (tmp_path / TOP / "files.f").read_text().split()
    suffix = "v" if hdl == "verilog" else "vhd"
    assert {f"rtl/{stage}.{suffix}" for stage in ("stem", "head", TOP)} <= set(sources)
    first = digests(tmp_path)
    assert run(*SMALL, "--hdl", hdl, "--out", tmp_path).exit_code == 0     # in its place
    assert digests(tmp_path) == first


def test_a_stage_for_people(tmp_path):
    result = run(*SMALL, "--block", "block_3", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "block_3" in result.stdout and "…" not in result.stdout
    assert (tmp_path / "block_3" / "rtl" / "block_3.v").is_file()


def test_a_prefix_is_on_all_that_a_design_has_once(tmp_path):
    """Of the folder and in it; what describes the folder alone has the names that people know."""
    result = run(*SMALL, "--block", "stem", "--prefix", "cats", "--out", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    (block,) = json.loads(result.stdout)["blocks"]
    assert (block["name"], block["top"]) == ("stem", "cats_stem_axis")
    (folder,) = tmp_path.iterdir()
    assert folder.name == "cats_stem" and block["folder"] == str(folder)
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("cats_")} == {
        "files.f", "lint.vlt", "LICENSE", "README.md"}
    assert {"cats_stem.v", "cats_stem_axis.v", "cats_Conv1_weights.mem", "cats_stem.core"} < names
    core = (folder / "cats_stem.core").read_text()
    assert 'name: "impossible-mobilenet:verilog:cats_stem-alpha0.35-32-w8a8-1024:' in core
    assert run(*SMALL, "--block", "stem", "--prefix", "cats", "--out", tmp_path).exit_code == 0


def test_video_around_it(tmp_path):
    """In a folder of its own name; the network computes what leaves of damaged frames."""
    result = run(*SMALL, "--block", "stem", "--video", "--patience", "700", "--out", tmp_path,
                 "--json")
    assert result.exit_code == 0, result.output
    (block,) = json.loads(result.stdout)["blocks"]
    assert block["top"] == "stem_video"
    (folder,) = tmp_path.iterdir()
    assert folder.name == "stem_video" and (folder / "rtl" / "stem_video.v").is_file()
    assert "PATIENCE = 700;" in (folder / "stem_video_constants.vh").read_text()
    golden = (folder / "stem_video_golden.mem").read_text().splitlines()
    frames = [golden[at:at + len(golden) // 7] for at in range(0, len(golden), len(golden) // 7)]
    assert len({tuple(frame) for frame in frames}) == 5      # good, long, short, two cut off


def test_all_is_every_stage_and_the_chain():
    assert convert.choose("all", ["stem", "head"]) == ["stem", "head", TOP]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    own = tmp_path / "stem" / "thesis.txt"
    own.parent.mkdir()
    own.write_text("years of work")
    result = run(*SMALL, "--block", "stem", "--out", tmp_path)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert "stem is there and was not made by this command" in result.stderr
    assert own.read_text() == "years of work"


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    assert run(*SMALL, "--block", "stem", "--out", tmp_path).exit_code == 0
    before = digests(tmp_path)

    def half(block, directory, cache, hdl):
        (directory / "stem.v").write_text("half")
        raise OSError(28, "No space left on device", "stem.v")

    monkeypatch.setattr(convert, "export", half)
    result = run(*SMALL, "--block", "stem", "--out", tmp_path)
    assert result.exit_code == 2 and "No space left on device" in result.stderr
    assert digests(tmp_path) == before and [path.name for path in tmp_path.iterdir()] == ["stem"]


@pytest.mark.parametrize("arguments, words", [
    (["--block", "block_17"], "there is no block block_17: give all, chain or one of stem, "),
    (["--resolution", "16"], "resolution 16 is too small"),
    (["no/such/photo.png"], "no photo no/such/photo.png"),
    (["--cycles-per-frame", "100"], "give at least 12544"),
    (["--video", "--block", "head"], "--video goes around what takes the image, the chain or "),
    (["--prefix", "my-net"], "the prefix 'my-net' is no name in Verilog and VHDL: give letters, "),
    (["--prefix", "signal"], "the prefix 'signal' is a reserved word of Verilog or VHDL: give "),
])
def test_bad_input_is_one_sentence(tmp_path, arguments, words):
    result = run(*arguments, "--out", tmp_path)
    assert result.exit_code == 2 and words in result.stderr
    assert result.stderr.count("\n") == 1 and not list(tmp_path.iterdir())
