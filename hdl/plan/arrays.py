"""What a constant array computes: windows of a patch times constants, requantized."""
from dataclasses import dataclass

from hdl.plan.rom import Constants
from hdl.plan.tiles import TileGeometry
from hdl.shape import StreamShape


@dataclass(frozen=True)
class Edge:
    """A border of the frame as it lies in output tiles."""

    bit: int        # of Patch.edges
    axis: int       # 0: a row of taps lies outside the frame; 1: a column of them
    tap: int        # which
    place: int      # row (column) of the tile whose windows reach over the border
    before: bool    # its piece that lies before the creep along the other axis; else that behind it


@dataclass(frozen=True, eq=False)
class ArrayWork:
    """The constants of a unit, how its windows lie, and the widths of all that is between."""

    name: str
    weights: Constants          # output by output; of an output, tap by tap, channels minor
    biases: Constants           # of each output, as ``multipliers`` and ``shifts``
    multipliers: Constants
    shifts: Constants           # above ``shift_base``, the least
    shift_base: int
    sum_bits: int               # of the signed sum of products
    biased_bits: int            # ... and bias
    geometry: TileGeometry
    shared: bool                # every output is of all input channels; else each of its own
    shape_in: StreamShape       # of a pixel of the patch
    shape_out: StreamShape      # of a tile that leaves, without the bit of creeping tiles
    limits: tuple[int, int]     # least and greatest activation

    @property
    def taps(self) -> int:
        """Pixels of a window."""
        return self.geometry.kernel ** 2

    @property
    def places(self) -> int:
        """Output pixels of a tile."""
        return self.geometry.tile_out ** 2

    @property
    def inputs(self) -> int:
        """Products of an output."""
        return len(self.weights.values) // self.shape_out.lanes

    @property
    def patch_bits(self) -> int:
        """Bits of a patch."""
        return self.geometry.patch ** 2 * self.shape_in.width

    @property
    def scaled_bits(self) -> int:
        """Bits of a product less all that every shift takes away, but as wide as its sign and an
        output need."""
        return max(self.biased_bits + self.multipliers.bits + 1 - (self.shift_base - 1),
                   self.shape_out.bits + 2)

    @property
    def edges(self) -> tuple['Edge', ...]:
        """The places at which windows may reach over a border of the frame, by bit of
        ``Patch.edges``; () where pixels are windows."""
        geometry = self.geometry
        found = []
        for axis in (1, 0):
            # A stride of 2 has no taps left of the frame or above it.
            near = (0, geometry.behind % geometry.tile_out) if geometry.stride == 1 else None
            far = (geometry.kernel - 1, geometry.behind - 1)
            for number, taps in enumerate((near, far)):
                for before in (False, True):
                    if taps and (before or not geometry.whole):
                        bit = 4 * (1 - axis) + 2 * number + before
                        found.append(Edge(bit, axis, *taps, before))
        return tuple(found) if geometry.kernel > 1 else ()
