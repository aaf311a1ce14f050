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
        word, bit = divmod(shape.width + shape.marks.index(name), 32)
        words[:, word] |= np.asarray(mark).astype(np.uint32) << np.uint32(bit)
    return words


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
