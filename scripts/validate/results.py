"""The results of ``python -m scripts.validate``: one row for each view, in one HDF5 file.

The file is written anew under another name and put in the old one's place, so that whenever the
command is ended there is a whole file.
"""
import contextlib
import csv
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from golden.errors import GoldenError

SCHEMA = 1
TEXT = h5py.string_dtype()
COLUMNS = {
    "file": TEXT, "view": "i4", "file_sha256": TEXT, "pixels_sha256": TEXT,
    "float_top5": ("i4", (5,)), "fixed_top5": ("i4", (5,)),     # -1: weights without a top
    "sqnr_db": "f8", "signal": "f8", "noise": "f8",             # of the features
    "saturated": "i8", "label": "i4", "seconds": "f8",
    "rtl_elements": "i8", "rtl_mismatches": "i8", "rtl_first": TEXT, "rtl_seconds": "f8"}
DTYPE = np.dtype([(name, *(kind if isinstance(kind, tuple) else (kind,)))
                  for name, kind in COLUMNS.items()])
NOT_RUN = {"label": -1, "rtl_elements": -1, "rtl_mismatches": -1, "rtl_first": "",
           "rtl_seconds": 0.}
SHARE = 20      # writing takes at most one part in so many of the time

Place = tuple[str, int]     # of a row: the photo's name, the view's number


class Results:
    """Rows by (file, view), on disk and in memory.

    Raises GoldenError for a file that is damaged, or of another ``key``.
    """

    def __init__(self, folder: str | Path, key: str, parameters: dict[str, Any]) -> None:
        self.folder, self.path = Path(folder), Path(folder, "results.h5")
        self.key, self.parameters = key, parameters
        self.rows: dict[Place, dict[str, Any]] = {}
        self._next = 0.
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        try:
            with h5py.File(self.path, "r") as file:
                schema, key = file.attrs.get("schema"), file.attrs.get("key")
                table = file["rows"][()] if schema == SCHEMA and key == self.key else ()
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise GoldenError(f"results {self.path} are damaged ({str(error).splitlines()[0]}): "
                              "delete the file or give another directory with --out") from None
        if schema != SCHEMA or key != self.key:
            raise GoldenError(f"results {self.path} are of other photos, weights, precision, rate "
                              "or code: give another directory with --out")
        for values in table:
            row: dict[str, Any] = {name: plain(values[name]) for name in COLUMNS}
            self.rows[row["file"], row["view"]] = row

    def add(self, row: dict[str, Any]) -> None:
        """Take a row, or more columns of one."""
        place = row["file"], row["view"]
        self.rows[place] = NOT_RUN | self.rows.get(place, {}) | row

    def discard(self, places: Iterable[Place]) -> None:
        """Forget rows that no longer hold."""
        for place in places:
            self.rows.pop(place, None)

    def label(self, classes: Mapping[str, int]) -> None:
        """Give every row its photo's class, -1 where {photo: class} has none, and write."""
        for (name, _), row in self.rows.items():
            row["label"] = classes.get(name, -1)
        if self.rows:
            self.flush(force=True)

    def flush(self, force: bool = False) -> None:
        """Write what there is, unless that took long and was not long ago.

        Raises GoldenError for a file that cannot be written.
        """
        started = time.monotonic()
        if not force and started < self._next:
            return
        rows = sorted(self.rows.values(), key=lambda row: (row["file"], row["view"]))
        table = np.array([tuple(row[name] if np.ndim(row[name]) == 0 else tuple(row[name])
                                for name in COLUMNS) for row in rows], DTYPE)
        temporary = f"{self.path}.part"
        try:
            with h5py.File(temporary, "w", libver=("v110", "v110")) as file:
                file.attrs.update(schema=SCHEMA, key=self.key,
                                  parameters=json.dumps(self.parameters))
                file.create_dataset("rows", data=table)
            os.replace(temporary, self.path)
        except OSError as error:
            raise GoldenError(f"results {self.path} cannot be written "
                              f"({error.strerror or error}): give another directory with "
                              "--out") from None
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(temporary)
        ended = time.monotonic()
        self._next = ended + SHARE * (ended - started) if ended - started > 0.1 else 0.

    def write_csv(self, places: Iterable[Place]) -> None:
        """``results.csv`` of some rows."""
        temporary = self.folder / "results.csv.part"
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for place in places:
                row = self.rows[place]
                writer.writerow([" ".join(map(str, row[name])) if name.endswith("top5")
                                 else row[name] for name in COLUMNS])
        os.replace(temporary, self.folder / "results.csv")

    def write_summary(self, summary: dict[str, Any]) -> None:
        """``summary.json``."""
        temporary = self.folder / "summary.json.part"
        temporary.write_text(json.dumps(summary, indent=1) + "\n")
        os.replace(temporary, self.folder / "summary.json")


def plain(value: bytes | np.ndarray | np.generic | str | float) -> str | int | float | list:
    """A value of a NumPy row as Python's own."""
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
