"""The picture of the chain is the layer table's, and the one in the repository is up to date."""
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from hdl.layers import layer_table, stages
from scripts.picture import ARC, CHAIN, draw, main


def test_stored_picture_is_up_to_date():
    assert CHAIN.read_text(encoding="utf-8") == draw(layer_table())


@pytest.mark.parametrize("alpha, resolution", [(1.0, 224), (0.35, 33), (1.4, 96)])
def test_every_stage_is_drawn(alpha, resolution):
    table = layer_table(alpha, resolution)
    root = ElementTree.fromstring(draw(table))
    words = [element.text for element in root.findall(".//{*}text")]
    assert [word for word in words if word in stages(table)] == list(stages(table))
    shortcuts = [path for path in root.findall(".//{*}path") if path.get("stroke") == ARC]
    assert len(shortcuts) == 10 + 1     # and the legend's


def test_out(tmp_path):
    out = tmp_path / "chain.svg"
    assert CliRunner().invoke(main, ["--out", str(out)]).exit_code == 0
    assert out.read_bytes() == CHAIN.read_bytes()


def test_refuses_a_missing_folder(tmp_path):
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "no" / "chain.svg")])
    assert result.exit_code == 2 and "No such file or directory" in result.stderr
