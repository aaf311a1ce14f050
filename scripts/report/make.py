"""Make results by the other commands, each in a process of its own, into the folder of results."""
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from golden.photo import load_photo
from hdl.layers import layer_table, precision
from hdl.plan.budget import ladder_rates
from hdl.plan.folding import fold
from scripts.shared.checkout import ROOT


@dataclass(frozen=True)
class Asked:
    """Which results are wanted."""

    photo: Path | None
    alpha: float
    resolution: int
    precision: str
    weights: str
    classify: bool
    cycles: int
    folder: Path

    @property
    def network(self) -> list[str]:
        """Options that name the network, without weights."""
        return ["--alpha", f"{self.alpha:g}", "--resolution", str(self.resolution),
                "--precision", self.precision]

    def check(self) -> None:
        """Refuse what no run can be made of, before any work is done: ValueError."""
        fold(layer_table(self.alpha, self.resolution), precision(self.precision), self.cycles)
        load_photo(self.photo, self.resolution)

    @property
    def rates(self) -> list[int]:
        """The ladder's rates that have a folding, the one asked for left out."""
        found = []
        for rate in ladder_rates(self.resolution):
            with contextlib.suppress(ValueError):
                replace(self, cycles=rate).check()
                found.append(rate)
        return [rate for rate in found if rate != self.cycles]

    def cosim(self, rate: int) -> list[str]:
        """The command that records a run."""
        photo = [str(self.photo)] if self.photo else []
        top = ["--classify"] if self.classify else []
        return ["scripts.cosim", *photo, *self.network, "--weights", self.weights, *top,
                "--cycles-per-frame", str(rate), "--frames", "2", "--record",
                str(self.folder / f"cosim-{rate}.h5")]

    def budget(self, rate: int) -> list[str]:
        """The command that counts what a rate takes."""
        return ["scripts.budget", *self.network, "--cycles-per-frame", str(rate)]


# A command, and the file of the folder that what it prints goes to; None: the command writes one.
Command = tuple[list[str], str | None]


@dataclass(frozen=True)
class Job:
    """Commands that make results."""

    words: str
    commands: Callable[[Asked], Iterable[Command]]


def quick(asked: Asked) -> Iterator[Command]:
    """What takes minutes at most."""
    for rate in sorted({asked.cycles, ladder_rates(asked.resolution)[0]}):
        yield asked.budget(rate), f"budget-{rate}.json"
    yield ["scripts.fit", *asked.network, "--cycles-per-frame", str(asked.cycles)], "fit.json"
    yield asked.cosim(asked.cycles), None


LONG = {
    "rates": Job("a run at every other rate, some 10 minutes", lambda asked: [
        (asked.cosim(rate), None) for rate in asked.rates]),
    "silicon": Job("gates and chip area, an hour or less", lambda asked: [
        (["scripts.silicon", *asked.network, "--weights", asked.weights], "silicon.json")]),
    "validate": Job("many photos, half an hour", lambda asked: [
        (["scripts.validate", *asked.network, "--weights", asked.weights], "validate.json")]),
    "bench": Job("the benchmark, an hour on a machine that does nothing else", lambda asked: [
        (["scripts.bench", "--out", str(asked.folder)], None)]),
}


def make(asked: Asked, also: Iterable[str]) -> list[str]:
    """Run the quick commands and the long ones that are named; returns those that did not end
    with status 0."""
    asked.folder.mkdir(parents=True, exist_ok=True)
    commands = [*quick(asked), *(command for name in also
                                 for command in LONG[name].commands(asked))]
    failed = []
    for place, (arguments, file) in enumerate(commands):
        said = " ".join(["python -m", *arguments])
        click.echo(f"[{place + 1} of {len(commands)}] {said}", err=True)
        if run(arguments, asked.folder / file if file else None):
            failed.append(said)
    return failed


def run(arguments: list[str], file: Path | None) -> int:
    """Run a command, what it prints with --json into a file that is written whole or not at all;
    returns its status."""
    done = subprocess.run([sys.executable, "-m", *arguments, *(["--json"] if file else [])],
                          stdout=subprocess.PIPE, text=True, env={
                              **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [
                                  str(ROOT), os.environ.get("PYTHONPATH")]))})
    if file and done.returncode in (0, 1) and done.stdout:
        json.loads(done.stdout)
        temporary = file.with_name(f"{file.name}.part")
        temporary.write_text(done.stdout, encoding="utf-8")
        os.replace(temporary, file)
    return done.returncode
