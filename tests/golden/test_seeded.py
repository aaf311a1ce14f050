"""The seeded weights: the same everywhere, and alive through all layers."""
import numpy as np
import pytest

from golden import photo
from golden.model import digest, float_model
from tests.support.reference import reference


@pytest.mark.parametrize("alpha, resolution, sha256", [
    (1.0, 32, "4ad0ca8ef00a8cf29a7270c879793dc149fb1d23e1485ff38f80f2b2ee58ec35"),
    (0.35, 33, "c9624d9f83c03376037248a537fde2e8b9564a1d8314301d8ffc81e5a0c5cd5a")])
def test_seeded_weights_never_change(alpha, resolution, sha256):
    """A changed digest makes every stored golden stale."""
    assert digest(float_model(alpha, resolution, "seeded")) == sha256


def test_activations_neither_die_nor_saturate():
    floats = reference("w16a16").float(photo.load_photo(None, 32))
    for name, values in floats.items():
        power = np.sqrt(np.mean(values ** 2))
        assert 0.5 < power < 2, name
        assert np.mean(values == 0) < 0.45 and np.mean(values == 6) < 0.05, name


def test_pixels_still_tell_apart_at_the_end():
    """Deep random networks tend to one answer for every input."""
    network = reference("w16a16")
    first, second = (network.float(photo.fit(photo.shipped(name), 32))["Conv_1"]
                     for name in ("chelsea.png", "coffee.png"))
    assert np.mean(np.abs(first - second)) > 0.1
