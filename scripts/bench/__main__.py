"""Measure speed against what one would use instead, side by side in one run.

simulators: the same converted Verilog, and the MyHDL, in every simulator; frame: one photo through
Keras and through hls4ml's C model; scaling: golden, conversion, build and simulation against size
and rate; throughput: several frames, one and two processes.  Writes bench.json, the plots and the
tables of bench.md.  A run counts only if its output was compared and is right.
"""
import datetime
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from scripts.bench.jobs import INSTALL_BENCH
from scripts.bench.machine import machine, versions
from scripts.bench.plots import plot
from scripts.bench.report import fill, tell
from scripts.bench.runner import LONG, Bench
from scripts.bench.sections import SECTIONS, goals
from scripts.shared.checkout import docs_folder
from scripts.shared.json_output import print_json, versioned
from scripts.shared.options import json_option, user_errors

WIDTH = 120


def write(out: Path, document: dict[str, Any]) -> str:
    """bench.json, the plots, and the tables of bench.md where there is one."""
    (out / "bench.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    page = out / "bench.md"
    if page.exists():
        page.write_text(fill(page.read_text(encoding="utf-8"), document), encoding="utf-8")
    try:
        plot(document["sections"], out)
    except ImportError:
        return f"no plots: matplotlib is not installed: {INSTALL_BENCH}"
    return ""


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(list(SECTIONS)), multiple=True,
              help="This section; may be given more than once. The others stay as written before.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True,
              help=f"Runs of everything that takes up to {LONG} seconds.")
@click.option("--limit", type=click.FloatRange(min=1), default=1800, show_default=True,
              help="Seconds after which a run, its build included, is given up.")
@click.option("--full", is_flag=True, help="Every point of the scaling section.")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=None,
              help="Keep builds here and take those that are there; without it all are new.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False, exists=True),
              default=None, help="Where to write.  [default: docs of the checkout]")
@json_option
@user_errors
def main(only: tuple[str, ...], repeats: int, limit: float, full: bool, work: Path | None,
         out: Path | None, as_json: bool) -> None:
    """Measure the sections."""
    out = out or docs_folder()
    stored, sections = out / "bench.json", {}
    if only and stored.exists():
        sections = json.loads(stored.read_text(encoding="utf-8"))["sections"]
    with ExitStack() as stack:
        status = stack.enter_context(Console(stderr=True).status("starting"))
        if work is None:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        work.mkdir(parents=True, exist_ok=True)
        for name in only or SECTIONS:
            about = {"date": datetime.date.today().isoformat(), "machine": machine(),
                     "repeats": repeats, "versions": versions()}
            bench = Bench(work.resolve(), repeats, limit, full,
                          lambda text: status.update(f"{name}, {text}"))
            sections[name] = {**about, "rows": SECTIONS[name](bench)}
    document = versioned({
        "sections": {name: sections[name] for name in SECTIONS if name in sections},
        "goals": goals(sections)})
    note = write(out, document)
    if as_json:
        print_json(document)
    else:
        console = Console(width=WIDTH)
        tell(console, document)
        console.print(f"written to {out}", note, sep="\n" if note else "")
    if any("wrong" in row for section in sections.values() for row in section["rows"]):
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m scripts.bench")
