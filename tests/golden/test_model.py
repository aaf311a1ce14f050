"""Weights files of every kind Keras writes, and those that do not fit."""
import json
import os
import re
import subprocess
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from golden.errors import GoldenError
from golden.model import classifier, digest, float_model, mobilenet_v2, read

# Keras's HDF5 code uses what NumPy and h5py have deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ENDINGS = (".h5", ".keras", ".weights.h5")
SIZE = 32  # of the fine-tuned networks


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
    assert "do not fit MobileNetV2 with alpha 0.35, as layer Conv1 has a kernel of " \
        "(3, 3, 3, 32), not (3, 3, 3, 16): give alpha 1.0" in refusal(0.35, path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_half_a_network(networks, tmp_path, ending):
    """Layers the file does not have must not stay random."""
    path = str(tmp_path / f"half{ending}")
    whole = networks[False]
    save(keras.Model(whole.input, whole.get_layer("block_5_add").output), path)
    assert "alpha 1.0, as there is no layer block_6_expand" in refusal(1.0, path)


@pytest.mark.parametrize("lost, words", [
    ("conv2d_5", "there is no layer block_2_project with weights"),
    ("conv2d_5/vars/0", "there is no layer block_2_project with weights"),
    ("batch_normalization_3/vars/2", "layer block_1_expand_BN has 3 arrays of weights, not 4")])
def test_a_single_missing_weight(networks, tmp_path, lost, words):
    """It would keep the random value it was born with."""
    path = tmp_path / "holes.weights.h5"
    networks[False].save_weights(path)
    with h5py.File(path, "a") as file:
        del file[f"layers/{lost}"]
    assert f"do not fit MobileNetV2 with alpha 1.0, as {words}: give" in refusal(1.0, path)


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
    ("weights.index", b"?", "are neither HDF5 nor a .keras archive: load them into the model they "
     "are of and save the weights alone with model.save_weights('FILE.weights.h5')"),
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
    assert "are damaged (" in refusal(1.0, path) and "save the file again" in refusal(1.0, path)


def test_an_empty_hdf5_file(tmp_path):
    h5py.File(tmp_path / "empty.weights.h5", "w").close()
    assert "there is no layer Conv1 with weights" in refusal(1.0, tmp_path / "empty.weights.h5")


@pytest.fixture(scope="module")
def small():
    """A backbone of alpha 0.35 whose batch norms, random too, would show an exchange."""
    return float_model(0.35, SIZE)


def inline(backbone):
    """The backbone's own layers, under another top."""
    features = keras.layers.GlobalAveragePooling2D()(backbone.output)
    return keras.Model(backbone.input, keras.layers.Dense(10)(features))


def nested(backbone, before=()):
    """The backbone as one layer of a Sequential."""
    return keras.Sequential([
        keras.Input((SIZE, SIZE, 3)), *before, backbone, keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dropout(0.2), keras.layers.Dense(10)])


def functional(backbone, before=()):
    """The backbone as one layer of a graph, as in Keras's guide to transfer learning."""
    tensor = image = keras.Input((SIZE, SIZE, 3))
    for layer in before:
        tensor = layer(tensor)
    features = keras.layers.GlobalAveragePooling2D()(backbone(tensor, training=False))
    return keras.Model(image, keras.layers.Dense(10)(features))


def copy(backbone, change=lambda layer: layer, call=lambda layer, *inputs, **options:
         layer(*inputs, **options)):
    """A clone with the same weights, of changed layers or called in another way."""
    clone = keras.models.clone_model(backbone, clone_function=lambda layer: change(
        type(layer).from_config(layer.get_config())), call_function=call)
    clone.set_weights(backbone.get_weights())
    return clone


def same(arrays, model):
    """Whether arrays are the weights of a model's layers."""
    expected = [layer.get_weights() for layer in model.layers if layer.weights]
    return all((one == other).all() for ours, theirs in zip(arrays, expected, strict=True)
               for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("frozen", [0, 40])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("tune", [inline, nested, functional])
def test_fine_tuned_networks(small, tmp_path, tune, ending, frozen):
    path = str(tmp_path / f"tuned{ending}")
    backbone = copy(small) if frozen else small
    for layer in backbone.layers[:frozen]:
        layer.trainable = False
    save(tune(backbone), path)
    assert same(read(path, 0.35), small)


@pytest.mark.parametrize("tune, ending", [(inline, ".keras"), (nested, ".weights.h5")])
def test_another_top_is_no_classifier(small, tmp_path, tune, ending):
    path = str(tmp_path / f"tuned{ending}")
    save(tune(small), path)
    assert classifier(path, 0.35) is None


def test_a_tuned_network_with_another_branch(small, tmp_path):
    """A longer one, whose convolution Keras lists before the backbone's next."""
    aside = keras.layers.Conv2D(8, 1)(small.get_layer("block_16_project_BN").output)
    for _ in range(5):
        aside = keras.layers.ReLU()(aside)
    keras.Model(small.input, [aside, small.output]).save(tmp_path / "two.keras")
    assert same(read(str(tmp_path / "two.keras"), 0.35), small)


@pytest.mark.parametrize("size", [33, None])
def test_tuned_networks_of_another_size(small, tmp_path, size):
    """Keras pads an odd size otherwise."""
    other = mobilenet_v2(0.35, size)
    other.set_weights(small.get_weights())
    other.save(tmp_path / "other.keras")
    assert same(read(str(tmp_path / "other.keras"), 0.35), small)


@pytest.mark.parametrize("before", [
    [keras.layers.Rescaling(1 / 127.5, offset=-1)],
    [keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1)]),
     keras.applications.mobilenet_v2.preprocess_input]], ids=["rescaling", "augmentation"])
