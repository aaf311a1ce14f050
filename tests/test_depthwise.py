"""Depthwise units against plain loops: borders, strides, taps at once."""
import pytest

from hdl.depthwise import depthwise
from tests.hardware import clipped, convolve_frames, stalled, unit_config

# size, stride, channels, pe, simd, lanes in and out
CASES = {
    "all_taps": (5, 1, 4, 2, 9, 1, 2),
    "columns": (4, 2, 6, 2, 3, 2, 1),
    "single_taps": (3, 1, 3, 1, 1, 3, 1),
    "odd_stride": (5, 2, 2, 2, 9, 2, 1),
    "small": (2, 2, 2, 1, 3, 1, 1),
    "one_pixel": (1, 1, 6, 3, 9, 2, 1),
}


def config_of(rng, case, activation="relu6"):
    size, stride, channels, pe, simd, lanes_in, lanes_out = CASES[case]
    return unit_config(rng, "depthwise", size, channels, channels, pe, simd, lanes_in, lanes_out,
                       stride, activation=activation, fifo_depth=3 * (stride == 2))


@stalled
@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case, stall):
    config, params = config_of(rng, case)
    _, got, expected = convolve_frames(simulator, depthwise, rng, config, params, stall, 3)
    assert got == expected


def test_random_numbers_reach_every_case(rng):
    config, params = config_of(rng, "all_taps", "linear")
    _, got, _ = convolve_frames("myhdl", depthwise, rng, config, params, "free", 4)
    assert min(clipped(got, config)) > 0.01
