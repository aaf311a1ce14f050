"""Many photos: those of a folder or of scikit-image's wheel, and several views of each."""
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from golden.errors import GoldenError
from golden.photo import fit, shipped_folder, shown

# Photographs that are files in scikit-image's wheel; scans, micrographs and drawings are left out.
SHIPPED = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "clock_motion.png",
           "coffee.png", "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg",
           "moon.png", "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg")
# Formats that Pillow knows the names of and cannot read by itself.
STUBS = {"BUFR", "GRIB", "HDF5", "MPEG"}
# Endings of photos that Pillow does not read: they fail by name, and are not left out in silence.
UNREAD = {".heic", ".heif", ".hif", ".jxl"}


def shipped_names() -> list[str]:
    """Names of the photographs that the installed scikit-image has."""
    folder = shipped_folder()
    return [name for name in SHIPPED if (folder / name).is_file()]


def photo_files(folder: str | Path | None = None) -> dict[str, Path]:
    """{name as it is shown: path} of the photos of a folder, or of scikit-image's photographs.

    Raises GoldenError for a folder that is missing or has no photo.
    """
    names = photo_names(folder) if folder else shipped_names()
    return {shown(name): Path(folder or shipped_folder(), name) for name in names}


def photo_names(folder: str | Path) -> list[str]:
    """Paths in a folder and those below it, relative and sorted, of files with the ending of a
    photo; what is hidden, as macOS's ``._photo.jpg``, is none.

    Raises GoldenError for a folder that is missing or has no such file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise GoldenError(f"there is no folder {shown(folder)}: give one that holds photos")
    endings = UNREAD | {ending for ending, kind in Image.registered_extensions().items()
                        if kind in Image.OPEN and kind not in STUBS}
    found = (path.relative_to(folder) for path in folder.rglob("*")
             if path.suffix.lower() in endings and path.is_file())
    names = sorted(path.as_posix() for path in found
                   if not any(part.startswith(".") for part in path.parts))
    if not names:
        raise GoldenError(f"folder {shown(folder)} holds no photo: give one with image files that "
                          "Pillow opens, such as PNG or JPEG")
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
