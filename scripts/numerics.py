"""How far the integers are from Keras's floats: unit by unit, by width, and by method.

Photographs are those of FOLDER, or those inside scikit-image's wheel, some views of each.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from golden import build, photo, views
from golden.calibration import METHODS
from golden.classify import classify
from golden.errors import GoldenError
from golden.fold import fold
from golden.graph import Node
from golden.metrics import finite, sqnr_db
from golden.network import Network
from hdl.layers import WEIGHT_BITS, precision, weight_bits, with_weights
from scripts.shared.json_output import print_json
from scripts.shared.options import (alpha_option, as_network, cache_option, calibration_options,
                                    json_option, precision_option, resolution_option, user_errors,
                                    weights_option)
from scripts.shared.tables import show
from scripts.shared.widths import check_budget, least_loss

if TYPE_CHECKING:
    import keras

WIDTHS = "4,5,6,7,8,10,12,14,16"
LONGEST = 40        # characters of a precision in a table
INSTALL = "pip install -e '.[test]'"


@click.group(help=__doc__)
def main() -> None:
    """Choose one of the measurements."""


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all measurements have."""
    for option in (
            as_network, cache_option, calibration_options,
            click.argument("folder", type=click.Path(path_type=Path), required=False),
            alpha_option, resolution_option, weights_option,
            click.option("--views", "count", type=click.IntRange(min=1), default=4,
                         show_default=True, help="Views of each photo."),
            click.option("--plot", type=click.Path(path_type=Path), default=None,
                         metavar="FILE.svg", help="Draw the result into an SVG or PNG file."),
            json_option, user_errors):
        command = option(command)
    return command


@main.command()
@precision_option
@shared
def units(folder: Path | None, network: Network, count: int, plot: Path | None,
          as_json: bool) -> None:
    """What every unit costs: all units in integers, and only its weights or only its output."""
    images = pictures(folder, count, network.resolution)
    rows = unit_rows(quantised(network), images)
    finish(rows, UNITS, plot, "costs", as_json, f"{len(images)} views, {network.precision.name}")


@main.command()
@click.option("--widths", default=WIDTHS, show_default=True, help="Bits of the weights.")
@click.option("--activations", default="8,16", show_default=True,
              help="Bits of the activations after ReLU6.")
@shared
def bits(folder: Path | None, network: Network, count: int, plot: Path | None, as_json: bool,
         widths: str, activations: str) -> None:
    """Agreement and SQNR for each width of the weights and activations."""
    networks = [replace(network, precision=precision(f"w{wide}a{deep}"))
                for deep in activations.split(",") for wide in widths.split(",")]
    rows = compare(networks, pictures(folder, count, network.resolution))
    finish(rows, COMPARED, plot, "widths", as_json)


@main.command()
@precision_option
@shared
def methods(folder: Path | None, network: Network, count: int, plot: Path | None,
            as_json: bool) -> None:
    """What each post-training method brings, alone and together."""
    sets = ((), *((name,) for name in METHODS), METHODS)
    networks = [replace(network, calibration=replace(network.calibration, methods=names))
                for names in sets]
    rows = compare(networks, pictures(folder, count, network.resolution))
    finish(rows, COMPARED, plot, "widths", as_json)


@main.command()
@click.option("--budget", type=click.IntRange(min=1), required=True, metavar="BITS",
              help="Bits of all weights together.")
