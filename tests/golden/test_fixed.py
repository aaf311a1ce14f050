"""The fixed-point Keras model against naive integer arithmetic on the layer table."""
import numpy as np
import pytest

from golden import photo
from golden.fixed import Requantize, SaturatingAdd
from golden.quantize import UnitParams
from hdl import layers
from hdl.layers import layer_table
from tests.support.networks import MIXED
from tests.support.reference import convolve, reference, requantize


@pytest.mark.parametrize("precision, alpha, resolution",
                         [("w16a16", 1.0, 32), ("w8a8", 1.0, 32), ("w8a8", 0.35, 33),
                          (MIXED, 0.35, 32)])
def test_every_unit_equals_naive_integers(precision, alpha, resolution, rng):
    """From the golden's own input to each unit; a photo, and pixels at both ends of their range."""
    network, row = reference(precision, alpha, resolution), layers.precision(precision)
    table = layer_table(alpha, resolution)
    shape = (resolution, resolution, 3)
    for image in (photo.load_photo(None, resolution),
                  (rng.integers(0, 2, shape) * 255).astype(np.uint8)):
        fixed = network.fixed(image)
        assert list(fixed) == ["input"] + [unit.name for unit in table]
        assert (fixed["input"] == 2 * image.astype(int) - 255).all()
        stage_input = last = "input"
        for unit in table:
            if unit.role in ("expand", "depthwise") and not last.startswith(unit.stage):
                stage_input = last
            pixels = fixed[last].astype(np.int64)
            limits = row.limits(unit.activation)
            if unit.kind == "residual_add":
                expected = np.clip(pixels + fixed[stage_input].astype(np.int64), *limits)
            else:
                params = network.params[unit.name]
                assert np.abs(params.weights).max() == row.of(unit.name).weight_limit
                sums = convolve(unit, pixels, params.weights.astype(np.int64))
                expected = requantize(sums, params, limits)
            assert fixed[unit.name].shape == expected.shape
            assert (fixed[unit.name] == expected).all(), unit.name
            last = unit.name


@pytest.mark.parametrize("limits", [(0, 255), (0, 65535), (-2048, 2047), (-131072, 131071)])
def test_requantize_corners(limits, rng):
    """Halves of both signs, the limits and one past them, every shift, the largest products."""
    shifts = np.arange(1, 39)
    multipliers = np.where(shifts % 2, 1 << 15, 65535)
    params = UnitParams(None, rng.integers(-(1 << 20), 1 << 20, shifts.size), multipliers, shifts)
    halves = np.ldexp(np.arange(-5, 6)[:, None] * 0.5, shifts - 15)
    edges = np.stack([np.ldexp(float(limit + past), shifts - 15) for limit in limits
                      for past in (-1, 0, 1)])
    sums = np.rint(np.concatenate([
        halves, edges, rng.integers(-(1 << 44), 1 << 44, (50, shifts.size))])) - params.bias
    layer = Requantize(params, limits, dtype="float64")
    assert (np.asarray(layer(sums)) == requantize(sums.astype(np.int64), params, limits)).all()


def test_requantize_rounds_negative_halves_up():
    params = UnitParams(None, np.zeros(1, int), np.array([1 << 15]), np.array([16]))
    layer = Requantize(params, (-8, 7), dtype="float64")
    sums = np.array([[-5.], [-4.], [-3.], [-1.], [1.], [3.], [16.], [-99.]])
    assert np.asarray(layer(sums)).ravel().tolist() == [-2, -2, -1, 0, 1, 2, 7, -8]


def test_add_saturates():
    layer = SaturatingAdd((-2048, 2047), dtype="float64")
    tensors = [np.array([2047., -2048., 5., -1.]), np.array([1., -1., -7., -2047.])]
    assert np.asarray(layer(tensors)).tolist() == [2047, -2048, -2, -2048]
