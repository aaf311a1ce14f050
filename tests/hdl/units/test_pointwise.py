"""Pointwise units against plain loops: every way to fold a few channels."""
import pytest

from hdl.units.pointwise import pointwise
from tests.support.bench import DEAD, STALLS, UnitBench, clipped, unit_config, with_dead_channels

# size, channels in and out, pe, simd, lanes in and out, activation in and out
CASES = {
    "serial": (3, 4, 6, 1, 1, 1, 1, "linear", "relu6"),
    "parallel": (3, 4, 6, 6, 4, 2, 6, "relu6", "linear"),
    "groups": (2, 6, 8, 4, 3, 2, 2, "relu6", "relu6"),
    "odd_lanes": (2, 6, 4, 2, 2, 3, 1, "linear", "linear"),
    "accumulators": (3, 8, 6, 2, 2, 1, 1, "relu6", "linear"),
    "two_groups": (2, 12, 4, 2, 3, 3, 2, "relu6", "linear"),
    "serial_accumulators": (2, 5, 3, 1, 1, 5, 1, "relu6", "linear"),
    "all_inputs": (3, 6, 4, 2, 6, 2, 2, "relu6", "linear"),
    "single": (1, 1, 1, 1, 1, 1, 1, "linear", "linear"),
    # The last number: bits of the wider factor of multipliers that two outputs share.
    "pairs": (3, 8, 12, 6, 4, 2, 3, "linear", "relu6", 27),
    "pairs_in_words": (2, 12, 8, 4, 12, 3, 4, "relu6", "relu6", 17),
    "pairs_and_one": (3, 6, 9, 3, 2, 2, 3, "relu6", "linear", 16),
    "pairs_in_groups": (3, 8, 6, 2, 4, 1, 2, "relu6", "linear", 18),
}


def configured(rng, case):
    size, inputs, outputs, pe, simd, lanes_in, lanes_out, kind_in, kind, *factor = CASES[case]
    return unit_config(rng, "pointwise", size, inputs, outputs, pe, simd, lanes_in, lanes_out,
                       activation_in=kind_in, activation=kind, factor=factor[0] if factor else None)


def bench(simulator, rng, case):
    return UnitBench(simulator, pointwise, *configured(rng, case))


@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case):
    dut = bench(simulator, rng, case)
    for stall in STALLS:
        _, got, expected = dut.frames(rng, stall)
        assert got == expected, stall


def test_cases_of_pairs(rng):
    """Words of all products, of several and of one; and each weight is where it can be found."""
    products = {case: configured(rng, case)[0].folding.pairs.products
                for case in CASES if case.startswith("pairs")}
    assert products == {"pairs": 4, "pairs_in_words": 2, "pairs_and_one": 1, "pairs_in_groups": 4}


@pytest.mark.parametrize("case", ["groups"])
def test_many_frames(simulator, rng, case):
    """So many numbers that a low bit of a sum is seen, of which most are rounded away."""
    _, got, expected = bench(simulator, rng, case).frames(rng, "both", count=40)
    assert got == expected


@pytest.mark.parametrize("dead", DEAD)
@pytest.mark.parametrize("case", ["serial", "accumulators", "all_inputs"])
def test_dead_channels(simulator, rng, case, dead):
    """A unit whose output is constant is a unit like any other."""
    dut = UnitBench(simulator, pointwise, *with_dead_channels(*configured(rng, case), *DEAD[dead]))
    _, got, expected = dut.frames(rng, "both")
    assert got == expected


@pytest.mark.parametrize("case", CASES)
def test_rate(simulator, rng, case):
    """Frames back to back take the cycles that the folding has for their pixels."""
    dut = bench(simulator, rng, case)
    done, got, expected = dut.frames(rng, count=4)
    assert got == expected
    folding, frame, cycles = dut.config.folding, len(got) // 4, done["m_axis"].cycles
    steps = max(folding.steps, folding.unit.channels_in // folding.lanes_in)
    assert (cycles[frame:] - cycles[:-frame]).max() <= folding.unit.pixels_out * steps


def test_random_numbers_reach_every_case(rng):
    """The stimulus clips at either end and leaves most values between."""
    dut = bench("myhdl", rng, "parallel")
    _, got, _ = dut.frames(rng, count=8)
    assert min(clipped(got, dut.config)) > 0.01
