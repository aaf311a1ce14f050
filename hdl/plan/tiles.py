"""Tiles that creep: rates of more than a pixel a cycle, and where each unit's grid of tiles lies.

A beat is a tile of T x T pixels, and a 3x3 window needs the row and the column after its tile.
Waiting for the whole next row of tiles would keep up to T + 1 rows of pixels.  So a unit's output
tiles lie one row and one column behind its input's (half of that, rounded up, at a stride of 2):
this is the creep.  A beat of a stream with a creep of s holds four pieces.  Local place (i, j)
with i, j >= s is of the beat's own tile, with j < s of the tile one beat ago, with i < s of the
tile one row of tiles ago, with both of the tile before that one.  Those tiles are of the frame
before where the beat's own is in the first row.  A creep of a whole tile is none: the tiles are as
they were, a row of tiles and a tile later.
"""
from dataclasses import dataclass
from math import isqrt

import numpy as np

STRIDES = 32        # input pixels a side for each of the last map
LEAST_KEPT = 2      # rows of a 3x3 window that are there already when the newest comes


def tile_rates(resolution: int) -> tuple[int, ...]:
    """Cycles for a frame at which the first unit puts out tiles: (R / 32)^2 x 4^k, fastest first,
    down to one output point of the last map a cycle; none where R is no multiple of 32."""
    if resolution % STRIDES:
        return ()
    last = (resolution // STRIDES) ** 2
    return tuple(last * 4 ** k for k in range(4))


def tile_side(size: int, cycles: int) -> int:
    """Pixels a side of the tiles of a ``size`` x ``size`` map of which one comes in every one of
    ``cycles`` cycles, one of the ``tile_rates``; 1 where pixels are as many or fewer."""
    return max(size // isqrt(cycles), 1)


@dataclass(frozen=True)
class TileGeometry:
    """How a unit's windows lie in tiles that creep.  Sizes in pixels a side.

    Every output tile is cut out of a patch: the tile that comes, ``kernel`` - 1 rows above it and
    as many columns to the left of it.
    """

    size: int       # of the unit's input
    tile: int       # of an input beat
    creep: int      # rows and columns that the input's grid lies behind the frame's
    kernel: int     # 3; 1 where a pixel is its own window; 2 where pixels only wait for others
    stride: int = 1

    def __post_init__(self) -> None:
        if self.size % self.tile or self.tile % self.stride or not 0 <= self.creep < self.tile:
            raise ValueError(
                f"a map of {self.size} pixels a side in tiles of {self.tile}, at a stride of "
                f"{self.stride} and a creep of {self.creep}: a tile divides the map, the stride "
                "divides the tile, and the creep is less than a tile")

    @property
    def tiles(self) -> int:
        """Tiles in a row, and rows of tiles."""
        return self.size // self.tile

    @property
    def tile_out(self) -> int:
        """Of an output beat."""
        return self.tile // self.stride

    @property
    def patch(self) -> int:
        """Of the patch that output tiles are cut out of."""
        return self.tile + self.kernel - 1

    @property
    def behind(self) -> int:
        """Rows and columns of output that its grid lies behind the frame's: a tile at the most."""
        return -(-(self.creep + min(self.kernel - 1, 1)) // self.stride)

    @property
    def whole(self) -> bool:
        """Whether that is a whole tile: the output has no creep, a row of tiles and a tile late."""
        return self.behind == self.tile_out

    @property
    def creep_out(self) -> int:
        """The creep of the output."""
        return 0 if self.whole else self.behind

    @property
    def first(self) -> int:
        """Row and column of the patch of the first tap of the first window; the others follow at
        the stride.  At a stride of 1 the last tap of the last window is the patch's last pixel; at
        a stride of 2, where windows have no pixels before the frame, that or the one before."""
        return 0 if self.stride == 1 else 2 + self.creep - 2 * self.behind

    @property
    def tail(self) -> int:
        """Beats after a frame's own until its last left-over has left: a row of tiles and one."""
        return self.tiles + 1


@dataclass(frozen=True)
class Beats:
    """Beats of creeping tiles: the cycle in which each moves, and whether it brings a tile."""

    cycles: np.ndarray
    own: np.ndarray     # bool; a beat without one holds only what is left over of those before


def flushed(arrive: np.ndarray, frame: int, tail: int) -> Beats:
    """The beats out of ``tile_flush``, a cycle after those that ``arrive``, ``frame`` tiles each
    frame: after a frame's last one come up to ``tail`` beats without a tile, one in every cycle in
    which the next frame has not begun."""
    cycles, own = [], []
    frames = arrive.reshape(-1, frame)
    for number, tiles in enumerate(frames):
        pause = frames[number + 1, 0] - tiles[-1] - 1 if number + 1 < len(frames) else tail
        alone = min(pause, tail)
        cycles += [tiles, tiles[-1] + 1 + np.arange(alone)]
        own += [np.ones(frame, bool), np.zeros(alone, bool)]
    return Beats(np.concatenate(cycles) + 1, np.concatenate(own))


def cut(beats: Beats, geometry: TileGeometry) -> Beats:
    """Those of the beats with which output tiles leave: where any piece of one is real."""
    def before(steps: int) -> np.ndarray:
        return np.append(np.zeros(steps, bool), beats.own)[:len(beats.own)]

    if geometry.whole:
        real = before(geometry.tail)
        return Beats(beats.cycles[real], np.ones(real.sum(), bool))
    real = beats.own | before(1) | before(geometry.tiles) | before(geometry.tail)
    return Beats(beats.cycles[real], beats.own[real])
