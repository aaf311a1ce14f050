"""Goldens as HDF5 files: written whole or not at all, read only if they are what they should be."""
from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike

from golden.errors import GoldenError
from golden.quantize import Scales, UnitParams, smallest_dtype
from golden.whole import write_whole
from hdl import layers
from hdl.layers import layer_table

SCHEMA = 1
REMEDY = "make it again with python -m scripts.dump_goldens --out FILE"


@dataclass
class Golden:
    """Everything one photo makes of the network: Keras's floats and the hardware's integers."""

    alpha: float
    resolution: int
    precision: str
    image: np.ndarray                          # uint8 (R, R, 3)
    params: dict[str, UnitParams]              # {convolution unit: UnitParams}
    fixed: dict[str, np.ndarray]               # {unit or 'input': integers (H, W, C)}
    float: dict[str, np.ndarray]               # {unit: float32 (H, W, C)}, after BN and ReLU
    scales: Scales                             # {unit or 'input': value of one step}
    # of the file's root: versions, digests
    attributes: dict[str, Any] = field(default_factory=dict)


def datasets(golden: Golden) -> dict[str, np.ndarray]:
    """{path in the file: array} of everything but the attributes."""
    found = {"image": golden.image}
    for group in ("float", "fixed"):
        found.update((f"{group}/{name}", array) for name, array in getattr(golden, group).items())
    for name, unit in golden.params.items():
        found.update((f"params/{name}/{part.name}", getattr(unit, part.name))
                     for part in fields(unit))
    return found


