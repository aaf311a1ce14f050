"""After synthesis: Yosys's netlist of each unit against plain integers, under stalls.

``generic`` is made of Yosys's own cells; ``ice40`` of Lattice iCE40's, block RAMs included, with
the simulation models that Yosys has of them.
"""
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hdl.blocks.residual_add import residual_add
from hdl.sim.design import Design
from hdl.units.by_kind import BLOCKS
from tests.support.bench import Bench, UnitBench, beats, integers, unit_config
from tests.support.streams import stream
from tests.support.yosys import share, yosys

# kind, size, channels in and out, pe, simd, lanes in and out, stride
UNITS = {
    "expand": ("pointwise", 3, 4, 8, 4, 1, 2, 2, 1),
    "project": ("pointwise", 3, 8, 4, 2, 2, 2, 1, 1),
    "depthwise": ("depthwise", 4, 4, 4, 2, 3, 2, 2, 1),
    "depthwise_stride": ("depthwise", 5, 2, 2, 1, 9, 2, 1, 2),
    "stem": ("stem", 5, 3, 4, 2, 3, 3, 2, 2),
}
SYNTHESIS = {"generic": "synth -flatten -top {}", "ice40": "synth_ice40 -top {}"}
# Default values of ports are no Verilog of 2005.
MODELS = {"generic": "", "ice40": "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n"}


def netlist(design, family, memories, planted, directory, language):
    """Write a converted design's netlist; returns (files, top).

    planted -- edit(text) of the Verilog before synthesis
    """
    files, top = design.convert(directory, language)
    for file in files:
        file.write_text(planted(file.read_text()))
    for name, text in memories.items():
        Path(directory, name).write_text(text)
    yosys(directory, f"read_verilog {' '.join(file.name for file in files)}",
          SYNTHESIS[family].format(top), "check -assert", f"write_verilog -noattr {top}.v")
    whole = [Path(directory, f"{top}.v")]
    if MODELS[family]:
        models = Path(directory, "cells.v")
        models.write_text(MODELS[family] + (share() / family / "cells_sim.v").read_text())
        whole.insert(0, models)
    return whole, top


def synthesised(bench, family, planted=lambda text: text):
    """The bench, of the netlist in place of the Verilog."""
    bench.plain = Design(bench.plain.function, bench.plain.arguments, hdl=partial(
        netlist, bench.plain, family, bench.design.memories or {}, planted))
    return bench


def unit_bench(rng, case, family, **options):
    """A unit's UnitBench, synthesised."""
    activation = "input" if case == "stem" else "relu6"
    config, params = unit_config(rng, *UNITS[case], activation_in=activation)
    return synthesised(UnitBench("verilator", BLOCKS[UNITS[case][0]], config, params), family,
                       **options)


@pytest.mark.parametrize("family", SYNTHESIS)
@pytest.mark.parametrize("case", UNITS)
def test_unit(verilator, rng, case, family):
    bench = unit_bench(rng, case, family)
    _, got, expected = bench.frames(rng, "both", 2)
    assert got == expected
    cells = set(re.findall(r"^  (SB_\w+)", bench.texts["Verilog"][f"{UNITS[case][0]}.v"], re.M))
    assert ({"SB_LUT4", "SB_CARRY"} <= cells) == (family == "ice40")


@pytest.mark.parametrize("family", SYNTHESIS)
def test_residual_add(verilator, rng, family):
    streams = {name: stream(2, 7) for name in ("s_axis", "s_axis_shortcut", "m_axis")}
    bench = synthesised(Bench("verilator", residual_add, streams), family)
    main, shortcut = (integers(rng, 7, True, (60, 2)) for _ in range(2))
    done = bench.run({"s_axis": main, "s_axis_shortcut": shortcut}, {"m_axis": 60}, "both")
    assert beats(done, streams) == np.clip(main + shortcut, -64, 63).tolist()


def test_a_fault_is_told(verilator, rng):
    """The rounding left out before synthesis."""
    bench = unit_bench(rng, "expand", "generic", planted=lambda text: re.sub(
        r"rounded = \(rounded \+ 1\);", "rounded = rounded;", text))
    _, got, expected = bench.frames(rng, count=1)
    assert len(got) == len(expected) and got != expected


def test_multiplier_cells_of_ice40_compute_something_else(verilator, rng, monkeypatch):
    """Yosys 0.70 with -dsp, where the sums have a memory; fails when that is mended, and then the
    multipliers of iCE40 can be tested above."""
    monkeypatch.setitem(SYNTHESIS, "ice40", "synth_ice40 -dsp -top {}")
    _, got, expected = unit_bench(rng, "project", "ice40").frames(rng, count=2)
    assert len(got) == len(expected) and got != expected
