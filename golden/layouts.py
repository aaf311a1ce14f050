"""Files of weights alone: where in them the network's layers are."""
from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import h5py

from golden.keras_2 import pick, scoped, snake_case, text
from golden.topology import Difference, agreed, other_shapes

if TYPE_CHECKING:
    import keras

RENAMED = "if its layers are renamed, save the whole model with model.save('FILE.h5')"

Found = tuple[str, Sequence[h5py.Dataset]]   # a layer's name and its arrays


def arrays(file: h5py.File, layers: Sequence[keras.layers.Layer]
           ) -> Sequence[Sequence[h5py.Dataset]]:
    """The arrays of each of a network's layers that have some, in Keras's order.

    Raises Difference for the first layer that the file does not have, and for a file that has
    more than one network.
    """
    older = "layer_names" in file.attrs
    candidates = older_layouts(file, layers) if older else keras_3_layouts(file, layers)
    best = -1, Difference(f"there is no layer {layers[0].name} with weights")
    fits = []
    for candidate in candidates:
        number, how = first_difference(candidate, layers)
        if not how:
            fits.append([found for _, found in candidate])
        elif number > best[0]:
            best = number, how
    if not fits:
        # Arrays go by name where a group holds a whole model; the configuration tells the names.
        raise Difference(str(best[1]), RENAMED) if older and "no layer" in str(best[1]) else best[1]
    return agreed(fits)


def first_difference(candidate: Sequence[Found],
                     layers: Sequence[keras.layers.Layer]) -> tuple[int, Difference | None]:
    """(number, how) of the first layer whose arrays have other shapes; None if none has."""
    for number, ((name, found), layer) in enumerate(zip(candidate, layers, strict=True)):
        how = other_shapes(name, found, layer.name, layer.weights)
        if how:
            return number, how
    return len(layers), None


def keras_3_layouts(file: h5py.File,
                    layers: Sequence[keras.layers.Layer]) -> Iterator[list[Found]]:
    """For each model in the file, at any depth: its layers, which it numbers by kind."""
    groups = [file]
    file.visititems(lambda path, item: groups.append(item)
                    if isinstance(item, h5py.Group) else None)
    for group in groups:
        if "conv2d" in group:
            yield list(numbered(group, layers))


def numbered(group: h5py.Group, layers: Iterable[keras.layers.Layer]) -> Iterator[Found]:
    """The layers of one model."""
    seen: collections.Counter[str] = collections.Counter()
    for layer in layers:
        kind = snake_case(type(layer).__name__)
        number = f"_{seen[kind]}" if seen[kind] else ""
        seen[kind] += 1
        found = group.get(f"{kind}{number}/vars", {})
        yield layer.name, [found[index] for index in sorted(found, key=int)]


def older_layouts(file: h5py.File,
                  layers: Sequence[keras.layers.Layer]) -> Iterator[list[Found]]:
    """Each group that has the arrays of a whole model, by name as their order is not the layers'
    where some are frozen; and the groups that have a layer each, in the file's order."""
    groups = {name: scoped(file[name]) for name in map(text, file.attrs["layer_names"])}
    for group in groups.values():
        if len(group) > 1:
            yield [(layer.name, pick(group, layer.name)) for layer in layers]
    inline = ((name, pick(group, *group)) for name, group in groups.items() if len(group) == 1)
    yield [next(inline, (layer.name, ())) for layer in layers]
