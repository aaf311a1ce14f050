"""What a cosimulation leaves for a report, in one HDF5 file: when beats moved, and where which
unit's output is not its golden's or not float Keras's.
"""
from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from golden.store import Golden
from hdl.plan.config import UnitConfig
from hdl.sim.trace import Run
from scripts.shared.options import UserError

SCHEMA = 1
INPUT = "s_axis"    # the stream of pixels, in ``cycles``


@dataclass(frozen=True)
class Recording:
    """One run of a network.

    A map has the rows and columns of a unit's output.
    """

    # What scripts.cosim prints with --json.
    summary: dict[str, Any]
    # The photo, uint8 (R, R, 3).
    image: np.ndarray
    # {INPUT or unit: int64 cycles at which its beats moved}.
    cycles: dict[str, np.ndarray]
    # {unit whose tiles creep: bool, whether each beat brings a tile}.
    tiles: dict[str, np.ndarray]
    # {unit: float32 map of the golden's root mean square error against float Keras, over channels}.
    error: dict[str, np.ndarray]
    # {unit: int32 map of the elements, of all channels and frames, that are not the golden's}.
    wrong: dict[str, np.ndarray]
    # {unit: int32 (channels,), the same elements by channel}.
    wrong_channels: dict[str, np.ndarray]


ARRAYS = ("cycles", "tiles", "error", "wrong", "wrong_channels")


def recorded(summary: dict[str, Any], golden: Golden, configs: Sequence[UnitConfig], run: Run,
             outputs: Mapping[str, np.ndarray], frames: int) -> Recording:
    """The Recording of a Run.

    outputs -- {unit: integers in the order they left}, of so many frames
    """
    error, wrong, channels = {}, {}, {}
    for config in configs:
        name = config.unit.name
        fixed = golden.fixed[name]
        noise = fixed * golden.scales[name] - golden.float[name]
        error[name] = np.sqrt((noise ** 2).mean(axis=2)).astype(np.float32)
        differs = differing(fixed, outputs[name], frames)
        wrong[name] = differs.sum(axis=2, dtype=np.int32)
        channels[name] = differs.sum(axis=(0, 1), dtype=np.int32)
    creeping = {config.unit.name: run[config.unit.name].bit(config.stream_out().width - 1)
                for config in configs if config.stream_out().creep is not None}
    return Recording(summary, golden.image,
                     {name: run[name].cycles for name in (INPUT, *outputs)}, creeping, error,
                     wrong, channels)


def differing(golden: np.ndarray, values: np.ndarray, frames: int) -> np.ndarray:
    """In how many frames each element of a unit's output is not the golden's, or missing.

    golden -- integers (H, W, C); values -- integers in the order they left
    """
    values = values[:frames * golden.size]
    expected = np.tile(golden.ravel(), frames)
    differs = np.ones(expected.size, dtype=np.int32)
    differs[:values.size] = values != expected[:values.size]
    return differs.reshape(frames, *golden.shape).sum(axis=0)


def check_place(path: Path) -> None:
    """Refuse a path that no file can be written to, before any work is done: UserError."""
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else "is in no folder that exists"
        raise UserError(f"recording {path} {problem}: give the path of a file with --record")


def write(path: Path, recording: Recording) -> None:
    """Write a Recording under a temporary name and rename the file when it is complete."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs.update(schema=SCHEMA, summary=json.dumps(recording.summary))
            packed: dict[str, Any] = dict(compression="gzip", shuffle=True, fletcher32=True)
            file.create_dataset("image", data=recording.image, **packed)
            for kind in ARRAYS:
                for name, array in getattr(recording, kind).items():
                    # The steps of a count of cycles are all but equal, and pack well.
                    data = np.diff(array, prepend=0) if kind == "cycles" else array
                    file.create_dataset(f"{kind}/{name}", data=data, **packed)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def read(path: Path) -> Recording:
    """The Recording in a file; UserError for a file that is none, is damaged, or is of another
    schema."""
    remedy = "make the file again with python -m scripts.cosim --record FILE.h5"
    try:
        with h5py.File(path, "r") as file:
            schema = file.attrs.get("schema")
            if schema != SCHEMA or "summary" not in file.attrs:
                raise UserError(f"{path} is no recording of schema {SCHEMA}: {remedy}")
            arrays = {kind: {name: data[()] for name, data in file.get(kind, {}).items()}
                      for kind in ARRAYS}
            cycles = {name: np.cumsum(steps) for name, steps in arrays.pop("cycles").items()}
            return Recording(json.loads(file.attrs["summary"]), file["image"][()], cycles,
                             **arrays)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"recording {path} is damaged or no HDF5 file ({reason}): "
                        f"{remedy}") from None