def digest(array: np.ndarray) -> str:
    """sha256, hexadecimal, of an array's type, shape and little-endian bytes."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()


def seal(attributes: Mapping[str, Any]) -> str:
    """sha256, hexadecimal, of the root's attributes, which HDF5 itself does not check."""
    plain = {name: value.item() if hasattr(value, "item") else value
             for name, value in attributes.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def expected(alpha: float, resolution: int,
             precision: str) -> dict[str, tuple[tuple[int, ...], DTypeLike]]:
    """{path: (shape, dtype)} of every dataset, from the layer table alone.

    Raises ValueError or KeyError for what the layer table does not have.
    """
    row = layers.precision(precision)
    image = (resolution, resolution, 3)
    found: dict[str, tuple[tuple[int, ...], DTypeLike]] = {
        "image": (image, np.uint8), "fixed/input": (image, smallest_dtype(row.limits("input")))}
    for unit in layer_table(alpha, resolution):
        shape = (unit.size_out, unit.size_out, unit.channels_out)
        found[f"float/{unit.name}"] = shape, np.float32
        found[f"fixed/{unit.name}"] = shape, smallest_dtype(row.limits(unit.activation))
        if unit.weight_shape:
            limit = row.of(unit.name).weight_limit
            found[f"params/{unit.name}/weights"] = (
                unit.weight_shape, smallest_dtype((-limit, limit)))
            for part, dtype in (("bias", np.int64), ("multiplier", np.int32),
                                ("shift", np.int32)):
                found[f"params/{unit.name}/{part}"] = (unit.channels_out,), dtype
    return found


def differences(golden: Golden, other: Golden) -> list[str]:
    """Names of the datasets that two goldens do not share exactly, and 'scales' if those differ."""
    ours, theirs = datasets(golden), datasets(other)
    found = [name for name in dict.fromkeys([*ours, *theirs]) if name not in ours
             or name not in theirs or digest(ours[name]) != digest(theirs[name])]
    return found + ["scales"] * (golden.scales != other.scales)


def check_place(path: str | Path) -> None:
    """Refuse a path no file can be written to, before any work is done for it: GoldenError."""
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a directory" if path.is_dir() else "is in no directory there is"
        raise GoldenError(f"golden {path} {problem}: give the path of a file with --out")


def write(path: str | Path, golden: Golden) -> None:
    """Write a golden under a temporary name and give it its own once it is complete.

    Raises GoldenError for a place that cannot be written to.
    """
    check_place(path)
    arrays = datasets(golden)
    attributes = golden.attributes | {
        "schema": SCHEMA, "alpha": golden.alpha, "resolution": golden.resolution,
        "precision": golden.precision, "scales": json.dumps(golden.scales),
        "digests": json.dumps({name: digest(array) for name, array in arrays.items()})}
    # In memory first: HDF5 cannot always close a file that a full disk has cut off.
    content = io.BytesIO()
    # The 1.10 format has a checksum on every header too, not only on the data.
    with h5py.File(content, "w", libver=("v110", "v110")) as file:
        file.attrs.update(attributes, seal=seal(attributes))
        for name, array in arrays.items():
            file.create_dataset(name, data=array, chunks=True, compression="gzip", shuffle=True,
                                fletcher32=True)
    try:
        write_whole(Path(path), content.getbuffer())
    except OSError as error:
        raise GoldenError(f"golden {path} cannot be written ({error.strerror}): "
                          "give another place, with --out or --cache") from None


def read(path: str | Path, float: bool = True) -> Golden:
    """The golden in a file, every dataset checked; without its floats if they are not wanted.

    Raises GoldenError for a file that is missing, damaged, or of another schema or layer table.
    """
    if not os.path.isfile(path):
        raise GoldenError(f"there is no golden {path}: {REMEDY}")
    try:
        with h5py.File(path, "r") as file:
            return load(file, path, float)
    except GoldenError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise GoldenError(f"golden {path} is damaged or no HDF5 file ({reason}): "
                          f"{REMEDY}") from None


def load(file: h5py.File, path: str | Path, with_float: bool) -> Golden:
    """A Golden from an open file; GoldenError as ``read``."""
    attributes = dict(file.attrs)
    sealed = attributes.pop("seal", None)
    intact = sealed == seal(attributes)
    schema = attributes.pop("schema", None)
    if schema != SCHEMA:
        raise GoldenError(f"golden {path} is of schema {schema} and this program reads schema "
                          f"{SCHEMA}: {REMEDY}")
    alpha, resolution = float(attributes.pop("alpha")), int(attributes.pop("resolution"))
    precision = str(attributes.pop("precision"))
    scales, digests = (json.loads(attributes.pop(name)) for name in ("scales", "digests"))
    check_table(file, path, alpha, resolution, precision)
    if not intact:
        raise GoldenError(f"golden {path} is damaged (its attributes are not what was written): "
                          f"{REMEDY}")

    def group(prefix: str) -> dict[str, np.ndarray]:
        """{name: array} below a prefix, in the order they were written."""
        found = {}
        for name in digests:
            if name.startswith(prefix):
                found[name.removeprefix(prefix)] = array = file[name][()]
                if digest(array) != digests[name]:
                    raise GoldenError(f"golden {path} is damaged (dataset {name} is not what was "
                                      f"written): {REMEDY}")
        return found

    parts = group("params/")
    names = [part.name for part in fields(UnitParams)]
    return Golden(
        alpha, resolution, precision, group("image")[""],
        {unit: UnitParams(*(parts[f"{unit}/{name}"] for name in names))
         for unit in dict.fromkeys(part.rsplit("/", 1)[0] for part in parts)},
        group("fixed/"), group("float/") if with_float else {}, scales,
        {name: value.item() if hasattr(value, "item") else value
         for name, value in attributes.items()})


def check_table(file: h5py.File, path: str | Path, alpha: float, resolution: int,
                precision: str) -> None:
    """Refuse a file whose datasets are not exactly the layer table's: GoldenError."""
    found = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        """Note a dataset."""
        if isinstance(item, h5py.Dataset):
            found[name] = item.shape, item.dtype

    file.visititems(visit)
    try:
        wanted = expected(alpha, resolution, precision)
    except (KeyError, ValueError):
        raise GoldenError(f"golden {path} is for alpha {alpha}, resolution {resolution} and "
                          f"precision {precision}, which the layer table does not have: "
                          f"{REMEDY}") from None
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found or name not in wanted or found[name] != wanted[name]:
            raise GoldenError(f"golden {path} was made for another layer table (dataset {name} "
                              f"{describe(found.get(name))}, wanted "
                              f"{describe(wanted.get(name))}): {REMEDY}")


def describe(kind: tuple[tuple[int, ...], DTypeLike] | None) -> str:
    """A dataset's shape and type in words."""
    return f"is {np.dtype(kind[1]).name} {tuple(map(int, kind[0]))}" if kind else "is missing"