def test_layers_before_the_backbone_that_change_nothing(small, tmp_path, before):
    functional(small, before).save(tmp_path / "tuned.keras")
    assert same(read(str(tmp_path / "tuned.keras"), 0.35), small)


@pytest.mark.parametrize("tune, before, name", [
    (nested, [keras.layers.Rescaling(1 / 255, name="to_one")], "to_one"),
    (functional, [keras.layers.Identity(), keras.layers.Normalization(
        mean=[0.4, 0.5, 0.6], variance=[1, 1, 1], name="norm")], "norm"),
    (functional, [keras.layers.ReLU(255, name="lit")], "lit")],
    ids=["rescaling", "normalization", "relu"])
def test_layers_before_the_backbone_that_change_pixels(small, tmp_path, tune, before, name):
    """ReLU keeps pixels of 0 to 255 and not those that the backbone takes."""
    tune(small, before).save(tmp_path / "tuned.keras")
    assert f"as layer {name} before the first convolution changes the pixels, which are " \
        "p / 127.5 - 1: train with that" in refusal(0.35, tmp_path / "tuned.keras")


def test_a_frame_before_the_backbone(small, tmp_path):
    nested(small, [keras.layers.ZeroPadding2D(name="frame"), keras.layers.AveragePooling2D(3, 1)]
           ).save(tmp_path / "tuned.keras")
    assert "as layer frame before the first convolution pads the image by ((1, 1), (1, 1)), " \
        "which Conv1 does not: give a file of keras.applications.MobileNetV2" \
        in refusal(0.35, tmp_path / "tuned.keras")


