"""The 1000-class top, on the CPU: it is not part of the hardware."""
import json
import os

import numpy as np


def classify(features: np.ndarray, kernel: np.ndarray, bias: np.ndarray,
             count: int | None = 5) -> list[tuple[int, float]]:
    """The likeliest [(class index, probability)] of float features (H, W, C), best first.

    kernel, bias -- of the top, float (C, classes) and (classes,)
    count        -- how many classes, None: all
    """
    pooled = np.asarray(features, dtype=np.float64).mean(axis=(0, 1))
    logits = pooled @ np.asarray(kernel, dtype=np.float64) + bias
    powers = np.exp(logits - logits.max())
    best = np.argsort(-powers, kind="stable")[:count]
    return [(int(index), float(powers[index] / powers.sum())) for index in best]


def class_name(index: int) -> str | None:
    """ImageNet's word for a class if Keras has its list in its cache, else None."""
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        with open(os.path.join(home, "models", "imagenet_class_index.json"),
                  encoding="utf-8") as names:
            return json.load(names)[str(index)][1]
    except (OSError, ValueError, KeyError):
        return None
