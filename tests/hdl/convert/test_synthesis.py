"""After synthesis: Yosys's netlist of each unit against plain integers, under stalls.

``generic`` is made of Yosys's own cells, ``ice40`` of Lattice iCE40's, ``xc7`` of those of AMD's 7
series, ``ecp5`` of Lattice ECP5's, multipliers included, with the simulation models that Yosys has
of them: none of the block RAMs of ``xc7`` and ``ecp5``, where memories are logic, nor of ECP5's
multiplier, which is modelled here, with the registers at its inputs.
"""
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from hdl.blocks.residual_add import residual_add
from hdl.layers import PRECISIONS, Unit, layer_table
from hdl.layers import precision as widths
from hdl.plan.config import configure
from hdl.plan.folding import constant_folding
from hdl.plan.network import UnitPlan, plan_network
from hdl.plan.schedule import NO_BUFFERS
from hdl.sim.design import Design
from hdl.sim.network import network_design
from hdl.units.by_kind import BLOCKS, block_of
from scripts.fit.multiplier_registers import moved
from scripts.shared.yosys import share, yosys
from scripts.silicon.graphs import with_adders
from tests.support.bench import (NARROW, Bench, UnitBench, agree, beats, frames_of, integers,
                                 unit_config, with_integers)
from tests.support.networks import TABLE, golden
from tests.support.streams import stream

# kind, size, channels in and out, pe, simd, lanes in and out, stride
UNITS = {
    "expand": ("pointwise", 3, 4, 8, 4, 1, 2, 2, 1),
    "project": ("pointwise", 3, 8, 4, 2, 2, 2, 1, 1),
    "depthwise": ("depthwise", 4, 4, 4, 2, 3, 2, 2, 1),
    "depthwise_stride": ("depthwise", 5, 2, 2, 1, 9, 2, 1, 2),
    "stem": ("stem", 5, 3, 4, 2, 3, 3, 2, 2),
}
# The depthwise unit of a slow network: each product is an output's sum of its beat.
UNITS["depthwise_tap"] = ("depthwise", 4, 3, 3, 1, 1, 1, 1, 1)
ONLY_FULL = [("stem", "xc7"), ("depthwise_stride", "xc7"), ("expand", "xc7"),
             ("depthwise_tap", "generic"), *((case, "ecp5") for case in UNITS if case != "project")]


@dataclass(frozen=True)
class Family:
    """How Yosys makes a netlist, and how that is simulated."""

    synthesis: str
    cells: frozenset = frozenset()  # some of those that the netlist of a unit has
    models: tuple[str, ...] = ()    # of all cells, in Yosys's folder
    defines: str = ""               # before the models
    memories: str = ""      # a pass that says where memories lie, if not where the text says


def multiplier(factor=18):
    """ECP5's MULT18X18D as it is used: registers at both inputs or none, none at the output, and
    none of its other ways in."""
    def pins(name, count):
        return [f"{name}{place}" for place in range(count)]

    a, b, p = pins("A", factor), pins("B", factor), pins("P", 2 * factor)
    inputs = [*a, *b, *pins("C", factor), "SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB", "CLK0", "CE0",
              "CE1", "RST0"]
    options, factors, registers = [], [], []
    for name, each in (("A", a), ("B", b)):
        options += [f'parameter REG_INPUT{name}_{part} = "{default}"'
                    for part, default in (("CLK", "NONE"), ("CE", "CE0"), ("RST", "RST0"))]
        word = f"{{{', '.join(reversed(each))}}}"
        registers.append(
            f"reg [{factor - 1}:0] held_{name} = 0;\n"
            f"wire [{factor - 1}:0] used_{name} = REG_INPUT{name}_CLK == \"CLK0\" ? held_{name} : "
            f"{word};\nalways @(posedge CLK0)\n    if (RST0) held_{name} <= 0;\n"
            f'    else if (REG_INPUT{name}_CE == "CE1" ? CE1 : CE0) held_{name} <= {word};\n')
        factors.append(f"$signed({{SIGNED{name} & used_{name}[{factor - 1}], used_{name}}})")
    return (f"module MULT18X18D #({', '.join(options)}) (input {', '.join(inputs)}, "
            f"output {', '.join(p)});\n{''.join(registers)}"
            f"wire signed [{2 * factor + 1}:0] product = {' * '.join(factors)};\n"
            f"assign {{{', '.join(reversed(p))}}} = product[{2 * factor - 1}:0];\nendmodule\n")


