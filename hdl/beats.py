"""How elements lie in the beats of a stream: fields of words, tiles of frames, lines of files."""
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from hdl.shape import StreamShape


def words_of(width: int) -> int:
    """32-bit words that hold ``width`` bits."""
    return -(-width // 32)


def pack(values: ArrayLike, bits: int) -> np.ndarray:
    """Words of each beat: ``values`` (beats, lanes) as fields of ``bits`` (1..64), lane 0 lowest.

    Returns uint32 (beats, words), little-endian.  A value is taken modulo 2**bits.
    """
    values = np.atleast_2d(np.asarray(values)).astype(np.int64, copy=False).view(np.uint64)
    beats, lanes = values.shape
    count = words_of(lanes * bits)
    if bits in (8, 16, 32, 64):
        raw = values.astype(f"<u{bits // 8}").view(np.uint8).reshape(beats, -1)
        padded = np.zeros((beats, 4 * count), np.uint8)
        padded[:, :raw.shape[1]] = raw
        return padded.view("<u4")
    words = np.zeros((beats, count + 2), np.uint64)
    mask = np.uint64((1 << bits) - 1)
    for phase, word, shift in _phases(lanes, bits):
        field_ = values[:, phase] & mask
        low, high = field_ << np.uint64(shift), field_ >> np.uint64(64 - shift) if shift else None
        step = _span(word)
        words[:, step] |= low & _WORD
        words[:, _moved(step, 1)] |= low >> np.uint64(32)
        if high is not None:
            words[:, _moved(step, 2)] |= high
    return words[:, :count].astype(np.uint32)


def unpack(words: ArrayLike, lanes: int, bits: int, signed: bool = False) -> np.ndarray:
    """Fields of each beat, the inverse of ``pack``: int64 (beats, lanes).

    A 64-bit unsigned field above 2**63 - 1 wraps to a negative int64.
    """
    words = np.atleast_2d(words)
    beats = words.shape[0]
    if bits in (8, 16, 32, 64):
        raw = np.ascontiguousarray(words, "<u4").view(f"<{'i' if signed else 'u'}{bits // 8}")
        return raw[:, :lanes].astype(np.int64)
    wide = np.zeros((beats, words.shape[1] + 2), np.uint64)
    wide[:, :words.shape[1]] = words
    values = np.empty((beats, lanes), np.uint64)
    for phase, word, shift in _phases(lanes, bits):
        step = _span(word)
        got = (wide[:, step] | wide[:, _moved(step, 1)] << np.uint64(32)) >> np.uint64(shift)
        if shift + bits > 64:
            got |= wide[:, _moved(step, 2)] << np.uint64(64 - shift)
        values[:, phase] = got
    values <<= np.uint64(64 - bits)
    return values.view(np.int64) >> (64 - bits) if signed else \
        (values >> np.uint64(64 - bits)).view(np.int64)


_WORD = np.uint64(0xffff_ffff)


def _phases(lanes: int, bits: int) -> Iterator[tuple[slice, np.ndarray, int]]:
    """Lanes that start at the same bit of a word: (slice of lanes, their words, that bit)."""
    period = 32 // np.gcd(bits, 32)
    for first in range(min(period, lanes)):
        lane = np.arange(first, lanes, period)
        yield slice(first, lanes, period), lane * bits // 32, first * bits % 32


def _span(word: np.ndarray) -> slice:
    """Equally spaced word indices as a slice, which NumPy indexes without a copy."""
    step = int(word[1] - word[0]) if len(word) > 1 else 1
    return slice(int(word[0]), int(word[-1]) + 1, step)


def _moved(span: slice, by: int) -> slice:
    return slice(span.start + by, span.stop + by, span.step)


def payload(shape: StreamShape, values: ArrayLike, **marks: ArrayLike) -> np.ndarray:
    """Words to send on a stream: ``values`` (beats, elements), then the marks of its shape.

    shape -- StreamShape
    marks -- {name of a mark: (beats,) booleans}; marks that are left out are low
    """
    values = np.asarray(values).reshape(-1, shape.elements)
    data = pack(values, shape.bits)
    words = np.zeros((len(values), words_of(shape.payload_width)), np.uint32)
    words[:, :data.shape[1]] = data
    for name, mark in marks.items():
        _set_bit(words, shape.width + shape.marks.index(name), mark)
    return words


def creeping_payload(shape: StreamShape, values: ArrayLike, own: ArrayLike) -> np.ndarray:
    """Words to send on a stream of creeping tiles: ``values`` (beats, elements), and whether each
    beat brings a tile, (beats,) booleans."""
    words = payload(shape, values)
    _set_bit(words, shape.width - 1, own)
    return words


def _set_bit(words: np.ndarray, place: int, values: ArrayLike) -> None:
    """Set a bit of each beat where its value is true."""
    word, bit = divmod(place, 32)
    words[:, word] |= np.asarray(values).astype(np.uint32) << np.uint32(bit)


def hex_lines(words: np.ndarray, bits: int) -> str:
    """Text of beats of ``bits``: a hexadecimal number a line, from words as ``payload`` makes."""
    digits = -(-bits // 4)
    return "".join(f"{int.from_bytes(beat.tobytes(), 'little'):0{digits}x}\n"
                   for beat in np.ascontiguousarray(words, "<u4"))


def tiled(frames: np.ndarray, tile: int) -> np.ndarray:
    """Frames (frames, rows, columns, channels) as tiles in raster order, (tiles, elements); those
    that reach over the edge are filled with the largest integer there, which nobody must read."""
    count, rows, columns, channels = frames.shape
    down, right = -rows % tile, -columns % tile
    padded = np.pad(frames, ((0, 0), (0, down), (0, right), (0, 0)), constant_values=frames.max())
    return (padded.reshape(count, (rows + down) // tile, tile, (columns + right) // tile, tile,
                           channels).swapaxes(2, 3).reshape(-1, tile * tile * channels))


def crept(tiles: np.ndarray, shape: StreamShape, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Beats of creeping tiles, of frames back to back and until all has left.

    tiles -- (tiles, elements), those of a frame in raster order, ``row`` of them in a row
    shape -- StreamShape with a creep

    Returns ((beats, elements), (beats,) whether each brings a tile).  What is no tile's is the
    largest integer there is, which nobody must read.
    """
    side, creep = shape.tile, shape.creep or 0
    count, tail = len(tiles), row + 1 if creep else 0
    grid = tiles.reshape(count, side, side, -1)
    beats = np.full((count + tail, *grid.shape[1:]), tiles.max())
    for late, to, source in _pieces(side, creep, row):
        beats[late:late + count, to[0], to[1]] = grid[:, source[0], source[1]]
    return beats.reshape(len(beats), -1), np.arange(len(beats)) < count


def uncrept(beats: np.ndarray, own: np.ndarray, shape: StreamShape,
            row: int) -> np.ndarray:
    """The tiles (tiles, elements) of creeping ones: the inverse of ``crept``, wherever frames pause
    between the beats.

    beats -- (beats, elements); own -- (beats,) whether each brings a tile

    What beats are missing for is left zero.
    """
    side, creep = shape.tile, shape.creep or 0
    first = np.flatnonzero(own)
    grid = beats.reshape(len(beats), side, side, -1)
    tiles = np.zeros((len(first), *grid.shape[1:]), np.int64)
    for late, source, to in _pieces(side, creep, row):
        there = first + late < len(beats)
        tiles[there, to[0], to[1]] = grid[first[there] + late][:, source[0], source[1]]
    return tiles.reshape(len(first), -1)


def _pieces(side: int, creep: int, row: int
            ) -> Iterator[tuple[int, tuple[slice, slice], tuple[slice, slice]]]:
    """Where a tile's four pieces lie: (beats after the one that brings it, (rows, columns) of that
    beat, (rows, columns) of the tile)."""
    own = slice(creep, side), slice(0, side - creep)        # of the beat, of the tile
    left_over = slice(0, creep), slice(side - creep, side)
    pieces = 2 if creep else 1
    for beats_down, rows in ((0, own), (row, left_over))[:pieces]:
        for beats_right, columns in ((0, own), (1, left_over))[:pieces]:
            yield beats_down + beats_right, (rows[0], columns[0]), (rows[1], columns[1])


def untiled(tiles: np.ndarray, tile: int, size: int) -> np.ndarray:
    """Whole frames (frames, size, size, channels) of tiles (tiles, elements) in raster order."""
    row = size // tile
    frames = len(tiles) // row ** 2
    return tiles[:frames * row ** 2].reshape(frames, row, row, tile, tile, -1).swapaxes(2, 3) \
        .reshape(frames, size, size, -1)
