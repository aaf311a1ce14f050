"""ImageNet-trained weights, from the directory that $MNV2_WEIGHTS_DIR names."""
import functools
import os
from pathlib import Path

import pytest

from golden import photo
from golden.build import Reference
from golden.classify import classify
from golden.metrics import sqnr_db
from golden.model import classifier
from tests.golden_reference import REAL_WEIGHTS

CLASSIFIER = "mobilenet_v2_1.0_224.weights.h5"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(
    "MNV2_WEIGHTS_DIR" not in os.environ,
    reason="set MNV2_WEIGHTS_DIR to a directory of MobileNetV2 weights files")]


@functools.cache
def network(name, precision="w16a16"):
    """A 224 x 224 network with trained weights."""
    return Reference(REAL_WEIGHTS[name], 224, precision,
                     Path(os.environ["MNV2_WEIGHTS_DIR"], name))


def last_sqnr(reference, image):
    """Signal to noise of the features, in dB."""
    return sqnr_db(reference.float(image)["Conv_1"], reference.fixed(image)["Conv_1"],
                   reference.scales["Conv_1"])


@pytest.mark.parametrize("name", REAL_WEIGHTS)
def test_features_of_16_bits(name):
    assert last_sqnr(network(name), photo.load_photo(None, 224)) > 50


def test_features_of_8_bits():
    assert last_sqnr(network(CLASSIFIER, "w8a8"), photo.load_photo(None, 224)) > 8


@pytest.mark.parametrize("name, index", [("chelsea", 285), ("coffee", 967)])
@pytest.mark.parametrize("precision", ["w16a16", "w8a8"])
def test_fixed_point_classifies_whole_photos(name, index, precision):
    reference = network(CLASSIFIER, precision)
    image = photo.fit(photo.shipped(name), 224)
    features = reference.fixed(image)["Conv_1"] * reference.scales["Conv_1"]
    top = classifier(Path(os.environ["MNV2_WEIGHTS_DIR"], CLASSIFIER))
    assert classify(features, *top)[0][0] == index


def test_nothing_saturates_on_a_photo_the_calibration_has_not_seen():
    fixed = network(CLASSIFIER).fixed(photo.fit(photo.shipped("rocket"), 224))
    for name, values in fixed.items():
        if name.endswith(("project", "add")):
            assert values.max() < (1 << 17) - 1 and values.min() > -(1 << 17), name
