"""Views of photos, and the photographs that scikit-image ships."""
import os

import numpy as np
from PIL import Image, ImageOps

from golden import photo, views


def test_views():
    """The whole photo first, then squares inside it, every second one mirrored, none like another;
    the same in every process."""
    gradient = np.stack([*np.meshgrid(np.arange(200), np.arange(120)), np.zeros((120, 200))], -1)
    image = Image.fromarray(gradient.astype(np.uint8))
    assert np.array_equal(views.view(image, 0, 32), photo.fit(image, 32))
    seen = [views.view(image, number, 32) for number in range(8)]
    assert all(each.shape == (32, 32, 3) and each.dtype == np.uint8 for each in seen)
    assert len({each.tobytes() for each in seen}) == 8
    for number, each in enumerate(seen[1:], 1):
        columns = each[0, :, 0].astype(int)
        side = abs(columns[-1] - columns[0]) * 32 / 31
        assert 57 <= side <= 116 and (columns[-1] < columns[0]) == bool(number % 2)
    flipped = views.view(ImageOps.mirror(image), 2, 32)
    assert not np.array_equal(flipped, seen[2])
    assert views.view(Image.new("RGB", (1, 5)), 3, 32).shape == (32, 32, 3)


def test_names_of_a_folder(tmp_path):
    """What is hidden is skipped, a name that is no text is shown escaped, and a photo that Pillow
    does not read is among them."""
    odd = os.fsdecode(b"caf\xe9.jpg")
    for name in ("b.jpg", "._b.jpg", ".hidden/c.jpg", odd, "d.HEIC", "notes.txt", "below/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    names = ["b.jpg", "below/e.png", odd, "d.HEIC"]
    assert views.photo_names(tmp_path) == names
    assert views.photo_files(tmp_path) == {
        shown: tmp_path / name for shown, name in zip(
            ["b.jpg", "below/e.png", "caf\\udce9.jpg", "d.HEIC"], names)}


def test_the_shipped_photographs():
    names = views.shipped_names()
    assert names == list(views.SHIPPED)
    for name in names:
        image = photo.shipped(name)
        assert image.mode == "RGB" and min(image.size) >= 90
