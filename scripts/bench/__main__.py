"""Measure speed against what one would use instead, side by side in one run.

simulators: the same converted Verilog, and the MyHDL, in every simulator; frame: one photo through
Keras and through hls4ml's C model; scaling: golden, conversion, build and simulation against size
and rate; throughput: several frames, one and two processes.  Writes bench.json, the plots and the
tables of bench.md.  A run counts only if its output was compared and is right.
"""
import datetime
import json
import math
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import click
from rich.console import Console

from hdl.sim import SIMULATORS
from scripts.bench.jobs import INSTALL_BENCH
from scripts.bench.plots import plot
from scripts.shared.options import json_option, user_errors
from scripts.shared.tables import grid

ROOT = Path(__file__).resolve().parents[2]
OURS = "verilator"
WIDTH = 120
LONG = 60           # seconds; a run that takes longer is not repeated
INSTALL_PYPY = ("apt-get install pypy3, and "
                "pypy3 -m pip install filelock h5py myhdl numpy pillow platformdirs "
                "scikit-image")
PACKAGES = ("verilator", "cocotb", "hls4ml", "keras", "tensorflow-cpu", "tensorflow", "myhdl",
            "numpy")
TOOLS = {"g++": "--version", "iverilog": "-V", "ghdl": "--version", "pypy3": "--version"}


@dataclass(frozen=True)
class Job:
    """One of scripts.bench.jobs, and the Python that does it."""

    name: str
    arguments: dict
    python: str = sys.executable


@dataclass(frozen=True)
class Runner:
    """A row of the simulators' table: a job that takes any case."""

    job: str
    simulator: str
    python: str = sys.executable
    missing: str = ""       # said where ``python`` is not there


# Ours first: the other rows are divided by it.
RUNNERS = {
    OURS: Runner("simulate", OURS),
    "cocotb + Verilator": Runner("cocotb", "verilator"),
    "cocotb + Icarus": Runner("cocotb", "icarus"),
    **{name: Runner("simulate", name) for name in SIMULATORS if name != OURS},
    "myhdl, PyPy": Runner("simulate", "myhdl", "pypy3", f"PyPy is not installed: {INSTALL_PYPY}"),
}
CASES = {
    "register slice": {"unit": "register_slice", "resolution": 224},
    "block_2_expand": {"unit": "block_2_expand", "resolution": 224},
    "network, 32 × 32": {"resolution": 32},
    "network, 224 × 224": {"resolution": 224},
}
GOALS = (   # (section, case, row, times as fast as it)
    ("simulators", "register slice", "cocotb + Verilator", 100),
    ("simulators", "block_2_expand", "cocotb + Verilator", 100),
    ("simulators", "network, 224 × 224", "cocotb + Verilator", 4),
    ("frame", "224 × 224", "hls4ml, C model", 5),
)
FRAME = {   # rows of the frame's table besides ours
    "hls4ml, C model": ("hls4ml", {}),
    "Keras, float32": ("keras", {"model": "float"}),
    "Keras, fixed point (the golden)": ("keras", {"model": "fixed"}),
}
SCALES = {  # {axis: (points, those of --full)}
    "resolution": ([{"resolution": size} for size in (32, 96, 224)],
                   [{"resolution": size} for size in (32, 64, 96, 128, 160, 192, 224)]),
    "alpha": ([{"alpha": alpha, "resolution": 96} for alpha in (0.35, 1.0, 1.4)],
              [{"alpha": alpha, "resolution": 96} for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)]),
    "cycles": ([{"resolution": 224, "cycles": rate} for rate in (12_544, 50_176, 802_816)],
               [{"resolution": 224, "cycles": 12_544 * 4 ** step} for step in range(5)]),
}
PLOTS = {"simulators": "cycles a second of each runner", "frame": "seconds a frame",
         "scaling": "time and memory against size and rate"}
FRAMES = 4          # back to back, in a process of the throughput section


