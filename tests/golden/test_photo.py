"""Photos: the resize, and files that are none."""
import os
import warnings

import numpy as np
import pytest
from PIL import Image

from golden import photo
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


STEPS = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "grey.pgm"])
def test_sixteen_bits_are_scaled(tmp_path, name):
    """Each step of 257 is one of 8 bits, a value between two the nearer one."""
    Image.fromarray(STEPS).save(tmp_path / name)
    grey = np.asarray(photo.read(tmp_path / name))
    assert (grey == np.arange(256).reshape(16, 16, 1)).all()
    Image.fromarray(np.array([[128, 129, 65406, 65407]], np.uint16)).save(tmp_path / name)
    assert np.asarray(photo.read(tmp_path / name))[0, :, 0].tolist() == [0, 1, 254, 255]


def test_sixteen_bits_of_either_byte_order(tmp_path):
    for order in "<>":
        Image.fromarray(STEPS.astype(f"{order}u2")).save(tmp_path / "grey.tif")
        grey = np.asarray(photo.read(tmp_path / "grey.tif"))
        assert (grey == np.arange(256).reshape(16, 16, 1)).all()


@pytest.mark.parametrize("kind, words", [
    (np.int32, "32-bit integers"), (np.float32, "floats")])
def test_pixels_without_a_range_are_refused(tmp_path, kind, words):
    Image.fromarray(np.arange(16, dtype=kind).reshape(4, 4)).save(tmp_path / "photo.tif")
    with pytest.raises(GoldenError, match=f"photo .*photo.tif .*its pixels are {words}, of which "
                                          "none is known to be white: store it with 8 or 16 bits"):
        load_photo(tmp_path / "photo.tif", 32)


HIDDEN, SHOWN = (200, 30, 60), (10, 20, 30)


@pytest.mark.parametrize("mode, transparency", [
    ("RGBA", None), ("P", 0), ("RGB", HIDDEN), ("LA", None), ("L", 60), ("I;16", 60 * 257)])
def test_transparency_is_over_white(tmp_path, mode, transparency):
    """The left half's colour is hidden."""
    grey = mode in ("L", "LA", "I;16")
    image = Image.new("RGBA", (64, 64), SHOWN + (255,))
    image.paste(HIDDEN + (0,), (0, 0, 32, 64))
    if mode == "P":
        image = Image.fromarray((np.arange(64) // 32 * np.ones((64, 1))).astype(np.uint8), "P")
        image.putpalette(HIDDEN + SHOWN)
    elif grey:
        values = np.where(np.arange(64) < 32, 60, 20) * np.ones((64, 1), int)
        image = Image.fromarray((values * 257).astype(np.uint16) if mode == "I;16"
                                else values.astype(np.uint8))
        if mode == "LA":
            image.putalpha(Image.fromarray(np.where(values == 60, 0, 255).astype(np.uint8)))
    else:
        image = image.convert(mode)
    options = {} if transparency is None else {"transparency": transparency}
    image.save(tmp_path / "photo.png", **options)
    pixels = np.asarray(photo.read(tmp_path / "photo.png"))
    assert (pixels[:, :32] == 255).all()
    assert (pixels[:, 32:] == ((20, 20, 20) if grey else SHOWN)).all()


def test_half_transparent_is_half_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 100, 200, 51)).save(tmp_path / "photo.png")
    assert (np.asarray(photo.read(tmp_path / "photo.png")) == (204, 224, 244)).all()


def test_a_photo_that_lies_on_its_side(tmp_path):
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 64, 32))
    exif = image.getexif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(tmp_path / "photo.jpg", exif=exif)
    upright = load_photo(tmp_path / "photo.jpg", 32)
    assert upright[:, 24:].min() > 200 and upright[:, :8].max() < 50


def test_shown_paths_can_be_printed_and_differ():
    assert photo.shown("a b/é.png") == "a b/é.png"
    assert photo.shown(os.fsdecode(b"caf\xe9\n.png")) == "caf\\udce9\\n.png"
    assert photo.shown("a\\n") == "a\\\\n" != photo.shown("a\n") == "a\\n"


def test_a_name_that_is_no_text(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    with pytest.raises(GoldenError, match=r"there is no photo .*caf\\udce9.png: give the path"):
        load_photo(path, 32)
    Image.new("RGB", (32, 32), (9, 8, 7)).save(path)
    assert (load_photo(path, 32) == (9, 8, 7)).all()


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


@pytest.mark.parametrize("header, words", [
    (b"P5 12000 12000 255\n", "it has 12,000 x 12,000 pixels, and 134,217,728 is the most: make"),
    (b"P5 1000000 1000000 255\n", "it has more than 134,217,728 pixels: make it smaller")])
def test_photos_that_are_too_large(tmp_path, monkeypatch, header, words):
    """Told from the header, in one sentence and not in Pillow's; a file that never ends, too."""
    path = tmp_path / "photo.pgm"
    path.write_bytes(header + bytes(1000))
    with pytest.raises(GoldenError, match=f"^photo .*photo.pgm cannot be read .{words}"):
        load_photo(path, 32)
    monkeypatch.setattr(photo, "MOST_BYTES", 1 << 16)
    with pytest.raises(GoldenError, match="^photo /dev/zero cannot be read .it has more than 65,5"):
        load_photo("/dev/zero", 32)


def test_what_pillow_warns_of_is_not_told(tmp_path, monkeypatch):
    """It reads such files all the same."""
    Image.new("RGB", (40, 40), (9, 8, 7)).save(tmp_path / "photo.png")
    opened = Image.open

    def odd(*arguments):
        warnings.warn("Corrupt EXIF data", stacklevel=1)
        return opened(*arguments)

    monkeypatch.setattr(Image, "open", odd)
    assert (load_photo(tmp_path / "photo.png", 32) == (9, 8, 7)).all()
