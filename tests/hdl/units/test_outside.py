"""The outside in whole bytes: layout, signs, ignored bits and tlast, against Python's own bytes."""
import numpy as np
import pytest

from hdl.blocks.stream import register_slice
from hdl.shape import StreamShape
from hdl.units.outside import outside
from tests.support.bench import STALLS, Bench, integers, seed_of
from tests.support.streams import stream

SHAPES = {  # lanes, bits, signed, tile; bits filled up
    "pixel": ((3, 9, True, 1), 16), "tile": ((1, 9, True, 2), 16), "linear": ((2, 18, True, 1), 24),
    "relu6": ((2, 10, False, 1), 16), "whole": ((4, 8, False, 1), 8), "bit": ((3, 1, False, 1), 8)}
BEATS = 5


@pytest.mark.parametrize("case", SHAPES)
def test_around_a_register_slice(simulator, rng, case):
    """Each beat's bytes are its numbers in little endian, as Python writes them; what the input has
    in bits that fill up does not matter; tlast is at every fifth beat, whatever stalls."""
    (lanes, bits, signed, tile), filled = SHAPES[case]
    ports = {"s_axis": stream(lanes, filled, signed, tile),
             "m_axis": stream(lanes, filled, signed, tile, marks=("tlast",))}
    dut = Bench(simulator, outside, {
        **ports, "shapes": (StreamShape(lanes, bits, signed, tile),) * 2,
        "inside": register_slice, "arguments": (), "beats": BEATS})
    values = integers(rng, bits, signed, (23, lanes * tile * tile))
    sent = values % (1 << bits) + (rng.integers(0, 1 << filled - bits, values.shape) << bits)
    raw = [b"".join(int(value).to_bytes(filled // 8, "little", signed=signed) for value in beat)
           for beat in values]
    for stall in STALLS:
        done = dut.run({"s_axis": sent}, {"m_axis": len(raw)}, stall, seed_of(rng))
        assert [word.tobytes()[:len(raw[0])] for word in done["m_axis"].words] == raw
        last = done["m_axis"].mark(ports["m_axis"].shape, "tlast")
        assert np.flatnonzero(last).tolist() == [4, 9, 14, 19]
        if stall == "free":
            assert (done["m_axis"].cycles == done["s_axis"].cycles + 1).all()


def test_tiles_that_creep(simulator, rng):
    """The bit of beats that bring a tile is tuser on either side, tlast at every fifth of them."""
    inner = StreamShape(1, 9, True, 2, creep=1)
    ports = {"s_axis": stream(1, 16, True, 2, marks=("tuser",)),
             "m_axis": stream(1, 16, True, 2, marks=("tlast", "tuser"))}
    dut = Bench(simulator, outside, {**ports, "shapes": (inner, inner), "inside": register_slice,
                                     "arguments": (), "beats": BEATS})
    values, own = integers(rng, 9, True, (23, 4)), rng.random(23) < 0.7
    assert 10 < own.sum() < 23
    for stall in STALLS:
        done = dut.run({"s_axis": (values, own)}, {"m_axis": 23}, stall, seed_of(rng))["m_axis"]
        shape = ports["m_axis"].shape
        np.testing.assert_array_equal(done.values(shape), values)
        np.testing.assert_array_equal(done.mark(shape, "tuser"), own)
        np.testing.assert_array_equal(np.flatnonzero(done.mark(shape, "tlast")),
                                      np.flatnonzero(own)[BEATS - 1::BEATS])
