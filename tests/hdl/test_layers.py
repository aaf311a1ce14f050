"""The layer table against live Keras models: names, shapes, strides, padding, parameters."""
import functools
import random
import re
from dataclasses import replace

import keras
import pytest

from hdl.layers import (ALPHAS, BOTTLENECKS, MIN_RESOLUTION, PRECISIONS, divisible, layer_table,
                        padding, precision, stages, weight_bits, with_weights)

# Widths and sizes are independent of one another.
NETWORKS = [*((alpha, resolution) for alpha in ALPHAS for resolution in (96, 97)),
            *((1.0, resolution) for resolution in (32, 100, 224, 225))]


@functools.lru_cache(maxsize=1)
def keras_model(alpha, resolution):
    """Keras's own network; no weights are loaded."""
    keras.backend.clear_session()
    return keras.applications.MobileNetV2(
        input_shape=(resolution, resolution, 3), alpha=alpha, include_top=False, weights=None)


def convolutions(model):
    """The model's convolutions and adds, in order of data flow."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Add)
    return [layer for layer in model.layers if isinstance(layer, kinds)]


def keras_padding(model, layer):
    """Zero rows (before, after) of a layer: of the ZeroPadding2D before it, or of 'same'."""
    before = model.layers[model.layers.index(layer) - 1]
    if isinstance(before, keras.layers.ZeroPadding2D):
        assert layer.padding == "valid"
        rows, columns = before.padding
        assert rows == columns
        return rows
    assert layer.padding == "same" or layer.kernel_size == (1, 1)
    size, stride, kernel = layer.input.shape[1], layer.strides[0], layer.kernel_size[0]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return (total // 2, total - total // 2)


@pytest.mark.parametrize("alpha, resolution", NETWORKS)
def test_table_is_keras(alpha, resolution):
    model, table = keras_model(alpha, resolution), layer_table(alpha, resolution)
    layers = convolutions(model)
    assert [unit.name for unit in table] == [layer.name for layer in layers]
    for unit, layer in zip(table, layers):
        assert layer.output.shape[1:] == (unit.size_out, unit.size_out, unit.channels_out)
        if unit.kind == "residual_add":
            assert all(tensor.shape == layer.output.shape for tensor in layer.input)
            assert (unit.size_in, unit.channels_in) == (unit.size_out, unit.channels_out)
            continue
        assert layer.kernel_size == (unit.kernel, unit.kernel)
        assert layer.strides == (unit.stride, unit.stride)
        assert keras_padding(model, layer) == unit.pad
        padded = isinstance(model.layers[model.layers.index(layer) - 1],
                            keras.layers.ZeroPadding2D)
        assert layer.input.shape[1] == unit.size_in + (sum(unit.pad) if padded else 0)
        assert layer.input.shape[-1] == unit.channels_in
        assert sum(weight.shape.num_elements() for weight in layer.weights) == unit.weights
    assert sum(unit.parameters for unit in table) == model.count_params()


@pytest.mark.parametrize("alpha", ALPHAS)
def test_activations_are_keras(alpha):
    """A ReLU6 follows the batch norm of exactly the units that say so."""
    model = keras_model(alpha, 96)
    for unit in layer_table(alpha, 96):
        layer = model.get_layer(unit.name)
        if unit.kind != "residual_add":
            normalised = layer._outbound_nodes[0].operation
            assert isinstance(normalised, keras.layers.BatchNormalization)
            followers = [node.operation for node in normalised._outbound_nodes]
            assert (unit.activation == "relu6") == isinstance(followers[0], keras.layers.ReLU)


def test_figures_of_the_network():
    table = layer_table()
    assert len(table) == 62
    assert sum(unit.kind != "residual_add" for unit in table) == 52
    assert sum(unit.parameters for unit in table) == 2_257_984
    assert sum(unit.weights for unit in table) == 2_189_760
    assert sum(unit.macs for unit in table) == 299_494_272
    assert sum(unit.macs for unit in layer_table(resolution=32)) == 6_112_128


def test_residuals():
    table = layer_table()
    assert [unit.stage for unit in table if unit.kind == "residual_add"] == \
        [f"block_{number}" for number in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)]


def test_units_follow_one_another():
    for alpha in ALPHAS:
        table = layer_table(alpha, 97)
        for before, after in zip(table, table[1:]):
            assert (before.size_out, before.channels_out) == (after.size_in, after.channels_in)
            assert before.activation == after.activation_in


def test_stages_partition_the_table():
    table = layer_table()
    grouped = stages(table)
    assert len(grouped) == 2 + sum(repeats for _, _, repeats, _ in BOTTLENECKS) == 19
    assert list(grouped)[0] == "stem" and list(grouped)[-1] == "head"
    assert sum(grouped.values(), ()) == table


def test_rows_are_frozen():
    with pytest.raises(AttributeError):
        layer_table()[0].stride = 1


@pytest.mark.parametrize("size, stride, pads", [
    (8, 1, (1, 1)), (7, 1, (1, 1)), (8, 2, (0, 1)), (7, 2, (1, 1)), (2, 2, (0, 1)), (1, 2, (1, 1)),
])
def test_padding(size, stride, pads):
    assert padding(size, stride) == pads


@pytest.mark.parametrize("channels, rounded", [
    (11.2, 16), (5.6, 8), (33, 32), (41.6, 40), (44, 48)])
def test_divisible(channels, rounded):
    assert divisible(channels) == rounded


@pytest.mark.parametrize("name, activation, limits", [
    ("w16a16", "input", (-256, 255)), ("w16a16", "relu6", (0, 65535)),
    ("w16a16", "linear", (-131072, 131071)),
    ("w8a8", "relu6", (0, 255)), ("w8a8", "linear", (-2048, 2047)),
])
def test_limits(name, activation, limits):
    row = PRECISIONS[name]
    assert row.name == name
    assert row.limits(activation) == limits
    assert row.signed(activation) == (limits[0] < 0)
    assert limits[1] - limits[0] + 1 == 1 << row.bits(activation)


@pytest.mark.parametrize("name, bits", [
    ("w16a16", (16, 16, 18)), ("w8a8", (8, 8, 12)), ("w12a8", (12, 8, 12)), ("w4a13", (4, 13, 17)),
    ("w8a10l14", (8, 10, 14)), ("w8a10l12", (8, 10, 12)), ("w4a4l6", (4, 4, 6))])
def test_free_widths(name, bits):
    row = precision(name)
    assert (row.weight_bits, row.relu6_bits, row.linear_bits) == bits
    assert (row.input_bits, row.multiplier_bits) == (9, 16)
    assert precision(row.name) == row


def test_equal_widths_have_one_name():
    assert precision("w8a8l12") == PRECISIONS["w8a8"] and precision("w16a16l18").name == "w16a16"


@pytest.mark.parametrize("name", [
    "w3a8", "w17a8", "w8a3", "w8a17", "w8a8l5", "w8a8l19", "w8", "a8w8",
    "w8a8l", "w8a8l0", "W8A8", "w8a8 ", "w-8a8", ""])
def test_refuses_widths(name):
    with pytest.raises(ValueError, match=f"^precision {name} is not one of w4..16 a4..16 l6..18, "):
        precision(name)


@pytest.mark.parametrize("name, widths", [
    ("w6a8,depthwise=w8,head=w4", {"depthwise": 8, "head": 4}),
    ("w6a8,pointwise=w5", {"expand": 5, "project": 5, "head": 5}),
    ("w6a8,head=w9,pointwise=w5", {"expand": 5, "project": 5, "head": 9}),
    ("w4a5,block_7_expand=w16,stem=w6", {"stem": 6, "block_7_expand": 16}),
    ("w4a5,block_7_expand=w4,expand=w6,pointwise=w7",
     {"expand": 6, "block_7_expand": 4, "project": 7, "head": 7})])
def test_widths_by_unit(name, widths):
    """A unit's own width before its role's, a role's before a kind's."""
    row = precision(name)
    general = precision(name.partition(",")[0])
    for unit in layer_table():
        expected = widths.get(unit.name, widths.get(unit.role, general.weight_bits))
        assert row.of(unit.name) == replace(general, name=row.name, weight_bits=expected)
    assert weight_bits(layer_table(), row) == sum(
        unit.weights * widths.get(unit.name, widths.get(unit.role, general.weight_bits))
        for unit in layer_table())


def test_equal_widths_by_unit_have_one_name():
    """However they are spelled: 40 random precisions, each in another order, and from its own
    name."""
    draw = random.Random(18)
    units = [unit for unit in layer_table() if unit.weights]
    words = sorted({word for unit in units for word in (unit.kind, unit.role, unit.name)})
    for _ in range(40):
        chosen = draw.sample(words, draw.randint(0, 9))
        parts = [f"{word}=w{draw.randint(4, 16)}" for word in chosen]
        general = f"w{draw.randint(4, 16)}a{draw.randint(4, 16)}"
        row = precision(",".join([general, *parts]))
        assert precision(",".join([general, *draw.sample(parts, len(parts))])) == row
        assert precision(row.name) == row
        each = {unit.name: row.of(unit.name).weight_bits for unit in units}
        spelled = [f"{name}=w{bits}" for name, bits in each.items()]
        assert precision(",".join([general, *spelled])) == row
        assert with_weights(precision(general), each) == row
    for alpha in ALPHAS:    # the names that the parser knows are every network's
        assert [unit.name for unit in layer_table(alpha) if unit.weights] == \
            [unit.name for unit in units]
    for name, row in PRECISIONS.items():
        assert precision(f"{name},depthwise=w{row.weight_bits}") == row


@pytest.mark.parametrize("name, words", [
    ("w8a8,head=w3",
     "width head=w3 is no UNIT=wW with W of 4 to 16 bits, for weights alone: give one such as"),
    ("w8a8,head=w17", "width head=w17 is no"), ("w8a8,head=a4", "width head=a4 is no"),
    ("w8a8,head", "width head is no"), ("w8a8,", "width  is no"),
    ("w8a8, head=w4", "width  head=w4 is no"),
    ("w8a8,head=w4,head=w5", "head has more than one width: give it one"),
    ("w8a8,block_2_add=w4", "block_2_add is no unit with weights: give one of stem, depthwise, "
                            "pointwise, project, expand, head, or a single unit such as"),
    ("w8a8,block_17_expand=w4", "block_17_expand is no unit with weights"),
    ("w3a8,head=w4", "precision w3a8 is not one of w4..16")])
def test_refuses_widths_by_unit(name, words):
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        precision(name)


@pytest.mark.parametrize("alpha", [0, 0.36, 1.5, -1.0, float("nan")])
def test_refuses_alpha(alpha):
    with pytest.raises(ValueError, match=r"^alpha \S+ is not one of Keras's 0.35, .* 1.4"):
        layer_table(alpha)


@pytest.mark.parametrize("resolution", [0, -32, 31, 96.5])
def test_refuses_resolution(resolution):
    with pytest.raises(ValueError, match=r"^resolution \S+ is too small or not whole: .* 32"):
        layer_table(resolution=resolution)


def test_keras_refuses_the_same_resolutions():
    with pytest.raises(ValueError, match="(?i)at least 32x32"):
        keras_model(1.0, MIN_RESOLUTION - 1)
