"""scripts.stress: a few dozen random runs, and that what goes wrong is told and can be repeated."""
import dataclasses
import json
import re

import numpy as np
import pytest

from golden.network import Network
from hdl.convert.video import VideoOutside
from hdl.layers import PRECISIONS
from hdl.sim.design import compiled
from hdl.sim.patterns import PATTERNS
from hdl.sim.video import frame_shape, mended, video_design
from scripts.stress import __main__ as stress
from scripts.stress.runs import FAULTY, Bench, bench_configs, good, judge, key, picture, run
from tests.support.bench import NARROW, unit_config
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.naive import naive_unit

SIZE, OUTPUTS, CYCLES = 6, 4, 200


@pytest.fixture(scope="module")
def small():
    """A stem of few pixels with video around it, and what naive loops make of any frame."""
    rng = np.random.default_rng(5)
    config, params = unit_config(
        rng, "stem", SIZE, 3, OUTPUTS, 2, 9, 3, 1, 2, activation_in="input",
        precision=dataclasses.replace(NARROW, input_bits=9))
    pictures = np.concatenate([rng.integers(0, 256, (3, SIZE * SIZE, 3)),
                               np.zeros((1, SIZE * SIZE, 3), int)])
    bench = Bench(video_design((config,), VideoOutside(2 * CYCLES, 4)), pictures,
                  frame_shape((config,)), CYCLES, 2 * CYCLES, bench_configs((config,)), 2 * CYCLES)

    def results(outcome):
        found = {}
        for segment in outcome.segments:
            for source in segment.sources:
                colors = picture(bench, source)[:, [2, 0, 1]]    # of green, blue, red
                pixels = naive_unit(config, params, 2 * colors.reshape(SIZE, SIZE, 3) - 255)
                found[key(source)] = np.array(pixels).reshape(-1, 1)
        return found

    return bench, results


def edited(bench, name, changes):
    """The bench with changes {pattern: text} in the converted text of one of its files."""
    def hdl(directory, language):
        files, top = bench.design.hdl(directory, language)
        file, = (file for file in files if re.fullmatch(rf"{name}(_\d+)*", file.stem))
        for pattern, instead in changes.items():
            text, count = re.subn(pattern, instead, file.read_text())
            assert count, (file, pattern)
            file.write_text(text)
        return files, top
    return dataclasses.replace(bench, design=dataclasses.replace(bench.design, hdl=hdl))


def failed(bench, results, seeds):
    """{seed: what is wrong} of runs in Verilator that are not right."""
    model, found = compiled(bench.design, None, "verilator", ("s_axis",)), {}
    for seed in seeds:
        outcome = run(bench, seed, model)
        verdict = judge(bench, outcome, results(outcome))
        if outcome.error or verdict.differences or verdict.marks:
            found[seed] = outcome.error or f"{verdict.differences} differ, {verdict.marks} marks"
    return found


def test_random_runs(verilator, small):
    """Every fault, every pattern on either side, resets; nothing differs, and all of it comes."""
    bench, results = small
    model = compiled(bench.design, None, "verilator", ("s_axis",))
    outcomes = sorted(stress.simulated(bench, model, bench.design.memories, range(48)),
                      key=lambda outcome: outcome.seed)
    expected = {name: frame for outcome in outcomes for name, frame in results(outcome).items()}
    summary = stress.summarise(bench, outcomes, expected)
    assert summary["failures"] == [] and summary["ok"]
    assert (summary["differences"], summary["hangs"], summary["broken_rules"]) == (0, 0, 0)
    assert summary["resets"] > 20 and summary["cut_frames"] > 3 and summary["damaged_frames"] > 30
    assert set(summary["faults"]) == {"early_start", "long_line", "outside", "short_line",
                                      "silence"}
    assert set(summary["stalls"]) == set(PATTERNS)
    outcomes[3].segments[-1].values[0] ^= 1
    summary = stress.summarise(bench, outcomes, expected)
    assert not summary["ok"] and summary["failures"] == [
        {"seed": 3, "error": "", "differences": 1, "marks": 0}]


