"""The command: what it prints, what it writes, how it refuses; and the cache beneath it."""
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from golden import build, photo, store
from golden.calibration import Calibration
from golden.errors import GoldenError
from golden.network import Network
from hdl.layers import PRECISIONS
from scripts.dump_goldens import main
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.reference import reference

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
NETWORK = Network(0.35, 32, PRECISIONS["w8a8"])      # the same


@pytest.fixture(autouse=True)
def shared_network(monkeypatch, tmp_path):
    """The command gets the tests' network of seeded weights, and a cache of its own."""
    original = build.Reference
    monkeypatch.setattr(build, "Reference", lambda network, *rest: reference(
        network.precision.name, network.alpha, network.resolution)
        if (network.weights, network.calibration) == ("seeded", Calibration())
        else original(network, *rest))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(*arguments, code=0):
    """Run the command; its exit status must be as expected."""
    return invoked(main, *arguments, code=code)


def test_dump_then_verify(tmp_path):
    path = tmp_path / "golden.h5"
    summary = json.loads(run(*SMALL, "--out", path, "--json").stdout)
    check("scripts.dump_goldens", summary)
    assert summary["golden"] == str(path) and summary["bytes"] == path.stat().st_size
    assert summary["precision"] == "w8a8" and summary["classes"] is None
    assert 20 < summary["sqnr_db"]["Conv_1"] < 60
    assert run("--verify", path).stdout.endswith("golden.h5: all 334 datasets are equal\n")
    report = json.loads(run("--verify", path, "--json").stdout)
    check("scripts.dump_goldens --verify", report)
    assert report["golden"] == str(path) and report["datasets"] == 334
    assert report["equal"] is True and report["differences"] == []


@pytest.mark.parametrize("group, words", [("fixed", "integers among them"),
                                          ("float", "only Keras's float32 activations")])
def test_verify_tells_what_differs(tmp_path, group, words):
    golden = reference("w8a8", 0.35).golden(photo.load_photo(None, 32))
    values = getattr(golden, group)
    values["Conv1"] = np.where(np.arange(values["Conv1"].size).reshape(values["Conv1"].shape) == 9,
                               1, values["Conv1"]).astype(values["Conv1"].dtype)
    store.write(tmp_path / "golden.h5", golden)
    output = run("--verify", tmp_path / "golden.h5", code=1).stdout
    assert f"1 of 334 datasets differ ({words}" in output and f"{group}/Conv1" in output


def test_the_table_for_people(tmp_path):
    output = run(*SMALL).stdout
    assert "block_16" in output and "1 x 1 x 1280" in output and "written" in output
    assert "reused from the cache" in run(*SMALL).stdout


def test_cache_is_keyed_by_everything(tmp_path):
    first, reused = build.cached(NETWORK, cache_dir=tmp_path)
    assert not reused
    assert build.cached(NETWORK, cache_dir=tmp_path) == (first, True)
    coffee = photo.fit(photo.shipped("coffee.png"), 32)
    image = photo.load_photo(None, 32)
    weights = tmp_path / "weights.h5"
    h5py.File(weights, "w").close()
    folder = tmp_path / "photos"
    folder.mkdir()
    keys, own = set(), replace(NETWORK, calibration=Calibration(folder))
    for colour in ((1, 2, 3), (3, 2, 1)):
        Image.new("RGB", (8, 8), colour).save(folder / "a.png")
        keys.add(build.key(own, image))
    keys |= {build.key(NETWORK, image), build.key(NETWORK, coffee), build.key(NETWORK)}
    keys |= {build.key(replace(NETWORK, **change), image) for change in (
        {"calibration": Calibration(methods=())}, {"precision": PRECISIONS["w16a16"]},
        {"alpha": 1.0}, {"resolution": 33}, {"weights": "imagenet"}, {"weights": weights})}
    assert len(keys) == 11
    assert first.stem == build.key(NETWORK, image)


def test_calibration_is_recorded_and_verified(tmp_path):
    """With photos of one's own, which a verification needs again, and without methods."""
    folder, path = tmp_path / "photos", tmp_path / "golden.h5"
    folder.mkdir()
    photo.shipped("moon.png").resize((64, 64)).save(folder / "moon.png")
    run(*SMALL, "--calibration", folder, "--methods", "none", "--out", path)
    attributes = store.read(path).attributes
    assert (attributes["calibration"], attributes["calibration_views"], attributes["methods"]) \
        == ("moon.png", 1, "none")
    assert "datasets are equal" in run("--verify", path, "--calibration", folder).stdout
    refusal = run("--verify", path, code=2).stderr
    assert "was calibrated with moon.png, not with astronaut.png" in refusal


