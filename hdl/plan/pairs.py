"""Pairs: two products in one multiplier, where two outputs multiply the same input.

    (w1 * 2**F + w0) * x = w1 * x * 2**F + w0 * x

has both products, w0 * x in the lowest F bits, as long as it is within F bits with its sign; of
several such words that are added, so must the sum be.  What stands above is a one too small
wherever the lower product is negative; half of the field, 2**(F - 1), added to the sum makes up for
it.  Source: Fu et al., "Deep Learning with INT8 Optimization on Xilinx Devices" (AMD WP486, 2017),
which adds the two weights in front of the multiplier.  Here they stand in the ROM as their sum has
them: of w1 * 2**F + w0, the upper bits are w1, less one where w0 is negative, then come copies of
w0's sign, then w0.  So a pair takes as much ROM as its weights do, and no adder.
"""
from dataclasses import dataclass

import numpy as np

from hdl.layers import Precision, Unit


@dataclass(frozen=True)
class Pairs:
    """How two products lie in one."""

    field: int      # bits of the lower one
    products: int   # ... of which so many are added before the two sums part


def pairs_of(unit: Unit, precision: Precision, simd: int, factor: int) -> Pairs | None:
    """The Pairs of a unit that adds SIMD products at once, in multipliers whose wider factor has
    ``factor`` bits; None where two products do not fit.

    precision -- the unit's own row
    """
    field = factor - precision.weight_bits
    most = precision.weight_limit * max(map(abs, precision.limits(unit.activation_in)))
    fit = [number for number in range(1, simd + 1)
           if simd % number == 0 and number * most < 1 << field - 1] if field > 0 else []
    return Pairs(field, fit[-1]) if fit else None


def borrowed(rows: np.ndarray, pe: int, limit: int) -> np.ndarray:
    """Rows of weights, (rows, PE x SIMD) with SIMD minor, as pairs have them: of every second
    output less one, where the weight of the output before it is negative.

    Raises ValueError for weights beyond ``limit``, the greatest of their width.
    """
    if np.abs(rows).max() > limit:
        raise ValueError(f"products of pairs need weights of {-limit} to {limit}, which can be one "
                         f"less in their width: they go from {rows.min()} to {rows.max()}")
    weights = rows.reshape(len(rows), pe, -1).copy()
    low, high = weights[:, 0:pe - 1:2], weights[:, 1::2]
    high -= low < 0
    return weights.reshape(rows.shape)
