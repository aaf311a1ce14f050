"""Run the chain many times at random: stalls on both sides, resets in any cycle, faulty video.

Each run has a seed: video of good frames and of frames with every fault, a stall pattern for
either side, up to two resets.  Every element that leaves is compared with what Keras makes of the
mended frame, every mark with the fault, and every stream inside is held to its rules.  Exit status
0 only if nothing differs and nothing hangs; a run that fails is printed with the command that
repeats it.
"""
import shlex
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress

from golden import photo as photos
from golden.build import Reference, cache_folder
from golden.network import Network
from hdl.beats import tiled, untiled
from hdl.build import Processes, cores
from hdl.convert.video import RGB, VideoOutside
from hdl.plan.config import UnitConfig, configure_network, memory_files
from hdl.plan.network import Plan, plan_network
from hdl.sim.design import Built, compiled
from hdl.sim.video import frame_shape, video_design
from hdl.units.video import UG934
from scripts.shared.json_output import output
from scripts.shared.options import (cycles_per_frame_option, json_option, network_options,
                                    user_errors)
from scripts.stress.runs import Bench, Outcome, bench_configs, judge, packed, pictures_of, several

PHOTOS = ("chelsea.png", "coffee.png", "rocket.jpg")
BATCH = 64      # frames that Keras computes at a time
CHUNK = 4       # runs that a process does at a time
SHOWN = 5       # runs that fail, told one by one


@click.command(help=__doc__, context_settings={
    "default_map": {"alpha": 0.35, "resolution": 32, "precision": "w8a8"}})
@click.option("--runs", type=click.IntRange(min=1), default=1000, show_default=True,
              help="How many runs, each of a seed of its own.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Seed of the first run; the others count up from it.")
@network_options
@cycles_per_frame_option
@json_option
@user_errors
def main(runs: int, seed: int, network: Network, cycles_per_frame: int | None,
         as_json: bool) -> None:
    """Stress the chain."""
    started = time.perf_counter()
    cycles = cycles_per_frame or network.pixels
    console = Console(stderr=True)
    with console.status("reading") as status:
        reference = Reference(network, status.update, cache_folder())
        plan = plan_network(network.table, network.precision, cycles)
        configs = configure_network(plan.units, reference.params)
        status.update("building the hardware")
        bench = make_bench(configs, plan)
        model = compiled(bench.design, None, "verilator", ("s_axis",))
    built = time.perf_counter() - started
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("simulating", total=runs)
        outcomes = []
        for outcome in simulated(bench, model, memory_files(configs),
                                 range(seed, seed + runs)):
            outcomes.append(outcome)
            progress.advance(task)
        simulated_in = time.perf_counter() - started - built
        frames = {name: frame for outcome in outcomes
                  for name, frame in pictures_of(bench, outcome).items()}
        task = progress.add_task("Keras", total=len(frames))
        results = {}
        for name, result in computed(reference, configs, frames):
            results[name] = result
            progress.advance(task)
    summary = summarise(bench, outcomes, results)
    summary |= {"runs": runs, "seed": seed, "cycles_per_frame": cycles, "alpha": network.alpha,
                "resolution": network.resolution, "precision": network.precision.name,
                "weights": network.weights, "build_seconds": built,
                "simulate_seconds": simulated_in,
                "seconds": time.perf_counter() - started}
    for failure in summary["failures"]:
        failure["command"] = again(failure["seed"], network, cycles_per_frame)
    output(summary, as_json, tell)


