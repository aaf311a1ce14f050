"""Files that Keras 2 wrote, in its layouts, frozen in part and not."""
import json

import h5py
import pytest

from golden.errors import GoldenError
from golden.model import float_model, mobilenet_v2, read
from tests.support import keras_2

HEAD = {"dense": {}}
POOLING = keras_2.entry("GlobalAveragePooling2D", "pool", data_format="channels_last")
EVEN = [[0, 1], [0, 1]]
DIVIDE = (keras_2.entry("TFOpLambda", "tf.math.truediv", function="math.truediv"),
          {"y": 127.5, "name": None})
SUBTRACT = (keras_2.entry("TFOpLambda", "tf.math.subtract", function="math.subtract"),
            {"y": 1.0, "name": None})
FLIP = (keras_2.sequential("augment", keras_2.entry("RandomFlip", "flip", mode="horizontal")), {})
OP_LAYERS = [(keras_2.entry("TensorFlowOpLayer", f"tf_op_layer_{op}", node_def={"op": op},
                            constants={"1": value}), {})
             for op, value in [("RealDiv", 127.5), ("Sub", 1.0)]]   # TensorFlow 2.3's
META = keras_2.entry("InputLayer", "meta", batch_input_shape=[None, 4])
LAMBDA = (keras_2.entry("Lambda", "own", function=["x", None, None]), {})


@pytest.fixture(scope="module")
def small():
    """A backbone whose batch norms, random too, would show an exchange."""
    return float_model(0.35, 32)


def same(path, model):
    """Whether a file's arrays are the weights of a model's layers."""
    expected = [layer.get_weights() for layer in model.layers if layer.weights]
    return all((one == other).all() for ours, theirs in
               zip(read(str(path), 0.35), expected, strict=True)
               for one, other in zip(ours, theirs, strict=True))


def refusal(path, alpha=0.35):
    """The sentence a file is refused with."""
    with pytest.raises(GoldenError) as refused:
        read(str(path), alpha)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def save(path, small, form="sequential", frozen=0, stem=None, before=()):
    """Write a whole model with the backbone as a layer."""
    inner = keras_2.backbone(small, stem)
    name = inner["config"]["name"]
    config = {"sequential": lambda: keras_2.sequential("all", inner, POOLING),
              "functional": lambda: keras_2.functional(
                  *before, (inner, {"training": False}), (POOLING, {})),
              "teachable": lambda: keras_2.sequential(
                  "all", keras_2.sequential("features", inner, POOLING),
                  keras_2.sequential("head"))}[form]()
    outermost = "features" if form == "teachable" else name
    keras_2.whole(path, config, {outermost: keras_2.arrays(small, frozen)})


@pytest.mark.parametrize("frozen", [0, 40, 200])
@pytest.mark.parametrize("form", ["sequential", "functional", "teachable"])
def test_whole_models(small, tmp_path, form, frozen):
    save(tmp_path / "model.h5", small, form, frozen)
    assert same(tmp_path / "model.h5", small)


@pytest.mark.parametrize("frozen", [0, 40, 200])
def test_weights_alone(small, tmp_path, frozen):
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        keras_2.weights(file, {"mobilenetv2_0.35": keras_2.arrays(small, frozen)} | HEAD)
    assert same(tmp_path / "weights.h5", small)
    assert "as layer block_1_project has a kernel of" in refusal(tmp_path / "weights.h5", 0.5)


@pytest.mark.parametrize("version", ["2.12.0", "2.13.1", "2.15.0"])
@pytest.mark.parametrize("folder", [(), ("functional",), ("sequential", "functional")])
def test_archives(small, tmp_path, folder, version):
    config = keras_2.backbone(small)
    if version == "2.12.0":
        for layer in config["config"]["layers"]:
            if "max_value" in layer["config"]:
                layer["config"]["max_value"] = {"class_name": "__numpy__", "config": {
                    "value": 6.0, "dtype": "float32"}}
    for _ in folder:
        config = keras_2.sequential("all", config, POOLING)
    keras_2.archive(tmp_path / "model.keras", config, small, folder, version)
    assert same(tmp_path / "model.keras", small)