FAMILIES = {
    "generic": Family("synth -flatten -top {}"),
    # Default values of ports are no Verilog of 2005.
    "ice40": Family("synth_ice40 -dsp -top {}",
                    frozenset({"SB_LUT4", "SB_CARRY", "SB_MAC16", "SB_RAM40_4K"}),
                    ("ice40/cells_sim.v",), "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n",
                    'setattr -set ram_style "block" m:*'),      # it has none of LUTs
    "xc7": Family("synth_xilinx -family xc7 -flatten -noiopad -nobram -top {}",
                  frozenset({"LUT4", "CARRY4", "DSP48E1"}), ("xilinx/cells_sim.v",),
                  memories="setattr -unset ram_style -unset rom_style m:*"),
    "ecp5": Family("synth_ecp5 -nobram -top {}",
                   frozenset({"LUT4", "CCU2C", "TRELLIS_FF", "MULT18X18D"}),
                   ("lattice/common_sim.vh", "lattice/ccu2c_sim.vh"), multiplier(),
                   "setattr -unset ram_style -unset rom_style m:*"),
}


def netlist(design, family, memories, planted, directory, language):
    """Write a converted design's netlist; returns (files, top).

    planted -- edit(text) of the Verilog before synthesis
    """
    chosen = FAMILIES[family]
    files, top = design.convert(directory, language)
    for file in files:
        file.write_text(planted(file.read_text()))
    for name, text in memories.items():
        Path(directory, name).write_text(text)
    yosys(directory, f"read_verilog {' '.join(file.name for file in files)}",
          f"hierarchy -top {top}", chosen.memories, chosen.synthesis.format(top), "check -assert",
          f"write_json {top}.json")
    place = Path(directory, f"{top}.json")
    text = json.loads(place.read_text())
    moved(text["modules"][top])     # none but ECP5's multipliers
    place.write_text(json.dumps(text))
    yosys(directory, f"read_json {top}.json", "check -assert", f"write_verilog -noattr {top}.v")
    whole = [Path(directory, f"{top}.v")]
    if chosen.models:
        models = Path(directory, "cells.v")
        texts = [(share() / name).read_text() for name in chosen.models]
        models.write_text(chosen.defines + re.sub("`include.*", "", "".join(texts)))
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


def cells_of(bench):
    """Kinds of cells of a synthesised bench's netlist."""
    return set(re.findall(r"^  ([A-Z]\w+)", list(bench.texts["Verilog"].values())[-1], re.M))


@pytest.mark.parametrize("case, family", [
    pytest.param(case, family, marks=[pytest.mark.full] if (case, family) in ONLY_FULL else [])
    for case in UNITS for family in FAMILIES])
def test_unit(verilator, rng, case, family):
    bench = unit_bench(rng, case, family)
    _, got, expected = bench.frames(rng, "both", 2)
    assert got == expected
    assert FAMILIES[family].cells <= cells_of(bench)
    text = list(bench.texts["Verilog"].values())[-1]
    assert text.count('.REG_INPUTA_CLK("CLK0")') == len(re.findall(r"^  MULT18X18D ", text, re.M))


@pytest.mark.parametrize("precision, wide, simd, each", [
    ("w8a8", "relu6", 4, 2), ("w8a6", "linear", 4, 1),
    pytest.param("w8a7", "relu6", 12, 4, marks=pytest.mark.full)])
def test_pairs(verilator, rng, precision, wide, simd, each):
    """Two products in each multiplier of the 7 series, their sums and half a field in its adder."""
    config, params = unit_config(rng, "pointwise", 3, 12, 8, 4, simd, 2, 4, activation_in=wide,
                                 precision=widths(precision), factor=25)
    assert config.folding.pairs.products == each
    bench = synthesised(UnitBench("verilator", BLOCKS["pointwise"], config, params), "xc7")
    _, got, expected = bench.frames(rng, "both", 2)
    assert got == expected
    text = list(bench.texts["Verilog"].values())[-1]
    assert len(re.findall(r"^  DSP48E1 ", text, re.M)) == 2 * simd + config.folding.requantizers


