"""From floats to the integers of the hardware: scales, weights, biases, multipliers, shifts.

Elementwise float64 and integers only, so that every machine finds the same integers.
"""
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.errors import GoldenError
from golden.graph import Node
from hdl.layers import Precision

# A tensor's range is at least this times the calibrated one.  Saturated bottlenecks cost 20 dB and
# more; at 2 none was seen, noise and black and white images included, and rounding cost 0.1 dB.
HEADROOM = 2.0
LEAST_PEAK = 2.0 ** -16   # a tensor that calibration saw only zeros in
# 2^(k/4), written out: the last bit of a power depends on the C library.
QUARTER_OCTAVES = (1.0, 1.189207115002721, 1.4142135623730951, 1.681792830507429, 2.0)
INPUT_SCALE = 1 / 255     # q = 2p - 255
EXACT_BITS = 53           # integers a float64 convolution sums exactly
GREATEST_GAIN = 65535 / 2  # of a requantizer: the greatest multiplier, the least shift
TRAINED = "give weights of a trained MobileNetV2"
PRODUCT_BITS = 62         # what the requantizer's int64 product may use

Scales = dict[str, float]   # {unit or 'input': value of one integer step}


@dataclass(frozen=True)
class UnitParams:
    """Integers of one convolution unit."""

    weights: np.ndarray     # int8 or int16, the unit's weight_shape
    bias: np.ndarray        # int64 (C,), in the accumulator's scale
    multiplier: np.ndarray  # int32 (C,), in [2^15, 2^16)
    shift: np.ndarray       # int32 (C,), 1 and more


@dataclass(frozen=True)
class Ends:
    """The tensors before and after a unit."""

    scale_in: float     # the value of an input's step
    scale_out: float
    kind_in: str        # 'input', 'relu6' or 'linear'
    kind_out: str


def ends_of(node: Node, nodes: Mapping[str, Node], scales: Scales) -> Ends:
    """Those of a convolution of a network, {unit: Node}."""
    source, = node.sources
    return Ends(scales[source], scales[node.name],
                nodes[source].activation if source in nodes else "input", node.activation)


def smallest_dtype(limits: tuple[int, int]) -> np.dtype:
    """The narrowest NumPy integer type that holds both limits; ValueError above 32 bits."""
    least, greatest = limits
    for bits in (8, 16, 32):
        for kind in ("uint", "int"):
            info = np.iinfo(f"{kind}{bits}")
            if info.min <= least and greatest <= info.max:
                return info.dtype
    raise ValueError(f"no integer type holds {least} to {greatest}")


def snap_up(value: float) -> float:
    """The least 2^(k/4) that is not below a positive value."""
    _, exponent = np.frexp(value)
    octave = float(np.ldexp(0.5, exponent))
    return next(octave * step for step in QUARTER_OCTAVES if octave * step >= value)


def choose_scales(nodes: Mapping[str, Node], peaks: Mapping[str, float], precision: Precision,
                  gains: Mapping[str, float]) -> Scales:
    """{unit or 'input': scale}, the value of one integer step, for every tensor.

    nodes -- {unit: Node}
    peaks -- {linear unit: calibrated max |x|}
    gains -- {convolution unit: greatest magnitude of its weights}

    Tensors that meet in an add share one scale, and so does everything connected to them by adds.
    A tensor in which calibration saw next to nothing has a scale that its requantizer reaches.
    """
    group: dict[str, str] = {}
    for node in nodes.values():
        if len(node.sources) == 2:
            shortcut, project = node.sources
            group[node.name] = group[project] = group[shortcut]
        elif node.activation == "linear":
            group[node.name] = node.name
    relu6_scale = 6 / precision.limits("relu6")[1]
    limit = precision.limits("linear")[1]
    ranges: dict[str, float] = {}
    for name, leader in group.items():
        sum_step = gains.get(name, 0.0) / precision.of(name).weight_limit * relu6_scale
        ranges[leader] = max(ranges.get(leader, LEAST_PEAK), float(peaks[name]) * HEADROOM,
                             sum_step * limit / GREATEST_GAIN)
    scales = {"input": INPUT_SCALE}
    for name in nodes:
        scales[name] = snap_up(ranges[group[name]]) / limit if name in group else relu6_scale
    return scales


