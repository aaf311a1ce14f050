"""Photos in: any image file to a square of bytes, and the photos that scikit-image's wheel has."""
import importlib.util
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from golden.errors import GoldenError


def load_photo(path, resolution):
    """uint8 (resolution, resolution, 3) of an image file; None is scikit-image's chelsea.

    The whole photo is squeezed to a square, as Keras's ``load_img`` does, by Pillow's bicubic
    filter, which smooths as it shrinks.
    """
    if path is None:
        return fit(shipped("chelsea.png"), resolution)
    return fit(read(path), resolution)


def read(path):
    """The Pillow image of a file; GoldenError names the file."""
    try:
        return decode(Path(path).read_bytes())
    except FileNotFoundError:
        raise GoldenError(f"there is no photo {path}: give the path of an image file") from None
    except (OSError, GoldenError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GoldenError(f"photo {path} cannot be read ({reason}): give an image file that "
                          "Pillow opens, such as PNG or JPEG") from None


def decode(content):
    """The Pillow image of a file's bytes, upright and in colour; GoldenError says why not."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except Image.UnidentifiedImageError:
        raise GoldenError("Pillow knows no such image") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise GoldenError((str(error).splitlines() or [type(error).__name__])[0]) from None


def fit(image, resolution):
    """A whole Pillow image as uint8 (resolution, resolution, 3)."""
    return np.asarray(image.resize((resolution, resolution), Image.Resampling.BICUBIC))


def shipped_folder():
    """The directory of scikit-image's files, found without importing it."""
    return Path(importlib.util.find_spec("skimage").submodule_search_locations[0], "data")


def shipped(name):
    """A photo of scikit-image's wheel as a Pillow image."""
    return decode((shipped_folder() / name).read_bytes())


def pixels_to_floats(photos):
    """p / 127.5 - 1 as float32, by Keras's own function."""
    from keras.applications.mobilenet_v2 import preprocess_input
    return preprocess_input(photos.astype(np.float32))


def pixels_to_integers(photos):
    """q = 2p - 255 as int16: Keras's p / 127.5 - 1 in steps of 1/255, with zero at zero."""
    return photos.astype(np.int16) * 2 - 255
