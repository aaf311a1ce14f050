"""Weights rounded one input at a time, each making up for the errors of those before it.

Minimises the squared error of a unit's sums over sampled inputs: Babai's nearest plane on the
inputs' covariance, which is what GPTQ does (Frantar et al., "GPTQ: Accurate Post-Training
Quantization for Generative Pre-trained Transformers", 2022; the equivalence is Chen et al., "The
Geometry of LLM Quantization", 2025).

Elementwise float64 only, never a BLAS or a sum over an axis, whose last bits depend on the machine.
Arrays may have leading axes, for the channels of a depthwise unit.
"""
import numpy as np


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """float64 (..., m, k) by (..., k, n), summed in the order of k: float64 (..., m, n)."""
    total = np.zeros(())
    for k in range(left.shape[-1]):
        total = total + left[..., :, k, None] * right[..., None, k, :]
    return total


def factor(matrix: np.ndarray) -> np.ndarray:
    """The unit upper triangle U of matrix = U^T D U, positive definite: both float64 (..., n,
    n)."""
    upper = np.array(matrix, dtype=np.float64)
    for k in range(upper.shape[-1]):
        row = upper[..., k, k:] / upper[..., k, k, None]
        upper[..., k + 1:, k + 1:] -= upper[..., k, k + 1:, None] * row[..., None, 1:]
        upper[..., k, k:] = row
        upper[..., k + 1:, k] = 0
    return upper


def nearest_plane(upper: np.ndarray, weights: np.ndarray, limit: int) -> np.ndarray:
    """Integers of [-limit, limit] (as float64) near ``weights`` (..., n, m), the last n first.

    upper -- factor() of the covariance of the n inputs
    """
    centres = np.array(weights, dtype=np.float64)
    integers = np.empty_like(centres)
    for k in reversed(range(centres.shape[-2])):
        integers[..., k, :] = np.clip(np.rint(centres[..., k, :]), -limit, limit)
        left = weights[..., k, :] - integers[..., k, :]
        centres[..., :k, :] += upper[..., :k, k, None] * left[..., None, :]
    return integers
