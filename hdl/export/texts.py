"""What an exported folder says: constants, FuseSoC core and page, in Verilog's or VHDL's words."""
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version

from hdl.build import PACKAGE
from hdl.convert.video import FAULTS
from hdl.export.block import Block, Timing, unit_costs
from hdl.plan.config import by_stage

RTL = "rtl"     # the folder of the design's files


@dataclass(frozen=True)
class Language:
    """What differs between Verilog and VHDL."""

    comment: str
    file_type: str          # FuseSoC's
    constants: str          # ending of the file of constants
    constants_type: str     # FuseSoC's
    bench: str              # ending of the bench
    bench_type: str         # FuseSoC's
    constant: Callable[[str, int], str]     # (name, value) -> its declaration
    frame: tuple[tuple[str, ...], tuple[str, ...]]  # around the constants; {} is the file's name
    tool: str               # FuseSoC's simulator
    tools: str              # options of simulators, in a FuseSoC target
    commands: tuple[tuple[str, str], ...]   # (simulator, shell command that checks block {0})


LANGUAGES = {
    "Verilog": Language(
        "//", "verilogSource", ".vh", "verilogSource, is_include_file: true", ".sv",
        "systemVerilogSource",
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
        "--", "vhdlSource-2008", ".vhd", "vhdlSource-2008", ".vhd", "vhdlSource-2008",
        "    constant {} : natural := {};".format, (("package {} is",), ("end package;",)), "ghdl",
        """\
      ghdl:
        analyze_options: [--std=08]
        run_options: [--ieee-asserts=disable-at-0]
""",
        (("GHDL 2.0 or newer",
          "ghdl -a --std=08 $(cat files.f) {0}_bench.vhd && ulimit -s \"$(ulimit -H -s)\" &&\n"
          "ghdl --elab-run --std=08 {0}_bench --ieee-asserts=disable-at-0"),)),
}


MEMORIES = {"weights": "bits of weights", "scales": "bits of biases, multipliers and shifts",
            "line_buffers": "bits of line buffers",
            "residual_fifos": "bits of the shortcuts' FIFOs",
            "pixel_buffers": "bits of what waits between units and inside them"}


def constants_text(block: Block, hdl: str) -> str:
    """The constants as a Verilog header, to be included in a module, or as a VHDL package."""
    language = LANGUAGES[hdl]
    before, after = ([line.format(f"{block.full_name}_constants") for line in lines]
                     for lines in language.frame)
    lines = [language.constant(name, value) for name, value in block.constants().items()]
    return "\n".join([f"{language.comment} {about(block)}", *before, *lines, *after, ""])


def about(block: Block) -> str:
    """One line on what the block is."""
    first, last = block.configs[0].unit, block.configs[-1].unit
    units = ", ".join(config.unit.role for config in block.configs)
    what = "all of MobileNetV2" if block.whole else units
    video = ", AXI4-Stream Video in" if block.film else ""
    return (f"{block.full_name} ({what}{video}): "
            f"{first.size_in} x {first.size_in} x {first.channels_in} in, "
            f"{last.size_out} x {last.size_out} x {last.channels_out} out, "
            f"{block.configs[0].folding.precision.name}, {block.timing.interval:,} cycles a frame")


def core_name(block: Block, hdl: str) -> str:
    """FuseSoC's name of the block, without a version: another network's is another name, since of
    two versions of a name FuseSoC takes the newer."""
    return f"{PACKAGE}:{hdl.lower()}:{block.full_name}-{block.network}"


def core_text(block: Block, sources: Iterable[str], constants: str, bench: str,
              memories: Iterable[str], vectors: Iterable[str], hdl: str) -> str:
    """A FuseSoC core (CAPI=2) with the block by itself and with its bench."""
    language, name = LANGUAGES[hdl], block.full_name

    def listed(files, options=""):
        return "".join(f"      - {file}{options.format(file)}\n" for file in files)

    data = ": {{file_type: user, copyto: {}}}"
    return f"""CAPI=2:
name: "{core_name(block, hdl)}:{version(PACKAGE)}"
description: "{about(block)}"
filesets:
  rtl:
    file_type: {language.file_type}
    files:
{listed(sources)}\
      - {constants}: {{file_type: {language.constants_type}}}
  memories:
    files:
{listed(memories, data)}\
  bench:
    files:
{listed(vectors, data)}\
      - {bench}: {{file_type: {language.bench_type}}}
targets:
  default:
    filesets: [rtl, memories]
    toplevel: {block.top}
  sim:
    filesets: [rtl, memories, bench]
    toplevel: {name}_bench
    default_tool: {language.tool}
    tools:
{language.tools}"""


def readme(block: Block, sources: Collection[str], constants: str, bench: str, hdl: str) -> str:
    """The folder's page: ports, time, cost, files, and how to check the block."""
    lines = [
        f"# {block.full_name}", "", f"{about(block)}. {hdl}, converted from MyHDL by "
        f"impossible-mobilenet {version(PACKAGE)}, Apache-2.0.", "",
        "## Ports", "", "| port | direction | bits | meaning |", "|---|---|---:|---|",
        *(f"| `{name}` | {way} | {bits} | {meaning} |"
          for name, way, bits, meaning in block.ports()), "",
        *outside_lines(block),
        *time_lines(block.timing), *cost_lines(block)]
    if block.whole:
        lines += stage_lines(block)
    lines += check_lines(block, bench, hdl)
    lines += [
        "## Memories", "", "The ROMs read their `.mem` files when a simulation or a synthesis "
        "begins, from the folder that MEMORY_FOLDER names, a "
        f"{'parameter' if hdl == 'Verilog' else 'generic'} of the block. Where it is not given it "
        "is \".\", the folder in which the tool was started.", "",
        "## Files", "", "| file | what |", "|---|---|",
        f"| `{RTL}/` | the design, a file for each of its {len(sources)} modules, listed in "
        "`files.f`, a module after those that it is made of |",
        f"| `{constants}` | its figures as constants |",
        "| `*_weights.mem`, `*_scales.mem` | ROMs |",
        f"| `{block.full_name}_stimulus.mem`, `{block.full_name}_golden.mem` | the "
        "bench's beats in and out |",
        f"| `{block.full_name}.core` | the same for FuseSoC |", ""]
    return "\n".join(lines)


