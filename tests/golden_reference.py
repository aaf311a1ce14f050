"""Networks that several golden tests share, and a naive model of the hardware to hold them to."""
import functools

import numpy as np

from golden.build import Reference

REAL_WEIGHTS = {  # file in $MNV2_WEIGHTS_DIR: alpha
    "mobilenet_v2_1.0_224_no_top.weights.h5": 1.0,
    "mobilenet_v2_1.0_224.weights.h5": 1.0,
    "mobilenet_v2_1.0_224_bnsynth_no_top.weights.h5": 1.0,
    "mobilenet_v2_0.35_224_no_top.weights.h5": 0.35,
}


@functools.cache
def reference(precision, alpha=1.0, resolution=32):
    """A quantised network with seeded weights: seconds to build, so built once."""
    return Reference(alpha, resolution, precision)


def convolve(unit, pixels, weights):
    """A unit's sums (H, W, C) of pixels (H, W, C) by weights in the table's order, either dtype."""
    before, after = unit.pad
    padded = np.pad(pixels, ((before, after), (before, after), (0, 0)))
    sums = np.zeros((unit.size_out, unit.size_out, unit.channels_out), dtype=weights.dtype)
    span = unit.stride * (unit.size_out - 1) + 1
    for tap in range(unit.kernel ** 2):
        row, column = divmod(tap, unit.kernel)
        taken = padded[row:row + span:unit.stride, column:column + span:unit.stride]
        if unit.kind == "depthwise":
            sums += taken * weights[tap]
        else:
            channels = unit.channels_in
            sums += taken @ weights[tap * channels:(tap + 1) * channels]
    return sums


def requantize(sums, params, limits):
    """Integers (H, W, C) of sums (H, W, C), in Python's unbounded integers."""
    least, greatest = limits
    channels = list(zip(params.bias.tolist(), params.multiplier.tolist(), params.shift.tolist()))
    return np.array([
        min(max(((total + bias) * multiplier + 2 ** shift // 2) // 2 ** shift, least), greatest)
        for pixel in sums.reshape(-1, len(channels)).tolist()
        for total, (bias, multiplier, shift) in zip(pixel, channels)]).reshape(sums.shape)
