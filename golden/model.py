"""Keras's own MobileNetV2 with seeded, downloaded or given weights."""
from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import textwrap
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from golden.errors import GoldenError
from hdl.layers import MIN_RESOLUTION, layer_table

if TYPE_CHECKING:
    import keras

    from golden.topology import Step

SUFFIXES = (".h5", ".keras")


def mobilenet_v2(alpha: float, resolution: int, top: bool = False,
                 weights: str | None = None) -> keras.Model:
    """``keras.applications.MobileNetV2`` for square images; Keras is imported on first use.

    top     -- whether with the 1000-class top
    weights -- 'imagenet', or None for random ones

    Raises GoldenError for a Keras that does not run on TensorFlow with channels last.
    """
    import keras
    if (keras.backend.backend(), keras.config.image_data_format()) \
            != ("tensorflow", "channels_last"):
        raise GoldenError(f"Keras runs on {keras.backend.backend()} with "
                          f"{keras.config.image_data_format()}: set KERAS_BACKEND=tensorflow and "
                          "image_data_format channels_last")
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        # Keras warns that weights of another resolution are used, and reports downloads.
        warnings.filterwarnings("ignore", "`input_shape` is undefined")
        return keras.applications.MobileNetV2(input_shape=(resolution, resolution, 3),
                                              alpha=alpha, include_top=top, weights=weights)


def float_model(alpha: float, resolution: int, weights: str | Path = "seeded") -> keras.Model:
    """The backbone (no top) with weights 'seeded', 'imagenet' or a file's.

    Raises GoldenError for an alpha or resolution that Keras does not have, and as ``read`` does.
    """
    weights = str(weights)
    try:
        layer_table(alpha, resolution)
    except ValueError as error:
        raise GoldenError(str(error)) from None
    if weights == "imagenet":
        model = download(alpha, resolution)
    elif weights == "seeded":
        from golden.seeded import fill
        model = mobilenet_v2(alpha, resolution)
        fill(model)
    else:
        arrays = read(weights, alpha)
        model = mobilenet_v2(alpha, resolution)
        layers = [layer for layer in model.layers if layer.weights]
        for layer, values in zip(layers, arrays, strict=True):
            layer.set_weights(values)
    check_finite(model, weights)
    return model


def download(alpha: float, resolution: int, top: bool = False) -> keras.Model:
    """The network with Keras's own ImageNet weights, from its cache or the network.

    Raises GoldenError where they cannot be fetched.
    """
    try:
        return mobilenet_v2(alpha, resolution, top, weights="imagenet")
    except GoldenError:
        raise
    except Exception as error:  # get_file raises a bare Exception
        raise GoldenError(f"Keras could not fetch its imagenet weights ({first_line(error)}): "
                          "use --weights seeded or the path of a weights file") from None


def classifier(weights: str | Path, alpha: float = 1.0) -> tuple[np.ndarray, np.ndarray] | None:
    """(kernel (features, 1000), bias (1000,)), float32, of the weights' top, or None without one.

    Raises GoldenError if there is no such file, or nothing to download.
    """
    if weights == "seeded":
        return None
    if weights == "imagenet":
        kernel, bias = download(alpha, 224, top=True).get_layer("predictions").get_weights()
        return kernel, bias
    weights = str(weights)
    check_file(weights)
    try:
        kernel, bias = read(weights, alpha, top=True)[-1]
        return kernel, bias
    except GoldenError:
        return None


def read(path: str, alpha: float, top: bool = False) -> list[list[np.ndarray]]:
    """[float32 arrays] of MobileNetV2's layers that have weights, in order, from a file: weights
    alone, or a saved model that contains the network.

    Raises GoldenError for a file that cannot be read, and for one of another network, with the
    first layer that differs; a top is the one with 1000 classes.
    """
    check_file(path)
    from golden.topology import Difference
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's, of what is deprecated and not compiled
            return (read_model if holds_model(path) else read_weights)(path, alpha, top)
    except Difference as found:
        raise GoldenError(f"weights {path} do not fit MobileNetV2 with alpha {alpha}, as "
                          f"{found}: {found.advice}") from None
    except GoldenError:
        raise
    except Exception as error:  # Keras and h5py raise many kinds
        reason = textwrap.shorten(first_line(error).split(". ")[0], 160)
        raise GoldenError(f"weights {path} cannot be loaded ({reason}): save the weights alone, "
                          "or give another file") from None


