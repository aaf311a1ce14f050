"""A saved model's layers held to those of Keras's MobileNetV2, along the flow of data."""
from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import keras
import numpy as np

from hdl.layers import ALPHAS, layer_table

if TYPE_CHECKING:
    import h5py

IMAGE, ELSEWHERE = 0, -1  # places that are no layer's: the model's input, an unknown tensor
SETTINGS = ("strides", "padding", "dilation_rate", "groups", "depth_multiplier", "data_format",
            "use_bias", "activation", "axis", "epsilon", "center", "scale", "max_value",
            "negative_slope", "threshold", "keepdims")
FITTING = ("Resizing", "CenterCrop", "RandomCrop")   # that make a photo's size the network's
ADVICE = "give a file of keras.applications.MobileNetV2"
ONE = "give a file of one network"
INFERENCE = "call it with training=False and save the model again"
ALONE = "if the first convolution gets p / 127.5 - 1, save the weights alone with " \
    "model.save_weights('FILE.weights.h5')"


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
    # Whether it is called as in training even in predict, as training=True does in Keras 2.
    training: bool = False


Step = tuple[Layer, tuple[int, ...]]   # a layer, places of what feeds it
Arrays = TypeVar("Arrays", Sequence["np.ndarray"], Sequence["h5py.Dataset"])


class Difference(Exception):
    """How a layer differs, to end a sentence with, and what to do about it."""

    def __init__(self, how: str, advice: str = ADVICE) -> None:
        super().__init__(how)
        self.advice = advice


def agreed(fits: Sequence[Sequence[Arrays]]) -> Sequence[Arrays]:
    """The arrays, layer by layer, that all networks of a file have; Difference for others."""
    if any(not np.array_equal(ours[...], theirs[...]) for other in fits[1:]
           for mine, others in zip(fits[0], other) for ours, theirs in zip(mine, others)):
        raise Difference("it has more than one, with other weights in each", ONE)
    return fits[0]


@dataclass(frozen=True)
class Start:
    """What a model does before its first convolution."""

    place: int               # whose output is convolved
    height: int | None       # of the image there, where the file tells it
    left_out: list[Layer]    # of FITTING, since photos come in the network's size


def match(reference: keras.Model, theirs: Sequence[Step], start: Start) -> list[Layer]:
    """The layers of a model's steps in the places of a reference's, in the reference's order.

    The model may nest and may go on after the reference's last layer.  Raises Difference for the
    first layer of the reference that the model does not have.
    """
    places = {IMAGE: start.place}
    matched = []
    for number, (ours, sources) in enumerate(steps(reference), 1):
        fed = sorted(places[source] for source in sources)
        found = [(place, layer, difference(layer, ours))
                 for place, (layer, feeds) in enumerate(theirs, 1) if sorted(feeds) == fed]
        # Of a branch's layers the right one, else the most alike.
        found.sort(key=lambda step: (step[2] is not None, step[1].kind != ours.kind))
        if not found:
            raise Difference(f"there is no layer {ours.name} where it should be")
        places[number], layer, how = found[0]
        if how:
            raise how
        matched.append(layer)
    return matched


def steps(model: keras.Model, number: int = 0) -> list[Step]:
    """[(layer, places of what feeds it)] of a model and those nested in it, places from 1.

    number -- which of the model's inputs is the image
    """
    found: list[Step] = []
    sources = tuple(IMAGE if index == number else ELSEWHERE for index in range(len(model.inputs)))
    unroll(model, sources, found)
    return found


def unroll(model: keras.Model, sources: tuple[int, ...], found: list[Step]) -> int:
    """Append a model's steps to ``found``, its inputs being at places; return the place of its
    output."""
    in_a_row = isinstance(model, keras.Sequential)
    place = sources[0]
    places = {} if in_a_row else {
        id(tensor): source for tensor, source in zip(model.inputs, sources)}
    for layer in model.layers if in_a_row else model.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        node = layer._inbound_nodes[0]  # a model's own .input and .output are inside it
        sources = (place,) if in_a_row else tuple(
            places.get(id(tensor), ELSEWHERE) for tensor in node.input_tensors)
        if isinstance(layer, keras.Model):
            place = unroll(layer, sources, found)
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
                 functools.partial(run, layer, node))


def begin(theirs: Sequence[Step]) -> tuple[list[Step], Start]:
    """(steps, how they start) of a model that leaves an image what it is before the first
    convolution, scales pixels as ``preprocess_input`` does, or makes a photo's size its own.

    Raises Difference for a model that does anything else.
    """
    before, _ = way(theirs)
    height = None
    for layer in before:
        height = layer.settings["height"] if layer.kind in FITTING else height or layer.shape[0]
    theirs = same_padding(theirs, height or 224)
    before, place = way(theirs)
    left_out = [layer for layer in before if layer.kind in FITTING]
    kept = [layer for layer in before if layer.kind not in FITTING]
    if kept:
        check_pixels(kept)
    if not before:
        height = next((layer.shape[0] for layer, sources in theirs if IMAGE in sources), None)
    return theirs, Start(place, height, left_out)


