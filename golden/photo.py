"""Photos in: any image file to a square of bytes, and the photos that calibrate the network."""
import numpy as np
from PIL import Image, ImageOps

from golden.errors import GoldenError

# Photos inside scikit-image's wheel, PNG only: a JPEG's pixels depend on the decoder.
CALIBRATION = ("chelsea", "coffee", "astronaut", "immunohistochemistry")


def load_photo(path, resolution):
    """uint8 (resolution, resolution, 3) of an image file; None is scikit-image's chelsea.

    The whole photo is squeezed to a square, as Keras's ``load_img`` does, by Pillow's bicubic
    filter, which smooths as it shrinks.
    """
    if path is None:
        return fit(shipped("chelsea"), resolution)
    try:
        with Image.open(path) as image:
            return fit(ImageOps.exif_transpose(image).convert("RGB"), resolution)
    except FileNotFoundError:
        raise GoldenError(f"there is no photo {path}: give the path of an image file") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise GoldenError(f"photo {path} cannot be read ({reason}): give an image file that "
                          "Pillow opens, such as PNG or JPEG") from None


def fit(image, resolution):
    """A whole Pillow image as uint8 (resolution, resolution, 3)."""
    return np.asarray(image.resize((resolution, resolution), Image.Resampling.BICUBIC))


def shipped(name):
    """A photo of scikit-image's own as a Pillow image."""
    from skimage import data
    return Image.fromarray(getattr(data, name)())


def calibration_photos(resolution):
    """uint8 (photos, resolution, resolution, 3): what the linear tensors' ranges come from."""
    return np.stack([fit(shipped(name), resolution) for name in CALIBRATION])


def pixels_to_integers(photos):
    """q = 2p - 255 as int16: Keras's p / 127.5 - 1 in steps of 1/255, with zero at zero."""
    return photos.astype(np.int16) * 2 - 255
