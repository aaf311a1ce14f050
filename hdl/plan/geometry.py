"""Geometry of a 3x3 window that planner and blocks share."""

KERNEL = 3
TAPS = 9


def rows_kept(size, stride):
    """Rows that a line buffer keeps: those of a window and, where the next window's newest pixels
    could not be written in time else, one more: at a stride of 2 each row of windows takes two
    rows of pixels, and rows of three pixels are read before the next one's first two are in."""
    return KERNEL + 1 if stride == 2 or size <= KERNEL else KERNEL


TILE = 2
