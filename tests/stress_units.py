"""Stress every unit and every stage by itself: random frames, any stall on either side, and resets
in any cycle, some beats, lines or frames after what was before; all of a run comes from its seed.

Each unit of the tests and each stage of a network of 32 x 32 is built once.  What leaves between
two resets has to be what plain loops make of the frames that came since, as far as it left.
"""
import importlib
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass

import click
import numpy as np

from hdl.beats import creeping_payload, tiled, uncrept
from hdl.errors import SimulationError
from hdl.layers import PRECISIONS, layer_table
from hdl.plan.config import UnitConfig, configure
from hdl.plan.network import plan_network
from hdl.sim.design import Design, compiled, simulate
from hdl.sim.endpoints import Reset, Sink, Source, longest_pause
from hdl.sim.network import DRAIN, frame_words, network_design
from hdl.sim.patterns import PATTERNS
from hdl.sim.trace import Trace
from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests.support.bench import frames_of, with_integers
from tests.support.naive import naive_sum, naive_unit

UNITS = "pointwise", "depthwise", "stem", "constant"    # modules of tests, whose cases are stressed
TABLE = layer_table(0.35, 32)
RATES = 1024, 64, 16    # cycles for a frame of the network: pixels, and tiles that creep
IMAGES = 3              # of a subject, of which runs choose
FRAMES = 3              # of a segment, at most
RESETS = 0, 1, 1, 2, 2, 3
COUNTS = "runs", "resets", "frames", "cut", "elements", "differences", "cycles"


@dataclass(frozen=True)
class Subject:
    """A unit or a stage.

    name     -- seeds its runs
    design   -- with the output of every unit watched
    last     -- UnitConfig of the unit whose output leaves
    frames   -- integers (IMAGES, rows, columns, channels)
    expected -- of each frame the tiles (tiles, elements) that have to leave
    cycles   -- for a frame, where nothing stalls
    latency  -- cycles until the first frame has left
    """

    name: str
    design: Design
    last: UnitConfig
    frames: np.ndarray
    expected: list
    cycles: int
    latency: int


def units():
    """{name: what makes [(UnitConfig, integers)] of a case of the units' tests}."""
    found = {}
    for kind in UNITS:
        module = importlib.import_module(f"tests.hdl.units.test_{kind}")
        for case in module.CASES:
            found[f"{kind}, {case}"] = lambda module=module, case=case: [
                module.configured(np.random.default_rng(0), case)]
    return found


def stages():
    """As ``units``, of each stage of a network at each rate."""
    names = dict.fromkeys(unit.stage for unit in TABLE)
    return {f"{name}, {cycles} cycles": lambda name=name, cycles=cycles: stage(name, cycles)
            for cycles in RATES for name in names}


def stage(name, cycles):
    """[(UnitConfig, integers)] of a stage; an add has none."""
    plans = plan_network(TABLE, PRECISIONS["w8a8"], cycles).units
    return [with_integers(np.random.default_rng(0), plan) if plan.unit.weights
            else (configure(plan), None) for plan in plans if plan.unit.stage == name]


