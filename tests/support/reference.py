"""Networks that several golden tests share, and a naive model of the hardware to hold them to."""
import functools

import keras
import numpy as np

from golden.build import Reference
from golden.fold import fold
from golden.graph import trace
from golden.network import Network
from hdl import layers
from hdl.build import default_build_dir
from hdl.layers import layer_table

KEPT = default_build_dir("networks")

REAL_WEIGHTS = {  # file in $MNV2_WEIGHTS_DIR: alpha
    "mobilenet_v2_1.0_224_no_top.weights.h5": 1.0,
    "mobilenet_v2_1.0_224.weights.h5": 1.0,
    "mobilenet_v2_1.0_224_bnsynth_no_top.weights.h5": 1.0,
    "mobilenet_v2_0.35_224_no_top.weights.h5": 0.35,
}


@functools.cache
def reference(precision, alpha=1.0, resolution=32):
    """A quantised network with seeded weights: seconds to build, so built once and kept."""
    return Reference(Network(alpha, resolution, layers.precision(precision)), cache_dir=KEPT)


def convolve(unit, pixels, weights):
    """A unit's sums (H, W, C) of pixels (H, W, C) by weights in the table's order, either dtype."""
    before, after = unit.pad
    padded = np.pad(pixels, ((before, after), (before, after), (0, 0)))
    sums = np.zeros((unit.size_out, unit.size_out, unit.channels_out), dtype=weights.dtype)
    span = unit.stride * (unit.size_out - 1) + 1
    for tap in range(unit.kernel ** 2):
        row, column = divmod(tap, unit.kernel)
        taken = padded[row:row + span:unit.stride, column:column + span:unit.stride]
        if unit.kind == "depthwise":
            sums += taken * weights[tap]
        else:
            channels = unit.channels_in
            sums += taken @ weights[tap * channels:(tap + 1) * channels]
    return sums


def folding_errors(model, alpha, resolution, rng):
    """{unit: largest error of its folded convolution, over what rounding may make of it}.

    Held to Keras's own convolution and batch norm in float64, on random inputs.  Every product
    and step of either side is off by an eps at most of the sum of all their magnitudes.
    """
    double = keras.models.clone_model(model, clone_function=lambda layer: type(layer).from_config(
        layer.get_config() | {"dtype": "float64"}))
    double.set_weights(model.get_weights())
    nodes = {name: node for name, node in trace(double).items() if node.convolution}
    units = {unit.name: unit for unit in layer_table(alpha, resolution) if unit.weight_shape}
    assert list(nodes) == list(units)
    errors = {}
    for name, node in nodes.items():
        unit, (weights, bias) = units[name], fold(node)
        assert weights.shape == unit.weight_shape and weights.dtype == bias.dtype == np.float64
        # Multiples of 2^-12, because Keras's input layer stays float32.
        pixels = rng.integers(-6 << 12, 6 << 12, (
            unit.size_in, unit.size_in, unit.channels_in)) * 2.0 ** -12
        layers = keras.Model(trace_input(double, node), node.batch_norm.output)
        expected = np.asarray(layers(pixels[None], training=False))[0]
        error = np.abs(convolve(unit, pixels, weights) + bias - expected)
        beta = np.abs(node.batch_norm.beta.numpy())
        magnitude = convolve(unit, np.abs(pixels), np.abs(weights)) + beta + np.abs(bias - beta)
        eps = np.finfo(np.float64).eps * (len(weights) + 8)
        errors[name] = np.max(error / (eps * magnitude))
    return errors


def trace_input(model, node):
    """What a unit convolves, before Keras's ZeroPadding2D."""
    tensor = node.convolution.input
    for layer in model.layers:
        if isinstance(layer, keras.layers.ZeroPadding2D) and layer.output is tensor:
            return layer.input
    return tensor


def requantize(sums, params, limits):
    """Integers (H, W, C) of sums (H, W, C), in Python's unbounded integers."""
    least, greatest = limits
    channels = list(zip(params.bias.tolist(), params.multiplier.tolist(), params.shift.tolist()))
    return np.array([
        min(max(((total + bias) * multiplier + 2 ** shift // 2) // 2 ** shift, least), greatest)
        for pixel in sums.reshape(-1, len(channels)).tolist()
        for total, (bias, multiplier, shift) in zip(pixel, channels)]).reshape(sums.shape)
