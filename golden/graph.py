"""Keras's own topology as units: which layers make one unit and which units feed it.

The fixed-point model follows this and not the layer table, so that a mistake in the table shows.
"""
from dataclasses import dataclass, replace

from golden.errors import GoldenError


@dataclass(frozen=True)
class Node:
    """A unit of a Keras model: a convolution with its batch norm and ReLU, or an add."""

    name: str                # the convolution's or the add's
    sources: tuple           # names of the units that feed it; 'input' is the image
    convolution: object = None
    padding: object = None   # the ZeroPadding2D before the convolution, if there is one
    batch_norm: object = None
    output: object = None    # the layer whose output is the unit's
    activation: str = "linear"

    @property
    def depthwise(self):
        """Whether it convolves every channel by itself."""
        return type(self.convolution).__name__ == "DepthwiseConv2D"


def trace(model):
    """{unit: Node} of a MobileNetV2 backbone, in order of data flow."""
    nodes, producers, paddings = {}, {id(model.input): "input"}, {}
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