def holds_model(path: str) -> bool:
    """Whether a file has a model's layers and not only weights."""
    if path.endswith(".keras"):
        return True
    with h5py.File(path) as file:
        return "model_config" in file.attrs


def read_model(path: str, alpha: float, top: bool) -> list[list[np.ndarray]]:
    """``read`` of a whole model, whose layers must do what Keras's do, else Difference."""
    from golden import keras_2
    from golden.topology import match
    with contextlib.ExitStack() as stack:
        if keras_2.wrote(path):
            theirs, height = keras_2.steps(path, stack)
        else:
            theirs, height = keras_3_steps(path)
        # Keras pads as the parity of the size asks for, so the reference has the model's.
        reference = pattern(alpha, height if height >= MIN_RESOLUTION else 224, top)
        return [[np.asarray(array, dtype=np.float32) for array in layer.weights]
                for layer in match(reference, theirs) if layer.weights]


def keras_3_steps(path: str) -> tuple[list[Step], int]:
    """(steps, height of the image or 0) of a whole model that Keras 3 wrote, which is built."""
    import keras

    from golden.topology import steps
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    return steps(model), model.inputs[0].shape[1] or 0


def read_weights(path: str, alpha: float, top: bool) -> list[list[np.ndarray]]:
    """``read`` of weights alone, in Keras 3's layout or the older one; Difference for others."""
    from golden.layouts import arrays
    layers = [layer for layer in pattern(alpha, 224, top).layers if layer.weights]
    with h5py.File(path) as file:
        return [[np.asarray(array, dtype=np.float32) for array in found]
                for found in arrays(file, layers)]


@functools.cache
def pattern(alpha: float, resolution: int, top: bool) -> keras.Model:
    """What files are compared with: seconds to build, so built once and never changed."""
    return mobilenet_v2(alpha, resolution, top)


def check_file(path: str) -> None:
    """Refuse a weights path that is not a readable file of a kind Keras loads: GoldenError."""
    if not os.path.isfile(path):
        raise GoldenError(f"there is no weights file {path}: give 'seeded', 'imagenet' or the "
                          "path of a .h5, .weights.h5 or .keras file")
    if not path.endswith(SUFFIXES):
        raise GoldenError(f"weights {path} end in neither .h5, .weights.h5 nor .keras, so Keras "
                          "cannot tell their format: rename the file after what it holds")
    try:
        sound = zipfile.is_zipfile(path) if path.endswith(".keras") else h5py.is_hdf5(path)
    except OSError as error:
        raise GoldenError(f"weights {path} cannot be read ({error.strerror}): "
                          "check the file's permissions") from None
    if not sound:
        raise GoldenError(f"weights {path} are not what the name says (HDF5, or a zip for "
                          ".keras), or not all of it: download or save the file again")


def check_finite(model: keras.Model, weights: str) -> None:
    """Refuse weights that no fixed-point number can stand for: GoldenError."""
    for layer in model.layers:
        for variable, values in zip(layer.weights, layer.get_weights()):
            if not np.isfinite(values).all() \
                    or variable.path.endswith("variance") and values.min() < 0:
                raise GoldenError(f"weights {weights} lack a finite value in layer {layer.name}, "
                                  "or have a negative variance there: give another file")


def digest(model: keras.Model) -> str:
    """sha256, hexadecimal, of every weight of a model, in order: of the numbers, not of a file."""
    sha256 = hashlib.sha256()
    for layer in model.layers:
        for values in layer.get_weights():
            sha256.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return sha256.hexdigest()


def first_line(error: Exception) -> str:
    """The first line of an exception's text, for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
