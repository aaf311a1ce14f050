"""Stem units against plain loops: three colours, strides of 2 over even and odd sizes."""
import pytest

from hdl.stem import stem
from tests.hardware import STALLS, UnitBench, unit_config

# size, channels out, pe, simd, lanes out
CASES = {"even": (6, 4, 2, 9, 1), "odd": (5, 4, 4, 27, 2), "serial": (4, 2, 1, 3, 1)}


@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case):
    size, outputs, pe, simd, lanes_out = CASES[case]
    dut = UnitBench(simulator, stem, *unit_config(
        rng, "stem", size, 3, outputs, pe, simd, 3, lanes_out, 2, activation_in="input"))
    for stall in STALLS:
        _, got, expected = dut.frames(rng, stall)
        assert got == expected, stall