@pytest.mark.parametrize("family", [
    pytest.param(family, marks=[pytest.mark.full] if family == "ecp5" else [])
    for family in FAMILIES])
def test_residual_add(verilator, rng, family):
    streams = {name: stream(2, 7) for name in ("s_axis", "s_axis_shortcut", "m_axis")}
    bench = synthesised(Bench("verilator", residual_add, streams), family)
    main, shortcut = (integers(rng, 7, True, (60, 2)) for _ in range(2))
    done = bench.run({"s_axis": main, "s_axis_shortcut": shortcut}, {"m_axis": 60}, "both")
    assert beats(done, streams) == np.clip(main + shortcut, -64, 63).tolist()


@pytest.mark.parametrize("fault", [False, True], ids=["as_it_is", "a_fault_is_told"])
def test_adder_graph(verilator, rng, fault):
    """A pointwise unit at a pixel a clock whose products are additions, whole; one addition turned
    into a subtraction is told."""
    unit = Unit("dut", "pointwise", "project", "dut", 3, 3, 5, 4, activation="linear")
    plan = UnitPlan(constant_folding(unit, NARROW, 9, None, False), NO_BUFFERS)
    config, params = with_integers(rng, plan)
    (config,) = with_adders([config], {"dut": params}, "dut")
    bench = synthesised(UnitBench("verilator", block_of(config), config, params), "generic",
                        partial(re.sub, r"(= n\d+) \+", r"\1 -", count=1) if fault else str)
    _, got, expected = bench.frames(rng, "both", 2)
    assert len(got) == len(expected) and (got != expected) == fault


@pytest.mark.full
def test_adder_graph_of_the_network(verilator, monkeypatch):
    """The same of expanded_conv_project, against the stored golden; ABC, which would only make the
    netlist smaller, takes many minutes for it."""
    monkeypatch.setitem(FAMILIES, "generic", Family("synth -flatten -noabc -top {}"))
    unit, data = TABLE[2], golden("w8a8")
    plan = UnitPlan(constant_folding(unit, PRECISIONS["w8a8"], unit.pixels_out, None, False),
                    NO_BUFFERS)
    config, params = configure(plan, data.params[unit.name]), data.params
    (config,) = with_adders([config], params, unit.name)
    bench = synthesised(UnitBench("verilator", block_of(config), config, params[unit.name]),
                        "generic")
    done = bench.run({"s_axis": data.fixed[TABLE[1].name].reshape(-1, unit.channels_in)},
                     {"m_axis": unit.pixels_out}, "both")
    assert beats(done, bench.arguments) == data.fixed[unit.name].reshape(
        -1, unit.channels_out).tolist()


def test_a_fault_is_told(verilator, rng):
    """The rounding left out before synthesis."""
    bench = unit_bench(rng, "expand", "generic", planted=lambda text: re.sub(
        r"rounded = \(rounded \+ 1\);", "rounded = rounded;", text))
    _, got, expected = bench.frames(rng, count=1)
    assert len(got) == len(expected) and got != expected


@pytest.mark.full
@pytest.mark.parametrize("family", FAMILIES)
def test_stage_of_a_slow_network(verilator, rng, family):
    """block_5 of a small network, whole, its first frames against the Verilog before synthesis."""
    configs = [with_integers(rng, planned)[0] if planned.unit.weights else configure(planned)
               for planned in plan_network(layer_table(0.35, 96), PRECISIONS["w8a8"], 147_456).units
               if planned.unit.stage == "block_5"]
    design = network_design(configs)
    ports = {"s_axis": design.ports["s_axis"], "m_axis": design.ports["m_axis"]}
    before = Bench("verilator", design.function, ports, design.memories)
    after = synthesised(Bench("verilator", design.function, ports, design.memories), family)
    x = frames_of(rng, configs[0], 2).reshape(-1, ports["s_axis"].shape.lanes)
    one, other = [bench.run({"s_axis": x}, {"m_axis": len(x)}, drain=4000)
                  for bench in (before, after)]
    agree(one, other)
    assert len(set(map(tuple, beats(one, ports)))) > 100
