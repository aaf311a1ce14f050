"""Words of beats against naive Python integers."""
import numpy as np
import pytest

from hdl.beats import creeping_payload, crept, pack, payload, tiled, uncrept, unpack, untiled
from hdl.shape import MARKS, StreamShape
from hdl.sim.trace import Trace
from tests.support.tiles import beat_numbers, to_beats


def naive_words(row, bits, count):
    total = sum((int(value) & (1 << bits) - 1) << i * bits for i, value in enumerate(row))
    return [total >> 32 * word & 0xffff_ffff for word in range(count)]


def naive_fields(words, lanes, bits, signed):
    total = sum(int(word) << 32 * i for i, word in enumerate(words))
    fields = [total >> i * bits & (1 << bits) - 1 for i in range(lanes)]
    return [v - (1 << bits) if signed and v >> bits - 1 else v for v in fields]


@pytest.mark.parametrize("lanes", [1, 2, 3, 7, 33, 96])
@pytest.mark.parametrize("bits", [*range(1, 34), 37, 42, 48, 49, 63, 64])
def test_pack_and_unpack_match_python_integers(rng, lanes, bits):
    values = rng.integers(-(1 << 63), 1 << 63, (5, lanes), dtype=np.int64)
    values[0], values[1] = -1, 0
    words = pack(values, bits)
    count = -(-lanes * bits // 32)
    assert words.dtype == np.uint32 and words.shape == (5, count)
    assert words.tolist() == [naive_words(row, bits, count) for row in values]
    for signed in [True] + [False] * (bits < 64):
        assert unpack(words, lanes, bits, signed).tolist() == \
            [naive_fields(row, lanes, bits, signed) for row in words]


def test_unpack_takes_the_lanes_it_is_asked_for(rng):
    words = rng.integers(0, 1 << 32, (3, 4), dtype=np.uint32)
    for bits in (5, 8, 16):
        assert unpack(words, 3, bits).tolist() == [naive_fields(w, 3, bits, 0) for w in words]


def test_no_beats():
    assert pack(np.zeros((0, 3), int), 5).shape == (0, 1)
    assert unpack(np.zeros((0, 1), np.uint32), 3, 5).shape == (0, 3)


@pytest.mark.parametrize("lanes, bits", [(1, 30), (1, 31), (1, 32), (3, 9)])
def test_marks_of_a_video_stream_follow_its_data(rng, lanes, bits):
    shape = StreamShape(lanes, bits, signed=False, marks=MARKS)
    values = rng.integers(0, 1 << bits, (16, lanes))
    last, user = rng.integers(0, 2, (2, 16)).astype(bool)
    trace = Trace(payload(shape, values, tlast=last, tuser=user), np.arange(16))
    np.testing.assert_array_equal(trace.values(shape), values)
    np.testing.assert_array_equal(trace.mark(shape, "tlast"), last)
    np.testing.assert_array_equal(trace.mark(shape, "tuser"), user)


def test_payload_takes_tiles(rng):
    shape = StreamShape(3, 9, tile=2)
    values = rng.integers(-256, 256, (5, 2, 2, 3))
    trace = Trace(payload(shape, values), np.arange(5))
    np.testing.assert_array_equal(trace.values(shape), values.reshape(5, 12))


@pytest.mark.parametrize("size, tile, creep", [(8, 4, 1), (8, 4, 3), (6, 2, 0), (4, 4, 2),
                                               (9, 3, 2)])
def test_tiles_creep_and_back(rng, size, tile, creep):
    """Against the definition, pixel by pixel; frames that pause come back too."""
    frames = rng.integers(-99, 100, (3, size, size, 2))
    shape, row = StreamShape(2, 9, tile=tile, creep=creep), size // tile
    beats, own = crept(tiled(frames, tile), shape, row)
    naive = to_beats(frames.astype(float), tile, creep, beat_numbers(3, row, (0, 0)))
    naive = naive[:len(beats)].reshape(len(beats), -1)
    np.testing.assert_array_equal(np.where(np.isnan(naive), frames.max(), naive), beats)
    trace = Trace(creeping_payload(shape, beats, own), np.arange(len(beats)))
    np.testing.assert_array_equal(trace.values(shape), beats)
    np.testing.assert_array_equal(trace.bit(shape.width - 1), own)
    numbers = beat_numbers(3, row, (1, row + 1))
    apart = np.nan_to_num(to_beats(frames.astype(float), tile, creep, numbers))
    tiles = uncrept(apart.astype(int).reshape(len(apart), -1),
                    np.isin(np.arange(len(apart)), numbers), shape, row)
    np.testing.assert_array_equal(untiled(tiles, tile, size), frames)


def test_a_beat_that_is_missing_leaves_zeros():
    """The last beat of one tile, which has its lower right pixel."""
    shape = StreamShape(1, 9, tile=2, creep=1)
    beats, own = crept(np.array([[1, 2, 3, 4]]), shape, 1)
    assert uncrept(beats, own, shape, 1).tolist() == [[1, 2, 3, 4]]
    assert uncrept(beats[:-1], own[:-1], shape, 1).tolist() == [[1, 2, 3, 0]]
