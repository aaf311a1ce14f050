"""How far the integers are from Keras's floats."""
import math

import numpy as np


def sqnr_db(reference: np.ndarray, integers: np.ndarray, scale: float) -> float:
    """Signal to quantisation noise in dB of integers * scale against a float reference.

    inf where nothing differs, -inf where the reference is zero and the integers are not.  Both
    arrays have one shape, whatever it is; ``scale`` is the value of one step.
    """
    reference = np.asarray(reference, dtype=np.float64)
    noise = np.sum((reference - np.asarray(integers, dtype=np.float64) * scale) ** 2)
    signal = np.sum(reference ** 2)
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal else float("-inf")


def finite(value: float) -> float | None:
    """The value, or None for an infinity, which JSON does not have."""
    return value if math.isfinite(value) else None
