"""A frame of 224 x 224 in the slow simulators, every unit's output compared: half an hour and more
each."""
import json

import pytest
from click.testing import CliRunner

from scripts import convert, cosim
from tests.conftest import available
from tests.test_export import LANGUAGE, passes

pytestmark = pytest.mark.full


@pytest.mark.parametrize("tool", ["icarus", "ghdl"])
def test_every_unit(tool):
    available(tool)
    result = CliRunner().invoke(cosim.main, ["--simulator", tool, "--json"])
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["ok"] and summary["off_schedule"] == 0
    assert sum(stage["elements"] for stage in summary["stages"]) == 6_894_496


@pytest.mark.parametrize("tool", LANGUAGE)
def test_bench_without_python(tmp_path, tool):
    hdl = LANGUAGE[tool].lower()
    result = CliRunner().invoke(convert.main, ["--hdl", hdl, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    beats_in, beats_out, cycles = passes(tool, tmp_path / "mobilenet_v2", seed=0)
    assert (beats_in, beats_out, cycles) == (50_176, 31_360, 125_810)
