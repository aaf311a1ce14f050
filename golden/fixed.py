"""The fixed-point network as a Keras model of integer-valued float64.

Keras's float model is cloned layer by layer, so the topology is Keras's: convolutions hold the
integer weights, batch norms become requantizers, adds saturate.  Sums stay below 2^53 (checked
when the parameters are made), so Keras's own convolutions are exact; requantizing is int64.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from golden.graph import Node, trace
from golden.quantize import UnitParams, smallest_dtype
from hdl.layers import Precision

AT_ONCE = 1 << 20       # integers of a tensor that are computed with at a time


def requantize(x: keras.KerasTensor | np.ndarray, params: UnitParams,
               limits: tuple[int, int]) -> keras.KerasTensor:
    """clip(((x + bias) * multiplier + 2^(shift - 1)) >> shift) of integer-valued x (..., C), as
    int64 (..., C); ``limits`` are the least and the greatest result."""
    bias, multiplier, shift = (np.asarray(values, dtype=np.int64)
                               for values in (params.bias, params.multiplier, params.shift))
    product = (ops.cast(x, "int64") + bias) * multiplier + np.left_shift(np.int64(1), shift - 1)
    return ops.clip(ops.right_shift(product, shift), *limits)


class Requantize(keras.layers.Layer):
    """requantize() of integer-valued float64, to the same."""

    def __init__(self, params: UnitParams, limits: tuple[int, int], **options: str) -> None:
        super().__init__(**options)
        self.params, self.limits = params, limits

    # Cloning hands on the mask of the batch norm it replaces.
    def call(self, x: keras.KerasTensor, mask: keras.KerasTensor | None = None
             ) -> keras.KerasTensor:
        """float64 (..., C) to float64 (..., C)."""
        return ops.cast(requantize(x, self.params, self.limits), "float64")


class SaturatingAdd(keras.layers.Layer):
    """Sum of two integer-valued tensors of one scale, clipped to the limits."""

    def __init__(self, limits: tuple[int, int], **options: str) -> None:
        super().__init__(**options)
        self.limits = limits

    def call(self, tensors: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
        """Two float64 tensors of one shape to a third."""
        return ops.clip(tensors[0] + tensors[1], *self.limits)


def unit_outputs(node: Node, params: UnitParams | None, precision: Precision,
                 tensors: Sequence[np.ndarray]) -> np.ndarray:
    """Integers (photos, H, W, C) of one unit as the fixed-point model has it, of the smallest type
    that holds them.

    params  -- UnitParams, None for an add
    tensors -- the integers that feed it, one array, or the two of an add
    """
    limits = precision.limits(node.activation)
    dtype = smallest_dtype(limits)
    if params is None:
        shortcut, project = (tensor.astype(np.int32) for tensor in tensors)
        return np.clip(shortcut + project, *limits).astype(dtype)
    tensor, = tensors
    step = max(1, AT_ONCE // tensor[0].size)
    return np.concatenate([
        np.asarray(requantize(convolution(node, params.weights, tensor[first:first + step]), params,
                              limits)).astype(dtype)
        for first in range(0, len(tensor), step)])


def convolution(node: Node, weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """float64 sums (photos, H, W, C) of values (photos, H, W, C) by weights (inputs, outputs), as
    Keras's layer makes them."""
    layer = node.convolution
    apply = ops.depthwise_conv if node.depthwise else ops.conv
    kernel = weights.astype(np.float64).reshape(layer.weights[0].shape)
    pad = ((0, 0), *(node.padding.padding if node.padding else ((0, 0), (0, 0))), (0, 0))
    return np.asarray(apply(np.pad(values, pad).astype(np.float64), kernel, layer.strides,
                            layer.padding))


def fixed_model(model: keras.Model, params: Mapping[str, UnitParams],
                precision: Precision) -> keras.Model:
    """Keras model from q = 2p - 255 (batch, R, R, 3) to {unit: integers as float64 (batch, H, W,
    C)}.

    model  -- the float backbone, whose layers are cloned
    params -- {convolution unit: UnitParams}
    """
    nodes = trace(model)
    requantizers = {node.batch_norm.name: node for node in nodes.values() if node.batch_norm}

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
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
