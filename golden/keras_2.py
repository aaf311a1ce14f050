"""Whole models that Keras 2 wrote, read without building them.

The topology is in the configuration.  HDF5 files name the layer and variable of every array; in
the archives of TensorFlow 2.12 to 2.15 layers are numbered by kind, in the configuration's order.
"""
from __future__ import annotations

import collections
import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from golden.topology import ELSEWHERE, IMAGE, ONE, Difference, Layer, Step

VARIABLES = ("kernel", "depthwise_kernel", "bias", "gamma", "beta", "moving_mean",
             "moving_variance")   # in Keras's order
KINDS = {"BatchNormalizationV1": "BatchNormalization"}   # TensorFlow 1's name
# TensorFlow 2.12's and 2.13's folder of layers, where a layer with weights takes two numbers.
OLDER = "_layer_checkpoint_dependencies"
YOUNGER = {"groups": 1, "keepdims": False, "negative_slope": 0.0, "threshold": 0.0,
           "trainable": True}

# What leaves an image as it is outside training.
IDENTITIES = ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
              "RandomBrightness", "RandomHeight", "RandomWidth", "GaussianNoise",
              "GaussianDropout", "Dropout", "SpatialDropout2D", "ActivityRegularization")
OPERATIONS = {"math.truediv": np.divide, "math.divide": np.divide, "math.multiply": np.multiply,
              "math.subtract": np.subtract, "math.add": np.add, "__operators__.add": np.add,
              "RealDiv": np.divide, "Mul": np.multiply, "Sub": np.subtract,
              "Add": np.add, "AddV2": np.add}

Arrays = Callable[[tuple[str, ...], tuple[str, ...]], tuple[h5py.Dataset, ...]]
Scopes = dict[str, list[dict[str, h5py.Dataset]]]   # {layer: variables of each that is so named}


def wrote(path: str) -> bool:
    """Whether a whole model is Keras 2's; TensorFlow 1's Keras, which names no version, is."""
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            version = json.loads(archive.read("metadata.json"))["keras_version"]
    else:
        with h5py.File(path) as file:
            version = text(file.attrs.get("keras_version", "2"))
    return int(version.split(".")[0]) < 3


def steps(path: str, stack: contextlib.ExitStack) -> list[list[Step]]:
    """The steps of a whole model, for each of its inputs that may be the image; the stack closes
    its file.

    Raises Difference for arrays that more than one layer may own.
    """
    if path.endswith(".keras"):
        archive = stack.enter_context(zipfile.ZipFile(path))
        config = json.loads(archive.read("config.json"))
        file = stack.enter_context(h5py.File(io.BytesIO(archive.read("model.weights.h5"))))
        arrays = numbered(file)
    else:
        file = stack.enter_context(h5py.File(path))
        config = json.loads(text(file.attrs["model_config"]))
        arrays = named(file["model_weights"])
    every = []
    for number, shape in images(config):
        found: list[Step] = []
        unroll(config, {number: IMAGE}, found, Context(arrays, shape))
        every.append(found)
    return every


def images(model: dict[str, Any]) -> list[tuple[int, tuple[int | None, ...]]]:
    """(number, shape (H, W, C)) of each input of a model that may be the image."""
    graph = graph_of(model)
    if not graph:
        return [(0, next(shapes(model), (None, None, 3)))]
    layers = {name_of(layer): layer for layer in members(model) or ()}
    names = [name for name, _, _ in references(graph["input_layers"])]
    found = [(number, shape) for number, name in enumerate(names)
             for shape in shapes(layers[name])]
    return [image for image in found if image[1][-1] in (3, None)] or found[:1]


def graph_of(model: dict[str, Any]) -> dict[str, Any] | None:
    """The configuration of a model whose layers are a graph, None of those in a row."""
    return model["config"] if "input_layers" in model["config"] else None


def text(value: str | bytes) -> str:
    """An HDF5 attribute, which older files have as bytes."""
    return value.decode() if isinstance(value, bytes) else value


def shapes(layer: dict[str, Any]) -> Iterator[tuple[int | None, ...]]:
    """Shapes (H, W, C) of all images that a model's layers say to take, outermost first."""
    config = layer["config"]
    if isinstance(config, dict) and len(config.get("batch_input_shape") or ()) == 4:
        yield tuple(config["batch_input_shape"][1:])
    for inner in members(layer) or ():
        yield from shapes(inner)


