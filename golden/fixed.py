"""The fixed-point network as a Keras model of integer-valued float64.

Keras's float model is cloned layer by layer, so the topology is Keras's: convolutions hold the
integer weights, batch norms become requantizers, adds saturate.  Sums stay below 2^53 (checked
when the parameters are made), so Keras's own convolutions are exact; requantizing is int64.
"""
import keras
import numpy as np
from keras import ops

from golden.graph import trace


class Requantize(keras.layers.Layer):
    """y = clip(((x + bias) * multiplier + 2^(shift - 1)) >> shift) of integer-valued x."""

    def __init__(self, params, limits, **options):
        super().__init__(**options)
        self.bias, self.multiplier, self.shift = (
            np.asarray(values, dtype=np.int64)
            for values in (params.bias, params.multiplier, params.shift))
        self.limits = limits

    def call(self, x, mask=None):  # cloning hands on the mask of the batch norm it replaces
        """float64 (..., C) to float64 (..., C), both integer-valued."""
        half = np.left_shift(np.int64(1), self.shift - 1)
        product = (ops.cast(x, "int64") + self.bias) * self.multiplier + half
        return ops.cast(ops.clip(ops.right_shift(product, self.shift), *self.limits), "float64")


class SaturatingAdd(keras.layers.Layer):
    """Sum of two integer-valued tensors of one scale, clipped to the limits."""

    def __init__(self, limits, **options):
        super().__init__(**options)
        self.limits = limits

    def call(self, tensors):
        """Two float64 tensors of one shape to a third."""
        return ops.clip(tensors[0] + tensors[1], *self.limits)


def fixed_model(model, params, precision):
    """Keras model from q = 2p - 255 (batch, R, R, 3) to {unit: integers as float64}."""
    nodes = trace(model)
    requantizers = {node.batch_norm.name: node for node in nodes.values() if node.batch_norm}

    def clone(layer):
        """The integer layer in a float layer's place, with its name."""
        options = {"name": layer.name, "dtype": "float64"}
        if layer.name in requantizers:
            node = requantizers[layer.name]
            return Requantize(params[node.name], precision.limits(node.activation), **options)
        if isinstance(layer, keras.layers.ReLU):
            return keras.layers.Identity(**options)
        if isinstance(layer, keras.layers.Add):
            return SaturatingAdd(precision.limits("linear"), **options)
        return type(layer).from_config(layer.get_config() | options)

    integer = keras.models.clone_model(model, clone_function=clone)
    for name, unit in params.items():
        layer = integer.get_layer(name)
        layer.set_weights([unit.weights.astype(np.float64).reshape(layer.weights[0].shape)])
    return keras.Model(integer.input, {
        name: integer.get_layer(node.output.name).output for name, node in nodes.items()})
