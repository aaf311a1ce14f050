"""Geometry of a 3x3 window that planner and blocks share."""
import functools
from dataclasses import dataclass

KERNEL = 3
TAPS = KERNEL ** 2
TILE = 2    # pixels a side of the tiles that a stem takes
MORE_BANKS = 4      # banks of three or nine taps are fewer than those and so many


@dataclass(frozen=True)
class WindowGeometry:
    """How the windows of a square frame lie, and how a line buffer holds their pixels.

    Pixels follow one another in memory, row after row, frame after frame, and go round it; they
    lie in ``banks`` in turn.  Rows are ``pitch`` places apart, at which taps that are read at once
    lie in different banks: the last places of a row may be no pixel's.  Words are counted in the
    order of places, channel groups minor.
    """

    size: int           # pixels a side of the input
    groups: int         # beats of a pixel: all its channels, some lanes at once
    stride: int         # 1 or 2
    pad: tuple[int, int]    # zero rows (columns) before and after
    taps: int           # taps of a window that leave at once: all 9, a column of 3, or 1
    interval: int = 1   # cycles from beat to beat at the soonest: what a slower unit takes for it
    words: int = 0      # that must have room, if more than ``least``

    def __post_init__(self) -> None:
        if self.taps not in (1, KERNEL, TAPS):
            raise ValueError(f"a window leaves 1, 3 or 9 taps at a time, not {self.taps}")

    @property
    def before(self) -> int:
        """Zero rows above (columns left)."""
        return self.pad[0]

    @property
    def after(self) -> int:
        """Zero rows below (columns right)."""
        return self.pad[1]

    @property
    def size_out(self) -> int:
        """Windows a side."""
        return (self.size + sum(self.pad) - KERNEL) // self.stride + 1

    @property
    def rows_at_once(self) -> int:
        """Rows of the taps that leave together."""
        return 1 if self.taps == 1 else KERNEL

    @property
    def columns_at_once(self) -> int:
        """Columns of the taps that leave together."""
        return KERNEL if self.taps == TAPS else 1

    @property
    def banks(self) -> int:
        """Memories; as many as taps that leave together, or a few more where those take less."""
        return self._lattice[0]

    @property
    def pitch(self) -> int:
        """Places from one row to the next."""
        return self._lattice[1]

    @functools.cached_property
    def _lattice(self) -> tuple[int, int]:
        """(banks, pitch) for which two rows and three pixels take the fewest places, weighed by
        banks, each of which has an address and a share in every choice of a tap."""
        choices = []
        for banks in range(self.taps, self.taps + (MORE_BANKS if self.taps > 1 else 1)):
            pitch = next((pitch for pitch in range(self.size, self.size + banks)
                          if self._apart(banks, pitch)), None)
            if pitch:
                choices.append((-(-(2 * pitch + KERNEL) // banks) * banks ** 2, banks, pitch))
        return min(choices)[1:]

    def _apart(self, banks: int, pitch: int) -> bool:
        """Whether all taps that leave together lie in different banks."""
        return len({(row * pitch + column) % banks for row in range(self.rows_at_once)
                    for column in range(self.columns_at_once)}) == self.taps

    @property
    def least(self) -> int:
        """Words from the first to the last that a window needs at most, both included."""
        last = min(KERNEL - 1, self.size - 1 + self.before)     # of its rows and columns
        return last * (self.pitch + 1) * self.groups + 1

    @property
    def depth(self) -> int:
        """Words of a memory; where there are more than one, whole pixels."""
        words = max(self.words, self.least)
        return words if self.banks == 1 else -(-words // (self.banks * self.groups)) * self.groups

    @property
    def room(self) -> int:
        """Words of all memories."""
        return self.depth * self.banks

    @property
    def first(self) -> int:
        """Place of a first window's upper left tap, counted from the frame's first pixel."""
        return -self.before * (self.pitch + 1)

    @property
    def row_step(self) -> int:
        """Places from the last window of a row to the first of the next, of upper left taps."""
        return self.stride * (self.pitch - self.size_out + 1)

    @property
    def frame_step(self) -> int:
        """The same from a frame's last window to the next frame's first."""
        return self.size * self.pitch - (self.size_out - 1) * self.stride * (self.pitch + 1)

    def lies(self, place: int) -> tuple[int, int]:
        """(bank, address of the first word) of a place, counted from the first that is written."""
        return place % self.banks, place // self.banks * self.groups % self.depth

    def step(self, places: int, words: int) -> tuple[int, int, int]:
        """(banks, words of address, the same if the banks are begun anew) to a word that is so many
        places and words further."""
        near = places // self.banks * self.groups + words
        return places % self.banks, near % self.depth, (near + self.groups) % self.depth
