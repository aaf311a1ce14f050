"""A golden from a photo: float network, quantisation, fixed-point network, cached by content."""
from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs

from golden import photo as photos
from golden import store
from golden.errors import GoldenError
from golden.graph import Node
from golden.model import check_file, quiet, start_keras
from golden.network import Network
from golden.quantize import HEADROOM, Scales, UnitParams, choose_scales, smallest_dtype
from golden.whole import write_whole
from hdl import layers

if TYPE_CHECKING:
    import keras

PACKAGES = ("keras", "tensorflow", "numpy", "pillow", "scikit-image")


class Reference:
    """A quantised Network, ready for any number of photos; ``backbone`` is Keras's own.

    ``params`` {unit: UnitParams} and ``scales`` {unit or 'input': float} do not depend on them.
    """

    def __init__(self, network: Network, report: Callable[[str], None] = quiet,
                 cache_dir: Path | None = None) -> None:
        """With a cache_dir, scales and params are kept there and found again.

        Raises GoldenError for weights or calibration photos that cannot be used, and for a
        cache_dir that cannot be written.
        """
        report("starting TensorFlow")
        start_keras()
        import keras

        from golden import fixed, graph, model
        report("building Keras's MobileNetV2")
        self.network = network
        left_out: list[str] = []
        self.backbone = model.float_model(network.alpha, network.resolution, network.weights,
                                          left_out.append)
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
            "weights_sha256": model.digest(self.backbone), "left_out": "; ".join(left_out),
            **network.calibration.attributes(), "headroom": HEADROOM,
            **{package: installed(package) for package in PACKAGES}}

    def fixed(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """{unit or 'input': integers (H, W, C), of the type in ``dtypes``} of a photo, uint8
        (R, R, 3); the input's are int16."""
        pixels = photos.pixels_to_integers(image)
        outputs = self.fixed_model(pixels[None].astype(np.float64), training=False)
        return {"input": pixels} | {name: np.asarray(outputs[name])[0].astype(dtype)
                                    for name, dtype in self.dtypes.items()}

    def float(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """{unit: float32 (H, W, C)} of a photo, uint8 (R, R, 3)."""
        outputs = self.float_model(photos.pixels_to_floats(image[None]), training=False)
        return {name: np.asarray(outputs[name])[0] for name in self.dtypes}

    def golden(self, image: np.ndarray) -> store.Golden:
        """The Golden of a photo, uint8 (R, R, 3)."""
        network = self.network
        return store.Golden(
            network.alpha, network.resolution, network.precision.name, image, self.params,
            self.fixed(image), self.float(image), self.scales,
            self.attributes | {"image_sha256": hashlib.sha256(image.tobytes()).hexdigest()})


def quantised(network: Network, backbone: keras.Model, nodes: dict[str, Node],
              report: Callable[[str], None]) -> tuple[Scales, dict[str, UnitParams]]:
    """(scales, params) of a Network whose Keras model is ``backbone``, of units ``nodes``.

    Raises GoldenError for a calibration photo that cannot be read, and for weights that fixed
    point cannot hold.
    """
    import keras

    from golden import learn
    from golden.fold import fold
    report("calibrating")
    precision, calibration, resolution = network.precision, network.calibration, network.resolution
    linear = keras.Model(backbone.input, {
        name: node.output.output for name, node in nodes.items() if node.activation == "linear"})
    found = learn.peaks(linear, calibration.photos(resolution))
    folded = {name: fold(node) for name, node in nodes.items() if node.convolution}
    gains = {name: float(np.abs(weights).max()) for name, (weights, _) in folded.items()}
    scales, teacher = (choose_scales(nodes, found, row, gains)
                       for row in (precision, learn.TEACHER))
    if calibration.methods:
        drawn = learn.drawn(calibration.names())
        images = np.stack(list(calibration.photos(resolution, drawn)))
        params = learn.learnt_params(nodes, folded, scales, teacher, precision, images,
                                     calibration.methods, report)
    else:
        params = learn.plain_params(nodes, folded, scales, precision)
    learn.check_sums(nodes, params, precision)
    return scales, params


def installed(package: str) -> str:
    """The version of an installed package, without importing it, or 'unknown'."""
    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "unknown"


def build(network: Network, photo: str | Path | np.ndarray | None = None,
          report: Callable[[str], None] = quiet, cache_dir: Path | None = None) -> store.Golden:
    """Golden of a photo: a path, uint8 (R, R, 3) pixels, or None for chelsea.

    Raises GoldenError for a photo that cannot be read, and as Reference does.
    """
    image = as_image(photo, network.resolution)
    reference = Reference(network, report, cache_dir)
    report("running both networks")
    return reference.golden(image)


def as_image(photo: str | Path | np.ndarray | None, resolution: int) -> np.ndarray:
    """uint8 (R, R, 3) of a path, of pixels that are already that, or of None, which is chelsea.

    Raises GoldenError for a photo that cannot be read.
    """
    return photo if isinstance(photo, np.ndarray) else photos.load_photo(photo, resolution)


def key(network: Network, image: np.ndarray | None = None) -> str:
    """Hexadecimal digest of everything that determines a network's integers, or with an image a
    golden: the row, the files it names, photos, this package's source, versions.

    network -- whose weights and calibration photos are read
    image   -- uint8 (R, R, 3)

    Raises GoldenError for a file that cannot be read.
    """
    calibration = network.calibration
    inputs = [f"{network.alpha:g} {network.resolution} {network.precision.name}",
              *map(installed, PACKAGES)]
    if network.from_file:
        check_file(str(network.weights))
        inputs.append(hashlib.sha256(Path(network.weights).read_bytes()).hexdigest())
    else:
        inputs.append(str(network.weights))
    inputs.append(json.dumps(calibration.attributes()))
    sha256 = hashlib.sha256("\n".join(inputs).encode())
    for content in calibration.contents(dict(calibration.names()).items()):
        sha256.update(content)
    for source in (*sorted(Path(__file__).parent.glob("*.py")), Path(layers.__file__)):
        sha256.update(source.read_bytes())
    if image is not None:
        sha256.update(image.tobytes())
    return sha256.hexdigest()[:32]


def write_params(path: Path, scales: Scales, params: dict[str, UnitParams]) -> None:
    """Keep a network's integers in a file, whole or not at all.

    Raises GoldenError for a folder that cannot be written.
    """
    arrays = {f"{name}/{part.name}": getattr(unit, part.name)
              for name, unit in params.items() for part in fields(unit)}
    told = json.dumps(scales)
    content = io.BytesIO()
    np.savez_compressed(content, scales=told, seal=seal(told, arrays), **arrays)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getbuffer())
    except OSError as error:
        raise GoldenError(f"cache {path.parent} cannot be written ({error.strerror}): "
                          "give another folder with --cache") from None


def seal(scales: str, arrays: Mapping[str, np.ndarray]) -> str:
    """sha256, hexadecimal, of a network's integers and their names: an archive checks each member,
    and not whether all of them are there."""
    digests = {name: store.digest(array) for name, array in arrays.items()}
    return hashlib.sha256(json.dumps([scales, digests]).encode()).hexdigest()


def read_params(path: Path) -> tuple[Scales, dict[str, UnitParams]] | None:
    """(scales, params) of such a file, or None without a sound one."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if "/" in name}
            scales = str(file["scales"])
            if str(file["seal"]) != seal(scales, arrays):
                return None
    # What a damaged archive may look like to Python: of a later kind, encrypted, no archive.
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    names = dict.fromkeys(name.rpartition("/")[0] for name in arrays)
    return json.loads(scales), {
        name: UnitParams(*(arrays[f"{name}/{part.name}"] for part in fields(UnitParams)))
        for name in names}


def cache_folder() -> Path:
    """The folder where goldens and networks are kept: $MNV2_CACHE_DIR, or the user's cache."""
    given = os.environ.get("MNV2_CACHE_DIR")
    return Path(given or platformdirs.user_cache_path("impossible-mobilenet", appauthor=False))


def cached(network: Network, photo: str | Path | np.ndarray | None = None,
           report: Callable[[str], None] = quiet,
           cache_dir: Path | None = None) -> tuple[Path, bool]:
    """(path, reused): the file of a golden, built unless a sound one is in the cache.

    Without a cache_dir the cache is $MNV2_CACHE_DIR or the user's, on Linux
    $XDG_CACHE_HOME/impossible-mobilenet or ~/.cache/impossible-mobilenet.  A new photo of a network
    that is there takes its integers from there.  Raises GoldenError as ``build`` does, and for a
    cache that cannot be written.
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
                          "give another folder with --cache") from None
