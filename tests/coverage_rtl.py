"""Say what of the Verilog is covered: of blocks by their tests, of units, stages and the chain by
random frames under stalls and resets, as in tests.stress_units.

Modules made from one block with other parameters count as one.  What no run covers has to be waived
by a row of tests/support/coverage_waivers.csv, with its reason, and a row has to waive something;
otherwise the status is 1.
"""
import contextlib
import csv
import dataclasses
import importlib
import inspect
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import click
import numpy as np

from hdl.beats import tiled
from hdl.sim.backends import toolchain, verilator
from hdl.sim.design import simulate
from hdl.sim.endpoints import Sink, Source
from hdl.sim.network import DRAIN
from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests import stress_units
from tests.support.subjects import SUBJECTS

FIELD = re.compile(r"\x01(\w+)\x02([^\x01]*)")
NUMBER = re.compile(r"\b\d+'\w+|\b\d+\b|\b[A-Z][A-Z_]+\b")      # or a parameter
# Of units and stages, whose names their modules have before a block's.
OWNERS = re.compile("(dut|" + "|".join(sorted(
    {name for unit in stress_units.TABLE for name in (unit.name, unit.stage)}, key=len,
    reverse=True)) + ")(_|$)")
ARRAYS = "constant_array", "loop_array"     # which have those names before their nets, too
WIDTHS = re.compile(r"(_\d.*|_[a-z])$")     # and letters that tell equal names apart
KINDS = "line", "branch", "toggle"
EXTREME = 2     # frames of numbers at the ends of their range
ROOT = Path(__file__).parents[1]
WAIVERS = ROOT / "tests" / "support" / "coverage_waivers.csv"
OPTIONS = "--coverage-line", "--coverage-toggle"
# A model writes what it has covered when it is deleted.
WRITES = (("#include <cstring>\n", '#include <cstdlib>\n#include <cstring>\n'
           '#include "verilated_cov.h"\n'),
          ("{ delete static_cast<Vmodel*>(model); }",
           '{\n    static_cast<Vmodel*>(model)->contextp()->coveragep()->write('
           'std::getenv("MNV2_COVERAGE"));\n    delete static_cast<Vmodel*>(model);\n}'))


@dataclasses.dataclass(frozen=True)
class Waiver:
    """A row of WAIVERS.

    subject -- of which it waives something
    kind    -- of KINDS
    block   -- pattern of the block's whole name
    point   -- pattern of the whole point, as ``merged`` has it
    why     -- the reason
    """

    subject: str
    kind: str
    block: str
    point: str
    why: str


def waivers():
    """The rows of WAIVERS."""
    with open(WAIVERS, newline="") as rows:
        return [Waiver(**row) for row in csv.DictReader(rows)]


# Tests of blocks that are no subjects of mutants, {subject: (module, [(test, its arguments)])}.
MORE = {
    "tile_windows, even": ("blocks.test_tile_windows", [
        ("test_windows", {"size": 6}),
        ("test_last_rows_do_not_wait_for_the_next_frame", {"size": 6})]),
    "uart": ("board.test_uart", [("test_bytes_arrive", {"off": 0.03}),
                                 ("test_faults_of_the_line", {})]),
    "protocol": ("board.test_protocol", [
        ("test_photos_come_whole", {}), ("test_a_lost_byte", {"place": 7}),
        ("test_a_photo_that_stops", {"count": 1}), ("test_other_faults", {}),
        ("test_a_photo_that_is_not_taken", {}), ("test_a_status_that_is_not_taken", {}),
        ("test_replies", {"stall": "both"})]),
    "board": ("board.test_top", [("test_photos_and_their_features", {}),
                                 ("test_a_line_that_is_off_and_noisy", {})]),
}


def chain():
    """[(UnitConfig, integers)] of all stages, as ``stress_units.stage``."""
    return [pair for name in dict.fromkeys(unit.stage for unit in stress_units.TABLE)
            for pair in stress_units.stage(name, stress_units.RATES[0])]


def subjects():
    """{name: function(runs) that simulates it in Verilator}."""
    tests = {name: (subject.module, list(subject.tests.items()))
             for name, subject in SUBJECTS.items()
             if subject.module.startswith("blocks.") or name in ("outside", "video")} | MORE
    return {f"test of {name}": lambda runs, name=name, of=of: tested(name, *of)
            for name, of in tests.items()} | {
        name: lambda runs, name=name, pairs=pairs: stressed(name, pairs(), runs)
        for name, pairs in (stress_units.units() | stress_units.stages()
                            | {f"chain, {stress_units.RATES[0]} cycles": chain}).items()}


