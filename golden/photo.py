"""Photos in: any image file to a square of bytes, and the photos that scikit-image's wheel has."""
import importlib.util
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from golden.errors import GoldenError

MOST_BYTES = 1 << 29        # of a photo's file
MOST_PIXELS = 1 << 27       # of a photo: its colours take four times as many bytes


def load_photo(path: str | Path | None, resolution: int) -> np.ndarray:
    """uint8 (resolution, resolution, 3) of an image file; None is scikit-image's chelsea.

    The whole photo is squeezed to a square, as Keras's ``load_img`` does, by Pillow's bicubic
    filter, which smooths as it shrinks.  Raises GoldenError for a file that cannot be read.
    """
    if path is None:
        return fit(shipped("chelsea.png"), resolution)
    return fit(read(path), resolution)


def shown(path: str | Path) -> str:
    """A path as text that can be printed and stored: what cannot, and the backslash that tells so,
    is escaped as Python writes it, so that no two paths look the same."""
    return "".join(letter if letter.isprintable() and letter != "\\"
                   else letter.encode("unicode_escape").decode() for letter in str(path))


def read(path: str | Path) -> Image.Image:
    """The Pillow image of a file; a GoldenError names the file that is none."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise GoldenError(f"it has more than {MOST_BYTES:,} bytes")
        return decode(content)
    except FileNotFoundError:
        raise GoldenError(f"there is no photo {shown(path)}: give the path of an image "
                          "file") from None
    except (OSError, GoldenError) as error:
        reason = getattr(error, "strerror", None) or error
        raise GoldenError(f"photo {shown(path)} cannot be read ({reason}): give an image "
                          "file that Pillow opens, such as PNG or JPEG") from None


def decode(content: bytes) -> Image.Image:
    """The Pillow image of a file's bytes, upright, in colour, and over white where it is
    transparent; GoldenError says why not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # Pillow's, of odd files that it reads all the same
            with Image.open(io.BytesIO(content)) as image:
                width, height = image.size
                if width * height > MOST_PIXELS:
                    raise GoldenError(f"it has {width:,} x {height:,} pixels, and {MOST_PIXELS:,} "
                                      "is the most: make it smaller")
                return in_colour(ImageOps.exif_transpose(image), image.format)
    except Image.UnidentifiedImageError:
        raise GoldenError("Pillow knows no such image") from None
    except Image.DecompressionBombError:
        raise GoldenError(f"it has more than {MOST_PIXELS:,} pixels: make it smaller") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise GoldenError((str(error).splitlines() or [type(error).__name__])[0]) from None


def in_colour(image: Image.Image, file_format: str | None) -> Image.Image:
    """A Pillow image in RGB: 16 bits in steps of 257, transparency over white.

    Raises GoldenError for numbers of 32 bits or floats, which say of no value that it is white.
    """
    # Pillow scales what a PGM holds to 16 bits, and gives them as 32.
    if image.mode.startswith("I;16") or (image.mode == "I" and file_format == "PPM"):
        values = np.asarray(image).astype(np.int32)
        grey = Image.fromarray(((values + 128) // 257).astype(np.uint8)).convert("RGB")
        if "transparency" in image.info:
            grey.paste("white", mask=Image.fromarray(values == image.info["transparency"]))
        return grey
    if image.mode in ("I", "F"):
        kind = {"I": "32-bit integers", "F": "floats"}[image.mode]
        raise GoldenError(f"its pixels are {kind}, of which none is known to be white: store it "
                          "with 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def fit(image: Image.Image, resolution: int) -> np.ndarray:
    """A whole Pillow image as uint8 (resolution, resolution, 3)."""
    return np.asarray(image.resize((resolution, resolution), Image.Resampling.BICUBIC))


def shipped_folder() -> Path:
    """The directory of scikit-image's files, found without importing it."""
    spec = importlib.util.find_spec("skimage")      # which the installation requires
    return Path(spec.submodule_search_locations[0], "data")     # type: ignore[union-attr, index]


def shipped(name: str) -> Image.Image:
    """A photo of scikit-image's wheel as a Pillow image."""
    return decode((shipped_folder() / name).read_bytes())


def pixels_to_floats(photos: np.ndarray) -> np.ndarray:
    """p / 127.5 - 1 as float32, of the shape of the uint8 photos, by Keras's own function."""
    from keras.applications.mobilenet_v2 import preprocess_input
    return preprocess_input(photos.astype(np.float32))


def pixels_to_integers(photos: np.ndarray) -> np.ndarray:
    """q = 2p - 255 as int16, of the shape of the uint8 photos: Keras's p / 127.5 - 1 in steps of
    1/255, with zero at zero."""
    return photos.astype(np.int16) * 2 - 255
