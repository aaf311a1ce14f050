"""What Yosys makes of each unit: synthesised by itself, all in parallel, kept by content."""
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hdl.build import built_once, default_build_dir, digest, in_threads
from hdl.convert.network import convert_network
from hdl.hierarchy.reserved import legal
from hdl.plan.config import UnitConfig, by_stage, memory_files
from hdl.units.by_kind import multiply_step
from hdl.units.inverted_residual import INSTANCES
from scripts.fit.families import Family, Resources
from scripts.shared.yosys import version, yosys

# {role: the instance of its unit in converted text}
CONVERTED = {role: legal(instance) for role, instance in INSTANCES.items()}
CONVOLUTION = re.compile(rf"^(\w+) (?:#\(.*?\) )?({'|'.join(CONVERTED.values())}) \(", re.M)


@dataclass(frozen=True)
class Job:
    """A unit to synthesise: the Verilog of its stage, and which module it is."""

    unit: str
    files: tuple[Path, ...]     # Verilog and what it reads, in a folder of their own
    top: str
    others: tuple[str, ...]     # modules that are left out of it

    def needed(self) -> list[Path]:
        """The files of the module, of all modules inside it and of what they read; of those that
        are left out their own alone."""
        known = {file.stem: file for file in self.files}
        ways, found = [self.top], {self.top}
        while ways:
            name = ways.pop()
            if name not in self.others and known[name].suffix == ".v":
                new = set(re.findall(r"\w+", known[name].read_text())) & known.keys() - found
                found |= new
                ways.extend(new)
        return [file for file in self.files if file.stem in found]


def jobs_of(configs: Sequence[UnitConfig], folder: Path) -> list[Job]:
    """A Job for each unit; the Verilog of its stage is written into ``folder``."""
    found = []
    for stage, members in by_stage(configs).items():
        place = folder / stage
        place.mkdir()
        files = convert_network(members, place, default_build_dir("hdl"))
        for name, text in memory_files(members).items():
            (place / name).write_text(text)
        everything = (*files, *(place / name for name in memory_files(members)))
        modules = {instance: module for module, instance in
                   CONVOLUTION.findall(files[-1].read_text())}
        for config in members:
            alone = len(members) == 1 or not config.unit.weights
            top = stage if alone else modules[CONVERTED[config.unit.role]]
            others = () if config.unit.weights else tuple(modules.values())
            found.append(Job(config.name, everything, top, others))
    return found


def array_of(job: Job, config: UnitConfig) -> Job:
    """The Job of a convolution's multiply-accumulate array by itself, without ROM and control."""
    text = "".join(file.read_text() for file in job.files if file.suffix == ".v")
    top = job.top
    for instance in (*multiply_step(config)[0], "array"):
        module = re.split(rf"^module {top}\b", text, flags=re.M)[1].partition("endmodule")[0]
        (top,) = re.findall(rf"^ *(\w+) (?:#\(.*?\) )?{legal(instance)} \(", module, re.M)
    return replace(job, top=top)


def synthesised(configs: Sequence[UnitConfig], family: Family,
                report: Callable[[str, bool], None], arrays: bool = False) -> dict[str, Resources]:
    """{unit: Resources} of Yosys's netlists.

    report -- report(unit, whether it was kept) is called when one is there
    arrays -- of the multiply-accumulate array alone of each unit that has one with a ROM

    Raises ToolError without Yosys, and where it fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        jobs = jobs_of(configs, Path(scratch))
        if arrays:
            jobs = [array_of(job, config) for job, config in zip(jobs, configs) if config.weights]
        made = in_threads(partial(run, family, report), jobs)
    return {job.unit: resources for job, resources in zip(jobs, made)}


def run(family: Family, report: Callable[[str, bool], None], job: Job) -> Resources:
    """The Resources of a unit, synthesised unless they are kept."""
    target = default_build_dir("fit") / digest(
        "netlist", version(), family.passes, job.top, job.others,
        *(part for file in job.needed() for part in (file.name, file.read_bytes())))
    reused = built_once(target, partial(synthesise, family, job))
    report(job.unit, reused)
    return family.counted(json.loads((target / "cells.json").read_text()))


def synthesise(family: Family, job: Job, target: Path) -> None:
    """Have Yosys count the cells of a unit's netlist, into ``cells.json``."""
    verilog = [file.name for file in job.needed() if file.suffix == ".v"]
    yosys(job.files[0].parent, f"read_verilog {' '.join(verilog)}", f"hierarchy -top {job.top}",
          *(f"blackbox {module}" for module in job.others),
          *(each.format(top=job.top) for each in family.passes),
          f"tee -q -o {target / 'stat.json'} stat -json")
    cells = json.loads((target / "stat.json").read_text())["design"]["num_cells_by_type"]
    (target / "cells.json").write_text(json.dumps(cells))
