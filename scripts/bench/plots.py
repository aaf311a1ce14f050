"""The plots of ``python -m scripts.bench``; matplotlib is imported when there is one to draw."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from scripts.bench.runner import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, OTHERS = "#1f77b4", "#9ca3af"
STEPS = ("golden", "conversion", "build", "simulation")
AXES = {"resolution": "input, pixels a side", "alpha": "alpha, at 96 × 96",
        "cycles": "cycles a frame, at 224 × 224"}


def plot(sections: dict[str, dict[str, Any]], out: Path) -> list[Path]:
    """Draw each section that was measured into ``out``, as SVG and PNG; returns the files."""
    import matplotlib
    matplotlib.use("Agg")
    # The same rows give the same bytes.
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "font.size": 9, "axes.grid": True,
                                "grid.alpha": 0.3, "axes.axisbelow": True})
    files = []
    for name, draw in (("simulators", simulators), ("frame", frame), ("scaling", scaling)):
        if sections.get(name, {}).get("rows"):
            figure = draw(sections[name]["rows"])
            for suffix in ("svg", "png"):
                files.append(out / f"bench-{name}.{suffix}")
                figure.savefig(files[-1], dpi=110,
                               metadata={"Date": None} if suffix == "svg" else None)
            matplotlib.pyplot.close(figure)
    return files


def figure_of(panels: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    """A figure with panels side by side."""
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(1, panels, figsize=(max(4.2 * panels, 7), height), squeeze=False,
                                   layout="constrained")
    return figure, axes[0]


def bars(axis: Axes, names: Sequence[str], seconds: Sequence[list[float]],
         value: Callable[[float], float], words: Callable[[float], str]) -> None:
    """Horizontal bars of ``value(seconds)`` on a logarithmic scale, with their range."""
    middle = [value(median(runs)) for runs in seconds]
    ends = [sorted((value(min(runs)), value(max(runs)))) for runs in seconds]
    errors = [[m - low for m, (low, _) in zip(middle, ends)],
              [high - m for m, (_, high) in zip(middle, ends)]]
    drawn = axis.barh(names, middle, xerr=errors, color=[OURS] + [OTHERS] * (len(names) - 1),
                      capsize=2)
    axis.bar_label(drawn, [words(number) for number in middle], padding=4)
    axis.set_xscale("log")
    axis.set_xlim(min(low for low, _ in ends) / 3, max(high for _, high in ends) * 12)
    axis.invert_yaxis()


def simulators(rows: Sequence[Row]) -> Figure:
    """Cycles per second of each runner, a panel for each case."""
    rows = [row for row in rows if row.get("seconds")]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    figure, axes = figure_of(len(cases), 2.6)
    for axis, case in zip(axes, cases):
        found = [row for row in rows if row["case"] == case]
        cycles = found[0]["cycles"]
        bars(axis, [row["name"] for row in found], [row["seconds"] for row in found],
             lambda seconds: cycles / seconds, lambda number: f"{number:,.0f}")
        axis.set(title=case, xlabel="cycles a second")
    return figure


def frame(rows: Sequence[Row]) -> Figure:
    """Seconds for a frame."""
    rows = [row for row in rows if row.get("seconds")]
    figure, (axis,) = figure_of(1, 2.4)
    bars(axis, [row["name"] for row in rows], [row["seconds"] for row in rows],
         lambda seconds: seconds, lambda number: f"{number:.3g}")
    axis.set(title=rows[0]["case"], xlabel="seconds a frame")
    return figure


def scaling(rows: Sequence[Row]) -> Figure:
    """Seconds and peak memory of each step, a panel for each axis."""
    names = [name for name in AXES if any(row["axis"] == name for row in rows)]
    figure, axes = figure_of(len(names), 3.2)
    for axis, name in zip(axes, names):
        memory = axis.twinx()
        memory.grid(False)
        for colour, step in enumerate(STEPS):
            found = [row for row in rows if row["axis"] == name and row[step].get("seconds")]
            places = [row[name] for row in found]
            seconds = [median(runs) if isinstance(runs, list) else runs
                       for runs in (row[step]["seconds"] for row in found)]
            axis.plot(places, seconds, "o-", color=f"C{colour}", label=step)
            peaks = [(place, row[step]["peak_mb"]) for place, row in zip(places, found)
                     if row[step].get("peak_mb")]
            if peaks:
                memory.plot(*zip(*peaks), "s:", color=f"C{colour}", alpha=0.5)
        axis.set(xlabel=AXES[name], ylabel="seconds", yscale="log")
        memory.set_ylabel("peak memory, MB (dotted)")
        if name == "cycles":
            axis.set_xscale("log")
        points = sorted({row[name] for row in rows if row["axis"] == name})
        axis.set_xticks(points, [f"{point:,}" for point in points])
        axis.minorticks_off()
        axis.yaxis.set_major_formatter("{x:g}")
    if names:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4,
                      frameon=False)
    return figure