class Bench:
    """Runs jobs, each in a process of its own, with their builds in ``work``."""

    def __init__(self, work, repeats, limit, full=False, report=lambda text: None):
        self.work, self.repeats, self.limit, self.full = Path(work), repeats, limit, full
        self.report = report
        self.stored = self.work / "builds.json"
        self.builds = json.loads(self.stored.read_text()) if self.stored.exists() else {}

    def run(self, job, label):
        """Do a job: its result with ``peak_mb`` of it and its children, or only ``error``."""
        self.report(label)
        environment = {**os.environ, "MNV2_BUILD_DIR": str(self.work),
                       "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [job.python, "-m", "scripts.bench.jobs", job.name, json.dumps(job.arguments)]
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT,
                                       env=environment, start_new_session=True)
            status, usage = wait(process, self.limit)
            output.seek(0), errors.seek(0)
            lines, said = output.read().splitlines(), errors.read().strip().splitlines()
        if status is None:
            return {"error": f"did not end in {self.limit:g} s", "seconds_more_than": self.limit}
        if status and not (lines and lines[-1].startswith('{"error"')):
            return {"error": said[-1] if said else f"ended with status {status}"}
        result = json.loads(lines[-1])
        if result.get("mismatches"):
            return {"error": f"{result['mismatches']:,} of {result['elements']:,} integers are "
                             "not the golden's", "wrong": True}
        return result | {"peak_mb": usage.ru_maxrss / 1024}

    def repeat(self, jobs, case, expect=lambda name, rows: 0):
        """Do each of {row: Job} ``repeats`` times, in turns; {row: merged results}.

        expect -- expect(row, rows so far) foretells a run's seconds; past the limit it is left out
        """
        rows = {}
        for turn in range(self.repeats):
            for name, job in jobs.items():
                if turn == 0:
                    rows[name] = {"seconds": []}
                    seconds = expect(name, rows)
                    if seconds > self.limit:
                        rows[name] = {"error": f"not run: about {seconds:,.0f} s at its speed in "
                                               f"the case above, limit {self.limit:g} s"}
                row = rows[name]
                if "error" in row or row["seconds"] and max(row["seconds"]) > LONG:
                    continue
                result = self.run(job, f"{case}: {name}, run {turn + 1} of {self.repeats}")
                self.merge(row, result, json.dumps([job.name, job.arguments]))
        return rows

    def merge(self, row, result, key):
        """Add a run's result to its row; what built the model is no memory of the run."""
        if "error" in result:
            row.clear()
            row.update(result)
            return
        seconds, peak = result.pop("seconds"), result.pop("peak_mb")
        row["seconds"] += seconds if isinstance(seconds, list) else [seconds]
        if result.get("build_seconds"):
            self.builds[key] = {"build_seconds": result["build_seconds"], "build_peak_mb": peak}
            self.stored.write_text(json.dumps(self.builds))
            row["peak_mb"] = row.get("peak_mb")
        else:
            row["peak_mb"] = max(peak, row.get("peak_mb") or 0)
        row.update(self.builds.get(key, {}))
        row.update((name, value) for name, value in result.items() if name != "build_seconds")


def wait(process, limit):
    """(exit status, resource usage) of a process and its children; status None past the limit."""
    ends = time.monotonic() + limit
    try:
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, usage
            if time.monotonic() > ends:
                return None, None
            time.sleep(0.05)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def simulators(bench):
    """Every runner on every network; on a unit by itself ours and cocotb's."""
    table, speeds = [], {}
    for case, which in CASES.items():
        rows, jobs = {}, {}
        for name, runner in RUNNERS.items():
            if "unit" in which and name != OURS and runner.job != "cocotb":
                continue
            rows[name] = {"error": runner.missing}
            if shutil.which(runner.python):
                jobs[name] = Job(runner.job, {"simulator": runner.simulator, **which},
                                 runner.python)
        rows |= bench.repeat(jobs, case, lambda name, done: (
            done[OURS].get("cycles", 0) / speeds[name] if name in speeds else 0))
        for name, row in rows.items():
            if "unit" in which:
                continue
            if "error" not in row:
                speeds[name] = row["cycles"] / median(row["seconds"])
            elif "seconds_more_than" in row and "cycles" in rows[OURS]:     # at the best
                speeds[name] = rows[OURS]["cycles"] / row["seconds_more_than"]
        table += compared(case, rows, rows[OURS])
    return table


def frame(bench):
    """A frame of 224 x 224 through the hardware's simulation, Keras, and hls4ml's C model."""
    case = "224 × 224"
    size = {"alpha": 1.0, "resolution": 224}
    rows = bench.repeat({OURS: Job("simulate", {"simulator": OURS, "resolution": 224})}, case)
    for name, (job, arguments) in FRAME.items():
        # One process for all repeats: what they load takes longer than what is timed.
        single = Bench(bench.work, 1, bench.limit, report=bench.report)
        rows |= single.repeat(
            {name: Job(job, {**size, **arguments, "repeats": bench.repeats})}, case)
    return compared(case, rows, rows[OURS])


