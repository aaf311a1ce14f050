"""What is measured: each section is a table of rows that came out of a Bench."""
import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

from golden.network import Network
from hdl.plan.budget import ladder_rates, rung
from hdl.sim import SIMULATORS
from scripts.bench.runner import Bench, Job, Row

OURS = "verilator"
INSTALL_PYPY = ("apt-get install pypy3, and "
                "pypy3 -m pip install filelock h5py myhdl numpy pillow platformdirs "
                "scikit-image")
FRAMES = 4          # back to back, in a process of the throughput section


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
CASES: dict[str, dict[str, Any]] = {
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
FRAME: dict[str, tuple[str, dict[str, str]]] = {    # rows of the frame's table besides ours
    "hls4ml, C model": ("hls4ml", {}),
    "Keras, float32": ("keras", {"model": "float"}),
    "Keras, fixed point (the golden)": ("keras", {"model": "fixed"}),
}
# {axis: (points, those of --full)}
SCALES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "resolution": ([{"resolution": size} for size in (32, 96, 224)],
                   [{"resolution": size} for size in (32, 64, 96, 128, 160, 192, 224)]),
    "alpha": ([{"alpha": alpha, "resolution": 96} for alpha in (0.35, 1.0, 1.4)],
              [{"alpha": alpha, "resolution": 96} for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)]),
    "cycles": ([{"resolution": 224, "cycles": rate} for rate in (12_544, 50_176, 802_816)],
               [{"resolution": 224, "cycles": 12_544 * 4 ** step} for step in range(5)]),
}


def simulators(bench: Bench) -> list[Row]:
    """Every runner on every network; on a unit by itself ours and cocotb's."""
    table: list[Row] = []
    speeds: dict[str, float] = {}
    for case, which in CASES.items():
        rows: dict[str, Row] = {}
        jobs: dict[str, Job] = {}
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


def frame(bench: Bench) -> list[Row]:
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


def scaling(bench: Bench) -> list[Row]:
    """Golden, conversion, build and simulation along each axis; a point on two axes once."""
    table: list[Row] = []
    known: dict[tuple[tuple[str, float], ...], dict[str, Row]] = {}
    for axis, points in SCALES.items():
        for point in points[bench.full]:
            full = {"alpha": 1.0, "cycles": point["resolution"] ** 2, **point}
            key = tuple(sorted(full.items()))
            if key not in known:
                known[key] = steps(bench, full, f"{axis} {full[axis]:,}")
            table.append({"axis": axis, **full, **known[key]})
    return table


def steps(bench: Bench, point: dict[str, Any], label: str) -> dict[str, Row]:
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


def throughput(bench: Bench) -> list[Row]:
    """Frames back to back, in one process and in two at the same time."""
    job = Job("simulate", {"simulator": OURS, "resolution": 224, "frames": FRAMES})
    bench.run(Job("simulate", {"simulator": OURS, "resolution": 224}), "build")
    table = []
    for count in (1, 2):
        name = "1 process" if count == 1 else f"{count} processes"
        row: Row = {"name": name, "frames": count * FRAMES, "seconds": []}
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


def rates(bench: Bench) -> list[Row]:
    """Every rung of the ladder at 224 x 224: what it takes, and how long each step does."""
    table, network = [], Network(1.0, 224)
    for cycles in ladder_rates(network.resolution):
        row = rung(network.table, network.precision, cycles)
        point = {"alpha": network.alpha, "resolution": network.resolution, "cycles": cycles}
        table.append({
            **point, "multipliers": row.multipliers,
            "busy": row.ideal_multipliers / row.multipliers, "memory": row.memory,
            "latency": row.latency / cycles, **steps(bench, point, f"{cycles:,} cycles a frame")})
    return table


SECTIONS = {section.__name__: section
            for section in (simulators, frame, scaling, rates, throughput)}


def compared(case: str, rows: Mapping[str, Row], ours: Row) -> list[Row]:
    """Rows with their case, name, and how many times as long as ours they take for the same."""
    base = median(ours["seconds"]) if ours.get("seconds") else None
    return [{"case": case, "name": name, **row} | (
        {"times_ours": median(row["seconds"]) / base} if base and row.get("seconds") else {})
        for name, row in rows.items()]


def goals(sections: Mapping[str, dict[str, Any]]) -> list[Row]:
    """Each goal with what was measured; None where it was not."""
    found = []
    for section, case, name, least in GOALS:
        rows: list[Row] = sections.get(section, {}).get("rows", [])
        row = next((row for row in rows if (row.get("case"), row["name"]) == (case, name)), {})
        times = row.get("times_ours")
        found.append({"case": case, "than": name, "goal": least, "times": times,
                      "met": None if times is None else times >= least})
    return found
