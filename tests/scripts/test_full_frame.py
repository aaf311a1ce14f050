"""A frame of 224 x 224, every unit's output compared: the README's command in Verilator, which is
quick, and in the slow simulators, half an hour and more each."""
import json

import pytest

from scripts import convert, cosim
from tests.support.commands import invoked
from tests.support.exported import passes
from tests.support.simulators import available

pytestmark = [pytest.mark.xdist_group("full_frame"), pytest.mark.usefixtures("golden_cache")]


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["verilator", *(
    pytest.param(name, marks=pytest.mark.full) for name in ("icarus", "ghdl"))])
def test_every_unit(tool, monkeypatch):
    available(tool)
    monkeypatch.delenv("MNV2_OPTIMISE")     # compiled as users have it
    summary = json.loads(invoked(cosim.main, "--simulator", tool, "--json").stdout)
    assert summary["ok"] and summary["off_schedule"] == summary["input_stalls"] == 0
    assert sum(stage["elements"] for stage in summary["stages"]) == 6_894_496
    assert summary["latency_cycles"] == 125_810


@pytest.mark.full
@pytest.mark.parametrize("tool", ["icarus", "verilator"])
def test_bench_without_python(tmp_path, tool):
    invoked(convert.main, "--out", tmp_path)
    beats_in, beats_out, cycles = passes(tool, tmp_path / "mobilenet_v2", seed=0)
    assert (beats_in, beats_out, cycles) == (50_176, 31_360, 125_810)
