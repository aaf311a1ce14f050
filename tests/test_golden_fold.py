"""Folding against Keras's own batch norm, both in float64."""
import keras
import numpy as np
import pytest

from golden import photo
from golden.fold import fold
from golden.graph import trace
from golden.model import float_model
from hdl.layers import layer_table
from tests.golden_reference import convolve


@pytest.mark.parametrize("alpha, resolution", [(1.0, 32), (0.35, 33)])
def test_folded_units_equal_keras_in_float64(alpha, resolution):
    """Each unit's convolution and batch norm, from Keras's own input to it."""
    single = float_model(alpha, resolution, "seeded")
    double = keras.models.clone_model(single, clone_function=lambda layer: type(layer).from_config(
        layer.get_config() | {"dtype": "float64"}))
    double.set_weights(single.get_weights())
    nodes = {name: node for name, node in trace(double).items() if node.convolution}
    tensors = keras.Model(double.input, {
        name: [trace_input(double, node), node.batch_norm.output] for name, node in nodes.items()})
    values = tensors(photo.load_photo(None, resolution)[None] / 127.5 - 1)
    units = {unit.name: unit for unit in layer_table(alpha, resolution)}
    assert list(nodes) == [unit.name for unit in units.values() if unit.weight_shape]
    for name, node in nodes.items():
        weights, bias = fold(node)
        assert weights.shape == units[name].weight_shape and weights.dtype == np.float64
        source, expected = (np.asarray(value)[0] for value in values[name])
        folded = convolve(units[name], source, weights) + bias
        np.testing.assert_allclose(folded, expected, rtol=0, atol=1e-12)


def trace_input(model, node):
    """What a unit convolves, before Keras's ZeroPadding2D."""
    tensor = node.convolution.input
    for layer in model.layers:
        if isinstance(layer, keras.layers.ZeroPadding2D) and layer.output is tensor:
            return layer.input
    return tensor