def tested(name, module, tests):
    """Run tests of a block, [(test, its arguments, another block by its name)]."""
    module = importlib.import_module(f"tests.hdl.{module}")
    for test, arguments in tests:
        given = {"simulator": "verilator", "rng": np.random.default_rng(list(name.encode())),
                 **arguments}
        if "block" in given:
            given["block"] = getattr(module, given["block"])
        function = getattr(module, test)
        function(**{wanted: given[wanted] for wanted in inspect.signature(function).parameters})


def stressed(name, pairs, runs):
    """Run a unit or a stage, by so many seeds."""
    one, model = stress_units.subject(name, pairs)
    for seed in range(runs):
        _, wrong = stress_units.run(one, seed, model)
        assert not wrong, f"{name}, seed {seed}: {wrong}"
    held_back(one, pairs, model)


def held_back(one, pairs, model):
    """Run a unit or a stage with numbers at the ends of their range, and an output that is not
    taken for the time of eight frames, so that all before it fills."""
    shape = one.design.ports["s_axis"].shape
    limits = (-1 << shape.bits - 1, (1 << shape.bits - 1) - 1) if shape.signed \
        else (0, (1 << shape.bits) - 1)
    frames = np.random.default_rng(2).choice(limits, (EXTREME, *one.frames.shape[1:]))
    one = dataclasses.replace(one, frames=frames, expected=[
        tiled(stress_units.made(pairs, frame)[None], one.last.stream_out().tile)
        for frame in frames])
    stall = one.latency + 8 * one.cycles
    which = np.arange(stall // one.cycles + 6) % EXTREME
    ends = {"s_axis": Source(stress_units.sent(shape, frames[which])),
            "m_axis": Sink(stress_units.beats_of(one.last, len(which)),
                           np.arange(9 * stall) < stall)}
    done = simulate("verilator", one.design, ends, timeout=2 * stall, drain=DRAIN,
                    model=model)["m_axis"]
    assert not stress_units.judged(one, done, which, True)["differences"], one.name


@contextlib.contextmanager
def measured():
    """While this lasts, Verilator's simulations count what they cover: yields the points,
    {(kind, text of the module, line, what): times}, all instances of a module together."""
    points, known, texts = Counter(), {}, {}
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for file in toolchain.HERE.iterdir():
            if file.is_file():
                shutil.copy(file, work)
        model = (work / "model.cpp").read_text()
        for old, new in WRITES:
            assert model.count(old) == 1, old
            model = model.replace(old, new)
        (work / "model.cpp").write_text(model)
        build, run, file = verilator.build, verilator.run, work / "coverage.dat"

        def building(files, *others):
            model = build(files, *others)
            known.setdefault(model.digest, {Path(file).name: texts.setdefault(text, text) for
                                            file in files if (text := Path(file).read_text())})
            return model

        def running(model, *others):
            done = run(model, *others)
            points.update(read(file, known[model.digest]))
            return done

        for place, name, value in (
                (toolchain, "HERE", work), (verilator, "build", building),
                (verilator, "run", running), (verilator, "VERILATE", verilator.VERILATE + OPTIONS),
                (toolchain, "RUNTIME", (*toolchain.RUNTIME, "verilated_cov.cpp")),
                (toolchain, "CXXFLAGS", tuple(
                    flag.replace("VM_COVERAGE=0", "VM_COVERAGE=1")
                    for flag in toolchain.CXXFLAGS))):
            stack.enter_context(mock.patch.object(place, name, value))
        stack.enter_context(mock.patch.dict(os.environ, {"MNV2_COVERAGE": str(file)}))
        yield points


def read(file, texts):
    """The points of a file of Verilator's, of modules whose {file name: text} is given."""
    points = Counter()
    for line in file.read_text(errors="replace").splitlines():
        if line.startswith("C '"):
            fields, _, count = line[3:].rpartition("' ")
            found = dict(FIELD.findall(fields))
            kind = found["page"].partition("/")[0].removeprefix("v_")
            points[kind, texts[found["f"]], int(found["l"]), found.get("o", "")] += int(count)
    return points


def block_of(text):
    """The name of the block that a text's module is made from; "unit" for a whole unit or stage."""
    name = re.search(r"^module (\w+)", text, re.M)[1]
    return WIDTHS.sub("", OWNERS.sub("", name, count=1) if OWNERS.match(name) else name) or "unit"


def blocks(folder):
    """The names of blocks in the Python of a folder."""
    return {name for file in sorted((ROOT / folder).rglob("*.py"))
            for name in re.findall(r"^@block\ndef (\w+)", file.read_text(), re.M)}


def of_the_design(points):
    """The points of all but the tests' own blocks."""
    others = blocks("tests") - blocks("hdl")
    return {point: count for point, count in points.items() if block_of(point[1]) not in others}


def merged(points):
    """{(kind, block, point, number): times} of points: a toggle is a net's bit and its way, of a
    line or a branch the point is what happens and where in the source, without its numbers, which
    are parameters; the number is that of equal lines above."""
    found, known = Counter(), {}
    for (kind, text, line, what), count in points.items():
        if text not in known:
            seen = Counter()
            known[text] = block_of(text), [(words, seen.update([words]) or seen[words]) for words in
                                           (NUMBER.sub("N", line.strip())
                                            for line in text.splitlines())]
        block, lines = known[text]
        words, number = ("", 1) if kind == "toggle" else lines[line - 1]
        if block in ARRAYS:
            what = OWNERS.sub("", what, count=1)
        found[kind, block, what + (f" of {words}" if words else ""), number] += count
    return found


def judged(points, rows):
    """({row: number of merged points it waives}, {(kind, block, point without its bit): number}
    neither covered nor waived); the first row that fits a point waives it."""
    used, left = Counter(dict.fromkeys(rows, 0)), Counter()
    for (kind, block, point, _), count in points.items():
        if count:
            continue
        row = next((row for row in rows if row.kind == kind and re.fullmatch(row.block, block)
                    and re.fullmatch(row.point, point)), None)
        if row:
            used[row] += 1
        else:
            left[kind, block, re.split(r"[\[:]", point)[0] if kind == "toggle" else point] += 1
    return used, left


@click.command(help=__doc__)
@click.option("--only", default=("",), multiple=True,
              help="subjects whose names begin with this; may be given more than once")
@click.option("--runs", default=8, show_default=True, help="of each unit and stage")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(only, runs, as_json):
    known = subjects()
    chosen = [name for name in known if name.startswith(only)]
    if not chosen:
        raise ValueError(f"no subject has a name that begins with {' or '.join(only)}: the names "
                         f"are {'; '.join(known)}")
    # They compile for longer than they run.
    with mock.patch.dict(os.environ, {"MNV2_OPTIMISE": "-O0"} | os.environ), measured() as points:
        for place, name in enumerate(chosen, 1):
            started = sum(os.times()[:4])
            known[name](runs)
            print(f"{place} of {len(chosen)}: {name}, {sum(os.times()[:4]) - started:.0f} s",
                  file=sys.stderr, flush=True)
    rows = [row for row in waivers() if row.subject in chosen]
    points = of_the_design(points)
    together = merged(points)
    used, left = judged(together, rows)
    if as_json:
        print_json({"subjects": chosen, "points": [
            {"kind": kind, "block": block, "point": point, "count": count}
            for (kind, block, point, _), count in together.items()],
            "waived": {" ".join((row.kind, row.block, row.point)): count
                       for row, count in used.items()}})
    else:
        tell(points, together, used, left)
    sys.exit(1 if left or not all(used.values()) else 0)


def tell(points, together, used, left):
    """A table for people, what is neither covered nor waived, and rows that waive nothing."""
    table = grid("Coverage of the Verilog", "of", "points of all modules", "covered",
                 "points of blocks", "covered", "waived", "left")
    for kind in KINDS:
        row = [kind]
        for each in (points, together):
            hits = [count > 0 for point, count in each.items() if point[0] == kind]
            row += [f"{len(hits):,}", f"{100 * sum(hits) / len(hits):.2f} %" if hits else "-"]
        table.add_row(*row, *(f"{sum(count for of, count in each.items() if key(of) == kind):,}"
                              for each, key in ((used, lambda row: row.kind),
                                                (left, lambda point: point[0]))))
    show(table)
    for (kind, block, point), count in sorted(left.items()):
        print(f"{kind} {block}: {point}" + (f" ({count} times)" if count > 1 else ""))
    for row, count in used.items():
        if not count:
            print(f"waives nothing: {row.subject}: {row.kind} {row.block} {row.point}")


if __name__ == "__main__":
    main()
