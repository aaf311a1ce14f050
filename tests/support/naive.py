"""Naive references, in plain Python integers, that share nothing with what they check."""
import numpy as np


def naive_window(frame, row, column, stride, pad):
    """The nine pixels of an output pixel's window, row by row; zero where there is none."""
    size = len(frame)
    nothing = [0] * len(frame[0][0])
    taps = []
    for down in range(3):
        for right in range(3):
            y, x = row * stride - pad + down, column * stride - pad + right
            taps.append(frame[y][x] if 0 <= y < size and 0 <= x < size else nothing)
    return taps


def naive_requantize(total, bias, multiplier, shift, low, high):
    """The arithmetic of the design, the rounding by cases: to the nearest, halves upwards."""
    product, step = (total + bias) * multiplier, 2 ** shift
    below = product // step
    rest = product - below * step
    nearest = below + 1 if 2 * rest >= step else below
    return min(max(nearest, low), high)


def naive_unit(config, params, frame):
    """Output pixels of a convolution, [[channel, ...], ...] in raster order, in plain ints."""
    unit = config.unit
    low, high = config.folding.precision.limits(unit.activation)
    weights, bias = params.weights.tolist(), params.bias.tolist()
    multiplier, shift = params.multiplier.tolist(), params.shift.tolist()
    frame, pixels = np.asarray(frame).tolist(), []
    for row in range(unit.size_out):
        for column in range(unit.size_out):
            taps = [frame[row][column]] if unit.kernel == 1 \
                else naive_window(frame, row, column, unit.stride, unit.pad[0])
            pixel = []
            for c in range(unit.channels_out):
                total = 0
                for t, tap in enumerate(taps):
                    if unit.kind == "depthwise":
                        total += tap[c] * weights[t][c]
                    else:
                        for k, value in enumerate(tap):
                            total += value * weights[t * len(tap) + k][c]
                pixel.append(naive_requantize(total, bias[c], multiplier[c], shift[c], low, high))
            pixels.append(pixel)
    return pixels


def naive_sum(one, other, low, high):
    """Output pixels of a residual add of two frames, as those of ``naive_unit``."""
    return [[min(max(a + b, low), high) for a, b in zip(*pair)]
            for rows in zip(np.asarray(one).tolist(), np.asarray(other).tolist())
            for pair in zip(*rows)]


def read_back(text, widths):
    """Rows of a .mem file as signed ints, bit by bit."""
    rows = []
    for line in text.split():
        bits = bin(int(line, 16))[2:].zfill(sum(widths))[::-1]
        row = []
        assert "1" not in bits[sum(widths):]
        for width in widths:
            field, bits = bits[:width], bits[width:]
            row.append(sum(2 ** i for i, bit in enumerate(field[:-1]) if bit == "1")
                       - (field[-1] == "1") * 2 ** (width - 1))
        rows.append(tuple(row))
    return tuple(rows)
