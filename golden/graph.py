"""Keras's own topology as units: which layers make one unit and which units feed it.

The fixed-point model follows this and not the layer table, so that a mistake in the table shows.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from golden.errors import GoldenError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Node:
    """A unit of a Keras model: a convolution with its batch norm and ReLU, or an add.

    ``convolution`` and ``batch_norm`` are None for an add, whose only layer is ``output``.
    """

    name: str                   # the convolution's or the add's
    sources: tuple[str, ...]    # names of the units that feed it; 'input' is the image
    convolution: keras.layers.Layer = None
    padding: keras.layers.Layer | None = None   # the ZeroPadding2D before it, if there is one
    batch_norm: keras.layers.Layer = None
    output: keras.layers.Layer = None           # the layer whose output is the unit's
    activation: str = "linear"

    @property
    def depthwise(self) -> bool:
        """Whether it convolves every channel by itself."""
        return type(self.convolution).__name__ == "DepthwiseConv2D"


def trace(model: keras.Model) -> dict[str, Node]:
    """{unit: Node} of a MobileNetV2 backbone, in order of data flow.

    Raises GoldenError for a layer that is of no unit, such as a top's.
    """
    nodes: dict[str, Node] = {}
    paddings: dict[int, keras.layers.Layer] = {}
    producers = {id(model.input): "input"}
    for layer in model.layers[1:]:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        sources = tuple(producers[id(tensor)] for tensor in inputs)
        name, kind = sources[0], type(layer).__name__
        if kind in ("Conv2D", "DepthwiseConv2D"):
            name = layer.name
            nodes[name] = Node(name, sources, convolution=layer,
                               padding=paddings.get(id(layer.input)))
        elif kind == "Add":
            name = layer.name
            nodes[name] = Node(name, sources, output=layer)
        elif kind == "BatchNormalization":
            nodes[name] = replace(nodes[name], batch_norm=layer, output=layer)
        elif kind == "ReLU":
            nodes[name] = replace(nodes[name], output=layer, activation="relu6")
        elif kind == "ZeroPadding2D":
            paddings[id(layer.output)] = layer
        else:
            raise GoldenError(f"layer {layer.name} is a {kind}, which no unit can be: "
                              "give a MobileNetV2 without its top")
        producers[id(layer.output)] = name
    return nodes
