"""Tables in any terminal."""
import pytest

from hdl.layers import layer_table, stages
from scripts.cosim import stage_table
from scripts.shared.tables import show

STAGES = [*stages(layer_table(1.0, 224))]


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_stages_can_be_told_apart(columns, monkeypatch, capsys):
    """No name and no number is cut, however narrow the terminal."""
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [{"name": name, "shape": [112, 112, 1280], "units": 3, "elements": 16056320 + number,
             "mismatches": 0, "sqnr_db": None} for number, name in enumerate(STAGES)]
    show(stage_table({"alpha": 1.0, "resolution": 224, "precision": "w16a16", "weights": "seeded",
                      "simulator": "verilator", "stages": rows, "units": rows}))
    lines = [line.strip("│ ").split() for line in capsys.readouterr().out.splitlines()]
    found = {words[0]: words for words in lines if words and words[0] in STAGES}
    assert [*found] == STAGES
    for number, words in enumerate(found.values()):
        assert f"{16056320 + number:,}" in words and "infinite" in words
