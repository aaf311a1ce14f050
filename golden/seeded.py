"""Weights from a seed, the same on every machine and with every NumPy.

Raw 64-bit outputs of Philox and exact arithmetic only: no distribution of NumPy's, whose streams
may change.  Gains are analytic.  Were every channel before its ReLU6 normal with the mean and
deviation that its batch norm's beta and gamma draw, activations after it would have the moments
below; each convolution's moving statistics are what those moments predict, give or take a draw.
"""
import hashlib

import numpy as np

from golden.graph import trace

PIXEL_POWER = 0.3        # mean square of (2p - 255) / 255 in photos
RELU6_MEAN, RELU6_POWER = 1.13, 3.0
PROJECT_POWER = 0.9
GAMMA, BETA = (1.0, 2.6), (0.2, 1.2)                # before a ReLU6
LINEAR_GAMMA, LINEAR_BETA = (0.7, 1.2), (-0.3, 0.3)  # of a project convolution


def draw(key, shape):
    """Integers of [-2^24, 2^24) as int64, uniform, from a Philox keyed by a name."""
    digest = hashlib.sha256(key.encode()).digest()[:16]
    raw = np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(int(np.prod(shape)))
    return (raw >> np.uint64(39)).astype(np.int64).reshape(shape) - (1 << 24)


def between(key, count, limits):
    """float64 (count,), uniform between two limits."""
    least, greatest = limits
    return (draw(key, (count,)) + (1 << 24)) * 2.0 ** -25 * (greatest - least) + least


def fill(model):
    """Give every convolution and batch norm of a Keras MobileNetV2 its seeded weights."""
    power = {"input": PIXEL_POWER}
    for node in trace(model).values():
        if not node.convolution:
            power[node.name] = sum(power[source] for source in node.sources)
            continue
        source, = node.sources
        relu6 = node.activation == "relu6"
        power[node.name] = RELU6_POWER if relu6 else PROJECT_POWER
        kernel = draw(f"{node.name}/kernel", node.convolution.weights[0].shape)
        depthwise = kernel.shape[3] == 1
        if kernel.shape[:2] == (1, 1):
            # Zero-sum rows: what all channels have in common would drown what tells pixels apart.
            kernel -= kernel.sum(axis=2, keepdims=True) // kernel.shape[2]
        fan_in = kernel.size // (kernel.shape[2] if depthwise else kernel.shape[3])
        step = np.sqrt(3 / fan_in) * 2.0 ** -24
        sums = kernel.sum(axis=(0, 1)).reshape(-1) if depthwise else 0
        channels = node.batch_norm.gamma.shape[0]
        variance = power[source] - (RELU6_MEAN ** 2 if power[source] == RELU6_POWER else 0)
        node.convolution.set_weights([(kernel * step).astype(np.float32)])
        node.batch_norm.set_weights([values.astype(np.float32) for values in (
            between(f"{node.name}/gamma", channels, GAMMA if relu6 else LINEAR_GAMMA),
            between(f"{node.name}/beta", channels, BETA if relu6 else LINEAR_BETA),
            between(f"{node.name}/mean", channels, (-0.2, 0.2)) * np.sqrt(variance)
            + sums * step * RELU6_MEAN,
            between(f"{node.name}/variance", channels, (0.75, 1.5)) * variance)])
