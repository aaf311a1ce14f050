"""Any unit at all, by properties: geometry, folding, lanes, widths of 4 to 16 bits, and numbers at
the ends of their ranges; in every case it computes what plain loops do.

Sums that reach exactly the bound of their accumulator are among them, units whose output is
constant, and frames that are black, white, noise or a checkerboard.
"""
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hdl.layers import Precision
from hdl.plan.config import configure
from hdl.plan.folding import divisors
from hdl.units.by_kind import block_of
from tests.support.bench import STALLS, UnitBench, beats, frames_of, seed_of, unit_config
from tests.support.examples import examples
from tests.support.naive import naive_unit

WEIGHTS = ("random", "largest", "least", "alternating", "zero", "one dead channel", "to the bound")
FRAMES = ("noise", "black", "white", "checkerboard", "to the bound")


@st.composite
def units(draw):
    """(arguments of unit_config after the generator, how its weights are, how its frames are, a
    stall of STALLS, a seed)."""
    kind = draw(st.sampled_from(("pointwise", "depthwise", "stem")))
    size = draw(st.integers(1, 3 if kind == "pointwise" else 5))
    stride = 1 if kind == "pointwise" else 2 if kind == "stem" else draw(st.integers(1, 2))
    inputs = 3 if kind == "stem" else draw(st.integers(1, 6))
    outputs = inputs if kind == "depthwise" else draw(st.integers(1, 6))
    pe = draw(st.sampled_from(divisors(outputs)))
    simd = draw(st.sampled_from({"pointwise": divisors(inputs), "depthwise": [1, 3, 9],
                                 "stem": [3, 9, 27]}[kind]))
    lanes_in = 3 if kind == "stem" else draw(st.sampled_from(divisors(inputs)))
    lanes_out = draw(st.sampled_from(divisors(pe)))
    precision = Precision("any", draw(st.integers(4, 16)), draw(st.integers(4, 16)),
                          draw(st.integers(6, 18)), draw(st.integers(4, 9)))
    activation_in = "input" if kind == "stem" else draw(st.sampled_from(("relu6", "linear")))
    return ((kind, max(size, stride), inputs, outputs, pe, simd, lanes_in, lanes_out, stride,
             activation_in, draw(st.sampled_from(("relu6", "linear"))), precision),
            draw(st.sampled_from(WEIGHTS)), draw(st.sampled_from(FRAMES)),
            draw(st.sampled_from(list(STALLS))), draw(st.integers(0, 1 << 16)))


def weighted(config, params, how):
    """(UnitConfig, parameters) with weights of a kind, all else as it was."""
    params = SimpleNamespace(**{name: values.copy() for name, values in vars(params).items()})
    limit, weights = config.folding.precision.weight_limit, params.weights
    if how == "one dead channel":
        weights[:, -1] = 0
    elif how == "to the bound":
        weights[:] = np.where(weights < 0, -limit, limit)
    elif how != "random":
        weights[:] = {"largest": limit, "least": -limit, "zero": 0, "alternating": np.where(
            np.indices(weights.shape).sum(0) % 2, limit, -limit)}[how]
    return configure(config.plan, params), params


def framed(rng, config, params, how, count=2):
    """Frames of a kind; to the bound: each of the largest magnitude, of the sign of a channel's
    weight, so that in one pixel the sum of the first channel is the largest there is."""
    shape = config.stream_in()
    frames = frames_of(rng, config, count)
    low, high = (-(1 << shape.bits - 1), (1 << shape.bits - 1) - 1) if shape.signed \
        else (0, (1 << shape.bits) - 1)
    if how == "black":
        frames[:] = low
    elif how == "white":
        frames[:] = high
    elif how == "checkerboard":
        frames[:] = np.where(np.indices(frames.shape[:3]).sum(0) % 2, high, low)[..., None]
    elif how == "to the bound":
        if config.unit.kernel == 1:
            frames[:] = np.where(params.weights[:, 0] < 0, low, high)
        else:
            frames[:] = low if (params.weights < 0).sum() * 2 > params.weights.size else high
    return frames


def test_computes_what_loops_do(request):
    """In MyHDL, where a signal that does not hold its number ends the run."""
    @examples(request.config)
    @given(units())
    def check(drawn):
        arguments, weights, frames, stall, seed = drawn
        rng = np.random.default_rng(seed)
        config, params = weighted(*unit_config(rng, *arguments), weights)
        dut = UnitBench("myhdl", block_of(config), config, params)
        images, folding = framed(rng, config, params, frames), config.folding
        pixels = [pixel for image in images for pixel in naive_unit(config, params, image)]
        expected = [pixel[c:c + folding.lanes_out] for pixel in pixels
                    for c in range(0, len(pixel), folding.lanes_out)]
        done = dut.run({"s_axis": images.reshape(-1, folding.lanes_in)},
                       {"m_axis": len(expected)}, stall, seed_of(rng))
        assert beats(done, dut.arguments) == expected

    check()


def test_sums_at_the_bound_fill_the_accumulator(rng):
    """The largest sum that the weights allow needs every bit of the accumulator, and no more."""
    for limit_of in ("relu6", "linear"):
        config, params = weighted(*unit_config(rng, "pointwise", 1, 6, 2, 1, 2, 1, 1,
                                               activation_in=limit_of), "to the bound")
        frame = framed(rng, config, params, "to the bound", 1)[0]
        total = abs(int((frame[0, 0] * params.weights[:, 0]).sum()))
        bits = config.accumulator_bits
        assert 1 << bits - 3 < total < 1 << bits - 1
