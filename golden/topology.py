"""A saved model's layers held to those of Keras's MobileNetV2, along the flow of data."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import h5py

IMAGE, ELSEWHERE = 0, -1  # places that are no layer's: the model's input, an unknown tensor
SETTINGS = ("strides", "padding", "dilation_rate", "groups", "depth_multiplier", "data_format",
            "use_bias", "activation", "axis", "epsilon", "center", "scale", "max_value",
            "negative_slope", "threshold", "keepdims")
ADVICE = "give the alpha they were trained with, or another file"

Step = tuple[keras.layers.Layer, tuple[int, ...]]   # a layer, places of what feeds it


class Difference(Exception):
    """How a layer differs, to end a sentence with, and what to do about it."""

    def __init__(self, how: str, advice: str = ADVICE) -> None:
        super().__init__(how)
        self.advice = advice


def match(reference: keras.Model, model: keras.Model) -> list[keras.layers.Layer]:
    """A model's layers in the places of a reference's, in the reference's order.

    The model may begin with layers that leave an image what it is or scale pixels as
    ``preprocess_input`` does, may nest and may go on after the reference's last layer.  Raises
    Difference for the first layer of the reference that the model does not have.
    """
    theirs = steps(model)
    places = {IMAGE: first_place(theirs)}
    matched = []
    for number, (ours, sources) in enumerate(steps(reference), 1):
        fed = sorted(places[source] for source in sources)
        found = [(place, layer) for place, (layer, feeds) in enumerate(theirs, 1)
                 if sorted(feeds) == fed]
        # Of a branch's layers the right one, else the most alike.
        found.sort(key=lambda step: (difference(step[1], ours) is not None,
                                     type(step[1]) is not type(ours)))
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
            found.append((layer, sources))
            place = len(found)
        if not in_a_row:
            places[id(node.output_tensors[0])] = place
    return place if in_a_row else places.get(id(model.outputs[0]), ELSEWHERE)


def first_place(theirs: Sequence[Step]) -> int:
    """The place whose output is convolved first; Difference for what changes the pixels before
    it."""
    place, before = IMAGE, []
    while True:
        followers = [(number, layer) for number, (layer, sources) in enumerate(theirs, 1)
                     if sources == (place,)]
        if not followers:
            return IMAGE
        if any(isinstance(layer, keras.layers.Conv2D) for _, layer in followers):
            break
        place, layer = followers[0]
        before.append(layer)
    if before:
        size = before[0].input.shape[1:]
        pixels = np.resize(np.arange(256, dtype=np.float32), [1, *(side or 32 for side in size)])
        scaled = pixels / 127.5 - 1
        unscaled, changed = run(before, pixels), first_change(before, scaled)
        if changed and not alike(unscaled, scaled):
            raise Difference(f"layer {changed} before the first convolution changes the pixels, "
                             "which are p / 127.5 - 1", "train with that, or give another file")
    return place


def first_change(layers: Sequence[keras.layers.Layer], values: np.ndarray) -> str | None:
    """Name of the first of layers in a row that changes the values it is given, or None."""
    return next((layer.name for layer in layers if not alike(run([layer], values), values)), None)


def run(layers: Sequence[keras.layers.Layer], values: np.ndarray) -> np.ndarray:
    """What layers in a row make of values, a batch of images (1, H, W, C)."""
    for layer in layers:
        values = np.asarray(keras.Model(layer.input, layer.output)(values, training=False))
    return values


def alike(values: np.ndarray, expected: np.ndarray) -> bool:
    """Whether images, float arrays, are the same but for rounding."""
    return values.shape == expected.shape and np.allclose(values, expected, rtol=0, atol=1e-6)


def difference(theirs: keras.layers.Layer, ours: keras.layers.Layer) -> str | None:
    """How a layer differs from the one in its place in what it computes, or None."""
    kind, expected = type(theirs).__name__, type(ours).__name__
    if kind != expected:
        return f"layer {theirs.name} is of type {kind}, where {ours.name} is of type {expected}"
    settings = theirs.get_config()
    for name, value in ours.get_config().items():
        if name in SETTINGS and not same(name, settings.get(name), value):
            return f"layer {theirs.name} has {name} {settings.get(name)}, not {value}"
    return other_shapes(theirs.name, theirs.weights, ours.weights)


def same(name: str, theirs: ArrayLike, ours: ArrayLike) -> bool:
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
