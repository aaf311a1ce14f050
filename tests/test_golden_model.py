"""Weights files of every kind Keras writes, and those that do not fit."""
import h5py
import keras
import numpy as np
import pytest

from golden.errors import GoldenError
from golden.model import classifier, digest, float_model, mobilenet_v2

# Keras's HDF5 code uses what NumPy and h5py have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ENDINGS = (".h5", ".keras", ".weights.h5")


@pytest.fixture(scope="module")
def networks():
    """{has a top: seeded network}; the same backbone in both."""
    backbone = float_model(1.0, 32, "seeded")
    whole = mobilenet_v2(1.0, 224, top=True)
    for layer in backbone.layers[1:]:
        whole.get_layer(layer.name).set_weights(layer.get_weights())
    return {False: backbone, True: whole}


def save(model, path):
    """Save a model in the layout its name asks for."""
    (model.save_weights if path.endswith(".weights.h5") else model.save)(path)


@pytest.mark.slow
@pytest.mark.parametrize("top", [False, True], ids=["no_top", "top"])
@pytest.mark.parametrize("ending, renamed", [
    *((ending, ending) for ending in ENDINGS), (".h5", ".weights.h5"), (".weights.h5", ".h5")])
def test_every_layout_loads_at_any_resolution(networks, tmp_path, top, ending, renamed):
    """Also the two HDF5 layouts under each other's name, as Keras 2 and downloads name them."""
    path = str(tmp_path / f"network{renamed}")
    save(networks[top], str(tmp_path / f"saved{ending}"))
    (tmp_path / f"saved{ending}").rename(path)
    assert digest(float_model(1.0, 64, path)) == digest(networks[False])
    found = classifier(path)
    if not top:
        assert found is None
    else:
        expected = networks[True].get_layer("predictions").get_weights()
        assert all((ours == theirs).all() for ours, theirs in zip(found, expected, strict=True))


def test_seeded_weights_have_no_classifier():
    assert classifier("seeded") is None


def refusal(alpha, path):
    """The sentence a weights file is refused with."""
    with pytest.raises(GoldenError) as refused:
        float_model(alpha, 32, path)
    sentence = str(refused.value)
    assert "\n" not in sentence and str(path) in sentence
    return sentence


def test_weights_of_another_alpha(networks, tmp_path):
    path = tmp_path / "one.weights.h5"
    networks[False].save_weights(path)
    assert "do not fit MobileNetV2 with alpha 0.35: give the alpha" in refusal(0.35, path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_half_a_network(networks, tmp_path, ending):
    """Layers the file does not have must not stay random."""
    path = str(tmp_path / f"half{ending}")
    whole = networks[False]
    save(keras.Model(whole.input, whole.get_layer("block_5_add").output), path)
    assert "do not fit MobileNetV2 with alpha 1.0" in refusal(1.0, path)


@pytest.mark.parametrize("lost", ["conv2d_5", "conv2d_5/vars/0", "batch_normalization_3/vars/2"])
def test_a_single_missing_weight(networks, tmp_path, lost):
    """It would keep the random value it was born with."""
    path = tmp_path / "holes.weights.h5"
    networks[False].save_weights(path)
    with h5py.File(path, "a") as file:
        del file[f"layers/{lost}"]
    assert "do not fit MobileNetV2 with alpha 1.0" in refusal(1.0, path)


@pytest.mark.parametrize("weight, value", [("gamma", np.nan), ("gamma", np.inf),
                                           ("moving_variance", -0.5)])
def test_values_that_are_no_weights(tmp_path, weight, value):
    model = mobilenet_v2(0.35, 32)
    layer = model.get_layer("block_3_expand_BN")
    variable = getattr(layer, weight)
    variable.assign(np.where(np.arange(variable.shape[0]) == 3, value, variable.numpy()))
    model.save_weights(tmp_path / "bad.weights.h5")
    assert "lack a finite value in layer block_3_expand_BN, or have a negative variance there: " \
        "give another file" in refusal(0.35, tmp_path / "bad.weights.h5")


@pytest.mark.parametrize("name, content, words", [
    ("none.h5", None, "there is no weights file"),
    ("weights.bin", b"?", "end in neither .h5, .weights.h5 nor .keras"),
    ("text.h5", b"?", "are not what the name says (HDF5, or a zip for .keras), or not all of it"),
    ("text.keras", b"?", "are not what the name says"),
    ("text.weights.h5", b"", "are not what the name says")])
def test_files_that_hold_no_weights(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert words in refusal(1.0, tmp_path / name)


def test_a_truncated_weights_file(networks, tmp_path):
    path = tmp_path / "cut.weights.h5"
    networks[False].save_weights(path)
    path.write_bytes(path.read_bytes()[:5_000_000])
    refusal(1.0, path)


def test_an_empty_hdf5_file(tmp_path):
    h5py.File(tmp_path / "empty.weights.h5", "w").close()
    assert "do not fit" in refusal(1.0, tmp_path / "empty.weights.h5")


@pytest.mark.parametrize("alpha, resolution", [(0.6, 32), (1.0, 31)])
def test_networks_keras_does_not_have(alpha, resolution):
    with pytest.raises(GoldenError, match=f"{alpha if alpha == 0.6 else resolution}"):
        float_model(alpha, resolution)


def test_a_download_that_fails(monkeypatch):
    def no_network(**options):
        raise Exception("URL fetch failure on https://example.org: None -- no route\nand more")

    monkeypatch.setattr(keras.applications, "MobileNetV2", no_network)
    with pytest.raises(GoldenError, match=r"could not fetch its imagenet weights \(URL fetch "
                                          r"failure [^\n]*\): use --weights seeded or the path"):
        float_model(1.0, 32, "imagenet")


def test_another_image_format(monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(GoldenError, match="Keras runs on tensorflow with channels_first: set"):
        float_model(1.0, 32)