def way(theirs: Sequence[Step]) -> tuple[list[Layer], int]:
    """(layers from the image to the first convolution, the last one's place); none where there is
    no convolution."""
    place, before = IMAGE, list[Layer]()
    while True:
        followers = [(number, layer) for number, (layer, sources) in enumerate(theirs, 1)
                     if sources == (place,)]
        if not followers:
            return [], IMAGE
        if any(layer.kind == "Conv2D" for _, layer in followers):
            return before, place
        place, layer = followers[0]
        before.append(layer)


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


def check_pixels(before: Sequence[Layer]) -> None:
    """Difference for layers in a row, the first of a model, that make of pixels neither
    p / 127.5 - 1 nor, of those that already are that, themselves."""
    for layer in before:
        if layer.training and layer.kind.startswith("Random"):
            raise Difference(f"layer {layer.name} before the first convolution is called with "
                             "training=True", INFERENCE)
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
                         f"{layer.settings.get('padding')}, which Conv1 does not")
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


def run(layer: keras.Operation, node: Any, values: np.ndarray) -> np.ndarray:
    """What a built layer makes of values, a batch of images (1, H, W, C), in float32: the
    hardware does not round as a narrower type does."""
    arguments, options = node.arguments.fill_in({id(node.input_tensors[0]): values})
    if isinstance(layer, keras.layers.Layer):
        layer.dtype_policy = "float32"
        options["training"] = False   # as predict does, whatever the layer was called with
    return np.asarray(layer(*arguments, **options))


def alike(values: np.ndarray, expected: np.ndarray) -> bool:
    """Whether images, float arrays, are the same but for rounding."""
    return values.shape == expected.shape and np.allclose(values, expected, rtol=0, atol=1e-6)


def difference(theirs: Layer, ours: Layer) -> Difference | None:
    """How a layer differs from the one in its place in what it computes, or None."""
    if theirs.kind != ours.kind:
        return Difference(f"layer {theirs.name} is of type {theirs.kind}, "
                          f"where {ours.name} is of type {ours.kind}")
    for name, value in ours.settings.items():
        if name in SETTINGS and not same(name, theirs.settings.get(name), value):
            return Difference(
                f"layer {theirs.name} has {name} {theirs.settings.get(name)}, not {value}")
    if theirs.training and theirs.kind == "BatchNormalization" and theirs.settings["trainable"]:
        return Difference(f"layer {theirs.name} is called with training=True and so computes with "
                          "each batch's own statistics", INFERENCE)
    return other_shapes(theirs.name, theirs.weights, ours.name, ours.weights)


def same(name: str, theirs: Any, ours: Any) -> bool:
    """Whether two values of a setting mean the same."""
    if name == "axis":  # -1 and, from Keras 2, [3]
        theirs, ours = np.ravel(theirs) % 4, np.ravel(ours) % 4
    return np.array_equal(theirs, ours)


def other_shapes(name: str, theirs: Sequence[keras.Variable | h5py.Dataset], ours_name: str,
                 ours: Sequence[keras.Variable | h5py.Dataset]) -> Difference | None:
    """How arrays of a layer differ in shape from those it should have, or None."""
    found, expected = ([tuple(array.shape) for array in arrays] for arrays in (theirs, ours))
    if found == expected:
        return None
    if not found:
        return Difference(f"there is no layer {name} with weights")
    if len(found) == len(expected) == 1:
        alphas = " or ".join(map(str, fitting_alphas(ours_name, found[0])))
        return Difference(f"layer {name} has a kernel of {found[0]}, not {expected[0]}",
                          f"give alpha {alphas}" if alphas else ADVICE)
    if len(found) != len(expected):
        return Difference(
            f"layer {name} has {len(found)} arrays of weights, not {len(expected)}")
    shape, wanted = next(pair for pair in zip(found, expected) if pair[0] != pair[1])
    return Difference(f"layer {name} has weights of {shape}, not {wanted}")


def fitting_alphas(name: str, kernel: tuple[int, ...]) -> list[float]:
    """The alphas whose unit of a name has a kernel of this shape, as Keras orders it."""
    fitting = []
    for alpha in ALPHAS:
        for unit in layer_table(alpha):
            outputs = 1 if unit.kind == "depthwise" else unit.channels_out
            if unit.name == name and kernel == (
                    unit.kernel, unit.kernel, unit.channels_in, outputs):
                fitting.append(alpha)
    return fitting
