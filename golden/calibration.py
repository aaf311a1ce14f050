"""Which photos a network is calibrated with, and how its weights are rounded."""
from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden import photo, views
from golden.errors import GoldenError

# PNG files of scikit-image's wheel (a JPEG's pixels depend on the decoder) and views of each; half
# of its photographs are left to be validated with.
PHOTOS = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "grass.png",
          "ihc.png", "motorcycle_left.png")
VIEWS = 3
METHODS = ("compensate", "correct")


@dataclass(frozen=True)
class Calibration:
    """Which photos, and which post-training methods.

    Raises GoldenError for a method that is none of METHODS.

    folder  -- of photos, whole; None: PHOTOS, in VIEWS views each
    methods -- of METHODS: 'compensate' rounds each weight so as to make up for the errors of those
               rounded before it, 'correct' lets the bias give every channel the teacher's mean
    """

    folder: Path | None = None
    methods: tuple[str, ...] = METHODS

    def __post_init__(self) -> None:
        for name in self.methods:
            if name not in METHODS:
                raise GoldenError(f"method {name} is not one of {', '.join(METHODS)}: "
                                  "choose of these, or none")

    def names(self) -> list[tuple[str, int]]:
        """(file, number of its view) of every view, in order.

        Raises GoldenError for a folder without photos.
        """
        if self.folder is None:
            return [(name, index) for name in PHOTOS for index in range(VIEWS)]
        return [(name, 0) for name in views.photo_names(self.folder)]

    def contents(self, names: Collection[tuple[str, int]] | None = None) -> Iterator[bytes]:
        """Yield the bytes of the file of each view, of all or of those in ``names``.

        Raises GoldenError for a file that cannot be read.
        """
        folder = photo.shipped_folder() if self.folder is None else Path(self.folder)
        for name, _ in names or self.names():
            try:
                yield (folder / name).read_bytes()
            except OSError as error:
                raise GoldenError(f"calibration photo {photo.shown(folder / name)} cannot be "
                                  f"read ({error.strerror}): take it away or replace it") from None

    def photos(self, resolution: int,
               names: Collection[tuple[str, int]] | None = None) -> Iterator[np.ndarray]:
        """Yield uint8 (R, R, 3) of all views, or of those in ``names``, one at a time.

        resolution -- R, pixels a side

        Raises GoldenError for a file that is no image.
        """
        for name, group in itertools.groupby(names or self.names(), lambda view: view[0]):
            content, = self.contents([(name, 0)])
            try:
                image = photo.decode(content)
            except GoldenError as error:
                raise GoldenError(f"calibration photo {photo.shown(name)} cannot be read "
                                  f"({error}): take it away or replace it") from None
            for _, index in group:
                yield views.view(image, index, resolution)

    def attributes(self) -> dict[str, str | int]:
        """What the golden file records: the files, how many views, the methods."""
        names = self.names()
        return {"calibration": ", ".join(dict.fromkeys(photo.shown(name) for name, _ in names)),
                "calibration_views": len(names), "methods": ", ".join(self.methods) or "none"}
