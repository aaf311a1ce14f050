"""Keras's own MobileNetV2 with seeded, downloaded or given weights."""
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import warnings
import zipfile

import h5py
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
    weights = str(weights)
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
        return load_weights(model, path)
    except Exception:  # Keras raises many kinds
        # A legacy .h5 is loaded layer by layer, so one with a top needs a model with a top.
        whole = whole_network(path, alpha)
    if whole is None:
        raise GoldenError(f"weights {path} do not fit MobileNetV2 with alpha {alpha}: give the "
                          "alpha they were trained with, or another file")
    for layer in model.layers[1:]:
        layer.set_weights(whole.get_layer(layer.name).get_weights())


def load_weights(model, path):
    """Keras's load_weights, which raises for any weight a file lacks, without its warnings."""
    with warnings.catch_warnings(), named_for_keras(path) as name:
        warnings.simplefilter("ignore")
        model.load_weights(name)


@contextlib.contextmanager
def named_for_keras(path):
    """A path to the same file whose ending tells Keras which HDF5 layout it has."""
    with contextlib.ExitStack() as cleanup:
        if not path.endswith(".keras"):
            with h5py.File(path) as file:
                legacy = "layer_names" in file.attrs or "model_weights" in file
            if legacy == path.endswith(".weights.h5"):
                folder = cleanup.enter_context(tempfile.TemporaryDirectory())
                path = shutil.copy(path, os.path.join(folder, "legacy.h5" if legacy
                                                      else "keras3.weights.h5"))
        yield path


def whole_network(path, alpha):
    """MobileNetV2 with its 1000-class top, loaded from a file; None if the file does not fit."""
    model = mobilenet_v2(alpha, 224, top=True)
    try:
        load_weights(model, path)
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
        weights = str(weights)
        check_file(weights)
        model = whole_network(weights, alpha)
    return tuple(model.get_layer("predictions").get_weights()) if model else None


def check_file(path):
    """Refuse a weights path that is not a readable file of a kind Keras loads."""
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


def check_finite(model, weights):
    """Refuse weights that no fixed-point number can stand for."""
    for layer in model.layers:
        for variable, values in zip(layer.weights, layer.get_weights()):
            if not np.isfinite(values).all() \
                    or variable.path.endswith("variance") and values.min() < 0:
                raise GoldenError(f"weights {weights} lack a finite value in layer {layer.name}, "
                                  "or have a negative variance there: give another file")


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
