"""What a user takes home: a folder of HDL, memories, constants and a bench that checks itself with
golden vectors, with a file list, a FuseSoC core and a page of ports and figures; of the chain or of
one stage.
"""
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from hdl.axis import AxiStream
from hdl.convert import TOP, convert_network, memory_files
from hdl.mobilenet_v2 import by_stage
from hdl.sim.network import tiled
from hdl.sim.trace import hex_lines, payload

HERE = Path(__file__).resolve().parent
PACKAGE = "impossible-mobilenet"


@dataclass(frozen=True)
class Language:
    """What differs between Verilog and VHDL."""

    comment: str
    file_type: str          # FuseSoC's
    constants: str          # ending of the file of constants
    bench: str              # ending of the bench
    bench_type: str         # FuseSoC's
    constant: Callable      # (name, value) -> its declaration
    frame: tuple            # lines around the constants; {} is the file's name
    tool: str               # FuseSoC's simulator
    tools: str              # options of simulators, in a FuseSoC target
    commands: tuple         # (simulator, shell command that checks block {0})


LANGUAGES = {
    "Verilog": Language(
        "//", "verilogSource", ".vh", ".sv", "systemVerilogSource",
        "localparam integer {} = {};".format, ((), ()), "icarus",
        """\
      icarus:
        iverilog_options: [-g2012]
      verilator:
        mode: binary
        verilator_options: [--timing, -Wno-fatal]
""",
        (("Icarus Verilog 11 or newer",
          "iverilog -g2012 -s {0}_bench -o {0}_bench.vvp -f files.f {0}_bench.sv &&\n"
          "vvp -n {0}_bench.vvp"),
         ("Verilator 5.20 or newer",
          "verilator --binary --timing -j 0 -O3 -Wno-fatal --top-module {0}_bench \\\n"
          "    -f files.f {0}_bench.sv && ./obj_dir/V{0}_bench"))),
    "VHDL": Language(
        "--", "vhdlSource-2008", ".vhd", ".vhd", "vhdlSource-2008",
        "    constant {} : positive := {};".format, (("package {} is",), ("end package;",)), "ghdl",
        """\
      ghdl:
        analyze_options: [--std=08]
        run_options: [--ieee-asserts=disable-at-0]
""",
        (("GHDL 2.0 or newer",
          "ghdl -a --std=08 $(cat files.f) {0}_bench.vhd && ulimit -s \"$(ulimit -H -s)\" &&\n"
          "ghdl --elab-run --std=08 {0}_bench --ieee-asserts=disable-at-0"),)),
}


@dataclass(frozen=True)
class Timing:
    """Cycles of a block in the chain, whose input comes at the rate it is made for."""

    interval: int   # from frame to frame
    first: int      # from the first input beat to the first output beat, both included
    last: int       # ... to the frame's last output beat