def make_bench(configs: tuple[UnitConfig, ...], plan: Plan) -> Bench:
    """The chain with video around it, and the pictures: photos, black, white, a board, noise."""
    cycles, tile = plan.cycles_per_frame, configs[0].stream_in().tile
    patience = max(2 * cycles, 256)
    outside = VideoOutside(patience, plan.latency // cycles + 2)
    size = configs[0].unit.size_in
    rng = np.random.default_rng(0)
    board = (np.indices((size, size)).sum(0) % 2 * 255)[..., None].repeat(3, 2)
    images = [photos.fit(photos.shipped(name), size) for name in PHOTOS]
    images += [np.zeros((size, size, 3)), np.full((size, size, 3), 255), board,
               rng.integers(0, 256, (size, size, 3))]
    order = [RGB.index(component) for component in UG934]
    beats = tiled(np.stack(images)[..., order].astype(int), tile)
    return Bench(video_design(configs, outside), beats.reshape(len(images), -1, beats.shape[-1]),
                 frame_shape(configs), cycles, patience, bench_configs(configs), plan.latency)


def simulated(bench: Bench, model: Built, memories: dict[str, str], seeds: range
              ) -> Iterator[Outcome]:
    """The Outcome of every seed, in any order, from as many processes as there are cores."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in memories.items():
            Path(folder, name).write_text(text)
        job = packed(bench, model, folder)
        chunks = [seeds[at:at + CHUNK] for at in range(0, len(seeds), CHUNK)]
        if len(chunks) == 1:
            yield from several(job, chunks[0])
            return
        with Processes(cores()) as pool:
            try:
                for future in as_completed([pool.submit(several, job, chunk)
                                            for chunk in chunks]):
                    yield from future.result()
            except BaseException:
                pool.end()
                raise


def computed(reference: Reference, configs: tuple[UnitConfig, ...],
             frames: dict[bytes, np.ndarray]) -> Iterator[tuple[bytes, np.ndarray]]:
    """(key, integers (beats, elements)) that the fixed-point network makes of each frame."""
    shape, last = configs[0].stream_in(), configs[-1]
    size, names = configs[0].unit.size_in, list(frames)
    order = [UG934.index(component) for component in RGB]
    for at in range(0, len(names), BATCH):
        chosen = names[at:at + BATCH]
        beats = np.concatenate([frames[name] for name in chosen])
        row = -(-size // shape.tile) * shape.tile
        images = untiled(beats, shape.tile, row)[:, :size, :size, order]
        outputs = reference.fixed_model(
            photos.pixels_to_integers(images.astype(np.uint8)).astype(np.float64), training=False)
        made = np.asarray(outputs[last.unit.name]).astype(np.int64)
        for name, features in zip(chosen, made):
            yield name, tiled(features[None], last.stream_out().tile).reshape(
                -1, last.stream_out().elements)


def summarise(bench: Bench, outcomes: Iterable[Outcome], results: dict[bytes, np.ndarray]
              ) -> dict[str, Any]:
    """All runs as a dict of plain values."""
    total: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    stalls: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.seed):
        verdict = judge(bench, outcome, results)
        total.update(vars(verdict))
        total.update(cycles=outcome.cycles, resets=len(outcome.segments) - 1,
                     hangs=outcome.hang, broken_rules=bool(outcome.error) and not outcome.hang)
        faults.update(outcome.faults)
        stalls.update(set(outcome.stalls))
        if outcome.error or verdict.differences or verdict.marks:
            failures.append({"seed": outcome.seed, "error": outcome.error,
                             "differences": verdict.differences, "marks": verdict.marks})
    return {"ok": not failures, "frames": total["frames"], "cut_frames": total["cut"],
            "damaged_frames": total["damaged"], "elements": total["elements"],
            "differences": total["differences"], "wrong_marks": total["marks"],
            "hangs": total["hangs"], "broken_rules": total["broken_rules"],
            "resets": total["resets"], "simulated_cycles": total["cycles"],
            "streams": len(bench.design.ports) + len(bench.design.monitors),
            "faults": dict(sorted(faults.items())), "stalls": dict(sorted(stalls.items())),
            "failures": failures}


def again(seed: int, network: Network, cycles_per_frame: int | None) -> str:
    """The command that does one run again."""
    words = ["python", "-m", "scripts.stress", "--runs", "1", "--seed", str(seed), "--alpha",
             f"{network.alpha:g}", "--resolution", str(network.resolution), "--precision",
             network.precision.name, "--weights", str(network.weights)]
    if cycles_per_frame:
        words += ["--cycles-per-frame", str(cycles_per_frame)]
    return shlex.join(words)


def tell(summary: dict[str, Any]) -> None:
    """Print the summary for people."""
    console = Console()
    console.print(
        f"{summary['runs']:,} runs of MobileNetV2 alpha {summary['alpha']}, "
        f"{summary['resolution']} x {summary['resolution']}, {summary['precision']}, "
        f"{summary['cycles_per_frame']:,} cycles a frame: {summary['frames']:,} frames, "
        f"{summary['damaged_frames']:,} of them damaged, {summary['resets']:,} resets, "
        f"{summary['cut_frames']:,} frames cut by them, {summary['simulated_cycles']:,} cycles")
    for what in ("faults", "stalls"):
        console.print(f"{what}, in so many runs: " + ", ".join(
            f"{name.replace('_', ' ')} {count:,}" for name, count in summary[what].items()))
    console.print(
        f"{summary['elements']:,} elements compared, {summary['differences']:,} differ; "
        f"{summary['wrong_marks']:,} marks wrong, {summary['hangs']:,} hangs, "
        f"{summary['broken_rules']:,} rules broken on {summary['streams']} streams")
    console.print(f"build {summary['build_seconds']:.0f} s, simulation "
                  f"{summary['simulate_seconds']:.0f} s, all {summary['seconds']:.0f} s")
    for failure in summary["failures"][:SHOWN]:
        console.print(f"seed {failure['seed']}: {failure['differences']:,} elements differ, "
                      f"{failure['marks']} marks wrong {failure['error']}", style="bold red")
        console.print(f"again with: {failure['command']}", soft_wrap=True)


if __name__ == "__main__":
    main(prog_name="python -m scripts.stress")