def members(layer: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The layers of a model, or None of what is no model."""
    config = layer["config"]
    return config if isinstance(config, list) else config.get("layers")   # Keras 2.2.2 has a list


class Context:
    """Where in a file the layers of a model are."""

    def __init__(self, arrays: Arrays, shape: tuple[int | None, ...],
                 names: tuple[str, ...] = (), groups: tuple[str, ...] = (),
                 training: bool = False) -> None:
        """``names`` and ``groups`` of the models around, outermost first; ``shape`` (H, W, C) of
        the images that the innermost takes, ``training`` whether it is called as in training."""
        self.arrays, self.shape, self.names, self.groups = arrays, shape, names, groups
        self.training = training
        self.seen: collections.Counter[str] = collections.Counter()

    def enter(self, layer: dict[str, Any]) -> Context:
        """The place of the next layer in its model's order."""
        kind = snake_case(layer["class_name"])
        group = f"{kind}_{self.seen[kind]}" if self.seen[kind] else kind
        self.seen[kind] += 1
        shape = self.shape if members(layer) is None else next(shapes(layer), self.shape)
        return Context(self.arrays, shape, (*self.names, name_of(layer)),
                       (*self.groups, group), self.training)


def unroll(model: dict[str, Any], sources: dict[int, int], found: list[Step], context: Context
           ) -> int:
    """Append a model's steps to ``found``; return the place of its output.

    sources -- {number of one of its inputs: place of what feeds it}
    """
    graph = graph_of(model)
    place = sources[0] if not graph else ELSEWHERE
    places = {input_: sources.get(number, ELSEWHERE) for number, input_ in
              enumerate(references(graph["input_layers"]))} if graph else {}
    for layer in members(model) or ():
        here = context.enter(layer)
        if layer["class_name"] == "InputLayer":
            continue
        if not graph:
            place = append(layer, (place,), {}, found, here)
            continue
        # A nested model's call 0 is the one that made it.
        first_call = 0 if members(layer) is None else 1
        for call, node in enumerate(layer["inbound_nodes"], first_call):
            fed = tuple(places.get(source, ELSEWHERE) for source in references(node))
            places[name_of(layer), call, 0] = append(
                layer, fed or (ELSEWHERE,), options(node), found, here)
    return places.get(next(references(graph["output_layers"])), ELSEWHERE) if graph else place


def append(layer: dict[str, Any], sources: tuple[int, ...], call: dict[str, Any],
           found: list[Step], here: Context) -> int:
    """Append one call of a layer, or of a nested model; return the place of its output."""
    if call.get("training") is not None:
        here.training = bool(call["training"])
    if members(layer) is not None:
        return unroll(layer, dict(enumerate(sources)), found, here)
    kind = KINDS.get(layer["class_name"], layer["class_name"])
    weights = here.arrays(here.names, here.groups)
    config = {name: plain(value) for name, value in layer["config"].items()}
    found.append((Layer(kind, here.names[-1], YOUNGER | config, weights, here.shape,
                        function(kind, config, call), here.training), sources))
    return len(found)


def plain(value: Any) -> Any:
    """A setting, which TensorFlow 2.12 may wrap as NumPy's."""
    wrapped = isinstance(value, dict) and value.get("class_name") == "__numpy__"
    return value["config"]["value"] if wrapped else value


def name_of(layer: dict[str, Any]) -> str:
    """A layer's name, which a Sequential's layers have in their configuration alone."""
    config = layer["config"]
    return layer.get("name") or (config.get("name", "") if isinstance(config, dict) else "")


def references(value: Any) -> Iterator[tuple[str, int, int]]:
    """(layer, call, tensor) of every tensor that a part of a configuration names."""
    if isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
        yield tuple(value[:3])
        value = value[3:]
    if isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from references(part)


def options(node: list[Any]) -> dict[str, Any]:
    """The arguments of a call besides its first tensor."""
    first = node if isinstance(node[0], str) else node[0]
    return first[3] if len(first) > 3 else {}


def function(kind: str, config: dict[str, Any], call: dict[str, Any]
             ) -> Callable[[np.ndarray], np.ndarray] | None:
    """What a layer makes of images, or None where that is not known."""
    if kind in IDENTITIES or kind == "Activation" and config.get("activation") == "linear":
        return np.asarray
    if kind == "Rescaling":
        scale, offset = (np.asarray(config[name], np.float32) for name in ("scale", "offset"))
        return lambda images: images * scale + offset
    if kind == "ZeroPadding2D":
        padding = [(0, 0), *np.asarray(config["padding"]).tolist(), (0, 0)]
        return lambda images: np.pad(images, padding)
    if kind == "TFOpLambda":
        name, value = config.get("function"), call.get("y")
    elif kind == "TensorFlowOpLayer":   # TensorFlow 2.3's
        name = config["node_def"]["op"]
        value = config["constants"].get("1")   # argument 0 is the image
    else:
        return None
    if name not in OPERATIONS or not isinstance(value, (int, float)):
        return None
    return lambda images: OPERATIONS[name](images, np.float32(value))


def snake_case(kind: str) -> str:
    """The name of a class as Keras makes a group's of it."""
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()


def numbered(file: h5py.File) -> Arrays:
    """How a layer's arrays are found in an archive: by the groups on the way to it."""
    def arrays(names: tuple[str, ...], groups: tuple[str, ...]) -> tuple[h5py.Dataset, ...]:
        place = file
        for group in groups:
            place = inside(place, group)
        found = place.get("vars", {})
        return tuple(found[index] for index in sorted(found, key=int))

    return arrays


def inside(model: h5py.Group | dict[str, Any], group: str) -> h5py.Group | dict[str, Any]:
    """The group of a layer in its model's, by kind and number; empty where there is none."""
    if OLDER not in model:
        return model.get(f"layers/{group}", {})
    kind, number = re.fullmatch(r"(.*?)(?:_(\d+))?", group).groups("0")  # type: ignore
    there = [int(name.removeprefix(kind).lstrip("_") or 0) for name in model[OLDER]
             if re.fullmatch(rf"{kind}(_\d+)?", name)]
    numbers = dict(enumerate(sorted(there)))
    found = numbers.get(int(number))
    if found is None:
        return {}
    return model[f"{OLDER}/{kind}_{found}" if found else f"{OLDER}/{kind}"]


def named(root: h5py.Group) -> Arrays:
    """How a layer's arrays are found in an HDF5 file: by name in the outermost layer's group.

    Their order there is not the layers' where some are frozen.
    """
    def arrays(names: tuple[str, ...], groups: tuple[str, ...]) -> tuple[h5py.Dataset, ...]:
        if names[0] not in root:
            return ()
        if names[0] not in scopes:
            scopes[names[0]] = scoped(root[names[0]])
        if len(names) > 1:
            return pick(scopes[names[0]], names[-1])
        own = scopes[names[0]]   # whatever the layer was named when its arrays were made
        return pick(own, next(iter(own))) if len(own) == 1 else ()

    scopes: dict[str, Scopes] = {}
    return arrays


def pick(scopes: Scopes, name: str) -> tuple[h5py.Dataset, ...]:
    """The arrays of the layer of a name, in Keras's order; Difference if two are so named."""
    # TensorFlow 1 numbers the names of a second model in a session.
    found = scopes.get(name) or [variables for scope, several in scopes.items()
                                 if re.fullmatch(rf"{re.escape(name)}_\d+", scope)
                                 for variables in several]
    if len(found) > 1:
        raise Difference(f"more than one of its layers is named {name}", ONE)
    return tuple(found[0][variable] for variable in VARIABLES
                 if variable in found[0]) if found else ()


def scoped(group: h5py.Group) -> Scopes:
    """All arrays that are in a group, by the names of layer and variable."""
    found: dict[str, dict[str, h5py.Dataset]] = collections.defaultdict(dict)

    def visit(path: str, item: h5py.Dataset | h5py.Group) -> None:
        """Note a dataset, whose path ends in layer/variable:0."""
        if isinstance(item, h5py.Dataset):
            scope, _, variable = path.rpartition("/")
            found[scope][variable.split(":")[0]] = item

    group.visititems(visit)
    layers = collections.defaultdict(list)
    for scope, variables in found.items():
        layers[scope.rpartition("/")[2]].append(variables)
    return layers