def fixed_point(ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(multiplier, shift) as int32 (C,) with multiplier / 2^shift nearest to each ratio, float64
    (C,)."""
    fractions, exponents = np.frexp(ratios)
    multipliers = np.rint(fractions * 2.0 ** 16).astype(np.int32)
    carried = multipliers == 1 << 16
    multipliers[carried] >>= 1
    return multipliers, (16 - exponents - carried).astype(np.int32)


def weight_scale(weights: np.ndarray, scale_in: float, scale_out: float,
                 precision: Precision) -> np.ndarray:
    """The value of a weight's step in each channel, float64 (outputs,), of float64 weights
    (inputs, outputs).

    Its floor keeps the bias of a dead channel, whose weights may be 1e-20, within the
    requantizer's reach.
    """
    floor = 2.0 ** -(precision.weight_bits + 6) * (scale_out / scale_in)
    return np.maximum(np.abs(weights).max(axis=0) / precision.weight_limit, floor)


def rounded_bias(bias: np.ndarray, steps: np.ndarray, reach: np.ndarray, multiplier: np.ndarray,
                 shift: np.ndarray, limits: tuple[int, int]) -> np.ndarray:
    """A float64 bias (outputs,) in the accumulator's steps, int64 (outputs,), none greater than
    what can make a difference.

    steps  -- the value of an accumulator's step, float64 (outputs,)
    reach  -- the greatest magnitude of the sums of products, int64 (outputs,)
    limits -- the least and the greatest output

    A sum of ``past`` and more has an output at or beyond the limit of its sign: past * multiplier
    is at least (the limit's magnitude + 1) << shift, which half a step's rounding does not undo.
    With a bias of reach + past, or more, no sum of products leads back from there.  So a bias that
    is clipped to that magnitude gives the same outputs as the one before.  That holds of ReLU6
    units, where a dead channel may have a beta of 1e4, and as well of projections, whose outputs
    have limits too: below them all is exact, for what an add or the next unit takes from there is
    not clipped again.
    """
    past = -(-(max(map(abs, limits)) + 1 << shift.astype(np.int64)) // multiplier)
    most = (reach + past).astype(np.float64)
    return np.clip(np.rint(bias / steps), -most, most).astype(np.int64)


def reach_of(weights: np.ndarray, limits: tuple[int, int]) -> np.ndarray:
    """The greatest magnitude of a unit's sums of products, int64 (outputs,), of integer weights
    (inputs, outputs) and inputs within limits."""
    return np.abs(weights.astype(np.int64)).sum(axis=0) * max(map(abs, limits))


def unit_params(integers: np.ndarray, bias: np.ndarray, scale: np.ndarray, ends: Ends,
                precision: Precision) -> UnitParams:
    """UnitParams of weights that are rounded and a bias that is not.

    integers -- integer-valued float64 (inputs, outputs)
    bias     -- float64 (outputs,)
    scale    -- the value of a weight's step, float64 (outputs,)
    """
    limit = precision.weight_limit
    steps = scale * ends.scale_in
    multiplier, shift = fixed_point(steps / ends.scale_out)
    reach = reach_of(integers, precision.limits(ends.kind_in))
    return UnitParams(
        integers.astype(smallest_dtype((-limit, limit))),
        rounded_bias(bias, steps, reach, multiplier, shift, precision.limits(ends.kind_out)),
        multiplier, shift)


def quantize_unit(weights: np.ndarray, bias: np.ndarray, ends: Ends, precision: Precision
                  ) -> UnitParams:
    """UnitParams of folded float64 weights (inputs, outputs) and bias (outputs,), each rounded by
    itself."""
    limit = precision.weight_limit
    scale = weight_scale(weights, ends.scale_in, ends.scale_out, precision)
    return unit_params(np.clip(np.rint(weights / scale), -limit, limit), bias, scale, ends,
                       precision)


def check_widths(name: str, params: UnitParams, limits: tuple[int, int]) -> None:
    """Refuse a unit whose sums or products the golden could not compute exactly: GoldenError.

    limits -- of the integers that feed it
    """
    if params.shift.min() < 1:
        raise GoldenError(f"unit {name} of these weights has a channel in which one step of the "
                          f"sum is more than {GREATEST_GAIN:g} of the output's, which no "
                          f"multiplier and shift can be: {TRAINED}")
    sums = reach_of(params.weights, limits)
    totals = [int(total) + abs(int(bias)) for total, bias in zip(sums, params.bias)]
    products = [total * int(multiplier) + (1 << int(shift) - 1) for
                total, multiplier, shift in zip(totals, params.multiplier, params.shift)]
    if max(totals).bit_length() > EXACT_BITS or max(products).bit_length() > PRODUCT_BITS:
        raise GoldenError(f"unit {name} of these weights needs sums of "
                          f"{max(totals).bit_length()} bits, which the golden cannot compute "
                          f"exactly: {TRAINED}")
