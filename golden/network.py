"""One row that names a network: all that determines its integers."""
import functools
from dataclasses import dataclass
from pathlib import Path

from golden.calibration import Calibration
from golden.errors import GoldenError
from hdl.layers import PRECISIONS, Precision, Unit, layer_table

WITHOUT_FILE = ("seeded", "imagenet")   # weights made here, or Keras's download


@dataclass(frozen=True)
class Network:
    """A MobileNetV2 of an alpha and a resolution, its widths, its weights and their calibration.

    Raises GoldenError for an alpha or a resolution that the layer table does not have.
    """

    alpha: float = 1.0
    resolution: int = 224                       # pixels a side of the input
    precision: Precision = PRECISIONS["w16a16"]
    weights: str | Path = "seeded"              # of WITHOUT_FILE, or a file's path
    calibration: Calibration = Calibration()

    def __post_init__(self) -> None:
        try:
            self.table
        except ValueError as error:
            raise GoldenError(str(error)) from None

    @functools.cached_property
    def table(self) -> tuple[Unit, ...]:
        """The layer table, unit by unit in order of data flow."""
        return layer_table(self.alpha, self.resolution)

    @property
    def pixels(self) -> int:
        """Input pixels of a frame: also the cycles for a frame at one pixel per clock."""
        return self.resolution ** 2

    @property
    def from_file(self) -> bool:
        """Whether the weights are a file's."""
        return self.weights not in WITHOUT_FILE
