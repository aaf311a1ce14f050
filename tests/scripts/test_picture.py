"""The pictures are the code's: the stored ones are up to date, and what they show is right."""
import ast
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from hdl.layers import layer_table, stages
from scripts.picture import __main__ as command
from scripts.picture import chain, examples, structure, timing
from scripts.picture.__main__ import main
from scripts.shared.checkout import docs_folder
from tests.support.blocks import stream_pair, two_slices

DOCS = docs_folder()
HARDWARE = DOCS.parent / "hdl"
BLOCKS = examples.blocks()
TIMING = timing.examples()
# Blocks of one process or of wires alone, of which a sentence says as much as a picture, and a unit
# of additions, which is what its graph is.
NOT_DRAWN = {
    "connect", "ram", "fifo_control", "field", "unpack", "pack", "register",
    "shift_register", "counter", "count_down", "accumulator", "round_and_clip",
    "saturating_add", "add_control", "mac_finish", "words_between", "follow_place",
    "choose_step", "row_place", "bank_address", "turn_threes", "window_control",
    "walk_counters", "keep_place", "window_mux", "bank_writer",
    "tile_arrival", "window_position", "cut_out",
    "choose", "from_bytes", "row_delay", "tile_known", "tile_borders", "keep_borders",
    "add_elements", "tile_alone", "constant_control", "mobilenet_v2",
    "hold_beat", "repair_patience", "repair_step", "repair_state", "repair_place", "repair_verdict",
    "pixels_of_bytes", "number_of_byte", "mark_frames",
    "lone_dot", "join", "part",
    "adder_array", "adder_graph", "constants", "cut_window", "scale_pixel", "scale_constant"}
STALE = "is not what the code says: run python -m scripts.picture"


def stored(name):
    """The text of a picture in docs/."""
    return Path(DOCS, name).read_text(encoding="utf-8")


def words(svg):
    """All lines of text in a picture."""
    return [element.text for element in ElementTree.fromstring(svg).findall(".//{*}text")]


def names(folder):
    """Pictures in a folder of docs/."""
    return {file.stem for file in Path(DOCS, folder).glob("*.svg")}


def test_chain_is_up_to_date():
    assert stored("chain.svg") == chain.draw(layer_table()), f"chain.svg {STALE}"


@pytest.mark.parametrize("alpha, resolution", [(1.0, 224), (0.35, 33), (1.4, 96)])
def test_every_stage_is_drawn(alpha, resolution):
    table = layer_table(alpha, resolution)
    svg = chain.draw(table)
    assert [word for word in words(svg) if word in stages(table)] == list(stages(table))
    shortcuts = [path for path in ElementTree.fromstring(svg).findall(".//{*}path")
                 if path.get("stroke") == chain.ARC]
    assert len(shortcuts) == 10 + 1     # and the legend's


@pytest.mark.parametrize("name", BLOCKS)
def test_structure_is_up_to_date(name):
    comment = structure.mark(structure.describe(*BLOCKS[name]))
    assert comment in stored(f"blocks/{name}.svg"), f"blocks/{name}.svg {STALE}"


def test_every_block_is_drawn():
    """Or is among those too small to draw; there is no picture of a block that is no more."""
    written = {function.name
               for folder in ("blocks", "units") for file in (HARDWARE / folder).glob("*.py")
               for function in ast.parse(file.read_text()).body
               if isinstance(function, ast.FunctionDef)
               and any(getattr(mark, "id", None) == "block" for mark in function.decorator_list)}
    assert written == BLOCKS.keys() | NOT_DRAWN
    assert not BLOCKS.keys() & NOT_DRAWN
    assert names("blocks") == BLOCKS.keys()


def test_structure_of_a_chain_of_two():
    ports = {**stream_pair(), "link": stream_pair()["s_axis"]}
    description = structure.describe(two_slices, ports)
    assert '"box block_1" -> "box register_slice" [label="" penwidth' in description
    assert '"port link" [shape=plaintext label=<<b>link</b><br/>4 × 7 bits>]' in description
    assert structure.mark(description) != structure.mark(
        structure.describe(two_slices, {**ports, "link": stream_pair(8)["m_axis"]}))


def test_structure_shows_streams_and_groups():
    """What the reader of three pictures must find: parts, their numbers, the beats between."""
    assert {"gather", "wait", "waiting", "12 × 8 bits"} <= set(words(stored("blocks/link.svg")))
    assert "memories × 9" in words(stored("blocks/line_buffer.svg"))
    assert "2 × 2 pixels of 3 × 9 bits" in words(stored("blocks/tile_windows.svg"))


@pytest.mark.parametrize("name", TIMING)
def test_timing_is_up_to_date(name):
    assert stored(f"timing/{name}.svg") == timing.draw(name, TIMING[name]), \
        f"timing/{name}.svg {STALE}"


def test_only_these_timings():
    assert names("timing") == TIMING.keys()


def test_what_is_recorded():
    """A register slice whose sink stalls in cycles 3, 4 and 5, worked out by hand."""
    seen = timing.record(TIMING["register_slice"])
    assert [row[0] for row in seen["s_axis"]] == [1] * 10 + [0] * 2
    assert [row[1] for row in seen["s_axis"]] == [1] * 4 + [0] * 3 + [1] * 5
    moved = [(cycle, *row[2]) for cycle, row in enumerate(seen["m_axis"]) if row[0] and row[1]]
    assert moved == [(1, 1), (2, 2), (6, 3), (7, 4), (8, 5), (9, 6), (10, 7)]


def test_out(tmp_path):
    """Without Graphviz too; a picture of somebody else's stays."""
    (tmp_path / "timing").mkdir()
    (tmp_path / "timing" / "own.svg").write_text("")
    result = CliRunner().invoke(main, ["chain", "timing", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    written = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.svg")}
    assert written - {"timing/own.svg"} == {"chain.svg", *(f"timing/{name}.svg" for name in TIMING)}
    assert (tmp_path / "timing" / "own.svg").read_text() == ""
    written.remove("timing/own.svg")
    assert all((tmp_path / name).read_text(encoding="utf-8") == stored(name) for name in written)


def test_pictures_of_what_is_no_more_leave_the_documentation(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "docs_folder", lambda: tmp_path)
    (tmp_path / "timing").mkdir()
    (tmp_path / "timing" / "gone.svg").write_text("")
    result = CliRunner().invoke(main, ["timing"])
    assert result.exit_code == 0, result.output
    assert {file.stem for file in (tmp_path / "timing").iterdir()} == set(TIMING)


def test_refuses_a_missing_folder(tmp_path):
    result = CliRunner().invoke(main, ["chain", "--out", str(tmp_path / "no")])
    assert result.exit_code == 2 and "No such file or directory" in result.stderr


def test_refuses_without_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["blocks", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr == ("Error: Graphviz, which places the boxes of a picture, is not "
                             "installed: sudo apt-get install graphviz\n")


def test_tidy():
    """Graphviz's version and node names do not stay in the picture."""
    svg = ('<?xml?>\n<!-- Generated by graphviz 2.43 -->\n<svg width="9">\n<title>%3</title>\n'
           '<!-- a&#45;&gt;b -->\n<g/>\n</svg>\nWarning: no font\n')
    assert structure.tidy("fifo", svg, "<!-- from 1 -->") == (
        '<svg width="9">\n<!-- from 1 -->\n<title>fifo</title>\n<g/>\n</svg>\n')
