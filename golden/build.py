"""A golden from a photo: float network, quantisation, fixed-point network, cached by content."""
import contextlib
import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import platformdirs

from golden import photo as photos
from golden import store
from golden.errors import GoldenError
from golden.model import check_file
from golden.network import Network
from golden.quantize import HEADROOM, UnitParams, choose_scales, smallest_dtype
from hdl import layers

PACKAGES = ("keras", "tensorflow", "numpy", "pillow", "scikit-image")


def quiet(text: str) -> None:
    """Report nothing."""


class Reference:
    """A quantised Network, ready for any number of photos; ``backbone`` is Keras's own.

    ``params`` {unit: UnitParams} and ``scales`` {unit or 'input': float} do not depend on them.
    """

    def __init__(self, network: Network, report=quiet, cache_dir=None):
        """With a cache_dir, scales and params are kept there and found again."""
        report("starting TensorFlow")
        import keras

        from golden import fixed, graph, model
        report("building Keras's MobileNetV2")
        self.network = network
        self.backbone = model.float_model(network.alpha, network.resolution, network.weights)
        nodes, precision = graph.trace(self.backbone), network.precision
        self.dtypes = {name: smallest_dtype(precision.limits(node.activation))
                       for name, node in nodes.items()}
        self.float_model = keras.Model(self.backbone.input, {
            name: node.output.output for name, node in nodes.items()})
        kept = cache_dir and Path(cache_dir, f"{key(network)}.npz")
        found = kept and read_params(kept)
        self.scales, self.params = found or quantised(network, self.backbone, nodes, report)
        if kept and not found:
            write_params(kept, self.scales, self.params)
        self.fixed_model = fixed.fixed_model(self.backbone, self.params, precision)
        self.attributes = {
            "weights": Path(network.weights).name if network.from_file else network.weights,
            "weights_sha256": model.digest(self.backbone),
            **network.calibration.attributes(), "headroom": HEADROOM,
            **{package: installed(package) for package in PACKAGES}}

    def fixed(self, image):
        """{unit or 'input': integers (H, W, C)} of a photo, uint8 (R, R, 3)."""
        pixels = photos.pixels_to_integers(image)
        outputs = self.fixed_model(pixels[None].astype(np.float64), training=False)
        return {"input": pixels} | {name: np.asarray(outputs[name])[0].astype(dtype)
                                    for name, dtype in self.dtypes.items()}

    def float(self, image):
        """{unit: float32 (H, W, C)} of a photo, uint8 (R, R, 3)."""
        outputs = self.float_model(photos.pixels_to_floats(image[None]), training=False)
        return {name: np.asarray(outputs[name])[0] for name in self.dtypes}

    def golden(self, image):
        """The Golden of a photo, uint8 (R, R, 3)."""
        network = self.network
        return store.Golden(
            network.alpha, network.resolution, network.precision.name, image, self.params,
            self.fixed(image), self.float(image), self.scales,
            self.attributes | {"image_sha256": hashlib.sha256(image.tobytes()).hexdigest()})


def quantised(network, backbone, nodes, report):
    """(scales, params) of a Network whose Keras model is ``backbone``, of units ``nodes``."""
    import keras

    from golden import learn
    from golden.fold import fold
    report("calibrating")
    precision, calibration, resolution = network.precision, network.calibration, network.resolution
    linear = keras.Model(backbone.input, {
        name: node.output.output for name, node in nodes.items() if node.activation == "linear"})
    found = learn.peaks(linear, calibration.photos(resolution))
    scales, teacher = (choose_scales(nodes, found, row) for row in (precision, learn.TEACHER))
    folded = {name: fold(node) for name, node in nodes.items() if node.convolution}
    if calibration.methods:
        drawn = learn.drawn(calibration.names())
        images = np.stack(list(calibration.photos(resolution, drawn)))
        params = learn.learnt_params(nodes, folded, scales, teacher, precision, images,
                                     calibration.methods, report)
    else:
        params = learn.plain_params(nodes, folded, scales, precision)
    learn.check_sums(nodes, params, precision)
    return scales, params


def installed(package):
    """The version of an installed package, without importing it."""
    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def build(network: Network, photo=None, report=quiet, cache_dir=None) -> store.Golden:
    """Golden of a photo: a path, uint8 (R, R, 3) pixels, or None for chelsea."""
    image = as_image(photo, network.resolution)
    reference = Reference(network, report, cache_dir)
    report("running both networks")
    return reference.golden(image)


def as_image(photo, resolution):
    """uint8 (R, R, 3) of a path, of pixels that are already that, or of None."""
    return photo if isinstance(photo, np.ndarray) else photos.load_photo(photo, resolution)


def key(network: Network, image: np.ndarray | None = None) -> str:
    """Hexadecimal digest of everything that determines a network's integers, or with an image a
    golden: the row, the files it names, photos, this package's source, versions."""
    calibration = network.calibration
    inputs = [f"{network.alpha:g} {network.resolution} {network.precision.name}",
              *map(installed, PACKAGES)]
    if network.from_file:
        check_file(str(network.weights))
        inputs.append(hashlib.sha256(Path(network.weights).read_bytes()).hexdigest())
    else:
        inputs.append(network.weights)
    inputs.append(json.dumps(calibration.attributes()))
    sha256 = hashlib.sha256("\n".join(inputs).encode())
    for content in calibration.contents(dict(calibration.names()).items()):
        sha256.update(content)
    for source in (*sorted(Path(__file__).parent.glob("*.py")), Path(layers.__file__)):
        sha256.update(source.read_bytes())
    if image is not None:
        sha256.update(image.tobytes())
    return sha256.hexdigest()[:32]


def write_params(path, scales, params):
    """Keep a network's integers in a file, whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            np.savez_compressed(file, scales=json.dumps(scales), **{
                f"{name}/{part.name}": getattr(unit, part.name)
                for name, unit in params.items() for part in fields(unit)})
        os.replace(temporary, path)
    except OSError as error:
        raise GoldenError(f"cache {path.parent} cannot be written ({error.strerror}): "
                          "give another directory") from None
    finally:
        temporary.unlink(missing_ok=True)


def read_params(path):
    """(scales, params) of such a file, or None without a sound one (an archive's members have
    checksums)."""
    try:
        with open(path, "rb") as opened, np.load(opened) as file:
            names = dict.fromkeys(name.rpartition("/")[0] for name in file.files if "/" in name)
            return json.loads(str(file["scales"])), {
                name: UnitParams(*(file[f"{name}/{part.name}"] for part in fields(UnitParams)))
                for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def cache_folder():
    """Where goldens and networks are kept: the user's cache."""
    return platformdirs.user_cache_path("impossible-mobilenet", appauthor=False)


def cached(network: Network, photo=None, report=quiet, cache_dir=None) -> tuple[Path, bool]:
    """(path, reused): the file of a golden, built unless a sound one is in the cache.

    Without a cache_dir the cache is the user's, on Linux $XDG_CACHE_HOME/impossible-mobilenet or
    ~/.cache/impossible-mobilenet.  A new photo of a network that is there takes its integers from
    there.
    """
    image = as_image(photo, network.resolution)
    folder = Path(cache_dir or cache_folder())
    path = folder / f"{key(network, image)}.h5"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store.read(path)
        return path, True
    except GoldenError:
        store.write(path, build(network, image, report, folder))
        return path, False
    except OSError as error:
        raise GoldenError(f"cache {folder} cannot be made ({error.strerror}): "
                          "give another directory") from None