class Subclassed(keras.Model):
    """A model whose layers are attributes."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone, self.stem = backbone, keras.layers.Conv2D(3, 1)

    def call(self, inputs):
        return self.backbone(self.stem(inputs))


def deep(backbone):
    """A Sequential in a Sequential."""
    return keras.Sequential([nested(backbone), keras.Sequential([
        keras.Input((10,)), keras.layers.Dense(2)])])


def augmented(backbone):
    """A graph before the backbone, which is the second of its kind; and a convolution."""
    image = keras.Input((SIZE, SIZE, 3))
    flip = keras.Model(image, keras.layers.RandomFlip()(image))
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), flip, keras.layers.Conv2D(3, 1),
                             backbone])


def subclassed(backbone):
    """A model that is a class of its own."""
    model = Subclassed(backbone)
    model(np.zeros((1, SIZE, SIZE, 3), np.float32))
    return model


@pytest.mark.parametrize("tune", [deep, augmented, subclassed])
def test_weights_alone_at_any_depth(small, tmp_path, tune):
    tune(small).save_weights(tmp_path / "deep.weights.h5")
    assert same(read(str(tmp_path / "deep.weights.h5"), 0.35), small)
    assert "as layer block_1_project has a kernel of" in refusal(0.5, tmp_path / "deep.weights.h5")


def test_weights_of_two_networks(small, tmp_path):
    """Nothing says which of them is meant, unless they are the same."""
    twin = copy(small)
    image = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(image, [
        small(image), keras.Sequential([keras.Input((SIZE, SIZE, 3)), twin])(image)])
    model.save_weights(tmp_path / "two.weights.h5")
    assert same(read(str(tmp_path / "two.weights.h5"), 0.35), small)
    twin.get_layer("Conv_1_bn").gamma.assign(np.zeros(1280))
    model.save_weights(tmp_path / "two.weights.h5")
    assert "as it has more than one, with other weights in each: give a file of one network" \
        in refusal(0.35, tmp_path / "two.weights.h5")


@pytest.mark.parametrize("tune, ending", [
    (inline, ".keras"), (inline, ".h5"), (nested, ".h5"), (nested, ".weights.h5")])
def test_tuned_networks_of_another_alpha(small, tmp_path, tune, ending):
    """Narrow networks begin with the same widths."""
    path = str(tmp_path / f"tuned{ending}")
    save(tune(small), path)
    assert "do not fit MobileNetV2 with alpha 0.5, as layer block_1_project has a kernel of " \
        "(1, 1, 48, 8), not (1, 1, 48, 16): give alpha 0.35" in refusal(0.5, path)


@pytest.mark.parametrize("ending, words", [
    (".h5", "layer conv_pw_1 has"), (".keras", "layer conv_pw_1 has"),
    (".weights.h5", "layer expanded_conv_project has")])
def test_the_first_mobilenet(tmp_path, ending, words):
    path = str(tmp_path / f"first{ending}")
    save(keras.applications.MobileNet((SIZE, SIZE, 3), include_top=False, weights=None), path)
    assert f"as {words} a kernel of (1, 1, 32, 64), not (1, 1, 32, 16): give a file of " \
        "keras.applications.MobileNetV2" in refusal(1.0, path)


def test_a_network_without_convolutions(tmp_path):
    keras.Sequential([keras.Input((10,)), keras.layers.Dense(3, name="all")]).save(
        tmp_path / "dense.keras")
    assert "as layer all is of type Dense, where Conv1 is of type Conv2D: give" \
        in refusal(1.0, tmp_path / "dense.keras")


@pytest.mark.parametrize("ending, tune, name, setting, value", [
    (".keras", nested, "block_3_expand_relu", "max_value", 5.0),
    (".h5", inline, "block_3_expand_relu", "negative_slope", 0.1),
    (".keras", nested, "block_1_depthwise", "strides", (1, 1)),
    (".h5", inline, "block_1_pad", "padding", ((1, 0), (1, 0))),
    (".keras", nested, "block_2_depthwise", "dilation_rate", (2, 2)),
    (".h5", inline, "block_2_project", "activation", "relu"),
    (".keras", nested, "bn_Conv1", "epsilon", 1e-5),
    (".h5", inline, "bn_Conv1", "axis", 1)])
def test_one_changed_layer(small, tmp_path, ending, tune, name, setting, value):
    def change(layer):
        """The layer, with another setting if it is the one."""
        return type(layer).from_config(layer.get_config() | (
            {setting: value} if layer.name == name else {}))

    tune(copy(small, change)).save(tmp_path / f"changed{ending}")
    assert f"as layer {name} has {setting} {value}, not " \
        in refusal(0.35, tmp_path / f"changed{ending}")


def test_a_convolution_with_a_bias(small, tmp_path):
    model = keras.models.clone_model(small, clone_function=lambda layer: type(layer).from_config(
        layer.get_config() | ({"use_bias": True} if layer.name == "block_4_expand" else {})))
    model.save(tmp_path / "bias.keras")
    model.save_weights(tmp_path / "bias.weights.h5")
    assert "as layer block_4_expand has use_bias True, not False" \
        in refusal(0.35, tmp_path / "bias.keras")
    assert "as layer block_4_expand has 2 arrays of weights, not 1" \
        in refusal(0.35, tmp_path / "bias.weights.h5")


@pytest.mark.parametrize("name, call, words", [
    ("block_4_expand", lambda layer, inputs: layer(keras.layers.Dropout(0.1, name="more")(inputs)),
     "layer more is of type Dropout, where block_4_expand is of type Conv2D"),
    ("block_5_add", lambda layer, inputs: layer([inputs[1], inputs[1]]),
     "there is no layer block_5_add where it should be")])
def test_one_layer_fed_otherwise(small, tmp_path, name, call, words):
    model = copy(small, call=lambda layer, *inputs, **options: (
        call(layer, *inputs) if layer.name == name else layer(*inputs, **options)))
    nested(model).save(tmp_path / "changed.keras")
    assert f"as {words}: give a file of" in refusal(0.35, tmp_path / "changed.keras")


class Own(keras.layers.Layer):
    """A layer that only this file has."""

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("layer", [keras.layers.Lambda(lambda pixels: pixels), Own()])
def test_models_that_need_code_of_their_own(small, tmp_path, layer, ending):
    """Nothing of a file is run; the advice is followed."""
    path = str(tmp_path / f"code{ending}")
    model = nested(small, [layer])
    model.save(path)
    sentence = refusal(0.35, path)
    words = "hold a Lambda, which is code or reads other files, and nothing of a file is run" \
        if isinstance(layer, keras.layers.Lambda) else "Own"
    assert words in sentence and sentence.endswith(
        ": save the weights alone with model.save_weights('FILE.weights.h5')")
    assert classifier(path, 0.35) is None
    model.save_weights(tmp_path / "alone.weights.h5")
    assert same(read(str(tmp_path / "alone.weights.h5"), 0.35), small)


FOREIGN = {     # what a file may name in the place of a layer: (module, class)
    "a function of Python": ("builtins", "exec"), "another module": ("os", "system"),
    "Keras's own that fetches": ("keras.utils", "get_file"),
    "the same by its inner name": ("keras.src.utils.file_utils", "get_file")}


QUICK = {(".h5", "Lambda"), (".keras", "another module"), (".keras", "Keras's own that fetches")}


@pytest.mark.parametrize("ending, kind", [
    pytest.param(ending, kind, marks=[] if (ending, kind) in QUICK else pytest.mark.full)
    for ending in (".h5", ".keras") for kind in (*FOREIGN, "Lambda", "StringLookup")])
def test_nothing_of_a_file_is_run(small, tmp_path, monkeypatch, ending, kind):
    """Such a file is refused before Keras is asked to build anything, however deep the name is."""
    path = tmp_path / f"evil{ending}"
    small.save(path)
    module, name = FOREIGN.get(kind, ("keras.layers", kind))
    evil = {"module": module, "class_name": name, "config": {"x": 1}, "registered_name": name}

    def spoilt(text):
        configuration = json.loads(text)
        configuration["config"]["layers"][3]["config"]["extra"] = [{"deep": evil}]
        return json.dumps(configuration)

    if ending == ".h5":
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = spoilt(file.attrs["model_config"])
    else:
        with zipfile.ZipFile(path) as archive:
            members = {each: archive.read(each) for each in archive.namelist()}
        members["config.json"] = spoilt(members["config.json"]).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for each, content in members.items():
                archive.writestr(each, content)
    monkeypatch.setattr(keras.models, "load_model", lambda *arguments, **options: pytest.fail(
        "Keras was asked to build it"))
    sentence = refusal(0.35, str(path))
    assert "and nothing of a file is run" in sentence and name in sentence


def test_preprocess_input_in_an_hdf5_file(small, tmp_path):
    """Keras 3 cannot load what it wrote; the advice is followed."""
    model = functional(small, [keras.applications.mobilenet_v2.preprocess_input])
    model.save(tmp_path / "tuned.h5")
    assert "cannot be loaded by Keras (Unknown layer: 'TrueDivide'): save the weights alone with" \
        in refusal(0.35, tmp_path / "tuned.h5")
    model.save_weights(tmp_path / "alone.weights.h5")
    assert same(read(str(tmp_path / "alone.weights.h5"), 0.35), small)


def test_damaged_archives(small, tmp_path):
    path = tmp_path / "cut.keras"
    small.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100_000])
    assert "are not what the name says" in refusal(0.35, path)
    path.write_bytes(whole[:100_000] + bytes(1000) + whole[101_000:])
    assert "are damaged (" in refusal(0.35, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no model")
    assert "are damaged (" in refusal(0.35, path)


@pytest.mark.parametrize("top", [False, True], ids=["no_top", "top"])
def test_older_files_of_weights_alone(networks, tmp_path, top):
    """Keras's downloads have this layout, which is a part of its older files of whole models."""
    networks[top].save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as model, h5py.File(tmp_path / "old.h5", "w") as old:
        for name, group in model["model_weights"].items():
            model.copy(group, old, name)
        old.attrs.update(model["model_weights"].attrs)
    assert digest(float_model(1.0, 64, tmp_path / "old.h5")) == digest(networks[False])
    assert (classifier(tmp_path / "old.h5") is not None) == top
    assert "as layer Conv1 has a kernel of" in refusal(0.35, tmp_path / "old.h5")


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