def scaling(bench):
    """Golden, conversion, build and simulation along each axis; a point on two axes once."""
    table, known = [], {}
    for axis, points in SCALES.items():
        for point in points[bench.full]:
            full = {"alpha": 1.0, "cycles": point["resolution"] ** 2, **point}
            key = tuple(sorted(full.items()))
            if key not in known:
                known[key] = steps(bench, full, f"{axis} {full[axis]:,}")
            table.append({"axis": axis, **full, **known[key]})
    return table


def steps(bench, point, label):
    """{step: its seconds and peak_mb, or error} of one network."""
    size = {"alpha": point["alpha"], "resolution": point["resolution"]}
    # As the other sections name it, so that a model is built once.
    which = {name: value for name, value in point.items()
             if (name, value) not in (("alpha", 1.0), ("cycles", point["resolution"] ** 2))}
    bench.run(Job("cache_golden", size), f"{label}: golden")
    simulation = bench.repeat({OURS: Job("simulate", {"simulator": OURS, **which})}, label)[OURS]
    return {"golden": bench.run(Job("golden", size), f"{label}: golden"),
            "conversion": bench.run(Job("convert", which), f"{label}: conversion"),
            "build": {"seconds": simulation.pop("build_seconds", None),
                      "peak_mb": simulation.pop("build_peak_mb", None)},
            "simulation": simulation}


def throughput(bench):
    """Frames back to back, in one process and in two at the same time."""
    job = Job("simulate", {"simulator": OURS, "resolution": 224, "frames": FRAMES})
    bench.run(Job("simulate", {"simulator": OURS, "resolution": 224}), "build")
    table = []
    for count in (1, 2):
        row = {"name": f"{count} process{'es' * (count > 1)}", "frames": count * FRAMES,
               "seconds": []}
        for turn in range(bench.repeats):
            label = f"{row['name']}, {FRAMES} frames each, run {turn + 1} of {bench.repeats}"
            with ThreadPoolExecutor(count) as pool:
                found = list(pool.map(lambda _: bench.run(job, label), range(count)))
            wrong = [result for result in found if "error" in result]
            if wrong:
                row = {"name": row["name"], **wrong[0]}
                break
            row["seconds"].append(max(result["seconds"] for result in found))
            row["peak_mb"] = max(result["peak_mb"] for result in found)
        table.append(row)
    return table


SECTIONS = {section.__name__: section for section in (simulators, frame, scaling, throughput)}


def compared(case, rows, ours):
    """Rows with their case, name, and how many times as long as ours they take for the same."""
    base = median(ours["seconds"]) if ours.get("seconds") else None
    return [{"case": case, "name": name, **row} | (
        {"times_ours": median(row["seconds"]) / base} if base and row.get("seconds") else {})
        for name, row in rows.items()]


def goals(sections):
    """Each goal with what was measured; None where it was not."""
    found = []
    for section, case, name, least in GOALS:
        row = next((row for row in sections.get(section, {}).get("rows", ())
                    if (row.get("case"), row["name"]) == (case, name)), {})
        times = row.get("times_ours")
        found.append({"case": case, "than": name, "goal": least, "times": times,
                      "met": None if times is None else times >= least})
    return found


def spread(seconds):
    """Median and range of seconds, three digits: ``1.62 s (1.60 to 1.70)``."""
    middle = median(seconds)
    unit, scale = next((unit for unit in (("s", 1), ("ms", 1e3)) if middle * unit[1] >= 0.1),
                       ("µs", 1e6))
    shown, low, high = (digits(value * scale) for value in (middle, min(seconds), max(seconds)))
    return f"{shown} {unit}" + (f" ({low} to {high})" if len(seconds) > 1 else "")


