"""Run a photo through the hardware and hold every unit's output against its golden, bit for bit.

Without PHOTO it takes the cat that scikit-image ships.  Exit status 0 only if nothing differs.
"""
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from golden import build, store
from golden.classify import class_name, classify
from golden.errors import GoldenError
from golden.metrics import finite, sqnr_db
from golden.network import Network
from hdl.build import default_build_dir
from hdl.layers import Unit
from hdl.plan.config import UnitConfig, configure_network
from hdl.plan.network import Plan, plan_network
from hdl.sim.network import (Comparison, Difference, compare, cycle_of, frame_words, products,
                             run_frames)
from hdl.sim.trace import Run
from hdl.sim.waves.files import check_wave_file, window, write_wave
from hdl.sim.waves.perfetto import check_trace_file, write_trace
from hdl.sim.waves.signals import TOP, expected_signals, signals_of, streams
from scripts.shared import recording
from scripts.shared.json_output import output, versioned
from scripts.shared.options import (cycles_per_frame_option, json_option, network_options,
                                    pairs_option, seed_option, simulator_option, user_errors,
                                    wave_options)
from scripts.shared.tables import show

# How much the wave of a difference shows before and after it: so many cycles, or so many pixels of
# the unit's output at the rate of the design, whichever is longer.
AROUND, AROUND_PIXELS = 200, 2


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path), required=False)
@network_options
@cycles_per_frame_option
@pairs_option
@simulator_option
@seed_option
@click.option("--frames", type=click.IntRange(min=1), default=1, show_default=True,
              help="The photo so many times back to back; 2 or more show the steady interval.")
@click.option("--adders", metavar="UNIT", default=None,
              help="Compute the products of this unit, whose weights are constants at the rate, as "
                   "additions that they share.")
@click.option("--classify", "with_top", is_flag=True,
              help="Add the 1000-class top, computed on the CPU, where the weights have one.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE.h5", default=None,
              help="Keep in a file what scripts.report draws: when every beat moved, and maps of "
                   "what differs.")
@wave_options
@json_option
@user_errors
def main(photo: Path | None, network: Network, cycles_per_frame: int | None, pairs: int | None,
         simulator: str, seed: int | None, frames: int, adders: str | None, with_top: bool,
         record: Path | None, wave: Path | None, wave_cycles: range, trace: Path | None,
         as_json: bool) -> None:
    """Cosimulate one photo."""
    if record:
        recording.check_place(record)
    if wave:
        check_wave_file(wave)
    if trace:
        check_trace_file(trace)
    cycles = cycles_per_frame or network.pixels
    plan = plan_network(network.table, network.precision, cycles, frames, pairs)
    with Console(stderr=True).status("reading") as status:
        top = classifier(network, status.update) if with_top else None
        golden, golden_times = read_golden(network, photo, status.update)
        status.update("configuring and building the hardware")
        configs, run, outputs, run_times = simulate(plan, golden, simulator, seed, frames,
                                                    status.update, adders)
        status.update("comparing")
        comparisons = [compare(config.unit, np.stack([golden.fixed[config.unit.name]] * frames),
                               outputs[config.unit.name]) for config in configs]
        status.update("writing waves")
        began = time.perf_counter()
        if wave:
            write_wave(wave, signals_of(run, streams(configs)), window(wave_cycles, run.cycles),
                       {TOP})
        if trace:
            write_trace(trace, run, configs, frames)
        run_times["wave_seconds"] = time.perf_counter() - began
        first = next((each.first for each in comparisons if each.first), None)
        difference = first and wave_of_difference(first, configs, run, golden, plan)
    summary = summarise(comparisons, golden, configs, run, frames)
    if seed is None:
        summary["beats"] = plan.beats
        summary["off_schedule"] = off_schedule(plan.leave, run)
        summary["ok"] &= summary["off_schedule"] == 0
    summary.update(
        wave=wave and str(wave), trace=trace and str(trace), difference=difference,
        **golden_times, **run_times, cycles_per_frame=cycles, pairs=pairs, simulator=simulator,
        alpha=network.alpha, resolution=network.resolution, precision=network.precision.name,
        weights=network.weights, left_out=golden.attributes["left_out"], frames=frames)
    if top:
        summary["classes"] = likeliest(configs[-1].unit, outputs, golden, top)
    if record:
        recording.write(record, recording.recorded(
            versioned(summary), golden, configs, run, outputs, frames))
    output(summary, as_json, tell)


def read_golden(network: Network, photo: Path | None,
                report: Callable[[str], None]) -> tuple[store.Golden, dict[str, float]]:
    """(the golden of a photo, from the cache or made; how long that took, for the summary)."""
    started = time.perf_counter()
    path, reused = build.cached(network, photo, report)
    golden = store.read(path)
    return golden, {"golden_seconds": time.perf_counter() - started, "golden_reused": reused}


