"""Beats of creeping tiles and back, pixel by pixel from the definition."""
import numpy as np


def beat_numbers(frames, row, gaps):
    """The number of the beat that brings each tile, of frames that pause for ``gaps`` beats."""
    starts = np.cumsum([0] + [row * row + gap for gap in gaps])
    return np.concatenate([start + np.arange(row * row) for start in starts[:frames]])


def to_beats(images, side, creep, numbers):
    """Creeping beats of some frames, pixel by pixel from the definition: each tile's pixels lie
    ``creep`` rows and columns further; what leaves its beat to the right is in the next one, what
    leaves it below in that one row of tiles later.  Places that are nobody's are not numbers."""
    row = images.shape[1] // side
    beats = np.full((numbers[-1] + row + 2, side, side, images.shape[-1]), np.nan)
    for number, beat in enumerate(numbers):
        image, place = divmod(number, row * row)
        top, left = side * (place // row), side * (place % row)
        for i in range(side):
            for j in range(side):
                down, y = divmod(i + creep, side)
                right, x = divmod(j + creep, side)
                at = beat + down * row + right
                assert np.isnan(beats[at, y, x]).all(), "two pixels at one place"
                beats[at, y, x] = images[image, top + i, left + j]
    return beats


def from_beats(beats, size, side, creep, numbers):
    """The frames of creeping beats, by the same definition."""
    row = size // side
    images = np.full((len(numbers) // row ** 2, size, size, beats.shape[-1]), np.nan)
    for number, beat in enumerate(numbers):
        image, place = divmod(number, row * row)
        for i in range(side):
            for j in range(side):
                down, y = divmod(i + creep, side)
                right, x = divmod(j + creep, side)
                images[image, side * (place // row) + i, side * (place % row) + j] = \
                    beats[beat + down * row + right, y, x]
    return images