def subject(name, pairs, simulator="verilator"):
    """(Subject, its model) of some (UnitConfig, integers)."""
    configs = [config for config, _ in pairs]
    design, last = network_design(configs), configs[-1]
    frames = frames_of(np.random.default_rng(1), configs[0], IMAGES)
    expected = [tiled(made(pairs, frame)[None], last.stream_out().tile) for frame in frames]
    model = None if simulator == "myhdl" else compiled(design, None, simulator, ("s_axis",))
    free = simulate(simulator, design, {
        "s_axis": Source(sent(design.ports["s_axis"].shape, frames)),
        "m_axis": Sink(beats_of(last, IMAGES))}, model=model)["m_axis"].cycles
    ends = free[len(free) // IMAGES - 1::len(free) // IMAGES]
    return Subject(name, design, last, frames, expected, int(np.diff(ends).max()),
                   int(ends[0])), model


def made(pairs, frame):
    """What plain loops make of a frame: integers (rows, columns, channels)."""
    before, stage = frame, ""
    for config, params in pairs:
        unit = config.unit
        if unit.stage != stage:
            before, stage = frame, unit.stage
        pixels = naive_unit(config, params, frame) if unit.weights else naive_sum(
            frame, before, *config.folding.precision.limits("linear"))
        frame = np.reshape(pixels, (unit.size_out, unit.size_out, unit.channels_out))
    return frame


def beats_of(last, frames):
    """Beats of the output that bring something of so many frames."""
    shape = last.stream_out()
    return frames * (last.unit.size_out // shape.tile) ** 2 * last.unit.channels_out // shape.lanes


def sent(shape, frames):
    """Words of the beats of some frames; where tiles creep so many beats that bring none follow
    that all has left."""
    words, row = frame_words(shape, frames), frames.shape[1] // shape.tile
    if shape.creep is None:
        return words
    return np.concatenate([words, creeping_payload(
        shape, np.zeros((row + 2, shape.elements), int), np.zeros(row + 2))])


def drawn(one, rng):
    """(which frames each segment has, the cycles of the resets between them): some beats, lines or
    frames after what was before, give or take one, or anywhere until some frames have left."""
    rows = len(one.frames[0])
    line, late = max(1, one.cycles // rows), one.latency + 2 * one.cycles
    cycles = []
    for _ in range(int(rng.choice(RESETS))):
        step, most = ((1, 40), (line, rows), (one.cycles, FRAMES), (1, late))[int(rng.integers(4))]
        after = step * int(rng.integers(1, most + 1)) + int(rng.integers(-1, 2))
        cycles.append(sum(cycles[-1:]) + max(1, after))
    return [rng.integers(IMAGES, size=int(rng.integers(1, FRAMES + 1)))
            for _ in range(len(cycles) + 1)], cycles


def run(one, seed, model=None, simulator="verilator"):
    """(Counter, what is wrong: a sentence or nothing) of the run of a seed."""
    rng = np.random.default_rng([seed, *one.name.encode()])
    segments, cycles = drawn(one, rng)
    line = max(1, one.cycles // len(one.frames[0]))
    names = [str(rng.choice(list(PATTERNS))) for _ in range(2)]
    idle, backpressure = (PATTERNS[name](rng, line, one.cycles) for name in names)
    words = [sent(one.design.ports["s_axis"].shape, one.frames[which]) for which in segments]
    begins = np.cumsum([len(each) for each in words]).tolist()
    row = one.last.unit.size_out // one.last.stream_out().tile
    pauses = longest_pause(idle) + longest_pause(backpressure)     # before each left-over
    counts = Counter(runs=1, resets=len(cycles))
    try:
        done = simulate(simulator, one.design, {
            "s_axis": Source(np.concatenate(words), idle),
            "m_axis": Sink(beats_of(one.last, len(segments[-1])), backpressure)},
            drain=(DRAIN + pauses) * 2 * (row + 2) + 8 * one.cycles, model=model,
            resets=[Reset(cycle, {"s_axis": begin}) for cycle, begin in zip(cycles, begins)])
    except SimulationError as error:
        return counts, str(error)
    left, edges, wrong = done["m_axis"], [0, *cycles, done.cycles], []
    for number, which in enumerate(segments):
        inside = (left.cycles >= edges[number]) & (left.cycles < edges[number + 1])
        found = judged(one, Trace(left.words[inside], left.cycles[inside]), which,
                       number == len(cycles))
        counts.update(found)
        if found["differences"]:
            wrong.append(f"{found['differences']} elements differ after {number} resets")
    counts["cycles"] = done.cycles
    return counts, f"{'; '.join(wrong)}; input {names[0]}, output {names[1]}" if wrong else ""


def judged(one, trace, which, whole):
    """Counter of what left of the frames ``which``; all of it, unless a reset ended it."""
    shape, size = one.last.stream_out(), one.last.unit.size_out
    expected = np.concatenate([one.expected[number] for number in which]).ravel()
    values = trace.values(shape)
    there = np.ones_like(values)
    if shape.creep is not None and len(trace):
        own = trace.bit(shape.width - 1)
        values, there = (uncrept(each, own, shape, size // shape.tile)
                         for each in (values, there))
    values, there = values.ravel(), there.ravel().astype(bool)
    common = min(values.size, expected.size)
    compared = int(there[:common].sum())
    differ = int((values[:common] != expected[:common])[there[:common]].sum())
    frame = expected.size // len(which)
    return Counter(frames=compared // frame, cut=compared % frame > 0, elements=compared,
                   differences=differ + values.size - common
                   + (expected.size - compared if whole else 0))


@click.command(help=__doc__)
@click.option("--only", default=("",), multiple=True,
              help="subjects whose names begin with this; may be given more than once")
@click.option("--runs", default=100, show_default=True, help="of each subject")
@click.option("--seed", default=0, show_default=True, help="of the first run; others count up")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(only, runs, seed, as_json):
    known = units() | stages()
    chosen = [name for name in known if name.startswith(only)]
    if not chosen:
        raise ValueError(f"no subject has a name that begins with {' or '.join(only)}: the names "
                         f"are {'; '.join(known)}")
    os.environ.setdefault("MNV2_OPTIMISE", "-O0")   # they compile for longer than they run
    found, failures = {}, []
    for place, name in enumerate(chosen, 1):
        started = time.process_time()
        one, model = subject(name, known[name]())
        found[name] = Counter()
        for number in range(seed, seed + runs):
            counts, wrong = run(one, number, model)
            found[name].update(counts)
            if wrong:
                failures.append({"subject": name, "seed": number, "wrong": wrong, "command":
                                 f'python -m tests.stress_units --only "{name}" --runs 1 --seed '
                                 f"{number}"})
        print(f"{place} of {len(chosen)}: {name}, {time.process_time() - started:.0f} s",
              file=sys.stderr, flush=True)
    if as_json:
        print_json({"subjects": {name: {count: int(counts[count]) for count in COUNTS}
                                 for name, counts in found.items()}, "failures": failures})
    else:
        tell(found, failures)
    sys.exit(bool(failures))


def tell(found, failures):
    """A table for people; of what fails the command that does it again."""
    table = grid("Units and stages under stalls and resets", "subject", *COUNTS)
    for name, counts in found.items():
        table.add_row(name, *(f"{int(counts[count]):,}" for count in COUNTS))
    total = sum(found.values(), Counter())
    table.add_row(f"all {len(found)}", *(f"{int(total[count]):,}" for count in COUNTS))
    show(table)
    for failure in failures:
        print(f"{failure['subject']}, seed {failure['seed']}: {failure['wrong']}\n"
              f"again with: {failure['command']}")


if __name__ == "__main__":
    main()
