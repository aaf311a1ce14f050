"""Weights from a seed, the same on every machine and with every NumPy.

Raw 64-bit outputs of Philox, sums of integers and elementwise float64 only: NumPy's distributions
may change and its sums' last bits do.  Gains are analytic: every channel before its ReLU6 is taken
as normal, with the mean beta and the deviation gamma that its batch norm draws.  Each batch norm
subtracts the mean that this predicts, or what all pixels share would drown, layer by layer, what
tells them apart.
"""
from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from golden.graph import trace

if TYPE_CHECKING:
    import keras

PIXEL_VARIANCE = 0.3        # of (2p - 255) / 255 in photos
RELU6_VARIANCE = 1.6        # after a ReLU6
PROJECT_VARIANCE = 0.9      # after a project convolution
GAMMA, BETA = (1.0, 2.6), (0.2, 1.2)                # before a ReLU6
LINEAR_GAMMA, LINEAR_BETA = (0.7, 1.2), (-0.3, 0.3)  # of a project convolution
CENTRE = 3               # weight of a depthwise centre: all that a 1 x 1 map leaves of the nine
MEAN_STEP = 2.0 ** -10   # means are integers of this step, for exact sums


def draw(key: str, shape: Sequence[int]) -> np.ndarray:
    """Integers of [-2^24, 2^24) as int64 of a shape, uniform, from a Philox keyed by a name."""
    digest = hashlib.sha256(key.encode()).digest()[:16]
    raw = np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(int(np.prod(shape)))
    return (raw >> np.uint64(39)).astype(np.int64).reshape(shape) - (1 << 24)


def between(key: str, count: int, limits: tuple[float, float]) -> np.ndarray:
    """float64 (count,), uniform between two limits."""
    least, greatest = limits
    return (draw(key, (count,)) + (1 << 24)) * 2.0 ** -25 * (greatest - least) + least


def fill(model: keras.Model) -> None:
    """Give every convolution and batch norm of a Keras MobileNetV2 its seeded weights."""
    variance, mean = {"input": PIXEL_VARIANCE}, {"input": np.zeros(3, dtype=np.int64)}
    for node in trace(model).values():
        name = node.name
        if not node.convolution:
            shortcut, project = node.sources
            variance[name] = variance[shortcut] + variance[project]
            mean[name] = mean[shortcut] + mean[project]
            continue
        source, = node.sources
        relu6 = node.activation == "relu6"
        kernel = draw(f"{name}/kernel", node.convolution.weights[0].shape)
        channels = node.batch_norm.gamma.shape[0]
        if kernel.shape[3] == 1:
            kernel[1, 1] *= CENTRE
            fan_in = CENTRE ** 2 + 8
            sums = kernel.sum(axis=(0, 1))[:, 0] * mean[source]
        else:
            fan_in = kernel.size // channels
            sums = mean[source] @ kernel.sum(axis=(0, 1))
        step = np.sqrt(3 / fan_in) * 2.0 ** -24
        gamma = between(f"{name}/gamma", channels, GAMMA if relu6 else LINEAR_GAMMA)
        beta = between(f"{name}/beta", channels, BETA if relu6 else LINEAR_BETA)
        offset = between(f"{name}/mean", channels, (-0.2, 0.2)) * np.sqrt(variance[source])
        node.convolution.set_weights([(kernel * step).astype(np.float32)])
        node.batch_norm.set_weights([values.astype(np.float32) for values in (
            gamma, beta, sums * (step * MEAN_STEP) + offset,
            between(f"{name}/variance", channels, (0.75, 1.5)) * variance[source])])
        # Mean of a rectified normal, to 2 %: exact at beta = 0 and far from it.
        after = (beta + np.sqrt(beta ** 2 + 0.64 * gamma ** 2)) / 2 if relu6 else beta
        variance[name] = RELU6_VARIANCE if relu6 else PROJECT_VARIANCE
        mean[name] = np.rint(after / MEAN_STEP).astype(np.int64)