@pytest.mark.parametrize("before", [
    [DIVIDE, SUBTRACT], [FLIP, DIVIDE, SUBTRACT], [FLIP], OP_LAYERS,
    [(keras_2.entry("Rescaling", "scale", scale=1 / 127.5, offset=-1), {})]],
    ids=["operations", "both", "augmentation", "op_layers", "rescaling"])
def test_preprocessing_that_keeps_the_pixels(small, tmp_path, before):
    save(tmp_path / "model.h5", small, "functional", before=before)
    assert same(tmp_path / "model.h5", small)


@pytest.mark.parametrize("before, words", [
    ([DIVIDE], "layer tf.math.truediv before the first convolution changes the pixels, which are "
     "p / 127.5 - 1: train with that"),
    ([SUBTRACT, DIVIDE], "layer tf.math.subtract before the first convolution changes"),
    ([(keras_2.entry("Rescaling", "scale", scale=1 / 255, offset=0), {})], "layer scale before"),
    ([LAMBDA], "layer own before the first convolution is a Lambda, and what that makes of pixels "
     "is not told by the file: if the first convolution gets p / 127.5 - 1, save the weights "
     "alone with model.save_weights('FILE.weights.h5')")])
def test_preprocessing_that_changes_the_pixels(small, tmp_path, before, words):
    save(tmp_path / "model.h5", small, "functional", before=before)
    assert words in refusal(tmp_path / "model.h5")


@pytest.mark.parametrize("form", ["sequential", "teachable"])
def test_the_stem_until_tensorflow_2_3(small, tmp_path, form):
    save(tmp_path / "model.h5", small, form, 40, stem=EVEN)
    assert same(tmp_path / "model.h5", small)


@pytest.mark.parametrize("stem", [[[1, 0], [1, 0]], [[1, 1], [1, 1]], [[0, 1], [0, 2]]])
def test_a_stem_of_another_padding(small, tmp_path, stem):
    """The last is of an odd size's, which 32 is not."""
    save(tmp_path / "model.h5", small, stem=stem)
    assert f"layer Conv1_pad before the first convolution pads the image by {stem}, which " \
        "Conv1 does not: give a file of keras.applications.MobileNetV2" \
        in refusal(tmp_path / "model.h5")


@pytest.mark.parametrize("name, setting, value", [
    ("block_3_expand_relu", "max_value", None), ("bn_Conv1", "epsilon", 1e-5),
    ("block_1_depthwise", "strides", [1, 1]), ("block_2_project", "use_bias", True),
    ("block_2_expand", "groups", 2)])
def test_one_changed_layer(small, tmp_path, name, setting, value):
    inner = keras_2.backbone(small)
    layer, = (one for one in inner["config"]["layers"] if one["name"] == name)
    layer["config"][setting] = value
    keras_2.whole(tmp_path / "model.h5", keras_2.sequential("all", inner),
                  {"mobilenetv2_0.35": keras_2.arrays(small)})
    assert f"as layer {name} has {setting} {value}, not " in refusal(tmp_path / "model.h5")


def test_a_layer_fed_otherwise(small, tmp_path):
    inner = keras_2.backbone(small)
    layer, = (one for one in inner["config"]["layers"] if one["name"] == "block_5_add")
    layer["inbound_nodes"][0][0] = layer["inbound_nodes"][0][1]
    keras_2.whole(tmp_path / "model.h5", keras_2.sequential("all", inner),
                  {"mobilenetv2_0.35": keras_2.arrays(small)})
    assert "there is no layer block_5_add where it should be" in refusal(tmp_path / "model.h5")


def test_renamed_arrays_of_a_second_model_in_a_session(small, tmp_path):
    """TensorFlow 1 numbers them; without a trace of the layer they are missing."""
    values = keras_2.arrays(small)
    for suffix in ("_1", "_other"):
        keras_2.whole(tmp_path / "model.h5", keras_2.sequential("all", keras_2.backbone(small)), {
            "mobilenetv2_0.35": {key.replace("/", f"{suffix}/"): value
                                 for key, value in values.items()}}, version="2.2.4")
        if suffix == "_1":
            assert same(tmp_path / "model.h5", small)
    assert "as there is no layer Conv1 with weights: give" in refusal(tmp_path / "model.h5")


