"""A network's integers: ranges from photos, then one unit after the other by its sampled inputs.

Ranges come from Keras's floats and are snapped to a coarse grid.  Everything finer comes from the
exact integers of two fixed-point networks that are walked unit by unit over the same photos: the
teacher, of 20-bit weights that are only rounded, and the network to be made.  So every machine
finds the same parameters.
"""
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from golden.fixed import unit_outputs
from golden.graph import Node
from golden.photo import pixels_to_floats, pixels_to_integers
from golden.quantize import (Ends, Scales, UnitParams, check_widths, ends_of, quantize_unit,
                             unit_params, weight_scale)
from golden.rounding import factor, nearest_plane, product
from hdl.layers import Precision

if TYPE_CHECKING:
    import keras

# Wider than hardware is made, and still exact in float64.
TEACHER = Precision("teacher", weight_bits=20, relu6_bits=16, linear_bits=20)
PIXELS_AT_ONCE = 1 << 18        # that Keras is given, whose activations take 2 KB each
LEARNT_FROM = 24        # photos, drawn evenly from all, whose inputs are sampled
# Positions of a unit's output, drawn evenly from all photos; a 3 x 3 unit has few inputs.
SAMPLES, SAMPLES_3X3 = 1 << 14, 1 << 12
# Added to each input's variance, of the mean variance: what was not seen must not be trusted.
DAMPING = 0.05
LEAST_VARIANCE = 1e-12


