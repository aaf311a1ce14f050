"""Parameters learnt from sampled inputs: exact sums, Keras's own units, methods that pay."""
import functools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from golden import graph, learn
from golden.build import Reference
from golden.calibration import METHODS, Calibration
from golden.errors import GoldenError
from golden.fixed import unit_outputs
from golden.metrics import sqnr_db
from golden.network import Network
from golden.photo import fit, load_photo, pixels_to_integers, shipped
from golden.views import SHIPPED
from hdl.layers import layer_table, precision
from tests.support.reference import KEPT, convolve

ALPHA, RESOLUTION = 0.35, 64


@functools.cache
def network(methods=METHODS, name="w8a8"):
    """A small one with seeded weights."""
    return Reference(Network(ALPHA, RESOLUTION, precision(name),
                             calibration=Calibration(methods=methods)), cache_dir=KEPT)


def features(reference, image):
    """dB of the last unit's."""
    return sqnr_db(reference.float(image)["Conv_1"], reference.fixed(image)["Conv_1"],
                   reference.scales["Conv_1"])


@functools.cache
def nodes():
    """Those of the network."""
    return graph.trace(keras.applications.MobileNetV2(
        input_shape=(RESOLUTION, RESOLUTION, 3), alpha=ALPHA, include_top=False, weights=None))


def test_units_by_themselves_equal_the_network():
    """Learning walks unit by unit; the golden runs Keras's model."""
    reference, row = network(), precision("w8a8")
    fixed = reference.fixed(load_photo(None, RESOLUTION))
    for name, node in nodes().items():
        found = unit_outputs(node, reference.params.get(name), row,
                             [fixed[source][None] for source in node.sources])
        assert found.dtype == fixed[name].dtype and (found[0] == fixed[name]).all(), name


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("name", ["Conv1", "block_1_depthwise", "block_2_depthwise",
                                  "block_2_expand"])
def test_sampled_inputs_times_weights_are_the_sums(name, size, rng):
    """All positions of two photos, for each kind, stride and padding."""
    model = keras.applications.MobileNetV2(
        input_shape=({"Conv1": size}.get(name, 2 * size) * 4 + 32,) * 2 + (3,), alpha=ALPHA,
        include_top=False, weights=None)
    node = graph.trace(model)[name]
    unit = next(unit for unit in layer_table(ALPHA, model.input.shape[1]) if unit.name == name)
    photos = rng.integers(-99, 99, (2, unit.size_in, unit.size_in, unit.channels_in))
    weights = rng.integers(-99, 99, unit.weight_shape)
    inputs, (totals, count) = learn.sampled(node, photos), learn.totals(node, photos)
    expected = np.stack([convolve(unit, photo, weights) for photo in photos])
    expected = expected.reshape(-1, unit.channels_out)
    sums = np.einsum("knc,kc->nc", inputs, weights) if unit.kind == "depthwise" \
        else np.concatenate(inputs, axis=-1) @ weights
    assert (sums == expected).all() and count == len(expected)
    assert (totals == inputs.sum(axis=1)).all()


def test_fewer_samples_are_drawn_from_all_photos(monkeypatch):
    monkeypatch.setattr(learn, "SAMPLES", 10)
    photos = np.arange(4)[:, None, None, None] * np.ones((4, 16, 16, 8))
    node = nodes()["block_1_expand"]
    found, (totals, count) = learn.sampled(node, photos), learn.totals(node, photos)
    assert found.shape == (1, 10, 8) and set(found[0, :, 0]) == {0, 1, 2, 3}
    assert (totals == 6 * 256).all() and count == 4 * 256


@pytest.mark.slow
def test_each_method_pays():
    """On photos that it was not calibrated with; trained weights (test_golden_real_weights) show
    more."""
    images = [fit(shipped(name), RESOLUTION) for name in ("rocket.jpg", "coins.png", "moon.png")]
    ratio = {methods: np.mean([features(network(methods), image) for image in images])
             for methods in ((), ("correct",), ("compensate",), METHODS)}
    assert all(value > ratio[()] + 0.5 for methods, value in ratio.items() if methods)


