"""A frame of 224 x 224, every unit's output compared: the README's command in Verilator, which is
quick, and in the slow simulators, half an hour and more each; and one point of the last map a clock
in all of them."""
import json

import pytest

from hdl.plan.tiles import tile_rates
from hdl.sim import SIMULATORS
from scripts import convert, cosim
from tests.support.commands import invoked
from tests.support.exported import passes
from tests.support.simulators import available

pytestmark = [pytest.mark.xdist_group("full_frame"), pytest.mark.usefixtures("golden_cache")]


def cosimulated(monkeypatch, *arguments):
    """The summary of the command, in which all is as it should be."""
    monkeypatch.delenv("MNV2_OPTIMISE", raising=False)  # compiled as users have it
    summary = json.loads(invoked(cosim.main, *arguments, "--json").stdout)
    assert summary["ok"] and summary["products_per_frame"] == 299_494_272
    assert sum(stage["elements"] for stage in summary["stages"]) \
        == 6_894_496 * summary["frames"]
    return summary


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["verilator", *(
    pytest.param(name, marks=pytest.mark.full) for name in ("icarus", "ghdl"))])
def test_every_unit(tool, monkeypatch):
    available(tool)
    summary = cosimulated(monkeypatch, "--simulator", tool)
    assert summary["off_schedule"] == summary["input_stalls"] == 0
    assert summary["latency_cycles"] == 126_056


@pytest.mark.full
@pytest.mark.parametrize("tool", SIMULATORS)
def test_one_point_of_the_last_map_in_every_clock(tool, monkeypatch):
    """The origin's design in every simulator: 6,112,128 products in every cycle."""
    available(tool)
    summary = cosimulated(monkeypatch, "--simulator", tool, "--cycles-per-frame", "49",
                          "--precision", "w8a8")
    assert summary["off_schedule"] == summary["input_stalls"] == 0
    assert (summary["multipliers"], summary["latency_cycles"]) == (6_112_128, 367)


@pytest.mark.full
@pytest.mark.parametrize("cycles", tile_rates(224))
def test_tiles_that_creep(cycles, verilator, monkeypatch):
    """Two frames back to back, which come at their rate; then with stalls on both sides."""
    rate = "--cycles-per-frame", str(cycles), "--precision", "w8a8", "--frames", "2"
    summary = cosimulated(monkeypatch, *rate)
    assert summary["off_schedule"] == summary["input_stalls"] == 0
    assert summary["initiation_interval"] == cycles
    cosimulated(monkeypatch, *rate, "--seed", "1")


@pytest.mark.full
@pytest.mark.parametrize("tool", ["icarus", "verilator"])
def test_bench_without_python(tmp_path, tool):
    invoked(convert.main, "--out", tmp_path)
    beats_in, beats_out, cycles = passes(tool, tmp_path / "mobilenet_v2", seed=0)
    assert (beats_in, beats_out, cycles) == (50_176, 31_360, 126_056)