def test_a_new_photo_takes_the_integers_that_are_there(tmp_path, monkeypatch):
    monkeypatch.undo()
    first, _ = build.cached(NETWORK, cache_dir=tmp_path)
    kept, = tmp_path.glob("*.npz")
    monkeypatch.setattr(build, "quantised", None)
    coffee = photo.fit(photo.shipped("coffee.png"), 32)
    second, reused = build.cached(NETWORK, coffee, cache_dir=tmp_path)
    assert not reused and second != first
    first, second = store.read(first), store.read(second)
    assert {name.split("/")[0] for name in store.differences(first, second)} \
        == {"image", "float", "fixed"}
    kept.write_bytes(kept.read_bytes()[:-1000])
    assert build.read_params(kept) is None


def test_flipped_bits_of_kept_integers(tmp_path):
    """Each is told, or nobody can tell that it was there: in members, in their headers, in the
    archive's directory."""
    stored = store.read(Path(__file__).parents[1] / "goldens" / "w8a8.h5", float=False)
    name = "expanded_conv_depthwise"
    params, scales = {name: stored.params[name]}, {name: stored.scales[name]}
    path = tmp_path / "kept.npz"
    build.write_params(path, scales, params)
    content, told = bytearray(path.read_bytes()), 0
    for bit in range(0, 8 * len(content), 37):
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        content[bit // 8] ^= 1 << bit % 8
        found = build.read_params(path)
        if found is None:
            told += 1
            continue
        assert found[0] == scales and list(found[1]) == [name], bit
        for part in ("weights", "bias", "multiplier", "shift"):
            assert (getattr(found[1][name], part) == getattr(params[name], part)).all(), bit
    assert told > len(content) / 12


def test_a_damaged_cache_is_mended(tmp_path):
    path, _ = build.cached(NETWORK, cache_dir=tmp_path)
    with h5py.File(path, "a") as file:
        file["fixed/Conv1"][0, 0, 0] ^= 1
    assert build.cached(NETWORK, cache_dir=tmp_path) == (path, False)
    assert store.read(path).resolution == 32


def test_a_cache_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GoldenError, match="cannot be made .*: give another folder with --cache$"):
        build.cached(NETWORK, cache_dir=tmp_path / "file" / "cache")


@pytest.mark.parametrize("arguments, words", [
    (["--alpha", "0.6"], "alpha 0.6 is not one of Keras's"),
    (["--resolution", "16"], "resolution 16 is too small"),
    (["/nowhere.png"], "there is no photo /nowhere.png"),
    (["--weights", "/nowhere.h5"], "there is no weights file /nowhere.h5"),
    (["--out", "/nowhere/golden.h5"], "/nowhere/golden.h5 is in no directory there is"),
    (["--verify", "/nowhere.h5"], "there is no golden /nowhere.h5"),
    (["--verify", "/nowhere.h5", "--out", "x.h5"], "--verify reads its photo from the golden"),
    (["--precision", "w8a3"], "precision w8a3 is not one of w4..16 a4..16 l6..18, bits of")])
def test_bad_input_is_one_sentence(arguments, words, tmp_path):
    result = run(*arguments, code=2)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ") and words in last and result.stdout == ""
    assert not list(tmp_path.rglob("*.h5*"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # in Keras's HDF5 code
def test_verify_asks_for_the_weights_file(tmp_path):
    """A golden made from a file names it, and takes no other."""
    from golden.model import float_model, mobilenet_v2
    path = tmp_path / "golden.h5"
    float_model(0.35, 32, "seeded").save_weights(tmp_path / "mine.weights.h5")
    mobilenet_v2(0.35, 32).save_weights(tmp_path / "other.weights.h5")
    run(*SMALL, "--methods", "none", "--out", path, "--weights", tmp_path / "mine.weights.h5")
    assert str(tmp_path) not in str(store.read(path).attributes)
    run("--verify", path, "--weights", tmp_path / "mine.weights.h5")
    assert "was made with the weights file mine.weights.h5: give it again with --weights PATH" \
        in run("--verify", path, code=2).stderr
    assert "are not the ones golden" in run(
        "--verify", path, "--weights", tmp_path / "other.weights.h5", code=2).stderr


def test_help_and_reading_do_not_start_tensorflow():
    """Seconds of start-up, only for those who need them."""
    code = ("import sys, scripts.dump_goldens, golden.build, golden.store, golden.classify; "
            "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)
