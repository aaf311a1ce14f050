"""Keras's own MobileNetV2 with seeded, downloaded or given weights."""
from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import subprocess
import sys
import textwrap
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from golden.errors import GoldenError
from golden.foreign import refuse_code
from hdl.layers import MIN_RESOLUTION, layer_table

if TYPE_CHECKING:
    import keras

    from golden.topology import Step

SUFFIXES = (".h5", ".keras")
ALONE = "save the weights alone with model.save_weights('FILE.weights.h5')"
KINDS = {".h5": "are HDF5", ".keras": "are an archive as Keras writes with .keras"}
# TensorFlow 2.21 writes these when it is imported, whatever TF_CPP_MIN_LOG_LEVEL says.
GREETING = ("All log messages before absl::InitializeLog()", "oneDNN custom operations are on")
SIEVE = """
import sys
for line in sys.stdin.buffer:
    if not any(part.encode() in line for part in sys.argv[1:]):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
"""
BACKEND = "tensorflow"   # whose convolutions of float64 integers are exact without switches


def quiet(text: str) -> None:
    """Tell nothing: the default of every ``note`` and ``report``."""


@contextlib.contextmanager
def without(parts: Sequence[str]) -> Iterator[None]:
    """Keep lines of libraries with one of ``parts`` in them off stderr.

    A process of its own lets the others through, so that the last words of a library that ends this
    process are read.
    """
    terminal = open(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    with terminal, subprocess.Popen([sys.executable, "-IS", "-c", SIEVE, *parts], stdout=terminal,
                                    stdin=subprocess.PIPE, start_new_session=True) as sieve:
        assert sieve.stdin
        os.dup2(sieve.stdin.fileno(), 2)
        try:    # what Python writes goes on where it went; rich's progress is behind a proxy
            real = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
            with contextlib.redirect_stderr(terminal if real is sys.__stderr__ else sys.stderr):
                yield
        finally:
            os.dup2(terminal.fileno(), 2)


def start_keras() -> None:
    """Import Keras, and set all of its configuration that a network's integers depend on.

    Raises GoldenError for a Keras that does not run on TensorFlow.
    """
    # Read before the import: another backend may not even be there.
    asked = os.environ.get("KERAS_BACKEND", BACKEND)
    with without(GREETING):
        keras = importlib.import_module("keras") if asked == BACKEND else None
    if keras is None or keras.backend.backend() != BACKEND:
        raise GoldenError(f"Keras is to run on {asked}, and integers are exact on {BACKEND} only: "
                          f"set KERAS_BACKEND={BACKEND}")
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_image_data_format("channels_last")


def mobilenet_v2(alpha: float, resolution: int, top: bool = False,
                 weights: str | None = None) -> keras.Model:
    """``keras.applications.MobileNetV2`` for square images; Keras is imported on first use.

    top     -- whether with the 1000-class top
    weights -- 'imagenet', or None for random ones

    Raises GoldenError for a Keras that does not run on TensorFlow.
    """
    start_keras()
    import keras
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        # Keras warns that weights of another resolution are used, and reports downloads.
        warnings.filterwarnings("ignore", "`input_shape` is undefined")
        return keras.applications.MobileNetV2(input_shape=(resolution, resolution, 3),
                                              alpha=alpha, include_top=top, weights=weights)


def float_model(alpha: float, resolution: int, weights: str | Path = "seeded",
                note: Callable[[str], None] = quiet) -> keras.Model:
    """The backbone (no top) with weights 'seeded', 'imagenet' or a file's.

    note -- takes what of a file's model is left out, a clause for each layer

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
        arrays = read(weights, alpha, note=note)
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


def read(path: str, alpha: float, top: bool = False, note: Callable[[str], None] = quiet
         ) -> Sequence[Sequence[np.ndarray]]:
    """[float32 arrays] of MobileNetV2's layers that have weights, in order, from a file: weights
    alone, or a saved model that contains the network; ``note`` as in ``float_model``.

    Raises GoldenError for a file that cannot be read, and for one of another network, with the
    first layer that differs; a top is the one with 1000 classes.
    """
    check_file(path)
    start_keras()
    from golden.topology import Difference
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's, of what is deprecated and not compiled
            return read_model(path, alpha, top, note) if holds_model(path) \
                else read_weights(path, alpha, top)
    except Difference as found:
        raise GoldenError(f"weights {path} do not fit MobileNetV2 with alpha {alpha}, as "
                          f"{found}: {found.advice}") from None
    except GoldenError:
        raise
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise GoldenError(f"weights {path} are damaged ({short(error)}): "
                          "download or save the file again") from None
    except Exception as error:  # Keras raises many kinds for what it does not know
        raise GoldenError(f"weights {path} cannot be loaded by Keras ({short(error)}): "
                          f"{ALONE}") from None


def holds_model(path: str) -> bool:
    """Whether a file has a model's layers and not only weights."""
    if path.endswith(".keras"):
        return True
    with h5py.File(path) as file:
        return "model_config" in file.attrs


def read_model(path: str, alpha: float, top: bool, note: Callable[[str], None]
               ) -> Sequence[Sequence[np.ndarray]]:
    """``read`` of a whole model, whose layers must do what Keras's do, else Difference."""
    from golden import keras_2
    from golden.topology import Difference, agreed
    with contextlib.ExitStack() as stack:
        every = keras_2.steps(path, stack) if keras_2.wrote(path) else keras_3_steps(path)
        fits, differences = [], []
        for theirs in every:
            try:
                fits.append(fit(theirs, alpha, top, note))
            except Difference as difference:
                differences.append(difference)
        if not fits:
            raise differences[0]
        return agreed(fits)


def fit(theirs: Sequence[Step], alpha: float, top: bool, note: Callable[[str], None]
        ) -> Sequence[Sequence[np.ndarray]]:
    """The arrays of a model's steps, from the input that is the image; Difference for others."""
    from golden.topology import begin, match
    theirs, start = begin(theirs)
    # Keras pads as the parity of the size asks for, so the reference has the model's.
    height = start.height or 0
    reference = pattern(alpha, height if height >= MIN_RESOLUTION else 224, top)
    arrays = [[np.asarray(array, dtype=np.float32) for array in layer.weights]
              for layer in match(reference, theirs, start) if layer.weights]
    for layer in start.left_out:
        note(f"of the weights' model, layer {layer.name} ({layer.kind}) is left out: photos are "
             "squeezed to the resolution")
    return arrays


def keras_3_steps(path: str) -> list[list[Step]]:
    """The steps of a whole model that Keras 3 wrote, which is built, for each of its inputs that
    may be the image."""
    import keras

    from golden.topology import steps
    refuse_code(path, ALONE)
    model = keras.models.load_model(path, compile=False, safe_mode=True)
    images = [number for number, tensor in enumerate(model.inputs)
              if len(tensor.shape) == 4 and tensor.shape[-1] in (3, None)]
    return [steps(model, number) for number in images or [0]]


def read_weights(path: str, alpha: float, top: bool) -> Sequence[Sequence[np.ndarray]]:
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
    if os.path.isdir(path):
        if os.path.isfile(os.path.join(path, "saved_model.pb")):
            raise GoldenError(f"weights {path} are a SavedModel, TensorFlow's own format: load it "
                              f"with TensorFlow's Keras and {ALONE}")
        raise GoldenError(f"weights {path} are a folder: give the path of a .h5, .weights.h5 or "
                          ".keras file")
    if not os.path.isfile(path):
        raise GoldenError(f"there is no weights file {path}: give 'seeded', 'imagenet' or the "
                          "path of a .h5, .weights.h5 or .keras file")
    try:
        kind = ".h5" if h5py.is_hdf5(path) else ".keras" if zipfile.is_zipfile(path) else None
    except OSError as error:
        raise GoldenError(f"weights {path} cannot be read ({error.strerror}): "
                          "check the file's permissions") from None
    if kind and not path.endswith(kind):
        raise GoldenError(f"weights {path} {KINDS[kind]}: rename the file to end in {kind}")
    if not kind and path.endswith(SUFFIXES):
        raise GoldenError(f"weights {path} are not what the name says (HDF5, or a zip for "
                          ".keras), or not all of it: download or save the file again")
    if not kind:
        raise GoldenError(f"weights {path} are neither HDF5 nor a .keras archive: load them into "
                          f"the model they are of and {ALONE}")


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


def short(error: Exception) -> str:
    """The first sentence of an exception's text, 160 characters at most."""
    return textwrap.shorten(first_line(error).split(". ")[0], 160)


def first_line(error: Exception) -> str:
    """The first line of an exception's text, for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
