"""Many photos: those of a folder or of scikit-image's wheel, and several views of each."""
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from golden.errors import GoldenError
from golden.photo import fit, shipped_folder

# Photographs that are files in scikit-image's wheel; scans, micrographs and drawings are left out.
SHIPPED = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png",
           "coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
           "moon.png", "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg")
# Formats that Pillow knows the names of and cannot read by itself.
STUBS = {"BUFR", "GRIB", "HDF5", "MPEG"}


def shipped_names() -> list[str]:
    """Names of the photographs that the installed scikit-image has."""
    folder = shipped_folder()
    return [name for name in SHIPPED if (folder / name).is_file()]


def photo_files(folder: str | Path | None = None) -> dict[str, Path]:
    """{name: path} of the photos of a folder, or of scikit-image's photographs.

    Raises GoldenError for a folder that is missing or has no photo.
    """
    names = photo_names(folder) if folder else shipped_names()
    return {name: Path(folder or shipped_folder(), name) for name in names}


def photo_names(folder: str | Path) -> list[str]:
    """Paths in a folder and those below it, relative and sorted, of files with an ending that
    Pillow opens.

    Raises GoldenError for a folder that is missing or has no such file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GoldenError(f"there is no folder {folder}: give one that holds photos")
    endings = {ending for ending, kind in Image.registered_extensions().items()
               if kind in Image.OPEN and kind not in STUBS}
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")
                   if path.suffix.lower() in endings and path.is_file())
    if not names:
        raise GoldenError(f"folder {folder} holds no photo: give one with image files that Pillow "
                          "opens, such as PNG or JPEG")
    return names


def view(image: Image.Image, index: int, resolution: int) -> np.ndarray:
    """uint8 (resolution, resolution, 3) of a Pillow image.

    View 0 is the whole photo squeezed to a square; each other one is a square of 50 to 95 % of
    the short side at a place that its number alone decides, every second one mirrored.
    """
    if index == 0:
        return fit(image, resolution)
    digest = hashlib.sha256(f"view {index}".encode()).digest()
    size, left, top = (int.from_bytes(digest[4 * part:4 * part + 4], "little")
                       for part in range(3))
    side = max(1, min(image.size) * (500 + size % 451) // 1000)
    left, top = left % (image.width - side + 1), top % (image.height - side + 1)
    image = image.crop((left, top, left + side, top + side))
    return fit(ImageOps.mirror(image) if index % 2 else image, resolution)
