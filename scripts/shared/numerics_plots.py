"""Plots of ``python -m scripts.numerics``."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot
from matplotlib.figure import Figure

from hdl.layers import precision

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "numerics"    # the same rows give the same bytes


def costs(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """What each unit costs: the features' SQNR with only its weights or its output rounded."""
    figure, axes = pyplot.subplots(figsize=(13, 5), layout="constrained")
    places = range(len(rows))
    for name, label, mark in (("all_db", "its output, all units in integers", "-"),
                              ("weights_db", "the features, only its weights rounded", "o"),
                              ("output_db", "the features, only its output rounded", "x")):
        found = [(place, row[name]) for place, row in zip(places, rows) if row[name] is not None]
        axes.plot(*zip(*found), mark, label=label)
    axes.set_xticks(places, [row["unit"] for row in rows], rotation=90, fontsize=7)
    axes.set_ylabel("SQNR, dB")
    axes.grid(alpha=0.3)
    axes.legend()
    save(figure, path)


def widths(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """SQNR and agreement against bits of the weights, a line for each width of activations."""
    figure, (ratio, agreement) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    lines: dict[tuple[int, str], list[tuple[int, dict[str, Any]]]] = {}
    for row in rows:
        wide = precision(row["precision"])
        lines.setdefault((wide.relu6_bits, row["methods"]), []).append((wide.weight_bits, row))
    for (deep, methods), found in lines.items():
        for axes, name, factor in ((ratio, "sqnr_db", 1), (agreement, "top1_agreement", 100)):
            points = [(wide, row[name] * factor) for wide, row in found if row[name] is not None]
            if points:
                axes.plot(*zip(*points), "o-", label=f"activations of {deep} bits, {methods}")
    for axes, label in ((ratio, "SQNR of the features, dB"),
                        (agreement, "top 1 as Keras's float, %")):
        axes.set_xlabel("bits of a weight")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure, without the date that SVG would have."""
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
