"""A golden from a photo: float network, quantisation, fixed-point network, cached by content."""
import contextlib
import hashlib
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from golden import photo as photos
from golden import store
from golden.errors import GoldenError
from golden.model import check_file
from golden.quantize import HEADROOM, check_widths, choose_scales, quantize_unit, smallest_dtype
from hdl import layers
from hdl.layers import layer_table

PACKAGES = ("keras", "tensorflow", "numpy", "pillow", "scikit-image")


class Reference:
    """A quantised network, ready for any number of photos.

    ``params`` {unit: UnitParams} and ``scales`` {unit or 'input': float} do not depend on them.
    """

    def __init__(self, alpha, resolution, precision, weights="seeded", report=lambda text: None):
        row = check(alpha, resolution, precision)
        report("starting TensorFlow")
        import keras
        from golden import fixed, fold, graph, model
        report("building Keras's MobileNetV2")
        network = model.float_model(alpha, resolution, weights)
        nodes = graph.trace(network)
        self.alpha, self.resolution, self.precision = alpha, resolution, row.name
        self.float_model = keras.Model(network.input, {
            name: node.output.output for name, node in nodes.items()})

        report("calibrating")
        linear = keras.Model(network.input, {
            name: node.output.output for name, node in nodes.items()
            if node.activation == "linear"})
        peaks = {}
        for pixels in photos.calibration_photos(resolution):
            for name, values in linear(scaled(pixels), training=False).items():
                peaks[name] = max(peaks.get(name, 0.), float(np.abs(values).max()))
        self.scales = choose_scales(nodes, peaks, row)

        report("quantising")
        self.params, self.dtypes = {}, {}
        for name, node in nodes.items():
            self.dtypes[name] = smallest_dtype(row.limits(node.activation))
            if node.convolution:
                source, = node.sources
                unit = quantize_unit(*fold.fold(node), self.scales[source], self.scales[name], row)
                kind = nodes[source].activation if source in nodes else "input"
                check_widths(name, unit, max(map(abs, row.limits(kind))))
                self.params[name] = unit
        self.fixed_model = fixed.fixed_model(network, self.params, row)
        self.attributes = {
            "weights": weights if weights in ("seeded", "imagenet") else Path(weights).name,
            "weights_sha256": model.digest(network),
            "calibration": ", ".join(photos.CALIBRATION), "headroom": HEADROOM,
            **{package: installed(package) for package in PACKAGES}}

    def fixed(self, image):
        """{unit or 'input': integers (H, W, C)} of a photo, uint8 (R, R, 3)."""
        pixels = photos.pixels_to_integers(image)
        outputs = self.fixed_model(pixels[None].astype(np.float64), training=False)
        return {"input": pixels} | {name: np.asarray(outputs[name])[0].astype(dtype)
                                    for name, dtype in self.dtypes.items()}

    def float(self, image):
        """{unit: float32 (H, W, C)} of a photo, uint8 (R, R, 3)."""
        outputs = self.float_model(scaled(image), training=False)
        return {name: np.asarray(outputs[name])[0] for name in self.dtypes}

    def golden(self, image):
        """The Golden of a photo, uint8 (R, R, 3)."""
        return store.Golden(
            self.alpha, self.resolution, self.precision, image, self.params, self.fixed(image),
            self.float(image), self.scales,
            self.attributes | {"image_sha256": hashlib.sha256(image.tobytes()).hexdigest()})


def check(alpha, resolution, precision):
    """The Precision row of a name; refuses what the layer table does not have."""
    try:
        layer_table(alpha, resolution)
        return layers.precision(precision)
    except ValueError as error:
        raise GoldenError(str(error)) from None


def scaled(pixels):
    """float32 (1, R, R, 3) in [-1, 1], as Keras's preprocess_input makes it."""
    from keras.applications.mobilenet_v2 import preprocess_input
    return preprocess_input(pixels[None].astype(np.float32))


def installed(package):
    """The version of an installed package, without importing it."""
    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def build(alpha, resolution, precision, weights="seeded", photo=None, report=lambda text: None):
    """Golden of a photo: a path, uint8 (R, R, 3) pixels, or None for chelsea."""
    check(alpha, resolution, precision)
    image = as_image(photo, resolution)
    reference = Reference(alpha, resolution, precision, weights, report)
    report("running both networks")
    return reference.golden(image)


def as_image(photo, resolution):
    """uint8 (R, R, 3) of a path, of pixels that are already that, or of None."""
    return photo if isinstance(photo, np.ndarray) else photos.load_photo(photo, resolution)


def cache_key(alpha, resolution, precision, weights, image):
    """sha256 of everything that determines a golden: inputs, this package's source, versions."""
    inputs = [f"{alpha:g} {resolution} {precision}", *map(installed, PACKAGES)]
    if weights in ("seeded", "imagenet"):
        inputs.append(weights)
    else:
        check_file(str(weights))
        inputs.append(hashlib.sha256(Path(weights).read_bytes()).hexdigest())
    sha256 = hashlib.sha256("\n".join(inputs).encode() + image.tobytes())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), Path(layers.__file__)):
        sha256.update(source.read_bytes())
    return sha256.hexdigest()


def cached(alpha, resolution, precision, weights="seeded", photo=None, cache_dir=None,
           report=lambda text: None):
    """(path, reused): the file of a golden, built unless a sound one is in the cache.

    The cache is $XDG_CACHE_HOME/impossible-mobilenet, or ~/.cache/impossible-mobilenet.
    """
    check(alpha, resolution, precision)
    image = as_image(photo, resolution)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(cache_dir or Path(home, "impossible-mobilenet"))
    path = folder / f"{cache_key(alpha, resolution, precision, weights, image)[:32]}.h5"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store.read(path)
        return path, True
    except GoldenError:
        store.write(path, build(alpha, resolution, precision, weights, image, report))
        return path, False
    except OSError as error:
        raise GoldenError(f"cache {folder} cannot be made ({error.strerror}): "
                          "give another directory") from None