def simulate(plan: Plan, golden: store.Golden, simulator: str, seed: int | None, frames: int,
             report: Callable[[str], None], adders: str | None
             ) -> tuple[tuple[UnitConfig, ...], Run, dict[str, np.ndarray], dict[str, float]]:
    """Run the golden's photo through the plan's hardware.

    adders -- the unit whose products are computed as additions; None: no unit's

    Returns (UnitConfig of every unit, the Run, {unit: its output}, how long that took, for the
    summary).
    """
    started = time.perf_counter()
    configs = configure_network(plan.units, golden.params)
    if adders:
        from scripts.silicon.graphs import with_adders
        configs = with_adders(configs, golden.params, adders)
    run, outputs = run_frames(
        simulator, configs, np.stack([golden.fixed["input"]] * frames), seed,
        plan.cycles_per_frame, progress=lambda cycle: report(f"simulating, cycle {cycle:,}"))
    return configs, run, outputs, {
        "build_seconds": time.perf_counter() - started - run.seconds,
        "build_reused": bool(run.build.get("reused")), "simulate_seconds": run.seconds}


def wave_of_difference(first: Difference, configs: Sequence[UnitConfig], run: Run,
                       golden: store.Golden, plan: Plan) -> dict[str, Any]:
    """Write the wave of all streams around the first difference, for the summary: the file and the
    cycle in which the element moved.

    The unit's output has what was expected beside what came.
    """
    config = next(config for config in configs if config.unit.name == first.unit)
    cycle = cycle_of(run[first.unit], config, first)
    shown = streams(configs)
    signals = signals_of(run, shown)
    if config.stream_out().creep is None:   # left-overs of creeping tiles are no part of the golden
        expected = frame_words(config.stream_out(),
                               np.stack([golden.fixed[first.unit]] * plan.frames))
        signals += expected_signals(shown[first.unit], expected, run[first.unit],
                                    run.handshakes[first.unit])
    around = max(AROUND, AROUND_PIXELS * plan.cycles_per_frame // config.unit.pixels_out)
    wave = default_build_dir("waves") / f"{first.unit}.vcd"
    wave.parent.mkdir(parents=True, exist_ok=True)
    write_wave(wave, signals, range(max(cycle - around, 0), min(cycle + around, run.cycles)),
               {first.unit}, cycle)
    return {"wave": str(wave), "cycle": cycle}


def likeliest(last: Unit, outputs: Mapping[str, np.ndarray], golden: store.Golden,
              top: tuple[np.ndarray, np.ndarray]) -> list[dict[str, Any]]:
    """The five likeliest classes of the last frame's features, for the summary.

    last -- the unit that they leave
    top  -- (kernel (features, 1000), bias (1000,))
    """
    features = outputs[last.name][-last.pixels_out * last.channels_out:].reshape(
        last.size_out, last.size_out, last.channels_out) * golden.scales[last.name]
    return [{"class": index, "name": class_name(index), "probability": value}
            for index, value in classify(features, *top)]


def classifier(network: Network, report: Callable[[str], None]) -> tuple[np.ndarray, np.ndarray]:
    """(kernel (features, 1000), bias (1000,)) of the weights' top; GoldenError where they have
    none."""
    report("reading the classifier")
    top = None
    if network.weights != "seeded":
        from golden.model import classifier as read
        top = read(network.weights, network.alpha)
    if top is None:
        raise GoldenError(f"weights {network.weights} have no 1000-class top: leave --classify "
                          "away, or give a file with the whole network")
    return top


def summarise(comparisons: Sequence[Comparison], golden: store.Golden,
              configs: Sequence[UnitConfig], run: Run, frames: int) -> dict[str, Any]:
    """Comparisons, products and cycles as a dict of plain values."""
    made = products(configs, run)
    units: list[dict[str, Any]] = [
        {"name": c.unit.name, "stage": c.unit.stage, "elements": c.elements,
         "shape": [c.unit.size_out, c.unit.size_out, c.unit.channels_out],
         "mismatches": c.mismatches, "macs": c.unit.macs, "products": made[c.unit.name],
         "sqnr_db": finite(sqnr_db(golden.float[c.unit.name], golden.fixed[c.unit.name],
                                   golden.scales[c.unit.name]))} for c in comparisons]
    stages: list[dict[str, Any]] = []
    for stage in dict.fromkeys(unit["stage"] for unit in units):
        members = [unit for unit in units if unit["stage"] == stage]
        stages.append({"name": stage, "shape": members[-1]["shape"], "units": len(members),
                       "elements": sum(unit["elements"] for unit in members),
                       "mismatches": sum(unit["mismatches"] for unit in members),
                       "sqnr_db": members[-1]["sqnr_db"]})
    first = next((c.first for c in comparisons if c.first), None)
    features = run["m_axis"].cycles.reshape(frames, -1)
    pixels = run["s_axis"].cycles.reshape(frames, -1)
    interval = features[-1, -1] - features[-2, -1] if frames > 1 \
        else pixels[0, -1] - pixels[0, 0] + 1
    return {"ok": all(unit["mismatches"] == 0 and unit["products"] == frames * unit["macs"]
                      for unit in units), "stages": stages,
            "units": units, "first_difference": first and str(first),
            "initiation_interval": int(interval),
            "input_stalls": int(run.input_stalls["s_axis"]),
            "latency_cycles": int(features[0, -1] - pixels[0, 0] + 1),
            "first_feature_cycles": int(features[0, 0] - pixels[0, 0] + 1),
            "cycles": int(run.cycles), "macs": sum(unit["macs"] for unit in units),
            "products_per_frame": sum(unit["products"] for unit in units) // frames,
            "multipliers": sum(config.folding.multipliers for config in configs)}


def off_schedule(leave: Mapping[str, np.ndarray], run: Run) -> int:
    """Beats of all units' outputs that did not move in the cycle that the schedule says."""
    return int(sum((run[name].cycles != times).sum() if len(run[name].cycles) == len(times)
                   else len(times) for name, times in leave.items()))


def tell(summary: dict[str, Any]) -> None:
    """Print the summary for people."""
    console = Console()
    show(stage_table(summary))
    if summary["first_difference"]:
        console.print(f"first difference: {summary['first_difference']}", style="bold red")
        console.print(f"in cycle {summary['difference']['cycle']:,}; the wave around it is "
                      f"{summary['difference']['wave']}", style="bold red", soft_wrap=True)
    for line in sentences(summary):
        console.print(line)
    for row in summary.get("classes", ()):
        console.print(f"class {row['class']:3d} {row['name'] or '':24s} {row['probability']:.4f}")
    equal = summary["first_difference"] is None and all(
        stage["mismatches"] == 0 for stage in summary["stages"])
    console.print("every element equals its golden" if equal else "NOT equal",
                  style="bold green" if equal else "bold red")
    for unit in summary["units"]:
        if unit["products"] != summary["frames"] * unit["macs"]:
            console.print(f"unit {unit['name']} made {unit['products']:,} products, not "
                          f"{summary['frames'] * unit['macs']:,}", style="bold red")
    if summary.get("off_schedule"):
        console.print("NOT as scheduled", style="bold red")


def stage_table(summary: dict[str, Any]) -> Table:
    """A row for each stage, and their sums."""
    table = Table(title=f"MobileNetV2 alpha {summary['alpha']}, {summary['resolution']} x "
                        f"{summary['resolution']}, {summary['precision']}, {summary['weights']} "
                        f"weights, {summary['simulator']}")
    for name in ("stage", "shape", "units", "elements compared", "mismatches", "SQNR, dB"):
        table.add_column(name, justify="left" if name in ("stage", "shape") else "right")
    for stage in summary["stages"]:
        table.add_row(stage["name"], " x ".join(map(str, stage["shape"])), str(stage["units"]),
                      f"{stage['elements']:,}", f"{stage['mismatches']:,}",
                      "infinite" if stage["sqnr_db"] is None else f"{stage['sqnr_db']:.1f}")
    table.add_section()
    table.add_row("all", "", str(len(summary["units"])),
                  f"{sum(stage['elements'] for stage in summary['stages']):,}",
                  f"{sum(stage['mismatches'] for stage in summary['stages']):,}", "")
    return table


def sentences(summary: dict[str, Any]) -> Iterator[str]:
    """What was measured besides: rate, latency, schedule, and how long it all took."""
    several = summary["frames"] > 1
    measure = "between frames" if several else "of the frame's input"
    frames = f"{summary['frames']} frames" if several else "1 frame"
    reused = {True: " (cached)", False: ""}
    yield (f"designed for {summary['cycles_per_frame']:,} cycles a frame with "
           f"{summary['multipliers']:,} multipliers; {summary['macs']:,} multiply-accumulates "
           f"a frame, {summary['products_per_frame']:,} products counted in the simulation")
    yield (f"initiation interval {summary['initiation_interval']:,} cycles {measure}, input "
           f"stalls {summary['input_stalls']:,}")
    yield (f"latency {summary['latency_cycles']:,} cycles from first pixel to last feature, "
           f"{summary['first_feature_cycles']:,} to the first; {summary['cycles']:,} cycles for "
           f"{frames}")
    if summary["left_out"]:
        yield summary["left_out"]
    if summary["wave"]:
        yield f"wave {summary['wave']}, with views for GTKWave and Surfer beside it"
    if summary["trace"]:
        yield f"trace {summary['trace']}, for Perfetto"
    if "beats" in summary:
        yield (f"{summary['beats']:,} beats of all units, {summary['off_schedule']:,} of them not "
               "in the cycle that the schedule says")
    yield (f"golden {summary['golden_seconds']:.1f} s{reused[summary['golden_reused']]}, build "
           f"{summary['build_seconds']:.1f} s{reused[summary['build_reused']]}, simulation "
           f"{summary['simulate_seconds']:.1f} s")


if __name__ == "__main__":
    main(prog_name="python -m scripts.cosim")
