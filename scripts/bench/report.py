"""The sections as tables for the terminal and for bench.md, and the goals as sentences."""
import math
import re
from collections.abc import Sequence
from statistics import median
from typing import Any

from rich.console import Console

from scripts.bench.runner import Row
from scripts.shared.tables import grid

PLOTS = {"simulators": "cycles a second of each runner", "frame": "seconds a frame",
         "scaling": "time and memory against size and rate"}


def spread(seconds: Sequence[float]) -> str:
    """Median and range of seconds, three digits: ``1.62 s (1.60 to 1.70)``."""
    middle = median(seconds)
    unit, scale = next((unit for unit in (("s", 1), ("ms", 1e3)) if middle * unit[1] >= 0.1),
                       ("µs", 1e6))
    shown, low, high = (digits(value * scale) for value in (middle, min(seconds), max(seconds)))
    return f"{shown} {unit}" + (f" ({low} to {high})" if len(seconds) > 1 else "")


def digits(value: float) -> str:
    """A positive number with three digits, or as many as it has before the point."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def number(value: float | None, form: str = ",.0f") -> str:
    """A number in the format ``form``, or a dash for none."""
    return "-" if value is None else format(value, form)


def speed(row: Row) -> float:
    """Cycles a second."""
    return row["cycles"] / median(row["seconds"])


WORDS = ("case", "runner", "what")
COLUMNS = {     # {section: ((head, its words from a row), ...)}; an error takes their place
    "simulators": (
        ("case", lambda row: row["case"]),
        ("runner", lambda row: row["name"]),
        ("time", lambda row: spread(row["seconds"])),
        ("cycles/s", lambda row: number(speed(row))),
        ("frames\n/hour", lambda row: number(
            3600 / median(row["seconds"]) if row["case"].startswith("network") else None)),
        ("times\nours", lambda row: number(row.get("times_ours"), ",.1f")),
        ("build,\ns", lambda row: number(row.get("build_seconds"), ",.1f")),
        ("peak,\nMB", lambda row: number(row.get("peak_mb"))),
        ("compared", lambda row: number(row["elements"]))),
    "frame": (
        ("case", lambda row: row["case"]),
        ("what", lambda row: row["name"]),
        ("time of a frame", lambda row: spread(row["seconds"])),
        ("times\nours", lambda row: number(row.get("times_ours"), ",.3g")),
        ("convert,\ns", lambda row: number(row.get("convert_seconds"), ",.1f")),
        ("build,\ns", lambda row: number(row.get("build_seconds"), ",.1f")),
        ("load,\ns", lambda row: number(row.get("load_seconds"), ",.1f")),
        ("peak,\nMB", lambda row: number(row.get("peak_mb")))),
    "scaling": (
        ("alpha", lambda row: f"{row['alpha']:g}"),
        ("resolution", lambda row: str(row["resolution"])),
        ("cycles\n/frame", lambda row: number(row["cycles"])),
        *((head, lambda row, step=step: stage(row[step])) for head, step in (
            ("golden", "golden"), ("conversion", "conversion"), ("build", "build"),
            ("simulation", "simulation")))),
    "rates": (
        ("cycles\n/frame", lambda row: number(row["cycles"])),
        ("multipliers", lambda row: number(row["multipliers"])),
        ("busy", lambda row: f"{row['busy']:.1%}"),
        ("memory, of\nlower bound", lambda row: number(row["memory"], ".3f")),
        ("latency,\nframes", lambda row: number(row["latency"], ".2f")),
        *((head, lambda row, step=head: stage(row[step]))
          for head in ("conversion", "build", "simulation"))),
    "throughput": (
        ("what", lambda row: row["name"]),
        ("frames", lambda row: str(row["frames"])),
        ("time", lambda row: spread(row["seconds"])),
        ("frames\n/hour", lambda row: number(3600 * row["frames"] / median(row["seconds"]))),
        ("peak each,\nMB", lambda row: number(row["peak_mb"]))),
}


def stage(result: Row) -> str:
    """Seconds and peak MB of one step of the scaling section, or why there are none."""
    seconds = result.get("seconds")
    if not seconds:
        return result.get("error", "-")
    peak = result.get("peak_mb")
    return (spread(seconds if isinstance(seconds, list) else [seconds])
            + (f"; {number(peak)} MB" if peak else ""))


def cells(section: str, row: Row) -> tuple[list[str], str]:
    """(cells of a row, the error that follows them or '')."""
    columns = COLUMNS[section]
    if "error" in row:
        named = [words(row) for head, words in columns if head in WORDS]
        return named, row["error"]
    return [words(row) for _, words in columns], ""


def tell(console: Console, document: dict[str, Any]) -> None:
    """Print every section's table, and the goals."""
    for name, section in document["sections"].items():
        heads = [head for head, _ in COLUMNS[name]]
        table = grid(name, *heads, text=sum(head in WORDS for head in heads))
        notes = []
        for row in section["rows"]:
            shown, error = cells(name, row)
            if error:
                notes.append(f"* {', '.join(shown)}: {error}")
                shown.append("*")
            table.add_row(*shown)
        console.print(table, *notes, sep="\n", highlight=False, soft_wrap=True)
    for goal in document["goals"]:
        console.print(goal_sentence(goal), highlight=False)


def goal_sentence(goal: Row) -> str:
    """What was asked for and what was measured."""
    measured = {None: "not measured", True: f"{goal['times'] or 0:.1f} times: met",
                False: f"{goal['times'] or 0:.1f} times: not met"}[goal["met"]]
    return f"{goal['case']}: {goal['goal']} times as fast as {goal['than']}: {measured}"


def markdown(name: str, section: dict[str, Any]) -> str:
    """A section's table for bench.md."""
    heads = [head.replace("\n", " ").replace(" /", "/") for head, _ in COLUMNS[name]]
    lines = [f"Measured {section['date']}, {section['machine']}; {section['repeats']} runs, "
             "median (least to most).", "", "| " + " | ".join(heads) + " |",
             "|" + "|".join("---" if head in WORDS else "---:" for head in heads) + "|"]
    for row in section["rows"]:
        shown, error = cells(name, row)
        if error:
            shown.append(error)
        lines.append("| " + " | ".join(shown + [""] * (len(heads) - len(shown))) + " |")
    if name in PLOTS:
        lines += ["", f"![{PLOTS[name]}](bench-{name}.svg)"]
    return "\n".join(lines)


def fill(text: str, document: dict[str, Any]) -> str:
    """The page with the tables between its marks ``<!-- name -->`` and ``<!-- end -->`` renewed."""
    parts = {name: markdown(name, section) for name, section in document["sections"].items()}
    parts["goals"] = "\n".join(f"- {goal_sentence(goal)}" for goal in document["goals"])
    for name, table in parts.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                      lambda mark: f"{mark[1]}{table}\n{mark[2]}", text, flags=re.DOTALL)
    return text
