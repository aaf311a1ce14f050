"""Many photos through float Keras, the fixed-point golden and, a sample or all, the Verilog chain.

FOLDER is searched with all below it; without it the photographs inside scikit-image's wheel are
taken.  Results go to results.h5, results.csv and summary.json in one directory; when the command
is ended and given again it goes on where it was.  Exit status 0 only if every element compared is
equal and every photo could be read.
"""
from __future__ import annotations

import csv
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import click
import numpy as np
from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console
from rich.progress import (BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn,
                           TimeElapsedColumn, TimeRemainingColumn)
from rich.table import Table

from golden import build, views
from golden.errors import GoldenError
from golden.metrics import finite
from golden.network import Network
from golden.photo import shown
from hdl.build import default_build_dir
from hdl.plan.network import plan_network
from hdl.sim.design import require
from scripts.shared.json_output import output, versioned
from scripts.shared.options import (UserError, cycles_per_frame_option, json_option,
                                    network_options, out_option, user_errors)
from scripts.shared.tables import show
from scripts.validate import jobs
from scripts.validate.results import Place, Results
from scripts.validate.workers import Cluster, Inline, Local, Pool, connect

PHASES = {"golden": "Keras and golden", "rtl": "Verilog"}
NARROW = 80             # characters; a terminal with fewer has no room for a bar
BATCH = 8               # views of a job; of one simulation, which begins by reading all weights


class RtlCount(click.ParamType):
    """A number of views, or all of them (None)."""

    name = "N|all"

    def convert(self, value: object, parameter: click.Parameter | None,
                context: click.Context | None) -> int | None:
        """An int, or None for 'all'; tells click of anything else."""
        if value is None or value == "all":
            return None
        if not str(value).isdecimal():
            self.fail(f"{value!r} is neither a number nor 'all'", parameter, context)
        return int(str(value))


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@network_options
@cycles_per_frame_option
@click.option("--views", "views_each", type=click.IntRange(min=1), default=None, metavar="K",
              help="Views of each photo: the whole, then squares of it, every second one mirrored; "
                   "without it 1 of a folder's photos, 8 of scikit-image's.")
@click.option("--limit", type=click.IntRange(min=1), default=None,
              help="Take only so many photos, the first by name.")
@click.option("--labels", type=click.Path(path_type=Path), metavar="FILE.csv", default=None,
              help="CSV with columns file, label: a photo's path in FOLDER and its class, 0..999.")
@click.option("--rtl", type=RtlCount(), default=8, show_default=True,
              help="How many views, sampled evenly, go through the Verilog too; 0 for none.")
@click.option("--workers", type=click.IntRange(min=1), default=None,
              help="Processes on this machine, 1 for none but the command's own; without it one "
                   "for each core.")
@click.option("--scheduler", metavar="ADDRESS", default=None,
              help="Compute on a Dask cluster: the address of its scheduler, tcp://HOST:8786.")
@out_option
@json_option
@user_errors
def main(folder: Path | None, network: Network, cycles_per_frame: int | None,
         views_each: int | None, limit: int | None, labels: Path | None, rtl: int | None,
         workers: int | None, scheduler: str | None, out: Path | None, as_json: bool) -> None:
    """Validate."""
    if scheduler and workers:
        raise UserError("--workers counts processes of this machine and --scheduler computes on a "
                        "cluster: give one of them")
    cycles = cycles_per_frame or network.pixels
    if rtl != 0:
        plan_network(network.table, network.precision, cycles)
        if not scheduler:
            require("verilator")
    photos = dict(list(views.photo_files(folder).items())[:limit])
    labelled = read_labels(labels, photos, limit) if labels else {}
    places = [(name, number) for name in photos
              for number in range(views_each or (1 if folder else 8))]
    key, parameters = digest(folder, cycles, network), described(folder, cycles, network)
    out = out or default_build_dir("validate") / key[:16]
    with alone_in(out):
        results = Results(out, key, parameters)
        run = Validation(results, photos, places, scheduler, workers)
        try:
            with run:
                run.golden(network, cycles)
                run.rtl(rtl)
        finally:
            results.label(labelled)
        summary = versioned({**parameters, **run.summary(), "results": str(out)})
        results.write_csv(run.done)
        results.write_summary(summary)
    output(summary, as_json, tell)


def described(folder: Path | None, cycles: int, network: Network) -> dict[str, Any]:
    """What is validated, for results and summary."""
    return {"alpha": network.alpha, "resolution": network.resolution,
            "precision": network.precision.name, "weights": network.weights,
            "cycles_per_frame": cycles, "folder": shown(folder) if folder else "scikit-image's",
            **network.calibration.attributes()}


