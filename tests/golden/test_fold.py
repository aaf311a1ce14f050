"""Folding against Keras's own batch norm, both in float64."""
import pytest

from golden.model import float_model
from tests.support.reference import folding_errors


@pytest.mark.parametrize("alpha, resolution", [(1.0, 32), (0.35, 33)])
def test_folded_units_equal_keras_in_float64(alpha, resolution, rng):
    errors = folding_errors(float_model(alpha, resolution), alpha, resolution, rng)
    assert len(errors) == 52 and max(errors.values()) < 1, errors