@pytest.mark.parametrize("seed", [2, 8])
def test_simulators_agree_on_a_run(simulator, small, seed):
    """The same seed is the same run everywhere, resets included."""
    bench, results = small
    outcome = run(bench, seed, simulator=simulator)
    assert len(outcome.segments) > 1 and outcome.error == ""
    verdict = judge(bench, outcome, results(outcome))
    assert verdict.differences == verdict.marks == 0 and verdict.elements > 30
    other = run(bench, seed)
    assert outcome.cycles == other.cycles
    for one, two in zip(outcome.segments, other.segments, strict=True):
        np.testing.assert_array_equal(one.values, two.values)


full = pytest.mark.full
PLANTS = {  # faults in the converted text: file, changes, the least runs of 32 that fail
    "a reset that misses a register": ("repair_state", {"repair_inside <= 0; ": ""}, 3),
    "a lost stall": ("frame_repair", {"else if .m_axis_tready. m_axis_tvalid <= 1'b0;":
                                      "else m_axis_tvalid <= 1'b0;"}, 3),
    "a FIFO's level off by one": ("fifo_control_2_3", {"level != 3": "level != 4"}, 3),
    "a mask that is late": ("keep_place", {
        r"always @\(posedge clk\) begin: keep\n":
        "reg late;\nalways @(posedge clk) if (read) late <= walk_column == 2;\n"
        "always @(posedge clk) begin: keep\n", r"\(\(walk_column == 2\) &&": "(late &&"}, 3),
    "a wrong saturation at one end": ("round_and_clip", {"rounded = 63": "rounded = 62"}, 1)}


@pytest.mark.parametrize("plant", [
    name if number < 1 else pytest.param(name, marks=full) for number, name in enumerate(PLANTS)])
def test_a_fault_that_is_planted_is_told(verilator, small, plant):
    bench, results = small
    name, changes, least = PLANTS[plant]
    found = failed(edited(bench, name, changes), results, range(32))
    print(f"{plant}: {len(found)} of 32 runs, such as {next(iter(found.items()), None)}")
    assert len(found) >= least


def test_every_fault_of_video_can_be_sent():
    """Each of the ways to spoil a frame gives what its name says, somewhere."""
    rng, found = np.random.default_rng(1), {}
    for spoil in FAULTY:
        kinds = found.setdefault(spoil.__name__, set())
        for _ in range(20):
            shots = spoil(good(3, 4), 4, rng) + good(3, 4)
            frames, outside = mended([shot[1:] for shot in shots], 3, 4)
            kinds |= set().union(*(frame.faults for frame in frames),
                                 {"outside"} if outside else ())
    assert found["cut_line"] == {"short_line"} and found["no_start"] == {"outside"}
    assert found["long_line"] >= {"long_line"} and found["cut_off"] == {"early_start"}
    assert found["garbage"] == {"outside"} and len(found["any_marks"]) > 2
    assert found["no_lines"] >= {"long_line", "early_start"}
    assert found["doubled_start"] >= {"early_start"} and found["late_start"] >= {"outside"}


def test_the_command_that_repeats_a_run():
    network = Network(0.35, 32, PRECISIONS["w8a8"], weights="a file.h5")
    assert stress.again(17, network, 64) == (
        "python -m scripts.stress --runs 1 --seed 17 --alpha 0.35 --resolution 32 --precision w8a8 "
        "--weights 'a file.h5' --cycles-per-frame 64")


@pytest.mark.full
@pytest.mark.parametrize("cycles", [4, 64, 256, 1024, 4096])
def test_the_chain(verilator, golden_cache, cycles):
    """At tile rates and pixel rates."""
    summary = json.loads(invoked(stress.main, "--runs", 24, "--cycles-per-frame", cycles,
                                 "--json").stdout)
    check("scripts.stress", summary)
    assert summary["ok"] and summary["resets"] > 8 and summary["elements"] > 24 * 1280
    assert invoked(stress.main, "--runs", 1, "--seed", 3).exit_code == 0