def peaks(model: keras.Model, photos: Iterable[np.ndarray]) -> dict[str, float]:
    """{output: max |x|} of a Keras model of several outputs over photos, uint8 (R, R, 3) each."""
    found: dict[str, float] = {}
    photos = iter(photos)
    count = max(1, PIXELS_AT_ONCE // math.prod(model.input.shape[1:3]))
    while batch := list(itertools.islice(photos, count)):
        for name, values in model(pixels_to_floats(np.stack(batch)), training=False).items():
            found[name] = max(found.get(name, 0.0), float(np.abs(values).max()))
    return found


def drawn(names: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """At most LEARNT_FROM of the views (photo, number), evenly."""
    count = min(LEARNT_FROM, len(names))
    return [names[index * len(names) // count] for index in range(count)]


def plain_params(nodes: Mapping[str, Node], folded: Mapping[str, tuple[np.ndarray, np.ndarray]],
                 scales: Scales, precision: Precision) -> dict[str, UnitParams]:
    """{unit: UnitParams}, every weight and bias rounded by itself.

    nodes  -- {unit: Node} in order of data flow
    folded -- {unit: (float64 weights (inputs, outputs), bias (outputs,))}
    scales -- {unit or 'input': scale}
    """
    return {name: quantize_unit(*folded[name], ends_of(nodes[name], nodes, scales),
                                precision.of(name)) for name in folded}


def learnt_params(nodes: Mapping[str, Node], folded: Mapping[str, tuple[np.ndarray, np.ndarray]],
                  scales: Scales, teacher_scales: Scales, precision: Precision, photos: np.ndarray,
                  methods: Collection[str],
                  report: Callable[[str], None] = lambda text: None) -> dict[str, UnitParams]:
    """{unit: UnitParams} by post-training methods, each unit with its inputs as they will be.

    nodes          -- {unit: Node} in order of data flow
    folded         -- {unit: (float64 weights (inputs, outputs), bias)}
    scales         -- {unit or 'input': scale} of the network to be made
    teacher_scales -- the same of the teacher
    photos         -- uint8 (photos, R, R, 3)
    methods        -- of calibration.METHODS

    Raises GoldenError for weights that fixed point cannot hold.
    """
    teacher = plain_params(nodes, folded, teacher_scales, TEACHER)
    check_sums(nodes, teacher, TEACHER)
    params = {}
    pixels = pixels_to_integers(photos)
    ours, theirs = {"input": pixels}, {"input": pixels}
    last = {source: node.name for node in nodes.values() for source in node.sources}
    for name, node in nodes.items():
        report(f"quantising {name}")
        if node.convolution:
            source = node.sources[0]
            params[name] = learnt_unit(
                *folded[name], Inputs(node, ours[source], scales[source]),
                Inputs(node, theirs[source], teacher_scales[source]),
                ends_of(node, nodes, scales), precision.of(name), methods)
        for tensors, row, made in ((ours, precision, params), (theirs, TEACHER, teacher)):
            tensors[name] = unit_outputs(node, made.get(name), row,
                                         [tensors[source] for source in node.sources])
            for source in node.sources:
                if last[source] == name:
                    del tensors[source]
    return params


def check_sums(nodes: Mapping[str, Node], params: Mapping[str, UnitParams],
               precision: Precision) -> None:
    """Refuse units whose sums or products the golden could not compute exactly: GoldenError."""
    for name, unit in params.items():
        source, = nodes[name].sources
        kind = nodes[source].activation if source in nodes else "input"
        check_widths(name, unit, precision.limits(kind))


class Inputs:
    """Exact sums over a unit's inputs.

    Leading axes are the channels of a depthwise unit, whose nine taps are its inputs.

    node   -- of a convolution
    tensor -- the integers that feed it, (photos, H, W, C)
    scale  -- the value of one of their steps
    """

    def __init__(self, node: Node, tensor: np.ndarray, scale: float) -> None:
        self.node, self.tensor, self.scale = node, tensor, scale

    def mean(self) -> np.ndarray:
        """The inputs' means, float64 (..., k, 1), over all positions of all photos."""
        sums, count = totals(self.node, self.tensor)
        sums = sums.T[..., None] if self.node.depthwise else sums.reshape(-1, 1)
        return sums * (self.scale / count)

    def covariance(self) -> np.ndarray:
        """The inputs' covariance, float64 (..., k, k), of samples, damped."""
        samples = sampled(self.node, self.tensor)
        if self.node.depthwise:
            samples = np.ascontiguousarray(samples.transpose(2, 0, 1))
        else:
            samples = samples.transpose(0, 2, 1).reshape(-1, samples.shape[1])
        count = samples.shape[-1]
        # Integers below 2^53, whose sums no order changes.
        total = samples.sum(axis=-1, keepdims=True)
        spread = (samples @ np.swapaxes(samples, -1, -2)
                  - total * np.swapaxes(total, -1, -2) / count) * (self.scale * self.scale / count)
        variances = np.moveaxis(np.diagonal(spread, axis1=-2, axis2=-1), -1, 0)
        damping = np.maximum(sum(variances) * (DAMPING / len(variances)), LEAST_VARIANCE)
        return spread + damping[..., None, None] * np.eye(len(variances))


def taps(node: Node, tensor: np.ndarray) -> Iterator[np.ndarray]:
    """Yield what each of a convolution's taps sees, row by row: (photos, H, W, C) of the output's
    H and W."""
    size, stride, kernel = tensor.shape[1], node.convolution.strides[0], \
        node.convolution.kernel_size[0]
    size_out = -(-size // stride)
    missing = max((size_out - 1) * stride + kernel - size, 0)   # 'same': one more below than above
    pad = node.padding.padding if node.padding else ((missing // 2, missing - missing // 2),) * 2
    padded = np.pad(tensor, ((0, 0), *pad, (0, 0)))
    span = stride * (size_out - 1) + 1
    for down, right in np.ndindex(kernel, kernel):
        yield padded[:, down:down + span:stride, right:right + span:stride]


def totals(node: Node, tensor: np.ndarray) -> tuple[np.ndarray, int]:
    """(sums over all positions, float64 (taps, C); how many positions) of a convolution's
    inputs."""
    seen = list(taps(node, tensor))
    sums = np.stack([tap.sum(axis=(0, 1, 2), dtype=np.int64) for tap in seen])
    return sums.astype(np.float64), seen[0][..., 0].size


def sampled(node: Node, tensor: np.ndarray) -> np.ndarray:
    """A convolution's inputs at evenly drawn positions of all photos, float64 (taps, samples,
    C)."""
    samples = []
    for tap in taps(node, tensor):
        count = tap[..., 0].size
        drawn_from = min(SAMPLES if node.convolution.kernel_size[0] == 1 else SAMPLES_3X3, count)
        places = np.unravel_index(np.arange(drawn_from) * count // drawn_from, tap.shape[:3])
        samples.append(tap[places])
    return np.stack(samples).astype(np.float64)


def learnt_unit(weights: np.ndarray, bias: np.ndarray, ours: Inputs, theirs: Inputs,
                ends: Ends, precision: Precision, methods: Collection[str]) -> UnitParams:
    """UnitParams of one convolution.

    weights, bias -- folded, float64 (inputs, outputs) and (outputs,)
    ours, theirs  -- Inputs as this network has them, and the teacher
    ends          -- the tensors before and after it
    methods       -- of calibration.METHODS
    """
    scale = weight_scale(weights, ends.scale_in, ends.scale_out, precision)
    limit = precision.weight_limit
    depthwise = ours.node.depthwise
    steps = weights / scale
    if depthwise:
        weights, steps = weights.T[..., None], steps.T[..., None]
    if "compensate" in methods:
        integers = compensated(ours.covariance(), steps, limit)
    else:
        integers = np.clip(np.rint(steps), -limit, limit)
    if "correct" in methods:
        made = integers * (scale[:, None, None] if depthwise else scale)
        moved = product(np.swapaxes(theirs.mean(), -1, -2), weights) \
            - product(np.swapaxes(ours.mean(), -1, -2), made)
        bias = bias + moved.reshape(-1)
    integers = integers[..., 0].T if depthwise else integers
    return unit_params(integers, bias, scale, ends, precision)


def compensated(covariance: np.ndarray, steps: np.ndarray, limit: int) -> np.ndarray:
    """Integers of [-limit, limit], as float64, near ``steps`` (..., k, outputs); inputs that vary
    most, by their covariance (..., k, k), are rounded first."""
    order = np.argsort(np.diagonal(covariance, axis1=-2, axis2=-1), axis=-1, kind="stable")
    column, row = order[..., None], order[..., None, :]
    arranged = np.take_along_axis(np.take_along_axis(covariance, column, -2), row, -1)
    integers = nearest_plane(factor(arranged), np.take_along_axis(steps, column, -2), limit)
    found = np.empty_like(integers)
    np.put_along_axis(found, column, integers, -2)
    return found