def alone_in(out: Path) -> AcquireReturnProxy:
    """The lock of the folder of results, which is made; UserError where another holds it."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        return FileLock(out / ".lock").acquire(timeout=0)
    except Timeout:
        raise UserError(f"another process is writing to {out}: wait for it, or give another "
                        "directory with --out") from None


def digest(folder: Path | None, cycles: int, network: Network) -> str:
    """sha256, hexadecimal, of everything that determines results: the photos' folder, all inputs,
    the code."""
    place = shown(folder.resolve()) if folder else "shipped"
    golden = build.key(network)
    return hashlib.sha256("\n".join([place, str(cycles), golden, jobs.source()]).encode()) \
        .hexdigest()


def read_labels(path: Path, photos: Iterable[str], limit: int | None) -> dict[str, int]:
    """{photo: class} of a CSV file; GoldenError for a line that names no photo or class.

    limit -- where it is given, labels of photos that are not among ``photos`` are passed over
    """
    found: dict[str, int] = {}
    known = set(photos)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"file", "label"} <= set(reader.fieldnames or ()):
                raise GoldenError(f"labels {path}, line 1: the columns must be file,label")
            for row in reader:
                name, text = row["file"], (row["label"] or "").strip()
                where = f"labels {path}, line {reader.line_num}:"
                if not text.isdecimal() or int(text) > 999:
                    raise GoldenError(f"{where} label {text!r} is no class from 0 to 999")
                if name not in known and limit is None:
                    raise GoldenError(f"{where} there is no photo {name!r}: give its path "
                                      "in the folder")
                if found.setdefault(name, int(text)) != int(text):
                    raise GoldenError(f"{where} photo {name!r} has another label above")
    except (UnicodeDecodeError, csv.Error) as error:
        raise GoldenError(f"labels {path} are no CSV text ({error})") from None
    return found


class Validation:
    """The run: what is there already, what is to be computed, by whom, and what came out."""

    def __init__(self, results: Results, photos: Mapping[str, Path], places: Sequence[Place],
                 scheduler: str | None, workers: int | None) -> None:
        self.results, self.photos, self.places = results, photos, places
        self.failed: dict[str, str] = {}    # photo: reason
        self.speed = {"golden": (0, 0.), "rtl": (0, 0.)}    # computed now: (views, seconds)
        self.workers = workers or os.cpu_count() or 1
        self.console = Console(stderr=True)
        self._client = connect(scheduler) if scheduler else None
        self._made: tuple[jobs.Task, Pool] | None = None

    def __enter__(self) -> Validation:
        return self

    def __exit__(self, *error: object) -> None:
        if self._made:
            self._made[1].close()
        if self._client:
            self._client.close()

    @property
    def done(self) -> list[Place]:
        """Places that have a row."""
        return [place for place in self.places if place in self.results.rows]

    def golden(self, network: Network, cycles: int) -> None:
        """Compute the rows that are missing; those of files that have changed are."""
        self._inputs, rows = (network, cycles), self.results.rows
        for name in {name for name, _ in self.done}:
            try:
                now = hashlib.sha256(self.photos[name].read_bytes()).hexdigest()
            except OSError:
                now = None
            self.results.discard([place for place in list(rows)
                                  if place[0] == name and rows[place]["file_sha256"] != now])
        missing = [place for place in self.places if place not in rows]
        self.reused = len(self.places) - len(missing)
        self._run("golden", jobs.golden_job, missing, BATCH)

    def rtl(self, count: int | None) -> None:
        """Simulate a sample of the rows there are, evenly spaced; None for all."""
        done = self.done
        count = len(done) if count is None else min(count, len(done))
        chosen = [done[index * len(done) // count] for index in range(count)]
        missing = [place for place in chosen if self.results.rows[place]["rtl_elements"] < 0]
        self.rtl_reused = count - len(missing)
        if not missing:
            return
        made, pool = self._ready()
        if not self._client:
            with self.console.status("compiling the chain"):
                jobs.ready(made)
        self._run("rtl", jobs.rtl_job, missing,
                  min(BATCH, math.ceil(len(missing) / pool.workers)))

    def _ready(self) -> tuple[jobs.Task, Pool]:
        """The Task and who computes it, made when they are first needed."""
        if not self._made:
            with self.console.status("reading") as status:
                made = task(*self._inputs, status.update, self.console.print)
            self._made = made, (
                Cluster(self._client, made) if self._client else
                Local(made, self.workers) if self.workers > 1 else Inline(made))
        return self._made

    def _run(self, phase: str, function: jobs.Function, places: Sequence[Place], size: int) -> None:
        """Compute ``places`` and keep their rows as they come."""
        if not places:
            return
        _, pool = self._ready()
        with Progress(*progress_columns(self.console.width), console=self.console) as progress:
            bar = progress.add_task(PHASES[phase], total=len(places))
            computed, begun, ended = 0, math.inf, -math.inf
            for taken, (rows, failures, times) in self._finished(
                    pool, function, self._jobs(places, size)):
                for row in rows:
                    self.results.add(row)
                self.failed.update(failures)
                self.results.flush()
                computed, begun, ended = (computed + len(rows), min(begun, times[0]),
                                          max(ended, times[1]))
                progress.advance(bar, taken)
        self.results.flush(force=True)
        self.speed[phase] = computed, ended - begun     # without the building of models

    def _jobs(self, places: Sequence[Place], size: int) -> Iterator[jobs.Job]:
        """Photos of at most ``size`` views together; one that cannot be read has failed."""
        for start in range(0, len(places), size):
            photos = []
            for name, group in itertools.groupby(places[start:start + size], lambda p: p[0]):
                try:
                    photos.append((name, self.photos[name].read_bytes(), [n for _, n in group]))
                except OSError as error:
                    self.failed[name] = error.strerror or str(error)
            yield photos

    def _finished(self, pool: Pool, function: jobs.Function, waiting: Iterator[jobs.Job]
                  ) -> Iterator[tuple[int, jobs.Result]]:
        """Yield (views of the job, its result) as jobs end; few are under way at a time."""
        pending: dict[Future[jobs.Result], jobs.Job] = {}
        again: list[jobs.Job] = []
        while True:
            room = max(0, pool.window - len(pending))
            for job in [*again, *itertools.islice(waiting, room)]:
                pending[pool.submit(function, job)] = job
            again = []
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                job = pending.pop(future)
                try:
                    result = future.result()
                except pool.errors:
                    again.append(job)
                    continue
                except pool.lost as error:
                    raise UserError("the cluster lost its scheduler, or worker after worker at "
                                    "the same job: mend it and give the command again, what "
                                    "was computed is kept") from error
                yield sum(len(numbers) for *_, numbers in job), result

    def summary(self) -> dict[str, Any]:
        """What was found, as docs/json.md names it."""
        rows = [self.results.rows[place] for place in self.done]
        seen = [row for row in rows if row["float_top5"][0] >= 0]
        labelled = [row for row in seen if row["label"] >= 0]
        simulated = [row for row in rows if row["rtl_elements"] >= 0]
        ratios = [row["sqnr_db"] for row in rows]
        signal, noise = (sum(row[name] for row in rows) for name in ("signal", "noise"))
        mismatches = sum(row["rtl_mismatches"] for row in simulated)
        golden, rtl = self.speed["golden"], self.speed["rtl"]
        return {
            "ok": mismatches == 0 and not self.failed and bool(rows),
            "photos": len({row["file"] for row in rows}), "views": len(rows),
            "failed": [{"file": name, "reason": self.failed[name]} for name in sorted(self.failed)],
            "reused": self.reused, "rtl_reused": self.rtl_reused,
            "top1_agreement": share(row["float_top5"][0] == row["fixed_top5"][0] for row in seen),
            "top5_agreement": share(row["float_top5"][0] in row["fixed_top5"] for row in seen),
            "labelled": len(labelled),
            **{f"{kind}_top{count}_accuracy": share(
                row["label"] in row[f"{kind}_top5"][:count] for row in labelled)
                for kind in ("float", "fixed") for count in (1, 5)},
            "sqnr_db": {name: finite(float(function(ratios))) if rows else None for name, function
                        in (("min", np.min), ("median", np.median), ("max", np.max))},
            "sqnr_db_aggregate": finite(10 * math.log10(signal / noise)) if signal and noise
            else None,
            "saturated": sum(row["saturated"] for row in rows),
            "rtl_views": len(simulated),
            "rtl_elements": sum(row["rtl_elements"] for row in simulated),
            "rtl_mismatches": mismatches,
            "rtl_differences": [{"file": row["file"], "view": row["view"],
                                 "mismatches": row["rtl_mismatches"], "first": row["rtl_first"]}
                                for row in simulated if row["rtl_mismatches"]],
            "golden_per_second": golden[0] / golden[1] if golden[0] else None,
            "rtl_per_hour": 3600 * rtl[0] / rtl[1] if rtl[0] else None}


def progress_columns(width: int) -> list[ProgressColumn]:
    """What a line of progress shows: in a narrow terminal no bar, so that its words are whole."""
    bar = [BarColumn(), TimeElapsedColumn()] if width >= NARROW else []
    return [TextColumn("{task.description}"), *bar, MofNCompleteColumn(), TextColumn("left"),
            TimeRemainingColumn()]


def task(network: Network, cycles: int, report: Callable[[str], None],
         note: Callable[[str], None] = build.quiet) -> jobs.Task:
    """The Task of a Network, its quantised parameters from the cache where they are.

    note -- is told what is left out of the model of the weights
    """
    reference = build.Reference(network, report, build.cache_folder())
    report("reading the classifier")
    from golden import model
    top = model.classifier(network.weights, network.alpha)
    if reference.attributes["left_out"]:
        note(str(reference.attributes["left_out"]))
    return jobs.Task(
        key=digest(None, cycles, network), source=jobs.source(), network=network, cycles=cycles,
        weights={layer.name: layer.get_weights() for layer in reference.backbone.layers
                 if layer.weights},
        params=reference.params, scale=reference.scales[network.table[-1].name],
        top=top and (top[0].astype(np.float64), top[1].astype(np.float64)))


def share(values: Iterable[bool]) -> float | None:
    """The part of the values that is true, or None of none."""
    values = list(values)
    return sum(values) / len(values) if values else None


def tell(summary: dict[str, Any]) -> None:
    """Print the summary for people."""
    console = Console()
    show(measures(summary))
    for row in summary["failed"]:
        console.print(f"failed: {row['file']} ({row['reason']})", style="bold red", markup=False)
    for row in summary["rtl_differences"]:
        console.print(f"differs: {row['file']}, view {row['view']}, {row['mismatches']:,} elements "
                      f"({row['first']})", style="bold red", markup=False)
    speed = []
    if summary["golden_per_second"]:
        speed.append(f"golden {summary['golden_per_second']:.1f} views/s")
    if summary["rtl_per_hour"]:
        speed.append(f"Verilog {summary['rtl_per_hour']:,.0f} views/hour")
    console.print("; ".join([f"{summary['reused']:,} views were there already, "
                             f"{summary['rtl_reused']:,} of the Verilog's", *speed]))
    console.print(f"results in {summary['results']}", soft_wrap=True, markup=False)
    console.print("all is well" if summary["ok"] else "NOT all is well",
                  style="bold green" if summary["ok"] else "bold red")


def measures(summary: dict[str, Any]) -> Table:
    """The table of what was measured."""
    table = Table(title=f"MobileNetV2 alpha {summary['alpha']}, {summary['resolution']} x "
                        f"{summary['resolution']}, {summary['precision']}, {summary['weights']} "
                        "weights: float Keras, fixed point, Verilog")
    table.add_column("measure")
    table.add_column("value", justify="right")
    table.add_row("photos, views of them", f"{summary['photos']:,}, {summary['views']:,}")
    table.add_row("photos that cannot be read", f"{len(summary['failed']):,}")
    table.add_row("agreement of fixed point with float, top 1", percent(summary["top1_agreement"]))
    table.add_row("float's first among fixed point's five", percent(summary["top5_agreement"]))
    if summary["labelled"]:
        table.add_row("views with a label", f"{summary['labelled']:,}")
        for kind in ("float", "fixed"):
            table.add_row(f"{kind} accuracy, top 1 and top 5", ", ".join(
                percent(summary[f"{kind}_top{count}_accuracy"]) for count in (1, 5)))
    table.add_row("SQNR of the features, dB: least, median, greatest",
                  ", ".join(map(decibels, summary["sqnr_db"].values())))
    table.add_row("SQNR of all features together, dB", decibels(summary["sqnr_db_aggregate"]))
    table.add_row("elements of linear tensors at a limit", f"{summary['saturated']:,}")
    table.add_section()
    table.add_row("views through the Verilog", f"{summary['rtl_views']:,}")
    table.add_row("elements compared", f"{summary['rtl_elements']:,}")
    table.add_row("elements that differ", f"{summary['rtl_mismatches']:,}")
    return table


def percent(part: float | None) -> str:
    """A part in percent; None for a part of nothing."""
    return "absent" if part is None else f"{part:.2%}"


def decibels(value: float | None) -> str:
    """A ratio with one decimal; None for no noise at all."""
    return "infinite" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    main(prog_name="python -m scripts.validate")
