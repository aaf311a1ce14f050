"""Dump a golden: Keras's activations and the hardware's integers for one photo, in one HDF5 file.

Without --out the golden goes to the cache, where an equal one is reused.
"""
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from golden import build, store
from golden.calibration import Calibration
from golden.classify import class_name, classify
from golden.errors import GoldenError
from golden.metrics import finite, sqnr_db
from golden.network import Network
from hdl.layers import layer_table, precision, stages
from scripts.shared.json_output import print_json
from scripts.shared.options import json_option, network_options, out_option, user_errors
from scripts.shared.tables import show


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path), required=False)
@network_options
@out_option
@click.option("--verify", type=click.Path(path_type=Path), metavar="FILE", default=None,
              help="Recompute a golden from its recorded image and weights; exit 0 only if every "
                   "dataset is equal.  One made from a weights file needs --weights PATH again.")
@json_option
@user_errors
def main(photo: Path | None, network: Network, out: Path | None, verify: Path | None,
         as_json: bool) -> None:
    """Dump or verify one golden."""
    with Console(stderr=True).status("reading") as status:
        if verify:
            if photo or out:
                raise GoldenError("--verify reads its photo from the golden and writes nothing: "
                                  "leave PHOTO and --out away")
            summary = verification(verify, network, status.update)
        else:
            summary = dump(photo, network, out, status.update)
    if as_json:
        print_json(summary)
    elif verify:
        click.echo(verdict(summary))
    else:
        tell(summary)
    if summary.get("differences"):
        raise SystemExit(1)


def dump(photo: Path | None, network: Network, out: Path | None,
         report: Callable[[str], None]) -> dict[str, Any]:
    """Make one golden and sum it up in a dict of plain values."""
    if out:
        store.check_place(out)
        golden = build.build(network, photo, report)
        report("writing")
        store.write(out, golden)
        path, reused = out, False
    else:
        path, reused = build.cached(network, photo, report)
        golden = store.read(path)
    return {"golden": str(path), "reused": reused, "bytes": Path(path).stat().st_size,
            "alpha": network.alpha, "resolution": network.resolution,
            "precision": network.precision.name,
            **{name: golden.attributes[name]
               for name in ("weights", "weights_sha256", "left_out", "image_sha256")},
            "sqnr_db": {name: finite(sqnr_db(values, golden.fixed[name], golden.scales[name]))
                        for name, values in golden.float.items()},
            "classes": classes(golden, network.weights, report)}


def classes(golden: store.Golden, weights: str | Path,
            report: Callable[[str], None]) -> list[dict[str, Any]] | None:
    """[{class, name, float, fixed}]: the fixed network's top five; None without a classifier."""
    if weights == "seeded":
        return None
    report("classifying")
    from golden.model import classifier
    top = classifier(weights, golden.alpha)
    if top is None:
        return None
    name = list(golden.float)[-1]
    floats = dict(classify(golden.float[name], *top, count=None))
    return [{"class": index, "name": class_name(index), "float": floats[index],
             "fixed": probability}
            for index, probability in classify(golden.fixed[name] * golden.scales[name], *top)]


def verification(path: Path, given: Network, report: Callable[[str], None]) -> dict[str, Any]:
    """Recompute a golden and list the datasets that differ; ``given`` is the options' Network, of
    which files of weights and of calibration photos are taken.

    Raises GoldenError for a golden that is damaged or was made with other files.
    """
    golden = store.read(path)
    made_with = golden.attributes["weights"]
    recorded = Network(golden.alpha, golden.resolution, precision(golden.precision), made_with,
                       made_with_calibration(golden, given.calibration))
    if recorded.from_file:
        if not given.from_file:
            raise GoldenError(f"golden {path} was made with the weights file {made_with}: "
                              "give it again with --weights PATH")
        recorded = replace(recorded, weights=given.weights)
    reference = build.Reference(recorded, report)
    if reference.attributes["weights_sha256"] != golden.attributes["weights_sha256"]:
        raise GoldenError(f"weights {recorded.weights} are not the ones golden {path} was made "
                          f"with ({made_with}, sha256 {golden.attributes['weights_sha256']}): "
                          "give that file with --weights")
    report("running both networks")
    different = store.differences(golden, reference.golden(golden.image))
    return {"golden": str(path), "datasets": len(store.datasets(golden)), "equal": not different,
            "differences": different}


def made_with_calibration(golden: store.Golden, given: Calibration) -> Calibration:
    """The Calibration that a golden records; its photos are in the folder given, if in any.

    Raises GoldenError where those are not the photos it was calibrated with.
    """
    methods = golden.attributes.get("methods", "none")
    calibration = Calibration(given.folder, () if methods == "none" else tuple(methods.split(", ")))
    for name, value in calibration.attributes().items():
        if golden.attributes.get(name) != value:
            raise GoldenError(f"the golden was calibrated with {golden.attributes.get(name)}, not "
                              f"with {value}: give the folder of those photos with --calibration")
    return calibration


def verdict(summary: dict[str, Any]) -> str:
    """The sentence a verification ends with."""
    different = summary["differences"]
    if not different:
        return f"{summary['golden']}: all {summary['datasets']} datasets are equal"
    kinds = "only Keras's float32 activations, which depend on the processor" \
        if all(name.startswith("float/") for name in different) else "integers among them"
    return (f"{summary['golden']}: {len(different)} of {summary['datasets']} datasets differ "
            f"({kinds}), first {different[0]}")


def tell(summary: dict[str, Any]) -> None:
    """Print a summary for people."""
    console = Console()
    table = Table(title=f"MobileNetV2 alpha {summary['alpha']}, {summary['resolution']} x "
                        f"{summary['resolution']}, {summary['precision']}, {summary['weights']} "
                        "weights: fixed point against Keras")
    table.add_column("stage")
    table.add_column("output")
    table.add_column("SQNR, dB", justify="right")
    for stage, units in stages(layer_table(summary["alpha"], summary["resolution"])).items():
        unit = units[-1]
        ratio = summary["sqnr_db"][unit.name]
        table.add_row(stage, f"{unit.size_out} x {unit.size_out} x {unit.channels_out}",
                      "infinite" if ratio is None else f"{ratio:.1f}")
    show(table)
    if summary["left_out"]:
        console.print(summary["left_out"])
    for row in summary["classes"] or ():
        console.print(f"class {row['class']:3d} {row['name'] or '':24s} fixed {row['fixed']:.4f}, "
                      f"float {row['float']:.4f}")
    state = "reused from the cache" if summary["reused"] else "written"
    console.print(f"{summary['golden']} ({summary['bytes'] / 1e6:.1f} MB, {state})",
                  soft_wrap=True)


if __name__ == "__main__":
    main()
