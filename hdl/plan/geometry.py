"""Geometry of a 3x3 window that planner and blocks share."""
from dataclasses import dataclass

KERNEL = 3
TAPS = KERNEL ** 2
TILE = 2    # pixels a side of the tiles that a stem takes


def rows_kept(size: int, stride: int) -> int:
    """Rows that a line buffer keeps: those of a window and, where the next window's newest pixels
    could not be written in time else, one more: at a stride of 2 each row of windows takes two
    rows of pixels, and rows of three pixels are read before the next one's first two are in."""
    return KERNEL + 1 if stride == 2 or size <= KERNEL else KERNEL


@dataclass(frozen=True)
class WindowGeometry:
    """How the windows of a square frame lie, and how a line buffer holds their rows."""

    size: int           # pixels a side of the input
    groups: int         # beats of a pixel: all its channels, some lanes at once
    stride: int         # 1 or 2
    pad: tuple[int, int]    # zero rows (columns) before and after
    taps: int           # taps of a window that leave at once: all 9, a column of 3, or 1
    interval: int = 1   # cycles from beat to beat at the soonest: what a slower unit takes for it

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
    def rows(self) -> int:
        """Row memories."""
        return rows_kept(self.size, self.stride)

    @property
    def banks(self) -> int:
        """Memories of a row: three columns are read at once where all taps leave together."""
        return KERNEL if self.taps == TAPS else 1

    @property
    def depth(self) -> int:
        """Words of a memory."""
        return -(-self.size // self.banks) * self.groups

    @property
    def rows_at_once(self) -> int:
        """Rows of the taps that leave together."""
        return 1 if self.taps == 1 else KERNEL

    @property
    def columns_at_once(self) -> int:
        """Columns of the taps that leave together."""
        return KERNEL if self.taps == TAPS else 1

    @property
    def frame_rows(self) -> int:
        """Rows from the top of a frame's last windows to the top of the next frame."""
        return self.size - self.stride * (self.size_out - 1)

    @property
    def first_row_top(self) -> int:
        """Memory of the first window's top row."""
        return self.rows - self.before if self.before else 0

    @property
    def first_phase(self) -> int:
        """Column bank of the first window's left column."""
        return KERNEL - self.before if self.banks == KERNEL and self.before else 0

    @property
    def first_newest(self) -> int:
        """The last column that the first window of a row needs."""
        return min(KERNEL - 1 - self.before, self.size - 1)
