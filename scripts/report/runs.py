"""What the page draws of each recorded run, as small integers."""
import base64
import functools
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from scripts.report import work
from scripts.report.fills import Fill, fills
from scripts.report.results import RunFile
from scripts.report.work import Work
from scripts.shared.recording import Recording

BINS = 360          # of time, in which the fill of a memory is drawn
SIDE = 56           # cells of a map's side at most
LEVELS = 255        # of a cell


@dataclass(frozen=True)
class RunData:
    """One run, and what is computed of its beats."""

    index: int
    file: RunFile

    @property
    def recording(self) -> Recording:
        """What was recorded."""
        return self.file.run

    @property
    def told(self) -> dict[str, Any]:
        """What scripts.cosim said of the run."""
        return self.recording.summary

    @property
    def end(self) -> int:
        """The cycle after the last beat."""
        return max(int(cycles[-1]) for cycles in self.recording.cycles.values()) + 1

    @functools.cached_property
    def _plan(self) -> work.Plan:
        return work.plan_of(self.recording)

    @functools.cached_property
    def works(self) -> list[Work]:
        """When every unit works."""
        return work.works(self.recording, self._plan)

    @functools.cached_property
    def fills(self) -> list[Fill]:
        """How full every memory is; none of a run that was stalled at random."""
        return list(fills(self.recording, self._plan)) if "beats" in self.told else []

    def picture(self) -> str:
        """The photo as the address of a picture."""
        file = io.BytesIO()
        Image.fromarray(self.recording.image).save(file, "PNG", optimize=True)
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

    def drawn(self) -> dict[str, Any]:
        """What the page's own charts are drawn of."""
        busy, counts = work.packed(self.works)
        edges = np.unique(np.linspace(0, self.end, BINS + 1).astype(np.int64))
        first = next((place for place, unit in enumerate(self.told["units"])
                      if unit["mismatches"]), 0)
        return {
            "name": self.file.name, "end": self.end, "first": first,
            "units": [each.unit for each in self.works],
            "busy": squeezed(busy), "counts": counts,
            "held": [each.held.tolist() for each in self.works],
            "memories": [{"name": fill.name, "room": fill.room} for fill in self.fills],
            "edges": edges.tolist() if self.fills else [],
            "fills": squeezed(np.concatenate([fill.binned(edges) for fill in self.fills])
                              .astype(np.int32)) if self.fills else "",
            "maps": self.maps()}

    def maps(self) -> dict[str, Any]:
        """Maps of every unit: error in LEVELS of the greatest, and counts of what differs."""
        units = self.told["units"]
        errors = [pooled(self.recording.error[unit["name"]] ** 2, "mean") ** 0.5 for unit in units]
        wrong = [pooled(self.recording.wrong[unit["name"]], "sum") for unit in units]
        most = [float(error.max()) or 1.0 for error in errors]
        return {
            "sides": [error.shape[0] for error in errors],
            "pixels": [unit["shape"][0] for unit in units], "most": most,
            "error": squeezed(np.concatenate([
                np.round(error / top * LEVELS).astype(np.uint8).ravel()
                for error, top in zip(errors, most)])),
            "wrong": squeezed(np.concatenate([each.astype(np.int32).ravel() for each in wrong])),
            "channels": {str(place): self.recording.wrong_channels[unit["name"]].tolist()
                         for place, unit in enumerate(units) if unit["mismatches"]}}


def pooled(values: np.ndarray, how: str) -> np.ndarray:
    """A square map, squares of pixels as one ('mean' or 'sum' of them) until it is small enough."""
    factor = -(-values.shape[0] // SIDE)
    side = -(-values.shape[0] // factor)
    padded = np.pad(values, (0, side * factor - values.shape[0]))
    sums = padded.reshape(side, factor, side, factor).sum(axis=(1, 3))
    if how == "sum":
        return sums
    sides = np.full(side, factor)   # of the squares; the last may be cut off by the map's edge
    sides[-1] -= len(padded) - len(values)
    return sums / np.outer(sides, sides)


def squeezed(values: np.ndarray) -> str:
    """Little-endian numbers, deflated, in base 64."""
    little = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(zlib.compress(little.tobytes(), 9)).decode()


def run_data(files: Sequence[RunFile]) -> list[RunData]:
    """The RunData of recorded runs."""
    return [RunData(index, file) for index, file in enumerate(files)]