def test_what_keras_json_says_changes_nothing(small):
    """Another type of floats makes other integers."""
    keras.config.set_image_data_format("channels_first")
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = float_model(0.35, SIZE)
    assert digest(model) == digest(small) and model.input.shape == (None, SIZE, SIZE, 3)
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert keras.config.floatx() == "float32"


@pytest.mark.parametrize("command", ["dump_goldens", "cosim"])
def test_another_backend(command):
    """One that is not installed, too."""
    done = subprocess.run([sys.executable, "-m", f"scripts.{command}", "--alpha", "0.35",
                           "--resolution", "32"], capture_output=True, text=True,
                          env=os.environ | {"KERAS_BACKEND": "jax"})
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "Keras is to run on jax, and integers are exact on tensorflow only: set " \
        "KERAS_BACKEND=tensorflow" in done.stderr


def test_keras_starts_without_a_word():
    """What TensorFlow writes at its import is left out, and nothing else is; progress is shown
    meanwhile."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", """
import importlib, os, sys
from rich.console import Console
from golden import model
wanted = importlib.import_module
def spoken(name):
    importlib.import_module = wanted
    os.write(2, b"a library's warning\\n")
    print("progress", file=sys.stderr)
    return wanted(name)
importlib.import_module = spoken
with Console(stderr=True, force_terminal=True).status("at work"):
    model.start_keras()