def test_two_networks_in_a_group(small, tmp_path):
    values = keras_2.arrays(small)
    keras_2.whole(tmp_path / "model.h5", keras_2.sequential("all", keras_2.backbone(small)), {
        "mobilenetv2_0.35": {f"{scope}/{key}": value for scope in "ab"
                             for key, value in values.items()}})
    assert "as more than one of its layers is named Conv1: give a file of one network" \
        in refusal(tmp_path / "model.h5")


@pytest.mark.parametrize("trainable", [True, False])
def test_a_backbone_called_in_training(small, tmp_path, trainable):
    """TensorFlow 2.3 and 2.15: predict has batch statistics then, but for frozen layers."""
    inner = keras_2.backbone(small)
    for layer in inner["config"]["layers"]:
        layer["config"]["trainable"] = trainable
    keras_2.whole(tmp_path / "model.h5", keras_2.functional(
        (inner, {"training": True}), (POOLING, {})), {"mobilenetv2_0.35": keras_2.arrays(small)})
    if trainable:
        assert "layer bn_Conv1 is called with training=True and so computes with each batch's " \
            "own statistics: call it with training=False and save the model again" \
            in refusal(tmp_path / "model.h5")
    else:
        assert same(tmp_path / "model.h5", small)


def test_augmentation_called_in_training(small, tmp_path):
    save(tmp_path / "model.h5", small, "functional", before=[
        (keras_2.entry("RandomFlip", "flip", mode="horizontal"), {"training": True})])
    assert "layer flip before the first convolution is called with training=True: call it with " \
        "training=False and save the model again" in refusal(tmp_path / "model.h5")


@pytest.mark.parametrize("size", [32, 33])
def test_layers_that_fit_a_photo(small, tmp_path, size):
    """Keras pads an odd size otherwise, and the size is what Resizing leaves."""
    other = mobilenet_v2(0.35, size)
    other.set_weights(small.get_weights())
    inner = keras_2.backbone(other)
    resizing = keras_2.entry("Resizing", "resize", height=size, width=size)
    layers = [keras_2.image("input_1", 64), resizing | {
        "name": "resize", "inbound_nodes": [[["input_1", 0, 0, {}]]]}]
    for layer in inner["config"]["layers"][1:]:
        for node in layer["inbound_nodes"]:
            for feed in node:
                feed[0] = {"input_1": "resize"}.get(feed[0], feed[0])
    inner["config"]["layers"][:1] = layers
    keras_2.whole(tmp_path / "inline.h5", inner, {
        name: {key: value for key, value in keras_2.arrays(small).items()
               if key.startswith(f"{name}/")} for name in (layer.name for layer in small.layers)})
    notes = []
    arrays = read(str(tmp_path / "inline.h5"), 0.35, note=notes.append)
    assert len(arrays) == len([layer for layer in small.layers if layer.weights])
    assert notes == ["of the weights' model, layer resize (Resizing) is left out: photos are "
                     "squeezed to the resolution"]


def test_an_input_before_the_image(small, tmp_path):
    config = keras_2.functional((keras_2.backbone(small), {}), (POOLING, {}))
    config["config"]["layers"].insert(0, META | {"name": "meta", "inbound_nodes": []})
    config["config"]["input_layers"].insert(0, ["meta", 0, 0])
    keras_2.whole(tmp_path / "model.h5", config, {"mobilenetv2_0.35": keras_2.arrays(small)})
    assert same(tmp_path / "model.h5", small)


def test_renamed_layers(small, tmp_path):
    """A whole model tells them apart, weights alone in one group do not."""
    inner = keras_2.backbone(small)
    text = json.dumps(inner)
    for layer in small.layers[1:]:
        text = text.replace(f'"{layer.name}"', f'"my_{layer.name}"')
    values = {f"my_{key}": value for key, value in keras_2.arrays(small, 40).items()}
    keras_2.whole(tmp_path / "model.h5", keras_2.sequential("all", json.loads(text)),
                  {"mobilenetv2_0.35": values})
    assert same(tmp_path / "model.h5", small)
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        keras_2.weights(file, {"mobilenetv2_0.35": values} | HEAD)
    assert "there is no layer Conv1 with weights: if its layers are renamed, save the whole " \
        "model with model.save('FILE.h5')" in refusal(tmp_path / "weights.h5")
