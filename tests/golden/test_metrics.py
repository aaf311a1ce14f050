"""Signal to noise, and the classifier's top."""
import json
import math

import numpy as np
import pytest

from golden.classify import class_name, classify
from golden.metrics import sqnr_db


def test_sqnr_of_known_noise():
    assert sqnr_db(np.full(100, 10.0), np.full(100, 22), 0.5) == pytest.approx(20.0)


def test_sqnr_without_noise_or_signal():
    assert sqnr_db(np.array([1.0, 2.0]), np.array([2, 4], np.uint8), 0.5) == math.inf
    assert sqnr_db(np.zeros(3), np.zeros(3, int), 0.5) == math.inf
    assert sqnr_db(np.zeros(3), np.ones(3, int), 0.5) == -math.inf


def test_classify_pools_then_sorts():
    """Two features, their means 1 and 3, into three classes."""
    features = np.stack([np.full((7, 7), 1.0), np.linspace(0, 6, 49).reshape(7, 7)], axis=-1)
    kernel, bias = np.array([[1.0, 0.0, 500.0], [0.0, 1.0, 100.0]]), np.array([0.0, 0.5, -799.0])
    found = classify(features, kernel, bias, count=2)
    powers = np.exp([1.0, 3.5, 1.0])
    assert [index for index, probability in found] == [1, 0]
    assert found[0][1] == pytest.approx(powers[1] / powers.sum())


def test_class_names_only_from_keras_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert class_name(285) is None
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "imagenet_class_index.json").write_text(
        json.dumps({"285": ["n02124075", "Egyptian_cat"]}))
    assert class_name(285) == "Egyptian_cat" and class_name(1) is None