print("after", file=sys.stderr)
os.write(2, b"the end\\n")
"""], capture_output=True, text=True, env=env, check=True)
    said = re.sub(r"\S at work", "", re.sub(r"\x1b.*?[a-zA-Z]", "", done.stderr))
    assert [line for line in said.splitlines() if line] == [
        "progress", "a library's warning", "after", "the end"]
    assert "at work" in done.stderr.partition("after")[0]


def test_last_words_of_a_library_are_read():
    """As of TensorFlow's where the processor has not what it was compiled for."""
    done = subprocess.run([sys.executable, "-c", """
import importlib, os
from golden import model
def dying(name):
    os.write(2, b"oneDNN custom operations are on\\nno such instruction\\n")
    os.abort()
importlib.import_module = dying
model.start_keras()
"""], capture_output=True, text=True)
    assert done.returncode < 0 and done.stderr == "no such instruction\n"


def test_files_under_another_name(small, tmp_path):
    """The advice is followed."""
    small.save(tmp_path / "model.keras")
    small.save(tmp_path / "model.h5")
    for name, other, words in [("model.h5", "old.keras", "are HDF5: rename the file to end in .h5"),
                               ("model.keras", "new.h5", "are an archive as Keras writes with "
                                ".keras: rename the file to end in .keras")]:
        (tmp_path / name).rename(tmp_path / other)
        assert words in refusal(0.35, tmp_path / other)
        (tmp_path / other).rename(tmp_path / name)
        assert same(read(str(tmp_path / name), 0.35), small)


