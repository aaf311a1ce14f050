"""Files in the layouts of Keras 2, written by h5py after genuine ones of TensorFlow 2.3 to 2.15."""
import io
import json
import zipfile

import h5py
import numpy as np

VARIABLES = {"Conv2D": ["kernel"], "DepthwiseConv2D": ["depthwise_kernel"],
             "BatchNormalization": ["gamma", "beta", "moving_mean", "moving_variance"]}
OPTIONS = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate",
           "activation", "use_bias", "depth_multiplier", "momentum", "epsilon", "center", "scale",
           "max_value", "negative_slope", "threshold")


def image(name, size=32):
    """An input's entry."""
    return {"class_name": "InputLayer", "name": name, "inbound_nodes": [], "config": {
        "name": name, "batch_input_shape": [None, size, size, 3], "dtype": "float32"}}


def entry(kind, name, inbound=(), **config):
    """A layer's entry, of which a Sequential's has neither name nor nodes."""
    graph = {"name": name, "inbound_nodes": inbound} if inbound else {}
    return {"class_name": kind, "config": {"name": name, **config}} | graph


def backbone(model, stem=None):
    """A backbone's entry; with a stem the first convolution is 'valid' after this padding."""
    layers = [image("input_1", model.input.shape[1])]
    last = "input_1"
    for layer in model.layers[1:]:
        kind, config = type(layer).__name__, layer.get_config()
        options = {name: config[name] for name in OPTIONS if name in config}
        options |= {"BatchNormalization": {"axis": [3]},
                    "DepthwiseConv2D": {"groups": 1}}.get(kind, {})
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        feeds = [tensor._keras_history.operation.name for tensor in inputs]
        feeds = [name if name in [one["name"] for one in layers] else last for name in feeds]
        if layer.name == "Conv1" and stem:
            layers.append(entry("ZeroPadding2D", "Conv1_pad", [[["input_1", 0, 0, {}]]],
                                padding=stem, data_format="channels_last"))
            feeds, options = ["Conv1_pad"], options | {"padding": "valid"}
        layers.append(entry(kind, layer.name, [[[feed, 0, 0, {}] for feed in feeds]], **options))
    return {"class_name": "Functional", "config": {
        "name": "mobilenetv2_0.35", "layers": layers, "input_layers": [["input_1", 0, 0]],
        "output_layers": [[layers[-1]["name"], 0, 0]]}}


def sequential(name, *layers):
    """A Sequential's entry."""
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def functional(*layers):
    """A graph of layers in a row, each called by (entry, options of the call)."""
    entries, last = [image("input_2")], ["input_2", 0, 0]
    for layer, call in layers:
        name = layer["config"]["name"]
        entries.append(layer | {"name": name, "inbound_nodes": [
            [*last, call] if layer["class_name"] == "TFOpLambda" else [[*last, call]]]})
        last = [name, int("layers" in layer["config"]), 0]
    return {"class_name": "Functional", "config": {
        "name": "model", "layers": entries, "input_layers": [["input_2", 0, 0]],
        "output_layers": [last]}}


def arrays(model, frozen=0):
    """{layer/variable:0: array} as a nested group lists them: the trainable arrays of all layers
    first, of which the first ``frozen`` layers have none."""
    trainable, others = {}, {}
    for number, layer in enumerate(model.layers):
        for variable, value in zip(VARIABLES.get(type(layer).__name__, ()), layer.get_weights()):
            fixed = number < frozen or variable.startswith("moving")
            (others if fixed else trainable)[f"{layer.name}/{variable}:0"] = value
    return trainable | others


def group(parent, name, values):
    """Write the group of an outermost layer."""
    made = parent.create_group(name)
    made.attrs["weight_names"] = np.array([key.encode() for key in values] or [], "S")
    for key, value in values.items():
        made[key] = value


def weights(path_or_group, groups):
    """Write {outermost layer: arrays} in the layout of weights alone."""
    path_or_group.attrs["layer_names"] = np.array([name.encode() for name in groups], "S")
    path_or_group.attrs["keras_version"] = "2.9.0"
    for name, values in groups.items():
        group(path_or_group, name, values)


def whole(path, config, groups, version="2.9.0"):
    """Write a model as ``model.save`` does to .h5."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"keras_version": version, "backend": "tensorflow",
                           "model_config": json.dumps(config)})
        weights(file.create_group("model_weights"), groups)


def archive(path, config, model, folder, version="2.15.0"):
    """Write a model as TensorFlow 2.12 to 2.15 do to .keras; the backbone's arrays are in folders.

    Until 2.13 they have another name, and a layer with weights takes two numbers.
    """
    layers, step = ("layers", 1) if version > "2.14" else ("_layer_checkpoint_dependencies", 2)
    folder = "".join(f"{layers}/{name}/" for name in folder)
    content, seen = io.BytesIO(), {}
    kinds = {"Conv2D": "conv2d", "DepthwiseConv2D": "depthwise_conv2d",
             "BatchNormalization": "batch_normalization"}
    with h5py.File(content, "w") as file:
        for layer in model.layers:
            kind = kinds.get(type(layer).__name__)
            if kind:
                number = seen.get(kind, 0)
                seen[kind] = number + step
                for index, value in enumerate(layer.get_weights()):
                    file[f"{folder}{layers}/{kind}{f'_{number}' if number else ''}/vars/"
                         f"{index}"] = value
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": version}))
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", content.getvalue())
