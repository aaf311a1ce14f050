"""Photos: the resize, and files that are none."""
import numpy as np
import pytest
from PIL import Image

from golden.errors import GoldenError
from golden.photo import fit, load_photo, pixels_to_integers, shipped


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (60, 60)])
def test_the_whole_photo_becomes_a_square(tmp_path, size):
    """The four quarters stay the four quarters."""
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    image.paste((250, 0, 0), (width, 0, size[0], height))
    image.paste((0, 250, 0), (0, height, width, size[1]))
    image.save(tmp_path / "photo.png")
    loaded = load_photo(tmp_path / "photo.png", 32)
    assert loaded.shape == (32, 32, 3) and loaded.dtype == np.uint8
    assert (loaded[:12, 20:] == (250, 0, 0)).all() and (loaded[20:, :12] == (0, 250, 0)).all()
    assert (loaded[:12, :12] == 0).all() and (loaded[20:, 20:] == 0).all()


def test_shrinking_smooths(tmp_path):
    """A checkerboard of single pixels becomes grey, not a coarser checkerboard."""
    board = (np.indices((320, 320)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "board.png")
    assert abs(load_photo(tmp_path / "board.png", 32).astype(int) - 127).max() < 10


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16"])
def test_other_kinds_of_image(tmp_path, mode):
    Image.new(mode, (40, 50)).save(tmp_path / "photo.png")
    assert load_photo(tmp_path / "photo.png", 32).shape == (32, 32, 3)


def test_a_photo_that_lies_on_its_side(tmp_path):
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 64, 32))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(tmp_path / "photo.jpg", exif=exif)
    upright = load_photo(tmp_path / "photo.jpg", 32)
    assert upright[:, 24:].min() > 200 and upright[:, :8].max() < 50


def test_default_is_chelsea():
    assert (load_photo(None, 224) == fit(shipped("chelsea.png"), 224)).all()


def test_pixels_to_integers_is_keras_preprocessing():
    pixels = np.arange(256, dtype=np.uint8)
    integers = pixels_to_integers(pixels)
    assert integers.dtype == np.int16 and (integers == 2 * np.arange(256) - 255).all()
    np.testing.assert_allclose(integers / 255, pixels / 127.5 - 1, atol=1e-15)


@pytest.mark.parametrize("content, words", [
    (None, "there is no photo .*: give the path of an image file"),
    (b"", "cannot be read .*: give an image file that Pillow opens"),
    (b"no image", "cannot be read .*: give an image file that Pillow opens"),
    ("directory", "cannot be read .*: give an image file that Pillow opens"),
    ("half", "cannot be read .*: give an image file that Pillow opens")])
def test_bad_photos(tmp_path, content, words):
    path = tmp_path / "photo.png"
    if content == "directory":
        path.mkdir()
    elif content == "half":
        Image.fromarray(load_photo(None, 64)).save(path)
        path.write_bytes(path.read_bytes()[:2000])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(GoldenError, match=f"^(photo .*|){words}") as refused:
        load_photo(path, 32)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)
