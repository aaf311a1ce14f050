"""Keras's own MobileNetV2 with seeded, downloaded or given weights."""
import contextlib
import hashlib
import os
import sys
import warnings

import numpy as np

from golden.errors import GoldenError
from hdl.layers import layer_table

SUFFIXES = (".h5", ".keras")


def mobilenet_v2(alpha, resolution, top=False, weights=None):
    """``keras.applications.MobileNetV2`` for square images; Keras is imported on first use."""
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


def float_model(alpha, resolution, weights="seeded"):
    """The backbone (no top) with weights 'seeded', 'imagenet' or a file's."""
    try:
        layer_table(alpha, resolution)
    except ValueError as error:
        raise GoldenError(str(error)) from None
    if weights == "imagenet":
        model = download(alpha, resolution)
    else:
        model = mobilenet_v2(alpha, resolution)
        if weights == "seeded":
            from golden.seeded import fill
            fill(model)
        else:
            load(model, weights, alpha)
    check_finite(model, weights)
    return model


def download(alpha, resolution, top=False):
    """The network with Keras's own ImageNet weights, from its cache or the network."""
    try:
        return mobilenet_v2(alpha, resolution, top, weights="imagenet")
    except GoldenError:
        raise
    except Exception as error:  # get_file raises a bare Exception
        raise GoldenError(f"Keras could not fetch its imagenet weights ({first_line(error)}): "
                          "use --weights seeded or the path of a weights file") from None


def load(model, path, alpha):
    """Load a backbone's weights from a file with or without the top."""
    check_file(path)
    try:
        return model.load_weights(path)
    except Exception as backbone_error:  # Keras raises many kinds
        # A legacy .h5 is loaded layer by layer, so one with a top needs a model with a top.
        whole = whole_network(path, alpha)
        if whole is None:
            raise GoldenError(
                f"weights {path} do not fit MobileNetV2 with alpha {alpha} "
                f"({first_line(backbone_error)}): give the alpha they were trained with, or "
                "another file") from None
    for layer in model.layers:
        layer.set_weights(whole.get_layer(layer.name).get_weights())


def whole_network(path, alpha):
    """MobileNetV2 with its 1000-class top, loaded from a file; None if the file does not fit."""
    model = mobilenet_v2(alpha, 224, top=True)
    try:
        model.load_weights(path)
    except Exception:  # Keras raises many kinds; whatever it is, the file holds no such network
        return None
    return model


def classifier(weights, alpha=1.0):
    """(kernel (features, 1000), bias (1000,)) of the weights' top, or None without one."""
    if weights == "seeded":
        return None
    if weights == "imagenet":
        model = download(alpha, 224, top=True)
    else:
        check_file(weights)
        model = whole_network(weights, alpha)
    return tuple(model.get_layer("predictions").get_weights()) if model else None


def check_file(path):
    """Refuse a weights path that is not a readable file of a kind Keras loads."""
    if not os.path.isfile(path):
        raise GoldenError(f"there is no weights file {path}: give 'seeded', 'imagenet' or the "
                          "path of a .h5, .weights.h5 or .keras file")
    if not str(path).endswith(SUFFIXES):
        raise GoldenError(f"weights {path} end in neither .h5, .weights.h5 nor .keras, so Keras "
                          "cannot tell their format: rename the file after what it holds")
    if not os.access(path, os.R_OK):
        raise GoldenError(f"weights {path} cannot be read: check the file's permissions")


def check_finite(model, weights):
    """Refuse weights that no fixed-point number can stand for."""
    for layer in model.layers:
        for variable, values in zip(layer.weights, layer.get_weights()):
            if not np.isfinite(values).all() \
                    or variable.path.endswith("variance") and values.min() < 0:
                raise GoldenError(f"weights {weights} hold a value in {layer.name} that is not "
                                  "finite, or a negative variance: give another file")


def digest(model):
    """sha256 of every weight of a model, in order: of the numbers, not of a file."""
    sha256 = hashlib.sha256()
    for layer in model.layers:
        for values in layer.get_weights():
            sha256.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return sha256.hexdigest()


def first_line(error):
    """The first line of an exception's text, for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
