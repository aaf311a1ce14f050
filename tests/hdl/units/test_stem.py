"""Stem units against plain loops: three colours, strides of 2 over even and odd sizes."""
import dataclasses

import pytest

from hdl.beats import tiled
from hdl.plan.config import configure
from hdl.units.stem import stem
from tests.support.bench import (DEAD, STALLS, UnitBench, beats, frames_of, seed_of, unit_config,
                                 with_dead_channels)
from tests.support.naive import naive_unit

# size, channels out, pe, simd, lanes out
CASES = {"even": (6, 4, 2, 9, 1), "odd": (5, 4, 4, 27, 2), "serial": (4, 2, 1, 3, 1)}


def configured(rng, case):
    size, outputs, pe, simd, lanes_out = CASES[case]
    return unit_config(rng, "stem", size, 3, outputs, pe, simd, 3, lanes_out, 2,
                       activation_in="input")


@pytest.mark.parametrize("case", CASES)
def test_frames(simulator, rng, case):
    dut = UnitBench(simulator, stem, *configured(rng, case))
    for stall in STALLS:
        _, got, expected = dut.frames(rng, stall)
        assert got == expected, stall


@pytest.mark.parametrize("dead", DEAD)
def test_dead_channels(simulator, rng, dead):
    """A unit whose output is constant is a unit like any other."""
    dut = UnitBench(simulator, stem, *with_dead_channels(*configured(rng, "even"), *DEAD[dead]))
    _, got, expected = dut.frames(rng, "both")
    assert got == expected


@pytest.mark.parametrize("case", ["even", "odd"])
def test_tiles(simulator, rng, case):
    """The same windows out of tiles of 2 x 2 pixels."""
    _, outputs, *_, lanes_out = CASES[case]
    config, params = configured(rng, case)
    config = configure(dataclasses.replace(
        config.plan, folding=dataclasses.replace(config.folding, tile_in=2)), params)
    dut = UnitBench(simulator, stem, config, params)
    for stall in STALLS:
        frames = frames_of(rng, config, 3)
        expected = [pixel[c:c + lanes_out] for frame in frames
                    for pixel in naive_unit(config, params, frame)
                    for c in range(0, outputs, lanes_out)]
        done = dut.run({"s_axis": tiled(frames, 2)}, {"m_axis": len(expected)}, stall, seed_of(rng))
        assert beats(done, dut.arguments) == expected, stall
