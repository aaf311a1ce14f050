"""What of a saved model is code or reads other files: refused before Keras builds any of it."""
from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from typing import Any

import h5py

from golden.errors import GoldenError

# Layers that hold code, or build what another library or another file says.
KINDS = {"Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer",
         "IndexLookup", "StringLookup", "IntegerLookup", "TextVectorization"}
# Rooms of Keras that a model's parts come from.
ROOMS = {"activations", "backend", "constraints", "dtype_policies", "initializers", "layers",
         "losses", "metrics", "models", "ops", "optimizers", "quantizers", "regularizers"}


def refuse_code(path: str, advice: str) -> None:
    """GoldenError for a whole model of Keras 3 that names anything but Keras's own parts, or parts
    that are code."""
    for part in parts(configuration(path)):
        kind, module = str(part["class_name"]), part.get("module")
        if kind in KINDS:
            raise GoldenError(f"weights {path} hold a {kind}, which is code or reads other files, "
                              f"and nothing of a file is run: {advice}")
        if module and not of_keras(str(module)):
            name = f"{module}.{kind}"
            raise GoldenError(f"weights {path} need {name}, which is no part of a model of Keras, "
                              f"and nothing of a file is run: {advice}")


def configuration(path: str) -> Any:
    """What a whole model says of its layers, from JSON."""
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    with h5py.File(path) as file:
        return json.loads(file.attrs["model_config"])


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a configuration that names a class, at any depth."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value
        for inside in value.values():
            yield from parts(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from parts(inside)


def of_keras(module: str) -> bool:
    """Whether a module is Keras itself or one of its ROOMS."""
    head, *rest = module.split(".")
    rooms = [room for room in rest if room != "src"]
    return head == "keras" and (not rooms or rooms[0] in ROOMS)
