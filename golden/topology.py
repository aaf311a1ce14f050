"""A saved model's layers held to those of Keras's MobileNetV2, along the flow of data."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    import h5py

IMAGE, ELSEWHERE = 0, -1  # places that are no layer's: the model's input, an unknown tensor
SETTINGS = ("strides", "padding", "dilation_rate", "groups", "depth_multiplier", "data_format",
            "use_bias", "activation", "axis", "epsilon", "center", "scale", "max_value",
            "negative_slope", "threshold", "keepdims")
ADVICE = "give the alpha they were trained with, or another file"
ALONE = "save the backbone as a model of its own, if p / 127.5 - 1 is what it is given, or give " \
    "another file"


@dataclass(frozen=True)
class Layer:
    """A layer of a saved model."""

    kind: str                                # the name of its class in Keras 3
    name: str
    settings: dict[str, Any]                 # its configuration
    weights: Sequence[keras.Variable | h5py.Dataset]   # in Keras's order
    shape: Sequence[int | None]              # of the images it takes: (H, W, C)
    # What it makes of a batch of images (1, H, W, C), float32; None where that cannot be told.
    run: Callable[[np.ndarray], np.ndarray] | None


Step = tuple[Layer, tuple[int, ...]]   # a layer, places of what feeds it


class Difference(Exception):
    """How a layer differs, to end a sentence with, and what to do about it."""

    def __init__(self, how: str, advice: str = ADVICE) -> None:
        super().__init__(how)
        self.advice = advice


def match(reference: keras.Model, theirs: Sequence[Step]) -> list[Layer]:
    """The layers of a model's steps in the places of a reference's, in the reference's order.

    The model may begin with layers that leave an image what it is or scale pixels as
    ``preprocess_input`` does, may nest and may go on after the reference's last layer.  Raises
    Difference for the first layer of the reference that the model does not have.
    """
    theirs = same_padding(theirs, reference.inputs[0].shape[1])
    places = {IMAGE: first_place(theirs)}
    matched = []
    for number, (ours, sources) in enumerate(steps(reference), 1):
        fed = sorted(places[source] for source in sources)
        found = [(place, layer) for place, (layer, feeds) in enumerate(theirs, 1)
                 if sorted(feeds) == fed]
        # Of a branch's layers the right one, else the most alike.
        found.sort(key=lambda step: (difference(step[1], ours) is not None,
                                     step[1].kind != ours.kind))
        if not found:
            raise Difference(f"there is no layer {ours.name} where it should be")
        places[number], layer = found[0]
        how = difference(layer, ours)
        if how:
            raise Difference(how)
        matched.append(layer)
    return matched


def steps(model: keras.Model) -> list[Step]:
    """[(layer, places of what feeds it)] of a model and those nested in it, places from 1."""
    found: list[Step] = []
    unroll(model, IMAGE, found)
    return found


def unroll(model: keras.Model, place: int, found: list[Step]) -> int:
    """Append a model's steps to ``found``, its input being at a place; return the place of its
    output."""
    in_a_row = isinstance(model, keras.Sequential)
    places = {} if in_a_row else {id(model.inputs[0]): place}
    for layer in model.layers if in_a_row else model.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        node = layer._inbound_nodes[0]  # a model's own .input and .output are inside it
        sources = (place,) if in_a_row else tuple(
            places.get(id(tensor), ELSEWHERE) for tensor in node.input_tensors)
        if isinstance(layer, keras.Model):
            place = unroll(layer, sources[0], found)
        else:
            found.append((described(layer, node), sources))
            place = len(found)
        if not in_a_row:
            places[id(node.output_tensors[0])] = place
    return place if in_a_row else places.get(id(model.outputs[0]), ELSEWHERE)


def described(layer: keras.Operation, node: Any) -> Layer:
    """A built layer, or an operation, as a Layer; the node is its call."""
    is_layer = isinstance(layer, keras.layers.Layer)
    return Layer(type(layer).__name__, layer.name, layer.get_config() if is_layer else {},
                 layer.weights if is_layer else (), node.input_tensors[0].shape[1:],
                 functools.partial(run, layer))


def same_padding(theirs: Sequence[Step], resolution: int) -> list[Step]:
    """Steps in which a padded 'valid' convolution, as Keras had until TensorFlow 2.3, is the
    'same' convolution of the size that computes the same."""
    padding = ((0, 1), (0, 1)) if resolution % 2 == 0 else ((1, 1), (1, 1))
    folded = []
    for layer, sources in theirs:
        before = theirs[sources[0] - 1] if sources[0] > IMAGE else None
        if before and before[0].kind == "ZeroPadding2D" and layer.kind == "Conv2D" \
                and same_sizes(before[0].settings, padding=padding) \
                and same_sizes(layer.settings, kernel_size=(3, 3), strides=(2, 2)) \
                and layer.settings.get("padding") == "valid":
            layer, sources = replace(layer, settings=layer.settings | {"padding": "same"}), \
                before[1]
        folded.append((layer, sources))
    return folded


def same_sizes(settings: dict[str, Any], **sizes: tuple[Any, ...]) -> bool:
    """Whether settings have these pairs."""
    return all(np.array_equal(settings.get(name, ()), size) for name, size in sizes.items())


def first_place(theirs: Sequence[Step]) -> int:
    """The place whose output is convolved first; Difference for what changes the pixels before
    it."""
    place, before = IMAGE, []
    while True:
        followers = [(number, layer) for number, (layer, sources) in enumerate(theirs, 1)
                     if sources == (place,)]
        if not followers:
            return IMAGE
        if any(layer.kind == "Conv2D" for _, layer in followers):
            break
        place, layer = followers[0]
        before.append(layer)
    if before:
        check_pixels(before)
    return place


def check_pixels(before: Sequence[Layer]) -> None:
    """Difference for layers in a row, the first of a model, that make of pixels neither
    p / 127.5 - 1 nor, of those that already are that, themselves."""
    for layer in before:
        if not layer.run:
            raise Difference(f"layer {layer.name} before the first convolution is a {layer.kind}, "
                             "and what that makes of pixels is not told by the file", ALONE)
    pixels = np.resize(np.arange(256, dtype=np.float32),
                       [1, *(side or 32 for side in before[0].shape)])
    scaled = pixels / 127.5 - 1
    unscaled, changed = run_all(before, pixels), first_change(before, scaled)
    if not changed or alike(unscaled, scaled):
        return
    layer = next(layer for layer in before if layer.name == changed)
    if layer.kind == "ZeroPadding2D":
        raise Difference(f"layer {changed} before the first convolution pads the image by "
                         f"{layer.settings.get('padding')}, which Conv1 does not",
                         "give another file")
    raise Difference(f"layer {changed} before the first convolution changes the pixels, "
                     "which are p / 127.5 - 1", "train with that, or give another file")


def first_change(layers: Sequence[Layer], values: np.ndarray) -> str | None:
    """Name of the first of layers in a row that changes the values it is given, or None."""
    return next((layer.name for layer in layers if not alike(run_all([layer], values), values)),
                None)


def run_all(layers: Sequence[Layer], values: np.ndarray) -> np.ndarray:
    """What layers in a row make of values, a batch of images (1, H, W, C)."""
    for layer in layers:
        if layer.run:
            values = layer.run(values)
    return values


def run(layer: keras.Operation, values: np.ndarray) -> np.ndarray:
    """What a built layer makes of values, a batch of images (1, H, W, C)."""
    return np.asarray(keras.Model(layer.input, layer.output)(values, training=False))


def alike(values: np.ndarray, expected: np.ndarray) -> bool:
    """Whether images, float arrays, are the same but for rounding."""
    return values.shape == expected.shape and np.allclose(values, expected, rtol=0, atol=1e-6)


def difference(theirs: Layer, ours: Layer) -> str | None:
    """How a layer differs from the one in its place in what it computes, or None."""
    if theirs.kind != ours.kind:
        return f"layer {theirs.name} is of type {theirs.kind}, " \
            f"where {ours.name} is of type {ours.kind}"
    for name, value in ours.settings.items():
        if name in SETTINGS and not same(name, theirs.settings.get(name), value):
            return f"layer {theirs.name} has {name} {theirs.settings.get(name)}, not {value}"
    return other_shapes(theirs.name, theirs.weights, ours.weights)


def same(name: str, theirs: Any, ours: Any) -> bool:
    """Whether two values of a setting mean the same."""
    if name == "axis":  # -1 and, from Keras 2, [3]
        theirs, ours = np.ravel(theirs) % 4, np.ravel(ours) % 4
    return np.array_equal(theirs, ours)


def other_shapes(name: str, theirs: Sequence[keras.Variable | h5py.Dataset],
                 ours: Sequence[keras.Variable | h5py.Dataset]) -> str | None:
    """How arrays of a layer differ in shape from those it should have, or None."""
    found, expected = ([tuple(array.shape) for array in arrays] for arrays in (theirs, ours))
    if found == expected:
        return None
    if not found:
        return f"there is no layer {name} with weights"
    if len(found) == len(expected) == 1:
        return f"layer {name} has a kernel of {found[0]}, not {expected[0]}"
    if len(found) != len(expected):
        return f"layer {name} has {len(found)} arrays of weights, not {len(expected)}"
    shape, wanted = next(pair for pair in zip(found, expected) if pair[0] != pair[1])
    return f"layer {name} has weights of {shape}, not {wanted}"
