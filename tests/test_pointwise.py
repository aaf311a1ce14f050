"""Pointwise units against plain loops: every way to fold a few channels."""
import pytest

from hdl.pointwise import pointwise
from tests.hardware import clipped, convolve_frames, stalled, unit_config

# size, channels in and out, pe, simd, lanes in and out, activation in and out
CASES = {
    "serial": (3, 4, 6, 1, 1, 1, 1, "linear", "relu6"),
    "parallel": (3, 4, 6, 6, 4, 2, 6, "relu6", "linear"),
    "groups": (2, 6, 8, 4, 3, 2, 2, "relu6", "relu6"),
    "odd_lanes": (2, 6, 4, 2, 2, 3, 1, "linear", "linear"),
    "single": (1, 1, 1, 1, 1, 1, 1, "linear", "linear"),
}


@stalled
@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case, stall):
    size, inputs, outputs, pe, simd, lanes_in, lanes_out, kind_in, kind = CASES[case]
    config, params = unit_config(rng, "pointwise", size, inputs, outputs, pe, simd, lanes_in,
                                 lanes_out, activation_in=kind_in, activation=kind)
    _, got, expected = convolve_frames(simulator, pointwise, rng, config, params, stall)
    assert got == expected


@pytest.mark.parametrize("case", CASES)
def test_rate(simulator, rng, case):
    """Frames back to back take the cycles that the folding has for their pixels."""
    size, inputs, outputs, pe, simd, lanes_in, lanes_out, kind_in, kind = CASES[case]
    config, params = unit_config(rng, "pointwise", size, inputs, outputs, pe, simd, lanes_in,
                                 lanes_out, activation_in=kind_in, activation=kind)
    done, got, expected = convolve_frames(simulator, pointwise, rng, config, params, "free", 4)
    assert got == expected
    frame = len(got) // 4
    cycles = done["m_axis"].cycles
    steps = max(config.folding.steps, inputs // lanes_in)
    assert (cycles[frame:] - cycles[:-frame]).max() <= size * size * steps


def test_random_numbers_reach_every_case(rng):
    """The stimulus clips at either end and leaves most values between."""
    config, params = unit_config(rng, "pointwise", 4, 6, 8, 4, 3, 2, 2, activation="linear")
    _, got, _ = convolve_frames("myhdl", pointwise, rng, config, params, "free", 4)
    assert min(clipped(got, config)) > 0.01