def digits(value):
    """A positive number with three digits, or as many as it has before the point."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def number(value, form=",.0f"):
    """A number, or a dash for none."""
    return "-" if value is None else format(value, form)


def speed(row):
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
    "throughput": (
        ("what", lambda row: row["name"]),
        ("frames", lambda row: str(row["frames"])),
        ("time", lambda row: spread(row["seconds"])),
        ("frames\n/hour", lambda row: number(3600 * row["frames"] / median(row["seconds"]))),
        ("peak each,\nMB", lambda row: number(row["peak_mb"]))),
}


def stage(result):
    """Seconds and peak MB of one step of the scaling section, or why there are none."""
    seconds = result.get("seconds")
    if not seconds:
        return result.get("error", "-")
    return (f"{spread(seconds if isinstance(seconds, list) else [seconds])}; "
            f"{number(result.get('peak_mb'))} MB")


def cells(section, row):
    """(cells of a row, the error that follows them or '')."""
    columns = COLUMNS[section]
    if "error" in row:
        named = [words(row) for head, words in columns if head in WORDS]
        return named, row["error"]
    return [words(row) for _, words in columns], ""


def tell(console, document):
    """Print every section's table, and the goals."""
    for name, section in document["sections"].items():
        heads = [head for head, _ in COLUMNS[name]]
        table = grid(name, *heads, text=sum(head in WORDS for head in heads))
        notes = []
        for row in section["rows"]:
            shown, error = cells(name, row)
            table.add_row(*shown, *["*"] * bool(error))
            notes += [f"* {', '.join(shown)}: {error}"] * bool(error)
        console.print(table, *notes, sep="\n", highlight=False, soft_wrap=True)
    for goal in document["goals"]:
        console.print(goal_sentence(goal), highlight=False)


def goal_sentence(goal):
    """What was asked for and what was measured."""
    measured = {None: "not measured", True: f"{goal['times'] or 0:.1f} times: met",
                False: f"{goal['times'] or 0:.1f} times: not met"}[goal["met"]]
    return f"{goal['case']}: {goal['goal']} times as fast as {goal['than']}: {measured}"


def markdown(name, section):
    """A section's table for bench.md."""
    heads = [head.replace("\n", " ").replace(" /", "/") for head, _ in COLUMNS[name]]
    lines = [f"Measured {section['date']}, {section['machine']}; {section['repeats']} runs, "
             "median (least to most).", "", "| " + " | ".join(heads) + " |",
             "|" + "|".join("---" if head in WORDS else "---:" for head in heads) + "|"]
    for row in section["rows"]:
        shown, error = cells(name, row)
        shown += [error] * bool(error)
        lines.append("| " + " | ".join(shown + [""] * (len(heads) - len(shown))) + " |")
    if name in PLOTS:
        lines += ["", f"![{PLOTS[name]}](bench-{name}.svg)"]
    return "\n".join(lines)


def fill(text, document):
    """The page with the tables between its marks ``<!-- name -->`` and ``<!-- end -->`` renewed."""
    parts = {name: markdown(name, section) for name, section in document["sections"].items()}
    parts["goals"] = "\n".join(f"- {goal_sentence(goal)}" for goal in document["goals"])
    for name, table in parts.items():
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                      lambda mark: f"{mark[1]}{table}\n{mark[2]}", text, flags=re.DOTALL)
    return text


def machine():
    """The processor, how many, and what else kept it busy."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() \
        if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return (f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f} before")


def versions():
    """{package or tool: version} of all that is there."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            pass
    for tool, option in TOOLS.items():
        if shutil.which(tool):
            said = subprocess.run([tool, option], capture_output=True, text=True)
            found[tool] = (said.stdout or said.stderr).splitlines()[0]
    return found


def write(out, document):
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
              default=ROOT / "docs", help="Where to write.  [default: docs]")
@json_option
@user_errors
def main(only, repeats, limit, full, work, out, as_json):
    """Measure the sections."""
    stored, sections = out / "bench.json", {}
    if only and stored.exists():
        sections = json.loads(stored.read_text(encoding="utf-8"))["sections"]
    with ExitStack() as stack:
        status = stack.enter_context(Console(stderr=True).status("starting"))
        if work is None:
            work = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        Path(work).mkdir(parents=True, exist_ok=True)
        for name in only or SECTIONS:
            about = {"date": datetime.date.today().isoformat(), "machine": machine(),
                     "repeats": repeats, "versions": versions()}
            bench = Bench(Path(work).resolve(), repeats, limit, full,
                          lambda text: status.update(f"{name}, {text}"))
            sections[name] = {**about, "rows": SECTIONS[name](bench)}
    document = {"sections": {name: sections[name] for name in SECTIONS if name in sections},
                "goals": goals(sections)}
    note = write(out, document)
    if as_json:
        click.echo(json.dumps(document))
    else:
        console = Console(width=WIDTH)
        tell(console, document)
        console.print(f"written to {out}", note, sep="\n" if note else "")
    if any("wrong" in row for section in sections.values() for row in section["rows"]):
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m scripts.bench")