def outside_lines(block: Block) -> list[str]:
    """The page's words on its streams."""
    if block.film:
        return video_lines(block)
    return [
        f"These are the ports of `{block.top}`, the module or entity to instantiate. Its streams "
        "are of whole bytes, as AMD's arithmetic cores and Vitis HLS lay numbers out: each number "
        "is filled up to bytes by itself, with its sign, or with zeros where it has none. At "
        "`s_axis` the bits above a number are not read. There is no `s_axis_tlast`: a frame is as "
        "many beats as S_AXIS_BEATS says, back to back; a source's own `tlast` stays open. "
        f"`{block.full_name}` inside has the same streams without the bits above and without "
        "`tlast`.", "", *creep_lines(block)]


def video_lines(block: Block) -> list[str]:
    """The page's words on streams of video."""
    return [
        f"These are the ports of `{block.top}`, the module or entity to instantiate. `s_axis` is "
        "AXI4-Stream Video as AMD's UG934 has it. Whatever comes, whole frames leave: a beat with "
        "`tuser` begins a frame, and a frame that has begun ends; what is missing is filled up "
        "with black, what is too much is dropped. A frame to which that happens is damaged: it "
        "has `tuser` with its last beat at `m_axis`, and the bits of `frame_error` say what was "
        f"found: {', '.join(FAULTS)}, lowest first. A source may bring nothing inside a frame for "
        "as many cycles as PATIENCE says; after that the frame is filled up. The next good frame "
        "is bit exact.", ""]


def creep_lines(block: Block) -> list[str]:
    """The page's words on tiles that creep, where there are such."""
    if all(stream.creep is None for stream in block.inner_streams):
        return []
    return [
        "Tiles creep where the table says so: by so many rows and columns, S_AXIS_CREEP and "
        "M_AXIS_CREEP, they lie behind the frame's own. The first rows of a beat are the last ones "
        "of the tile that came one row of tiles before (S_AXIS_ROW and M_AXIS_ROW beats ago), its "
        "first columns the last ones of the tile of the beat before. `tuser` is high where a beat "
        "brings a tile; `tlast` counts these. After a frame that none follows, S_AXIS_ROW + 1 "
        "beats with `tuser` low, and at `m_axis` as many, bring what is left of it; what is no "
        "tile's in them may be anything.", ""]


def time_lines(timing: Timing) -> list[str]:
    """The page's section on cycles."""
    return [
        "## Time", "", "Where the input comes as it does in the chain and the output is taken at "
        "once:", "", "| | cycles |", "|---|---:|",
        f"| from frame to frame | {timing.interval:,} |",
        f"| from the first beat in to the first beat out | {timing.first:,} |",
        f"| from the first beat in to the last beat out of the same frame | {timing.last:,} |", ""]


def cost_lines(block: Block) -> list[str]:
    """The page's section on multipliers and memory."""
    costs = block.costs()
    rows = [("multipliers of multiply-accumulate arrays", costs["multipliers"]),
            ("multipliers of requantizers", costs["requantizers"]),
            *((words, costs["bits"][name]) for name, words in MEMORIES.items())]
    return ["## Cost", "", "| | |", "|---|---:|",
            *(f"| {words} | {number:,} |" for words, number in rows), ""]


def stage_lines(block: Block) -> list[str]:
    """The page's section on the stages of a chain."""
    lines = ["## Stages", "", "| stage | multipliers | requantizers | bits of weights |",
             "|---|---:|---:|---:|"]
    for stage, configs in by_stage(block.configs).items():
        costs = unit_costs(configs)
        lines.append(f"| `{stage}` | {costs['multipliers']:,} | {costs['requantizers']:,} | "
                     f"{costs['bits']['weights']:,} |")
    return [*lines, ""]


def check_lines(block: Block, bench: str, hdl: str) -> list[str]:
    """The page's section on the bench that comes with the block."""
    sent = "the golden's frame" if not block.film else (
        f"{len(block.film.script.takes)} frames, good ones and ones with every fault "
        f"({', '.join(block.film.script.faults)}),")
    lines = [
        "## Check", "", f"`{bench}` sends {sent} through the block while both sides "
        "stall at random, and compares every element of the output. It ends with PASS and status "
        "0, or with the first difference, or the rule of a stream that is broken, and another "
        "status. Its parameters: FRAMES, all that so "
        "many times back to back; SEED, of the stalls, 0 for none; MEMORY_FOLDER, as below.", ""]
    for simulator, command in LANGUAGES[hdl].commands:
        lines += [f"{simulator}, in this folder:", "", "```sh", command.format(block.full_name),
                  "```", ""]
    if hdl == "Verilog":
        lines += ["`verilator --lint-only -Wall lint.vlt -f files.f` says nothing; `lint.vlt` has "
                  "what it may not say, with the reasons.", ""]
    return lines + [
        f"FuseSoC: `fusesoc --cores-root . run --target=sim {core_name(block, hdl)}`.", ""]