@dataclass(frozen=True)
class Block:
    """Consecutive units, one stage or the whole chain, ready to be exported."""

    configs: tuple      # UnitConfig
    timing: Timing
    stimulus: np.ndarray    # (rows, columns, channels), the integers of its input
    golden: np.ndarray      # ... and of its output

    @property
    def name(self):
        """The stage, or the chain's top."""
        stages = list(by_stage(self.configs))
        return TOP if len(stages) > 1 else stages[0]

    @property
    def streams(self):
        """AxiStream of s_axis and of m_axis."""
        first, last = self.configs[0], self.configs[-1]
        return AxiStream(*first.stream_in()), AxiStream(*last.stream_out())

    def vectors(self):
        """{file name: text} of a frame's beats in and out, hexadecimal, a line each."""
        source, sink = self.streams
        return {f"{self.name}_{kind}.mem": hex_lines(payload(stream, tiled(frame[None],
                                                                           stream.tile)),
                                                     stream.width)
                for kind, stream, frame in (("stimulus", source, self.stimulus),
                                            ("golden", sink, self.golden))}

    def constants(self):
        """{name: value} of what a design around the block needs to know."""
        first, last = self.configs[0].unit, self.configs[-1].unit
        values = {}
        for side, stream, size, channels in zip(
                ("S_AXIS", "M_AXIS"), self.streams, (first.size_in, last.size_out),
                (first.channels_in, last.channels_out)):
            values |= {f"{side}_BITS": stream.width, f"{side}_LANES": stream.lanes,
                       f"{side}_ELEMENT_BITS": stream.bits, f"{side}_TILE": stream.tile,
                       f"{side}_BEATS": math.ceil(size / stream.tile) ** 2
                       * channels // stream.lanes}
        return values | {
            "SIZE_IN": first.size_in, "CHANNELS_IN": first.channels_in, "SIZE_OUT": last.size_out,
            "CHANNELS_OUT": last.channels_out, "CYCLES_PER_FRAME": self.timing.interval,
            "FIRST_OUTPUT_CYCLES": self.timing.first, "LAST_OUTPUT_CYCLES": self.timing.last}

    def costs(self):
        """{what: number} of the multipliers and bits that the block takes."""
        rows = [config.folding for config in self.configs]
        return {
            "multipliers of multiply-accumulate arrays": sum(row.multipliers for row in rows),
            "multipliers of requantizers": sum(row.requantizers for row in rows),
            "bits of weights": sum(row.weight_bits for row in rows),
            "bits of biases, multipliers and shifts": sum(
                config.scales.bits for config in self.configs if config.scales),
            "bits of line buffers": sum(row.line_buffer_bits for row in rows),
            "bits of the shortcuts' FIFOs": sum(row.fifo_bits for row in rows),
            "bits of what waits between units and inside them": sum(
                row.buffer_bits for row in rows)}

    def ports(self):
        """(name, direction, bits, meaning) of every port."""
        found = [("clk", "in", 1, "clock; everything happens at its rising edge"),
                 ("rst", "in", 1, "reset, synchronous, active high")]
        activations = self.configs[0].unit.activation_in, self.configs[-1].unit.activation
        for side, stream, activation, (there, back) in zip(
                ("s_axis", "m_axis"), self.streams, activations, (("in", "out"), ("out", "in"))):
            found += [(f"{side}_tdata", there, stream.width, beat(stream, activation)),
                      (f"{side}_tvalid", there, 1, "a beat is offered; it stays until it is taken"),
                      (f"{side}_tready", back, 1, "a beat that is offered is taken in this cycle")]
        return found


def beat(stream, activation):
    """What a beat of a stream holds, in words."""
    kind = {"input": "input q = 2p - 255 of a byte p, signed", "relu6": "ReLU6 output, unsigned",
            "linear": "linear output, signed"}[activation]
    tile = f"{stream.tile} x {stream.tile} pixels, the first lowest, of " if stream.tile > 1 else ""
    lanes = "one channel" if stream.lanes == 1 else f"{stream.lanes} channels, the first lowest,"
    return f"{tile}{lanes} of {stream.bits} bits: {kind}; pixels in raster order"


def blocks(configs, leave, integers, cycles):
    """{name: Block} of every stage in order, and last of the whole chain.

    leave    -- {unit: cycles at which its output leaves}, of the schedule
    integers -- {"input" and every unit: (rows, columns, channels)}
    cycles   -- for a frame
    """
    grouped = by_stage(configs)
    stimulus, start, found = integers["input"], 0, []

    def block(members, stimulus, start):
        last = members[-1]
        golden, left = integers[last.unit.name], leave[last.unit.name]
        beats = golden.size // last.folding.lanes_out
        times = (int(left[at]) - start + 1 for at in (0, beats - 1))
        return Block(members, Timing(cycles, *times), stimulus, golden)

    for members in grouped.values():
        found.append(block(members, stimulus, start))
        stimulus, start = found[-1].golden, int(leave[members[-1].unit.name][0])
    found.append(block(tuple(configs), integers["input"], 0))
    return {each.name: each for each in found}


def export(block, directory, cache, hdl):
    """Write the folder of a Block.

    directory -- an empty folder
    cache     -- folder of converted stages
    hdl       -- "Verilog" or "VHDL"
    """
    directory, name, language = Path(directory), block.name, LANGUAGES[hdl]
    sources = [Path(file).name for file in convert_network(block.configs, directory, cache, hdl)]
    memories, vectors = memory_files(block.configs), block.vectors()
    constants, bench = f"{name}_constants{language.constants}", f"{name}_bench{language.bench}"
    texts = {
        constants: constants_text(block, hdl),
        bench: (HERE / f"self_check{language.bench}").read_text().replace("DUT", name),
        "files.f": "".join(f"{source}\n" for source in sources + [constants] * (hdl == "VHDL")),
        f"{name}.core": core_text(block, sources, constants, bench, memories, vectors, hdl),
        "README.md": readme(block, sources, constants, bench, hdl), **memories, **vectors}
    for file, text in texts.items():
        (directory / file).write_text(text)
    shutil.copy(HERE.parent / "LICENSE", directory)
    if hdl == "Verilog":
        shutil.copy(HERE / "lint.vlt", directory)


def constants_text(block, hdl):
    """The constants as a Verilog header, to be included in a module, or as a VHDL package."""
    language = LANGUAGES[hdl]
    before, after = ([line.format(f"{block.name}_constants") for line in lines]
                     for lines in language.frame)
    lines = [language.constant(name, value) for name, value in block.constants().items()]
    return "\n".join([f"{language.comment} {about(block)}", *before, *lines, *after, ""])


def about(block):
    """One line on what the block is."""
    first, last = block.configs[0].unit, block.configs[-1].unit
    units = ", ".join(config.unit.role for config in block.configs)
    what = "all of MobileNetV2" if block.name == TOP else units
    return (f"{block.name} ({what}): {first.size_in} x {first.size_in} x {first.channels_in} in, "
            f"{last.size_out} x {last.size_out} x {last.channels_out} out, "
            f"{block.configs[0].folding.precision.name}, {block.timing.interval:,} cycles a frame")


def core_text(block, sources, constants, bench, memories, vectors, hdl):
    """A FuseSoC core (CAPI=2) with the block by itself and with its bench."""
    language, name = LANGUAGES[hdl], block.name

    def data(files):
        return "".join(f"      - {file}: {{file_type: user, copyto: {file}}}\n" for file in files)

    include = ", is_include_file: true" * (hdl == "Verilog")
    header = f"{{file_type: {language.file_type}{include}}}"
    return f"""CAPI=2:
name: "{PACKAGE}:{hdl.lower()}:{name}:{version(PACKAGE)}"
description: "{about(block)}"
filesets:
  rtl:
    file_type: {language.file_type}
    files:
{''.join(f'      - {source}{chr(10)}' for source in sources)}\
      - {constants}: {header}
  memories:
    files:
{data(memories)}\
  bench:
    files:
{data(vectors)}\
      - {bench}: {{file_type: {language.bench_type}}}
targets:
  default:
    filesets: [rtl, memories]
    toplevel: {name}
  sim:
    filesets: [rtl, memories, bench]
    toplevel: {name}_bench
    default_tool: {language.tool}
    tools:
{language.tools}"""


def readme(block, sources, constants, bench, hdl):
    """The folder's page: ports, time, cost, files, and how to check the block."""
    language, timing = LANGUAGES[hdl], block.timing
    lines = [
        f"# {block.name}", "", f"{about(block)}. {hdl}, converted from MyHDL by "
        f"impossible-mobilenet {version(PACKAGE)}, Apache-2.0.", "",
        "## Ports", "", "| port | direction | bits | meaning |", "|---|---|---:|---|",
        *(f"| `{name}` | {way} | {bits} | {meaning} |"
          for name, way, bits, meaning in block.ports()), "",
        "## Time", "", "Where the input comes as it does in the chain and the output is taken at "
        "once:", "", "| | cycles |", "|---|---:|",
        f"| from frame to frame | {timing.interval:,} |",
        f"| from the first beat in to the first beat out | {timing.first:,} |",
        f"| from the first beat in to the last beat out of the same frame | {timing.last:,} |", "",
        "## Cost", "", "| | |", "|---|---:|",
        *(f"| {what} | {number:,} |" for what, number in block.costs().items()), ""]
    if block.name == TOP:
        lines += ["## Stages", "", "| stage | multipliers | requantizers | bits of weights |",
                  "|---|---:|---:|---:|"]
        for stage, members in by_stage(block.configs).items():
            rows = [config.folding for config in members]
            lines.append(f"| `{stage}` | {sum(row.multipliers for row in rows):,} | "
                         f"{sum(row.requantizers for row in rows):,} | "
                         f"{sum(row.weight_bits for row in rows):,} |")
        lines.append("")
    lines += [
        "## Check", "", f"`{bench}` sends the golden's frame through the block while both sides "
        "stall at random, and compares every element of the output. It ends with PASS and status "
        "0, or with the first difference and another status. Its parameters: FRAMES, the frame so "
        "many times back to back; SEED, of the stalls, 0 for none.", ""]
    for simulator, command in language.commands:
        lines += [f"{simulator}, in this folder:", "", "```sh", command.format(block.name), "```",
                  ""]
    if hdl == "Verilog":
        lines += ["`verilator --lint-only -Wall lint.vlt -f files.f` says nothing; `lint.vlt` has "
                  "what it may not say, with the reasons.", ""]
    lines += [
        f"FuseSoC: `fusesoc --cores-root . run --target=sim {PACKAGE}:{hdl.lower()}:"
        f"{block.name}`.", "",
        "## Files", "", "| file | what |", "|---|---|",
        f"| {', '.join(f'`{source}`' for source in sources)} | the design, listed in `files.f` |",
        f"| `{constants}` | its figures as constants |",
        "| `*_weights.mem`, `*_scales.mem` | ROMs, read from the working directory |",
        f"| `{block.name}_stimulus.mem`, `{block.name}_golden.mem` | a frame's beats in and out |",
        f"| `{block.name}.core` | the same for FuseSoC |", ""]
    return "\n".join(lines)