@pytest.mark.parametrize("content, words", [
    (["saved_model.pb"], "are a SavedModel, TensorFlow's own format: load it with TensorFlow's "
     "Keras and save the weights alone with model.save_weights('FILE.weights.h5')"),
    ([], "are a folder: give the path of a .h5, .weights.h5 or .keras file")])
def test_folders(tmp_path, content, words):
    for name in content:
        (tmp_path / name).touch()
    assert words in refusal(0.35, tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(small, tmp_path, policy):
    """A type's rounding is no other preprocessing, and hides none."""
    def model(scale):
        """With augmentation in the graph, whose output has the narrow type."""
        image = keras.Input((SIZE, SIZE, 3))
        flipped = keras.layers.RandomFlip(dtype=policy)(image)
        scaled = keras.layers.Rescaling(scale, offset=-1, name="scale", dtype=policy)(flipped)
        return keras.Model(image, small(scaled))

    model(1 / 127.5).save(tmp_path / "mixed.keras")
    assert same(read(str(tmp_path / "mixed.keras"), 0.35), small)
    model(1 / 127).save(tmp_path / "mixed.keras")
    assert "layer scale before the first convolution changes the pixels" \
        in refusal(0.35, tmp_path / "mixed.keras")


def test_a_backbone_called_in_training(small, tmp_path):
    """Keras 3's predict overrules it."""
    image = keras.Input((SIZE, SIZE, 3))
    flipped = keras.layers.RandomFlip()(image, training=True)
    keras.Model(image, small(flipped, training=True)).save(tmp_path / "tuned.keras")
    assert same(read(str(tmp_path / "tuned.keras"), 0.35), small)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_an_input_before_the_image(small, tmp_path, ending):
    meta, mask = keras.Input((4,)), keras.Input((SIZE, SIZE, 1))
    image = keras.Input((SIZE, SIZE, 3))
    flat = [keras.layers.Flatten()(tensor) for tensor in (meta, mask, small(image))]
    keras.Model([meta, mask, image], keras.layers.Concatenate()(flat)).save(
        tmp_path / f"many{ending}")
    assert same(read(str(tmp_path / f"many{ending}"), 0.35), small)


@pytest.mark.slow
def test_an_image_for_each_of_two_networks(small, tmp_path):
    twin = copy(small)
    images = [keras.Input((SIZE, SIZE, 3)) for _ in range(2)]
    flat = keras.layers.Concatenate()([
        small(images[0]), keras.Sequential([keras.Input((SIZE, SIZE, 3)), twin])(images[1])])
    model = keras.Model(images, flat)
    model.save(tmp_path / "two.keras")
    assert same(read(str(tmp_path / "two.keras"), 0.35), small)
    twin.get_layer("Conv_1_bn").gamma.assign(np.zeros(1280))
    model.save(tmp_path / "two.keras")
    assert "as it has more than one, with other weights in each: give a file of one network" \
        in refusal(0.35, tmp_path / "two.keras")


@pytest.mark.slow
@pytest.mark.parametrize("layer, size", [
    (keras.layers.Resizing(32, 32), 32), (keras.layers.CenterCrop(33, 33), 33),
    (keras.layers.RandomCrop(32, 32), 32)])
def test_layers_that_fit_a_photo(small, tmp_path, layer, size):
    """Keras pads an odd size otherwise, and the size is what such a layer leaves."""
    other = mobilenet_v2(0.35, size)
    other.set_weights(small.get_weights())
    keras.Sequential([keras.Input((64, 64, 3)), layer, keras.layers.Rescaling(1 / 127.5, -1),
                      other]).save(tmp_path / "tuned.keras")
    notes = []
    assert same(read(str(tmp_path / "tuned.keras"), 0.35, note=notes.append), small)
    assert notes == [f"of the weights' model, layer {layer.name} ({type(layer).__name__}) is left "
                     "out: photos are squeezed to the resolution"]
