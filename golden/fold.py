"""Batch normalisation folded into the convolution before it, in float64."""
import numpy as np

from golden.graph import Node


def fold(node: Node) -> tuple[np.ndarray, np.ndarray]:
    """(weights, bias) of a unit's convolution: float64 (inputs, outputs) and (outputs,).

    Inputs are in the layer table's order: taps row by row, channels minor; a depthwise kernel
    has its nine taps as inputs.
    """
    kernel, = (variable.numpy().astype(np.float64) for variable in node.convolution.weights)
    gamma, beta, mean, variance = (variable.numpy().astype(np.float64)
                                   for variable in node.batch_norm.weights)
    gain = gamma / np.sqrt(variance + node.batch_norm.epsilon)
    return kernel.reshape(-1, gain.size) * gain, beta - mean * gain
