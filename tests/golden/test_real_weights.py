"""ImageNet-trained weights, from the directory that $MNV2_WEIGHTS_DIR names."""
import functools
import os
from pathlib import Path

import numpy as np
import pytest

from golden import photo
from golden.build import Reference
from golden.calibration import METHODS, Calibration
from golden.classify import classify
from golden.fold import fold
from golden.graph import trace
from golden.metrics import sqnr_db
from golden.model import classifier, float_model
from golden.network import Network
from hdl.layers import PRECISIONS
from tests.support.reference import KEPT, REAL_WEIGHTS, folding_errors

CLASSIFIER = "mobilenet_v2_1.0_224.weights.h5"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    "MNV2_WEIGHTS_DIR" not in os.environ,
    reason="set MNV2_WEIGHTS_DIR to a directory of MobileNetV2 weights files")]


@functools.cache
def network(name, precision="w16a16", methods=METHODS):
    """A 224 x 224 network with trained weights."""
    weights = Path(os.environ["MNV2_WEIGHTS_DIR"], name)
    return Reference(Network(REAL_WEIGHTS[name], 224, PRECISIONS[precision], weights,
                             Calibration(methods=methods)), cache_dir=KEPT)


@functools.cache
def backbone(name):
    """Keras's network with trained weights, small because only the weights matter."""
    return float_model(REAL_WEIGHTS[name], 32, Path(os.environ["MNV2_WEIGHTS_DIR"], name))


def test_every_file_is_tested():
    found = {path.name for path in Path(os.environ["MNV2_WEIGHTS_DIR"]).glob("*.h5")}
    assert found == set(REAL_WEIGHTS)


@pytest.mark.parametrize("name", REAL_WEIGHTS)
def test_folded_units_equal_keras_in_float64(name, rng):
    errors = folding_errors(backbone(name), REAL_WEIGHTS[name], 32, rng)
    assert len(errors) == 52 and max(errors.values()) < 1, errors


@pytest.mark.parametrize("name", REAL_WEIGHTS)
def test_files_have_dead_channels_and_wide_ranges(name):
    """What the next test is about: a file without them would pass it for nothing."""
    units = [fold(node) for node in trace(backbone(name)).values() if node.convolution]
    peaks = np.concatenate([np.abs(weights).max(axis=0) for weights, _ in units])
    assert np.sum(peaks < 1e-6) >= 6 and peaks.min() < 6e-21 and peaks.max() > 37
    assert max(np.abs(bias).max() for _, bias in units) > 32


@pytest.mark.parametrize("name", REAL_WEIGHTS)
@pytest.mark.parametrize("precision", ["w16a16", "w8a8"])
def test_every_weight_and_bias_is_within_half_a_step(name, precision):
    """The step of a channel gives its largest weight the largest integer; that of a dead channel
    is all in its multiplier, which is off by 2^-16 at most."""
    quantised = network(name, precision, ())
    limit = 2 ** (PRECISIONS[precision].weight_bits - 1) - 1
    for unit, node in trace(backbone(name)).items():
        if not node.convolution:
            continue
        weights, bias = fold(node)
        params, scales = quantised.params[unit], quantised.scales
        scale_in, scale_out = scales[node.sources[0]], scales[unit]
        assert ((1 << 15 <= params.multiplier) & (params.multiplier < 1 << 16)).all(), unit
        assert (params.shift >= 1).all(), unit
        integers = params.weights.astype(np.float64)
        by_multiplier = params.multiplier / 2.0 ** params.shift * scale_out / scale_in
        dead = np.abs(integers).max(axis=0) < limit
        step = np.where(dead, by_multiplier, np.abs(weights).max(axis=0) / limit)
        doubt = np.where(dead, 2.0 ** -16, 1e-12)
        assert (np.abs(by_multiplier / step - 1) <= 2.0 ** -16).all(), unit
        assert (np.abs(weights / step - integers) <= 0.5 + np.abs(integers) * doubt).all(), unit
        assert (np.abs(bias / (step * scale_in) - params.bias)
                <= 0.5 + np.abs(params.bias) * doubt).all(), unit


def last_sqnr(reference, image):
    """Signal to noise of the features, in dB."""
    return sqnr_db(reference.float(image)["Conv_1"], reference.fixed(image)["Conv_1"],
                   reference.scales["Conv_1"])


@pytest.mark.parametrize("name", REAL_WEIGHTS)
def test_features_of_16_bits(name):
    assert last_sqnr(network(name), photo.fit(photo.shipped("rocket.jpg"), 224)) > 54


def test_features_of_8_bits():
    assert last_sqnr(network(CLASSIFIER, "w8a8"), photo.fit(photo.shipped("rocket.jpg"), 224)) > 18


@pytest.mark.parametrize("name, index", [("chelsea.png", 285), ("coffee.png", 967)])
@pytest.mark.parametrize("precision", ["w16a16", "w8a8"])
def test_fixed_point_classifies_whole_photos(name, index, precision):
    reference = network(CLASSIFIER, precision)
    image = photo.fit(photo.shipped(name), 224)
    features = reference.fixed(image)["Conv_1"] * reference.scales["Conv_1"]
    top = classifier(Path(os.environ["MNV2_WEIGHTS_DIR"], CLASSIFIER))
    assert classify(features, *top)[0][0] == index


def test_nothing_saturates_on_a_photo_the_calibration_has_not_seen():
    fixed = network(CLASSIFIER).fixed(photo.fit(photo.shipped("rocket.jpg"), 224))
    for name, values in fixed.items():
        if name.endswith(("project", "add")):
            assert values.max() < (1 << 17) - 1 and values.min() > -(1 << 17), name
