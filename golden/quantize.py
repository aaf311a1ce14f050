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
PRODUCT_BITS = 62         # what the requantizer's int64 product may use

Scales = dict[str, float]   # {unit or 'input': value of one integer step}


@dataclass(frozen=True)
class UnitParams:
    """Integers of one convolution unit."""

    weights: np.ndarray     # int8 or int16, the unit's weight_shape
    bias: np.ndarray        # int64 (C,), in the accumulator's scale
    multiplier: np.ndarray  # int32 (C,), in [2^15, 2^16)
    shift: np.ndarray       # int32 (C,), 1 and more


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


def choose_scales(nodes: Mapping[str, Node], peaks: Mapping[str, float],
                  precision: Precision) -> Scales:
    """{unit or 'input': scale}, the value of one integer step, for every tensor.

    ``nodes`` is {unit: Node}; ``peaks`` holds the calibrated max |x| of the linear units.
    Tensors that meet in an add share one scale, and so does everything connected to them by adds.
    """
    group: dict[str, str] = {}
    for node in nodes.values():
        if len(node.sources) == 2:
            shortcut, project = node.sources
            group[node.name] = group[project] = group[shortcut]
        elif node.activation == "linear":
            group[node.name] = node.name
    ranges: dict[str, float] = {}
    for name, leader in group.items():
        ranges[leader] = max(ranges.get(leader, LEAST_PEAK), float(peaks[name]) * HEADROOM)
    relu6_scale = 6 / precision.limits("relu6")[1]
    scales = {"input": INPUT_SCALE}
    for name in nodes:
        scales[name] = snap_up(ranges[group[name]]) / precision.limits("linear")[1] \
            if name in group else relu6_scale
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


def rounded_bias(bias: np.ndarray, scale: np.ndarray, scale_in: float) -> np.ndarray:
    """A float64 bias (outputs,) in the accumulator's steps, int64 (outputs,).

    scale    -- the value of a weight's step, float64 (outputs,)
    scale_in -- the value of a step of the input
    """
    return np.rint(bias / (scale * scale_in)).astype(np.int64)


def quantize_unit(weights: np.ndarray, bias: np.ndarray, scale_in: float, scale_out: float,
                  precision: Precision) -> UnitParams:
    """UnitParams of folded float64 weights (inputs, outputs) and bias (outputs,), each rounded by
    itself."""
    limit = precision.weight_limit
    scale = weight_scale(weights, scale_in, scale_out, precision)
    return UnitParams(
        np.clip(np.rint(weights / scale), -limit, limit).astype(smallest_dtype((-limit, limit))),
        rounded_bias(bias, scale, scale_in), *fixed_point(scale * scale_in / scale_out))


def check_widths(name: str, params: UnitParams, largest_input: int) -> None:
    """Refuse a unit whose sums or products the golden could not compute exactly: GoldenError.

    largest_input -- the greatest magnitude of the integers that feed it
    """
    sums = np.abs(params.weights.astype(np.int64)).sum(axis=0) * largest_input
    totals = [int(total) + abs(int(bias)) for total, bias in zip(sums, params.bias)]
    products = [total * int(multiplier) + (1 << int(shift) - 1 if shift > 0 else 0) for
                total, multiplier, shift in zip(totals, params.multiplier, params.shift)]
    if params.shift.min() < 1 or max(totals).bit_length() > EXACT_BITS \
            or max(products).bit_length() > PRODUCT_BITS:
        raise GoldenError(f"unit {name} of these weights needs sums of "
                          f"{max(totals).bit_length()} bits or a requantizer that gains, which "
                          "fixed point cannot hold: give weights of a trained MobileNetV2")