@precision_option
@shared
def search(folder: Path | None, network: Network, count: int, plot: Path | None, as_json: bool,
           budget: int) -> None:
    """Widths by unit that lose least for a budget of weight bits, beside one width for all.

    Each unit's loss is that of the features with only its weights rounded, to --precision, and
    taken to fall by 6.02 dB with each bit. From 4 bits everywhere, one more goes to the unit in
    which it takes away most of the sum of all losses for the memory that it takes, until none fits.
    """
    check_budget(network.table, budget)
    images, given = pictures(folder, count, network.resolution), network.precision
    reference = quantised(network)
    costs = weight_costs(reference, *float_network(reference, images))
    bits = least_loss(network.table, given, {
        name: 10 ** (-cost / 10) for name, cost in costs.items()}, budget)
    width = min(budget // sum(unit.weights for unit in network.table), WEIGHT_BITS[-1])
    uniform = precision(f"w{width}a{given.relu6_bits}l{given.linear_bits}")
    found = with_weights(uniform, bits)
    rows = compare([replace(network, precision=row) for row in (uniform, found)], images)
    units = [{"unit": name, "weights_db": finite(cost), "bits": bits[name]}
             for name, cost in costs.items()]
    finish(rows, COMPARED, plot, "widths", as_json,
           more={"precision": found.name, "units": units})
    if not as_json:
        table = Table(title=f"measured at {given.name}")
        for head in ("unit", "only weights, dB", "bits"):
            table.add_column(head, justify="left" if head == "unit" else "right")
        for name in costs:
            table.add_row(name, text("weights_db", finite(costs[name])), str(bits[name]))
        show(table)
        click.echo(f"--precision {found.name}")


# Columns of the tables and their heads; ratios of signal to noise in dB.
UNITS = {"unit": "unit", "all_db": "its output, all", "weights_db": "only weights",
         "output_db": "only output", "used": "used", "saturated": "beyond"}
COMPARED = {"precision": "precision", "methods": "methods", "views": "views", "sqnr_db": "dB",
            "median_db": "median", "least_db": "least", "top1_agreement": "top 1",
            "weight_bits": "weight bits"}


def pictures(folder: Path | None, count: int, resolution: int) -> np.ndarray:
    """uint8 (photos x views, R, R, 3) of the photos of a folder, or of scikit-image's."""
    return np.stack([views.view(image, index, resolution)
                     for image in map(photo.read, views.photo_files(folder).values())
                     for index in range(count)])


def quantised(network: Network) -> build.Reference:
    """The Reference of a Network, its integers from the cache where they are."""
    console = Console(stderr=True)
    with console.status("reading") as status:
        reference = build.Reference(network, lambda text: status.update(
            f"{network.precision.name}: {text}"), build.cache_folder())
    if reference.attributes["left_out"]:
        console.print(reference.attributes["left_out"])
    return reference


def compare(networks: Sequence[Network], images: np.ndarray) -> list[dict[str, Any]]:
    """A row for each of several Networks of the same weights: the features of all images against
    Keras's."""
    from golden.model import classifier
    top = classifier(networks[0].weights, networks[0].alpha)
    rows, floats = [], None
    for network in networks:
        reference, table, name = quantised(network), network.table, network.precision.name
        if floats is None:
            floats = last(reference.float_model, [
                photo.pixels_to_floats(image[None]) for image in images], "Keras")
        found = last(reference.fixed_model, [
            photo.pixels_to_integers(image)[None].astype(np.float64) for image in images],
            name) * reference.scales[table[-1].name]
        ratios = [sqnr_db(*pair, 1) for pair in zip(floats, found)]
        same = [classify(one, *top)[0][0] == classify(other, *top)[0][0]
                for one, other in zip(floats, found)] if top else None
        rows.append({
            "precision": name, "methods": "+".join(network.calibration.methods) or "none",
            "views": len(images), "sqnr_db": sqnr_db(floats, found, 1),
            "median_db": float(np.median(ratios)), "least_db": float(np.min(ratios)),
            "top1_agreement": same and float(np.mean(same)),
            "weight_bits": weight_bits(table, network.precision)})
    return rows


def last(model: keras.Model, inputs: Sequence[np.ndarray], title: str) -> np.ndarray:
    """float64 (photos, H, W, C): the last unit's output, photo by photo, as a TensorFlow graph."""
    import keras
    import tensorflow as tf
    features = tf.function(keras.Model(model.input, list(model.output.values())[-1]),
                           autograph=False)
    return np.concatenate([np.asarray(features(each), np.float64) for each in track(
        inputs, title, console=Console(stderr=True), transient=True)])


def unit_rows(reference: build.Reference, images: np.ndarray) -> list[dict[str, Any]]:
    """A row for each unit.

    all_db     -- its output against Keras's, every unit in integers
    weights_db -- the features, only its weights and biases rounded (each by itself)
    output_db  -- the features, only its output rounded to the tensor's steps
    used       -- its largest magnitude, of the range's
    saturated  -- elements at a limit of the range that Keras's are beyond, of all
    """
    nodes, folded, exact = float_network(reference, images)
    row = reference.network.precision
    costs = weight_costs(reference, nodes, folded, exact)
    fixed = {name: np.stack(parts) for name, parts in gathered(reference, images).items()}
    final, rows = list(nodes)[-1], []
    for name, node in track(nodes.items(), "outputs", console=Console(stderr=True),
                            transient=True):
        scale, limits = reference.scales[name], row.limits(node.activation)
        beyond = np.abs(exact[name]) > max(limits) * scale * (1 + 1e-9)
        rounded = np.clip(np.floor(exact[name] / scale + 0.5), *limits) * scale
        rows.append({
            "unit": name, "all_db": sqnr_db(exact[name], fixed[name], scale),
            "weights_db": costs.get(name),
            "output_db": onward(nodes, folded, exact, name, rounded, final),
            "used": float(np.abs(fixed[name].astype(np.int64)).max() / max(limits)),
            "saturated": float(beyond.mean())})
    return rows


def float_network(reference: build.Reference, images: np.ndarray) -> tuple[
        dict[str, Node], dict[str, tuple[np.ndarray, np.ndarray]], dict[str, np.ndarray]]:
    """({unit: Node}, {convolution: folded (weights, bias)}, {unit or 'input': float64 output
    (images, H, W, C)}) of images, uint8 (images, R, R, 3)."""
    from golden import graph
    nodes = graph.trace(reference.backbone)
    folded = {name: fold(node) for name, node in nodes.items() if node.convolution}
    exact = {"input": photo.pixels_to_floats(images).astype(np.float64)}
    for name, node in nodes.items():
        exact[name] = float_unit(node, folded.get(name), exact)
    return nodes, folded, exact


def weight_costs(reference: build.Reference, nodes: Mapping[str, Node],
                 folded: Mapping[str, tuple[np.ndarray, np.ndarray]],
                 exact: Mapping[str, np.ndarray]) -> dict[str, float]:
    """{convolution: dB of the features when only its weights and bias are rounded, each by
    itself}; the arguments after the first as ``float_network`` has them."""
    from golden.learn import plain_params
    plain = plain_params(nodes, folded, reference.scales, reference.network.precision)
    costs, final = {}, list(nodes)[-1]
    for name, unit in track(plain.items(), "weights", console=Console(stderr=True),
                            transient=True):
        step = unit.multiplier / 2.0 ** unit.shift * reference.scales[name]
        source = reference.scales[nodes[name].sources[0]]
        costs[name] = onward(nodes, folded, exact, name, float_unit(
            nodes[name], (unit.weights * (step / source), unit.bias * step), exact), final)
    return costs


def gathered(reference: build.Reference, images: np.ndarray) -> dict[str, list[np.ndarray]]:
    """{unit: [integers (H, W, C) of each image]} of images, uint8 (images, R, R, 3)."""
    found: dict[str, list[np.ndarray]] = {}
    for image in track(images, "golden", console=Console(stderr=True), transient=True):
        for name, values in reference.fixed(image).items():
            found.setdefault(name, []).append(values)
    return found


def float_unit(node: Node, weights: tuple[np.ndarray, np.ndarray] | None,
               tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    """float64 output (images, H, W, C) of a unit of folded (weights, bias), None for an add."""
    from golden.fixed import convolution
    if weights is None:
        return tensors[node.sources[0]] + tensors[node.sources[1]]
    kernel, bias = weights
    sums = convolution(node, kernel, tensors[node.sources[0]]) + bias
    return np.clip(sums, 0, 6) if node.activation == "relu6" else sums


def onward(nodes: Mapping[str, Node], folded: Mapping[str, tuple[np.ndarray, np.ndarray]],
           exact: Mapping[str, np.ndarray], changed: str, values: np.ndarray, final: str) -> float:
    """dB of the features when one unit's output is ``values`` and all else is exact."""
    tensors, moved = dict(exact, **{changed: values}), {changed}
    for name, node in nodes.items():
        if moved & set(node.sources):
            tensors[name] = float_unit(node, folded.get(name), tensors)
            moved.add(name)
    return sqnr_db(exact[final], tensors[final], 1)


def finish(rows: list[dict[str, Any]], columns: Mapping[str, str], plot: Path | None, kind: str,
           as_json: bool, title: str | None = None, more: Mapping[str, Any] | None = None) -> None:
    """Print the rows, and draw them: GoldenError without matplotlib.

    columns -- {name in a row: head of the table's column}
    plot    -- the file to draw into, None: nothing is drawn
    kind    -- 'costs' or 'widths', what is drawn
    more    -- fields of the JSON beside the rows
    """
    if plot:
        try:
            from scripts.shared import numerics_plots
        except ImportError:
            raise GoldenError(f"--plot needs matplotlib: {INSTALL}") from None
        draw = {"costs": numerics_plots.costs, "widths": numerics_plots.widths}[kind]
        draw(rows, plot)
    if as_json:
        print_json({**(more or {}), "rows": rows})
        return
    table = Table(title=title)
    for name, head in columns.items():
        table.add_column(head, justify="left" if name in ("unit", "precision", "methods")
                         else "right")
    for row in rows:
        table.add_row(*(text(name, row[name]) for name in columns))
    show(table)


def text(name: str, value: str | float | None) -> str:
    """A value for people."""
    if value is None:
        return ""
    if name.endswith("_db"):
        return f"{value:.1f}"
    if name == "precision" and len(str(value)) > LONGEST:
        return f"{str(value).partition(',')[0]}, others by unit"
    if name in ("used", "saturated", "top1_agreement"):
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
