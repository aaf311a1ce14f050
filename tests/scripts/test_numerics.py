"""scripts.numerics: its rows against plain arithmetic, its pictures, its refusals."""
import copy
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from golden import build, photo
from golden.metrics import sqnr_db
from hdl.layers import layer_table, precision, weight_bits
from scripts import numerics
from scripts.shared.widths import least_loss
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.reference import reference

SMALL = ["--alpha", "0.35", "--resolution", "32"]
pytestmark = [pytest.mark.xdist_group("numerics"), pytest.mark.usefixtures("golden_cache")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photos."""
    path = tmp_path_factory.mktemp("photos")
    for name in ("rocket.jpg", "moon.png"):
        photo.shipped(name).save(path / f"{name}.png")
    return path


def run(*arguments, code=0):
    """The command's result; its exit status must be as expected."""
    return invoked(numerics.main, *arguments, code=code)


def printed(measurement, *arguments):
    """The rows of its JSON, whose fields are those of the page."""
    document = json.loads(run(measurement, *arguments, "--json").stdout)
    check({"units": "scripts.numerics units", "search": "scripts.numerics search"}.get(
        measurement, "scripts.numerics bits, methods"), document)
    return document["rows"] if measurement != "search" else document


def test_units(folder, tmp_path):
    plot = tmp_path / "units.png"
    rows = printed("units", folder, *SMALL, "--precision", "w8a8", "--views", 1, "--plot", plot)
    table, network = layer_table(0.35, 32), reference("w8a8", 0.35)
    assert [row["unit"] for row in rows] == [unit.name for unit in table]
    images = numerics.pictures(folder, 1, 32)
    floats, fixed = ([getattr(network, kind)(image) for image in images]
                     for kind in ("float", "fixed"))
    for row, unit in zip(rows, table):
        found, wanted = (np.stack([each[unit.name] for each in kind]) for kind in (fixed, floats))
        assert row["all_db"] == pytest.approx(
            sqnr_db(wanted, found, network.scales[unit.name]), abs=0.01)
        limit = max(network.scales[unit.name] * each for each in
                    precision("w8a8").limits(unit.activation))
        assert row["used"] == np.abs(found.astype(int)).max() \
            / max(precision("w8a8").limits(unit.activation))
        assert row["saturated"] == pytest.approx(np.mean(np.abs(wanted) > limit * 1.000001))
        assert (row["weights_db"] is None) == (unit.kind == "residual_add")
        # One unit by itself costs less than all together.
        assert row["output_db"] > rows[-1]["all_db"]
    last = rows[-1]
    step = network.scales["Conv_1"]
    wanted = np.stack([each["Conv_1"] for each in floats])
    assert last["output_db"] == pytest.approx(
        sqnr_db(wanted, np.clip(np.rint(wanted / step), 0, 255), step), abs=0.05)
    with Image.open(plot) as image:
        assert image.width > 500


def test_widths_and_methods(folder, tmp_path):
    plot = tmp_path / "bits.svg"
    rows = printed("bits", folder, *SMALL, "--views", 2, "--widths", "4,8", "--activations", "8",
                   "--methods", "none", "--plot", plot)
    assert [(row["precision"], row["views"], row["methods"]) for row in rows] \
        == [("w4a8", 4, "none"), ("w8a8", 4, "none")]
    weights = sum(unit.weights for unit in layer_table(0.35, 32))
    assert [row["weight_bits"] for row in rows] == [4 * weights, 8 * weights]
    assert rows[0]["sqnr_db"] + 10 < rows[1]["sqnr_db"]
    assert rows[0]["top1_agreement"] is None and "<svg" in plot.read_text()
    rows = printed("methods", folder, *SMALL, "--views", 2, "--precision", "w8a8")
    assert [row["methods"] for row in rows] == ["none", "compensate", "correct",
                                                "compensate+correct"]
    assert rows[0]["sqnr_db"] + 1 < rows[-1]["sqnr_db"]
    network = reference("w8a8", 0.35)
    images = numerics.pictures(folder, 2, 32)
    floats, fixed = (np.stack([getattr(network, kind)(image)["Conv_1"] for image in images])
                     for kind in ("float", "fixed"))
    assert rows[-1]["sqnr_db"] == pytest.approx(
        sqnr_db(floats, fixed, network.scales["Conv_1"]), abs=0.01)


def test_least_loss_is_the_least_of_all():
    """Three units of equal size at every budget, against all widths that there are."""
    table = [unit for unit in layer_table() if unit.name in
             ("block_4_expand", "block_5_expand", "block_6_expand")]
    assert {unit.weights for unit in table} == {32 * 192} | {unit.weights for unit in table[:1]}
    losses = {"block_4_expand": 1e-3, "block_5_expand": 3e-7, "block_6_expand": 2e-4}
    choices = list(itertools.product(range(4, 17), repeat=3))

    def lost(bits):
        return sum(loss / 4 ** (each - 8) for loss, each in zip(losses.values(), bits))

    for budget in range(12, 50):
        bits = least_loss(table, precision("w8a8"), losses, budget * table[0].weights + 1)
        assert lost(bits.values()) == pytest.approx(min(
            lost(each) for each in choices if sum(each) <= budget))
    with pytest.raises(ValueError, match="^293 bits are fewer than .* take: give a budget of at"):
        least_loss(table, precision("w8a8"), losses, 293)


def test_search(folder):
    weights = sum(unit.weights for unit in layer_table(0.35, 32))
    found = printed("search", folder, *SMALL, "--views", 1, "--methods", "none", "--precision",
                    "w8a8", "--budget", 6 * weights)
    row = precision(found["precision"])
    assert {unit["unit"]: unit["bits"] for unit in found["units"]} == {
        unit.name: row.of(unit.name).weight_bits for unit in layer_table(0.35, 32) if unit.weights}
    uniform, mixed = found["rows"]
    assert (uniform["precision"], mixed["precision"]) == ("w6a8", row.name)
    assert 5.9 * weights < mixed["weight_bits"] == weight_bits(layer_table(0.35, 32), row) \
        <= uniform["weight_bits"] == 6 * weights
    assert mixed["sqnr_db"] > uniform["sqnr_db"] + 3
    assert numerics.text("precision", row.name) == f"{row.name.partition(',')[0]}, others by unit"


def test_table_for_people(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    output = run("bits", folder, *SMALL, "--views", 1, "--widths", 8, "--activations", 8).stdout
    assert "compensate+correct" in output and "weight bits" in output


@pytest.mark.parametrize("arguments, words", [
    (["units", "nowhere"], "there is no folder nowhere"),
    (["bits", "--widths", "3"], "precision w3a8 is not one of"),
    (["methods", "--methods", "guess"], "method guess is not one of"),
    (["units", "--alpha", "0.9"], "alpha 0.9 is not one of"),
    (["units", "--precision", "w8a8,add=w4"], "add is no unit with weights: give one of stem"),
    (["search", "--alpha", "0.35", "--budget", "1000"],
     "1000 bits are fewer than 382048 weights of 4 bits take: give a budget of at least 1528192")])
def test_refusals(arguments, words):
    result = run(*arguments, code=2)
    assert words in result.stderr and result.stderr.count("\n") == 1


def test_refuses_a_photo_that_is_none(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    result = run("units", tmp_path, *SMALL, code=2)
    assert f"photo {tmp_path / 'bad.png'} cannot be read" in result.stderr


def test_the_cache_is_the_goldens(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.cache_folder() == tmp_path / "impossible-mobilenet"


@pytest.mark.parametrize("command", numerics.main.commands.values(), ids=lambda each: each.name)
def test_a_cache_of_ones_own(command, monkeypatch, tmp_path):
    """What refuses a cache names the option that gives another."""
    monkeypatch.setenv("MNV2_CACHE_DIR", "elsewhere")
    monkeypatch.setenv("MNV2_BUILD_DIR", "elsewhere")
    invoked(command, "--cache", tmp_path / "here", "--resolution", 31, code=2)
    assert build.cache_folder() == tmp_path / "here"


def test_what_is_left_out_of_a_model_is_told(monkeypatch, capsys):
    made = copy.copy(reference("w8a8", 0.35, 32))
    made.attributes = {**made.attributes, "left_out": "layer resize (Resizing) is left out"}
    monkeypatch.setattr(build, "Reference", lambda *arguments: made)
    assert numerics.quantised(made.network) is made
    assert "layer resize (Resizing) is left out\n" in capsys.readouterr().err
