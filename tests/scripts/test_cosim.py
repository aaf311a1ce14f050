"""scripts.cosim: what it prints, what it refuses, and that it fails when something differs."""
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pywellen
from click.testing import CliRunner
from PIL import Image

from golden import store
from hdl.layers import layer_table
from hdl.plan import schedule
from hdl.plan.config import configure_network
from hdl.sim import network
from hdl.sim.endpoints import Sink
from scripts import cosim
from scripts.report import work
from scripts.report.results import Made, RunFile
from scripts.report.runs import RunData
from scripts.shared import recording
from tests.support.json_page import check

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
pytestmark = [pytest.mark.xdist_group("cosim"),      # one network, one cache of goldens
              pytest.mark.usefixtures("golden_cache")]


def run(*arguments):
    """The command's result."""
    return CliRunner().invoke(cosim.main, list(arguments))


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A photo of coloured noise, of no square size."""
    path = tmp_path_factory.mktemp("photo") / "noise.png"
    pixels = np.random.default_rng(7).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


def timeless(summary):
    """A summary without what its waves and the time add to it."""
    return {name: value for name, value in summary.items()
            if not name.endswith(("_seconds", "_reused")) and name not in (
                "made", "wave", "trace")}


@pytest.mark.slow
def test_small_network(verilator, photo, tmp_path):
    result = run(photo, *SMALL, "--json", "--record", str(tmp_path / "run.h5"))
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["ok"] is True
    check_recording(recording.read(tmp_path / "run.h5"), summary)
    check("scripts.cosim", summary)
    table = layer_table(0.35, 32)
    assert [unit["name"] for unit in summary["units"]] == [unit.name for unit in table]
    assert [stage["name"] for stage in summary["stages"]] == list(
        dict.fromkeys(unit.stage for unit in table))
    for stage in summary["stages"]:
        assert {"name", "elements", "mismatches", "sqnr_db"} <= set(stage)
        assert stage["mismatches"] == 0 and stage["elements"] == sum(
            unit.pixels_out * unit.channels_out for unit in table if unit.stage == stage["name"])
    assert summary["macs"] == summary["products_per_frame"] == sum(unit.macs for unit in table)
    assert summary["cycles_per_frame"] == 32 * 32
    assert summary["beats"] > 20_000 and summary["off_schedule"] == 0

    seen = run(photo, *SMALL, "--json", "--wave", str(tmp_path / "w.fst"), "--wave-cycles", "90:",
               "--trace", str(tmp_path / "trace.json"))
    assert seen.exit_code == 0, seen.output
    waved = json.loads(seen.stdout)
    assert waved["wave"] == str(tmp_path / "w.fst") and summary["wave"] is None
    assert waved["trace"] == str(tmp_path / "trace.json") and summary["trace"] is None
    assert timeless(waved) == timeless(summary)
    assert {path.suffix for path in tmp_path.iterdir()} == {
        ".fst", ".gtkw", ".sucl", ".json", ".h5"}

    again = run(photo, *SMALL, "--seed", "5")
    assert again.exit_code == 0, again.output
    assert "every element equals its golden" in again.stdout and "(cached)" in again.stdout
    assert "schedule" not in again.stdout


def check_recording(found, summary):
    """A recording is of the run that the summary tells of."""
    assert {**found.summary, "made": None} == {**summary, "made": None}
    assert found.image.shape == (32, 32, 3) and len(found.cycles["s_axis"]) == 32 * 32
    assert sum(len(found.cycles[unit["name"]]) for unit in summary["units"]) == summary["beats"]
    assert int(found.cycles["Conv_1"][-1] - found.cycles["s_axis"][0]) + 1 \
        == summary["latency_cycles"]
    for unit in summary["units"]:
        name, (rows, columns, channels) = unit["name"], unit["shape"]
        assert found.error[name].shape == found.wrong[name].shape == (rows, columns)
        assert found.wrong_channels[name].shape == (channels,)
        assert not found.wrong[name].any() and not found.wrong_channels[name].any()
        assert found.error[name].any()
    # What a report says of it: as many busy cycles as the simulation counted, room for all words.
    drawn = RunData(0, RunFile(Made("run.h5", "", "", "", {}), found))
    for planned, at_work, unit in zip(work.plan_of(found).units, drawn.works, summary["units"],
                                      strict=True):
        if unit["macs"]:
            assert at_work.busy_cycles * planned.folding.multipliers == unit["products"]
    assert len(drawn.fills) > 30 and all(0 < fill.peak <= fill.room for fill in drawn.fills)
    assert all(fill.levels.min() >= 0 and fill.levels[-1] == 0 for fill in drawn.fills)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation")      # of Keras as it saves
def test_units_of_constant_output(verilator, photo, tmp_path):
    """Keras's untrained weights, which fade from block to block until all round to 0, a batch
    norm that lets nothing through, large weights after it, and channels far beyond ReLU6."""
    import keras

    from golden.model import mobilenet_v2
    model = mobilenet_v2(0.35, 32)
    silent = model.get_layer("block_2_depthwise_BN")
    for variable in (silent.gamma, silent.beta):
        variable.assign(variable * 0)
    project = model.get_layer("block_2_project").kernel
    project.assign(project * 1e6)
    dead = model.get_layer("block_3_expand_BN")
    dead.gamma.assign(np.where(np.arange(dead.gamma.shape[0]) < 2, 0, dead.gamma))
    dead.beta.assign(np.resize([1e4, -1e20, 2.0], dead.beta.shape))
    dead.moving_mean.assign(np.resize([0, 0, 0, -1e6, 1e6], dead.beta.shape))
    keras.Sequential([keras.Input((64, 64, 3)), keras.layers.Resizing(32, 32), model]).save(
        tmp_path / "untrained.keras")
    result = run(photo, *SMALL, "--weights", str(tmp_path / "untrained.keras"))
    assert result.exit_code == 0, result.output
    assert "(Resizing) is left out: photos are squeezed to the resolution" \
        in " ".join(result.stdout.split())
    assert "every element equals its golden" in result.stdout


@pytest.mark.slow
def test_pairs(verilator, photo):
    """Two products in each multiplier, wherever there are two outputs of the same inputs."""
    alone, pairs = [json.loads(run(photo, *SMALL, "--precision", "w8a8", *arguments,
                                   "--json").stdout) for arguments in ((), ("--pairs", "27"))]
    assert alone["ok"] and pairs["ok"] and (alone["pairs"], pairs["pairs"]) == (None, 27)
    assert pairs["multipliers"] < 0.7 * alone["multipliers"]
    assert pairs["products_per_frame"] == alone["products_per_frame"]


@pytest.mark.slow
def test_two_frames(verilator, monkeypatch, photo):
    """The steady interval; and a beat that moves in another cycle than scheduled is told."""
    result = run(photo, *SMALL, "--frames", "2")
    assert result.exit_code == 0, result.output
    assert "interval 1,024 cycles between frames, input stalls 0" in " ".join(result.stdout.split())

    monkeypatch.setattr("hdl.plan.schedule.REQUANTIZED", schedule.REQUANTIZED + 1)
    result = run(photo, *SMALL)
    assert result.exit_code == 1 and "NOT as scheduled" in result.stdout


@pytest.mark.slow
def test_a_unit_that_computes_something_twice(verilator, monkeypatch, photo):
    """Products are counted in the simulation, and held against the layer table."""
    macs = {unit.name: unit.macs for unit in layer_table(0.35, 32)}
    monkeypatch.setattr(cosim, "products", lambda configs, run: {
        **network.products(configs, run), "block_3_expand": macs["block_3_expand"] + 8})
    result = run(photo, *SMALL)
    assert result.exit_code == 1
    assert f"unit block_3_expand made {macs['block_3_expand'] + 8:,} products, not " \
        f"{macs['block_3_expand']:,}" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_a_difference_is_told_and_fails(verilator, monkeypatch, photo, tmp_path):
    def corrupted(path):
        golden = read(path)
        golden.fixed["block_3_depthwise"][1, 0, 4] ^= 1
        return golden

    read = store.read
    monkeypatch.setattr(store, "read", corrupted)
    result = run(photo, *SMALL, "--record", str(tmp_path / "run.h5"))
    assert result.exit_code == 1
    found = recording.read(tmp_path / "run.h5")
    assert {name: np.argwhere(wrong).tolist() for name, wrong in found.wrong.items()
            if wrong.any()} == {"block_3_depthwise": [[1, 0]]}
    assert np.flatnonzero(found.wrong_channels["block_3_depthwise"]).tolist() == [4]
    flat = " ".join(result.stdout.split())
    assert "stage block_3, unit block_3_depthwise, frame 0, pixel (1, 0), channel 4: expected" \
        in flat and "NOT equal" in flat
    cycle, wave = re.search(r"in cycle ([\d,]+); the wave around it is (\S+)", flat).groups()
    assert 0 < int(cycle.replace(",", "")) < 20_000 and Path(wave).name == "block_3_depthwise.vcd"


@pytest.mark.slow
def test_a_wrong_weight_is_drawn_where_it_begins(verilator, monkeypatch, photo, tmp_path):
    """The sign of one weight in one unit's memory: the report names the unit, its channel alone,
    and the pixels."""
    def planted(units, params):
        weights = params["block_3_project"].weights.copy()
        place = np.unravel_index(np.abs(weights[:, 5]).argmax(), len(weights))[0]
        weights[place, 5] = -weights[place, 5]
        return configure_network(units, {**params, "block_3_project": replace(
            params["block_3_project"], weights=weights)})

    monkeypatch.setattr(cosim, "configure_network", planted)
    result = run(photo, *SMALL, "--record", str(tmp_path / "run.h5"), "--json")
    assert result.exit_code == 1
    summary = json.loads(result.stdout)
    assert "unit block_3_project, frame 0, pixel" in summary["first_difference"]
    found = recording.read(tmp_path / "run.h5")
    drawn = RunData(0, RunFile(Made("run.h5", "", "", "", {}), found)).drawn()
    unit = drawn["first"]
    assert drawn["units"][unit] == "block_3_project"
    assert [channel for channel, count in enumerate(drawn["maps"]["channels"][str(unit)])
            if count] == [5]
    assert found.wrong["block_3_project"].max() == 1 and found.wrong["Conv_1"].all()
    assert not any(found.wrong[name].any() for name in drawn["units"][:unit])
    check_wave_around(summary)


def check_wave_around(summary):
    """The wave around the first difference shows that element, beside what was expected, in the
    very cycle that is told, and nothing that differs before it."""
    words = re.fullmatch(r"stage (\w+), unit (\w+), frame (\d+), pixel \((\d+), (\d+)\), channel "
                         r"(\d+): expected (-?\d+), got (-?\d+)", summary["first_difference"])
    stage, unit, *place = words.groups()
    frame, row, column, channel, *numbers = map(int, place)
    cycle, path = summary["difference"]["cycle"], Path(summary["difference"]["wave"])
    waves = list(pywellen.Waveform(str(path)).all_vars())
    prefix = f"mobilenet_v2.{stage}.{unit}.m_axis_"
    found = {var.full_name.removeprefix(prefix): var for var in waves
             if var.full_name.startswith(prefix)}
    here = {name: [value for time, value in var.tv if time <= cycle][-1]
            for name, var in found.items()}
    assert (here["tvalid"], here["tready"], here["differs"]) == (1, 1, 1)
    assert [here[axis] for axis in ("frame", "row", "column")] == [frame, row, column]
    value = "value" if "value" in here else f"value_{channel - here['channel']}"
    modulo = 1 << found[value].bitwidth
    assert [here[f"expected_{value}"], here[value]] == [number % modulo for number in numbers]
    assert 1 not in [value for time, value in found["differs"].tv if time < cycle - 20]
    times = [time for var in waves for time, _ in var.tv]
    assert min(times) <= cycle - 200 and cycle < max(times) < cycle + 1000
    view = path.with_suffix(".gtkw").read_text()
    assert f" {cycle} -1 -1" in view
    assert len(re.findall(r"^\+{", view, re.M)) == len(waves)
    assert f"@800200\n-{unit}\n" in view and "@c00200\n-block_3_expand\n" in view   # open, closed


@pytest.mark.slow
def test_a_deadlock_is_one_sentence(verilator, monkeypatch, photo):
    """The sink waits for a beat more than there is."""
    monkeypatch.setattr(network, "Sink", lambda count, *pauses: Sink(count + 1, *pauses))
    result = run(photo, *SMALL)
    assert result.exit_code == 1 and "Traceback" not in result.output
    assert result.stderr.startswith(f"Error: no beat moved for {20 * 32 * 32} cycles, up to cycle ")
    assert result.stderr.count("\n") == 1 and result.stdout == ""


@pytest.mark.parametrize("arguments, words", [
    (["no/such/photo.png"], "no photo no/such/photo.png"),
    (["--weights", "no/such/weights.h5"], "no/such/weights.h5"),
    (["--resolution", "16"], "resolution 16 is too small"),
    (["--alpha", "0.4"], "alpha 0.4 is not one of Keras's"),
    (["--cycles-per-frame", "100"], "give at least 12544"),
    (["--pairs", "27"], "no two products of these widths fit into a multiplier whose wider facto"),
    (["--classify"], "no 1000-class top"),
    (["--record", "no/such/run.h5"], "recording no/such/run.h5 is in no folder that exists"),
    (["--wave", "wave.txt"], "a wave is a .vcd or an .fst file: wave.txt is neither"),
    (["--wave", "no/such/wave.vcd"], "the folder of no/such/wave.vcd is not there: make it first"),
    (["--trace", "trace.txt"], "a trace is a .json file: trace.txt is none"),
    (["--wave", "wave.vcd", "--wave-cycles", "90"], "cycles 90 are not FROM:TO"),
    (["--wave", "wave.vcd", "--wave-cycles", "90:80"], "cycles 90:80 are not FROM:TO"),
])
def test_bad_input_is_one_sentence(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2 and words in result.stderr
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output


def test_unreadable_photo(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"this is no image")
    result = run(str(tmp_path / "photo.png"))
    assert result.exit_code == 2 and "cannot be read" in result.stderr
    assert result.stderr.count("\n") == 1


def test_wrong_weights(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    result = run("--weights", str(tmp_path / "weights.h5"))
    assert result.exit_code == 2 and "weights.h5" in result.stderr
    assert result.stderr.count("\n") == 1