def test_the_bias_keeps_the_teachers_mean():
    """Of every channel of a unit before its ReLU6, over the photos it learnt from."""
    reference, plain = network(("correct",)), network(())
    teacher = network((), "w16a16")
    photos = pixels_to_integers(np.stack(list(Calibration().photos(RESOLUTION))))

    def means(reference):
        """Sum, bias and scale of block_1_expand over all photos, in real numbers."""
        model = reference.fixed_model
        source = np.asarray(keras.Model(model.input, model.output["expanded_conv_project"])(
            photos.astype(np.float64), training=False))
        unit = reference.params["block_1_expand"]
        sums = source.reshape(-1, source.shape[-1]).astype(np.int64) @ unit.weights.astype(int)
        step = unit.multiplier / 2.0 ** unit.shift * reference.scales["block_1_expand"]
        return (sums.mean(axis=0) + unit.bias) * step

    wanted = means(teacher)
    assert abs(means(reference) - wanted).max() < 0.02 < abs(means(plain) - wanted).max()


EVERY_BIT = """
import hashlib
from golden import learn
from golden.build import Reference
from golden.network import Network
from hdl.layers import precision

seen, compensated = hashlib.sha256(), learn.compensated

def watched(covariance, steps, limit):
    integers = compensated(covariance, steps, limit)
    for values in (covariance, integers):
        seen.update(values.tobytes())
    return integers

learn.compensated = watched
for unit in Reference(Network(0.35, 32, precision("w8a8"))).params.values():
    for values in (unit.weights, unit.bias, unit.multiplier, unit.shift):
        seen.update(values.tobytes())
print(seen.hexdigest())
"""


@pytest.mark.slow
def test_parameters_do_not_depend_on_the_processor():
    """Nor on threads: sums that no order changes, and no BLAS where the order counts.  What the
    weights are rounded by is the same to the last bit, since rounding hides most of a difference.
    """
    found = set()
    for threads in ("1", "2"):
        environment = os.environ | {f"{name}_NUM_THREADS": threads for name in (
            "OMP", "OPENBLAS", "TF_INTEROP", "TF_INTRAOP")} | {
            "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX2 FMA3" if threads == "1" else "",
            "OPENBLAS_CORETYPE": "Nehalem" if threads == "1" else "Haswell",
            "TF_ENABLE_ONEDNN_OPTS": threads == "1" and "0" or "1"}
        found.add(subprocess.run([sys.executable, "-c", EVERY_BIT], env=environment, check=True,
                                 capture_output=True, text=True).stdout)
    assert len(found) == 1


def test_photos_of_a_folder(tmp_path):
    for number in range(3):
        shipped("coffee.png").resize((90 + number, 50)).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no photo")
    calibration = Calibration(tmp_path)
    assert calibration.names() == [("0.png", 0), ("1.png", 0), ("2.png", 0)]
    assert [photo.shape for photo in calibration.photos(48)] == [(48, 48, 3)] * 3
    assert calibration.attributes() == {"calibration": "0.png, 1.png, 2.png",
                                        "calibration_views": 3,
                                        "methods": "compensate, correct"}


def test_a_calibration_photo_whose_name_is_no_text(tmp_path):
    """Its name is stored, and refused, escaped."""
    name = os.fsdecode(b"caf\xe9.png")
    shipped("coffee.png").save(tmp_path / name)
    calibration = Calibration(tmp_path)
    assert len(list(calibration.photos(32))) == 1
    assert calibration.attributes()["calibration"] == "caf\\udce9.png"
    (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(GoldenError, match=r"calibration photo caf\\udce9.png cannot be read"):
        list(calibration.photos(32))


def test_photos_to_learn_from_are_drawn_evenly():
    names = [(f"{number}.png", 0) for number in range(480)]
    assert learn.drawn(names) == names[::20] and learn.drawn(names[:7]) == names[:7]


def test_the_usual_photos_are_there_and_leave_some():
    """Half of what is validated with has not been seen."""
    files = {name for name, _ in Calibration().names()}
    assert len(set(SHIPPED) - files) >= len(SHIPPED) / 2
    assert len(list(Calibration().photos(32))) == len(Calibration().names())


@pytest.mark.parametrize("content, words", [
    (None, "there is no folder"), ({}, "holds no photo"),
    ({"bad.png": b"no image"}, "calibration photo bad.png cannot be read")])
def test_refuses_folders(tmp_path, content, words):
    folder = tmp_path / "photos"
    if content is not None:
        folder.mkdir()
        for name, raw in content.items():
            (folder / name).write_bytes(raw)
    with pytest.raises(GoldenError, match=words):
        list(Calibration(folder).photos(32))


def test_refuses_methods():
    with pytest.raises(GoldenError, match="method guess is not one of compensate, correct"):
        Calibration(methods=("guess",))
