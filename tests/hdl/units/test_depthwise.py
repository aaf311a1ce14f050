"""Depthwise units against plain loops: borders, strides, taps at once."""
import pytest

from hdl.units.depthwise import depthwise
from tests.support.bench import DEAD, STALLS, UnitBench, clipped, unit_config, with_dead_channels

# size, stride, channels, pe, simd, lanes in and out
CASES = {
    "all_taps": (5, 1, 4, 2, 9, 1, 2),
    "columns": (4, 2, 6, 2, 3, 2, 1),
    "single_taps": (3, 1, 3, 1, 1, 3, 1),
    "odd_stride": (5, 2, 2, 2, 9, 2, 1),
    "small": (2, 2, 2, 1, 3, 1, 1),
    "one_pixel": (1, 1, 6, 3, 9, 2, 1),
}


def configured(rng, case, activation="relu6"):
    size, stride, channels, pe, simd, lanes_in, lanes_out = CASES[case]
    return unit_config(rng, "depthwise", size, channels, channels, pe, simd, lanes_in, lanes_out,
                       stride, activation=activation)


def bench(simulator, rng, case, activation="relu6"):
    return UnitBench(simulator, depthwise, *configured(rng, case, activation))


@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case):
    dut = bench(simulator, rng, case)
    for stall in STALLS:
        _, got, expected = dut.frames(rng, stall)
        assert got == expected, stall


@pytest.mark.parametrize("dead", DEAD)
@pytest.mark.parametrize("case", ["all_taps", "columns"])
def test_dead_channels(simulator, rng, case, dead):
    """A unit whose output is constant is a unit like any other."""
    dut = UnitBench(simulator, depthwise, *with_dead_channels(*configured(rng, case), *DEAD[dead]))
    _, got, expected = dut.frames(rng, "both")
    assert got == expected


def test_random_numbers_reach_every_case(rng):
    """The stimulus clips at either end and leaves most values between."""
    dut = bench("myhdl", rng, "all_taps", "linear")
    _, got, _ = dut.frames(rng, count=4)
    assert min(clipped(got, dut.config)) > 0.01
