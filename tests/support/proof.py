"""Proofs: properties of a converted block that hold for any input, any stalls and any resets.

The block is converted, an observer in Verilog says what has to hold, and Yosys makes a circuit of
gates of both.  ABC's property-directed reachability (``pdr``) then looks for an invariant: a set of
clauses that holds in every state before the first reset, that every step of the block keeps, and
from which the properties follow.  That is induction whose hypothesis is found by the machine; ABC
checks the invariant once more with a SAT solver.  Where no invariant is found in time, the block is
unrolled from reset for a number of cycles that is told.
"""
import inspect
import re
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyosys

from hdl.axis import AxiStream
from hdl.build import run_tool
from hdl.convert.block import convert_block
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from scripts.shared.yosys import yosys

ABC = Path(pyosys.__file__).with_name("yosys-abc")
FIRST = """
reg started = 0;    // the state before the first reset is any
always @(posedge clk) started <= 1;
always @* assume (started || rst);
"""
# Gates and plain registers; what nothing drives may be anything in every cycle.
GATES = ("setundef -undriven -anyseq", "async2sync", "memory_map", "techmap", "dffunmap",
         "opt -fast -nodffe -nosdff", "setundef -undriven -anyseq", "aigmap", "opt_clean",
         "write_aiger -zinit claim.aig")


class Refuted(AssertionError):
    """A property does not hold: after so many cycles from the start."""


class Undecided(AssertionError):
    """Neither an invariant nor a counterexample was found in time."""


@dataclass(frozen=True)
class Proof:
    """How a property was proven."""

    frames: int     # of the invariant: cycles that the search looked ahead; or of the unrolling
    clauses: int    # of the invariant; 0 too where the properties need none
    registers: int  # bits of state of block and observer
    seconds: float


@dataclass(frozen=True)
class Claim:
    """A block, what is claimed of it, and faults for which the claim must fail.

    arguments  -- {name: AxiStream, signal or parameter}, by the block's names
    properties -- Verilog beside the block; its streams' signals are named as its ports
    inner      -- {name in the properties: (wire of the flattened block, bits)}
    faults     -- (pattern, replacement) in the block's text
    edits      -- the same, for what is free instead of fixed; not faults
    memories   -- {file: text} that the block's ROMs are read from
    cycles     -- 0 for an invariant, else how many cycles from reset the block is unrolled
    slow       -- whether the proof takes more than a second or so
    """

    block: object
    arguments: dict
    properties: str = ""
    faults: tuple = ()
    inner: dict = field(default_factory=dict)
    edits: tuple = ()
    memories: dict = field(default_factory=dict)
    cycles: int = 0
    slow: bool = False


def contract(name, shape, given):
    """The rule of one stream: offered, a beat stays as it is until it is taken; the block's inputs
    keep it by assumption."""
    payload = ", ".join(f"{name}_{member}" for member in ("tdata", *shape.marks))
    keeps = f"{name}_tvalid && {{{payload}}} == {name}_before"
    return f"""
reg {name}_waits = 0;
reg [{shape.payload_width - 1}:0] {name}_before;
always @(posedge clk) begin
    {name}_waits <= {name}_tvalid && !{name}_tready && !rst;
    {name}_before <= {{{payload}}};
end
always @* if (started && {name}_waits) {'assert' if given else 'assume'} ({keeps});
"""


def observer(header, streams, inner, properties):
    """The module that holds the block and what is proven of it.

    header  -- the text of the block's module
    streams -- {port: AxiStream}
    inner   -- {name in the observer: (name in the flattened block, bits)}
    """
    found = re.findall(r"\b(input|output) \w+ (signed )?(\[\d+:0\] )?(\w+)[,)]", header)
    ports = [f"input {sign}{width}{name}" for way, sign, width, name in found if way == "input"]
    wires = [f"wire {sign}{width}{name}" for way, sign, width, name in found if way == "output"]
    names = [name for _, _, _, name in found]
    ports += [f"input {name}" for name in ("clk", "rst") if name not in names]
    links = [f".{name}({name})" for name in names]
    for name, (wire, bits) in inner.items():
        wires.append(f"wire [{bits - 1}:0] {name}")
        links.append(f".\\{wire} ({name})")
    body = "".join(f"{wire};\n" for wire in wires)
    given = re.findall(r"output \w+ (\w+)_tvalid\b", header)
    rules = "".join(contract(name, stream.shape, name in given)
                    for name, stream in streams.items())
    return (f"module observer ({', '.join(ports)});\n{body}dut block ({', '.join(links)});\n"
            f"{FIRST}{rules}{properties}\nendmodule\n")


def edited(files, edits):
    """Change the text of some files: each edit somewhere, or it is a mistake."""
    for pattern, replacement in edits:
        changed = 0
        for file in files:
            text, count = re.subn(pattern, replacement, file.read_text())
            file.write_text(text)
            changed += count
        assert changed, f"no text of the block has {pattern}"


def converted(directory, claim, hdl="Verilog"):
    """The files of a claim's block, and of its memories."""
    with fresh_elaboration():
        named = dict(zip(("clk", "rst"), clock_and_reset()))
        ports = inspect.signature(claim.block.func).parameters
        named = {name: signal for name, signal in named.items() if name in ports}
        files = convert_block(claim.block(**named, **claim.arguments), directory, "dut", hdl)
    for name, text in claim.memories.items():
        Path(directory, name).write_text(text)
    return files


def streams_of(claim):
    """{port: AxiStream} of a claim's block."""
    return {name: stream for name, stream in claim.arguments.items()
            if isinstance(stream, AxiStream)}


def gates(directory, claim, fault=None, beside=()):
    """Write ``claim.aig`` into a folder: the block and its observer as gates.

    beside -- Yosys passes that read what else the observer needs
    """
    files = converted(directory, claim)
    edited(files, claim.edits + ((fault,) if fault else ()))
    Path(directory, "observer.sv").write_text(observer(
        files[-1].read_text(), streams_of(claim), claim.inner, claim.properties))
    yosys(directory, *(f"read_verilog -formal -sv {file.name}" for file in files),
          "hierarchy -top dut", "proc", "flatten", "memory -nomap", "opt_clean",
          *(f"expose dut/w:{wire}" for wire, _ in claim.inner.values()), *beside,
          "read_verilog -formal -sv observer.sv", "hierarchy -top observer", "proc", "flatten",
          "memory -nomap", "opt -full", "chformal -lower", *GATES)


def abc(directory, script):
    """What ABC says of ``claim.aig``."""
    return subprocess.run([str(ABC), "-c", f"read claim.aig; print_stats; fold; {script}"],
                          cwd=directory, capture_output=True, text=True).stdout


def prove(directory, claim, fault=None, seconds=600):
    """Show that a block keeps its streams' contract and the claim's properties; returns a Proof.

    fault   -- (pattern, replacement) in the block's text
    seconds -- after which the search for an invariant ends

    Raises Refuted where a property fails, and Undecided where the time is over.
    """
    started = time.perf_counter()
    gates(directory, claim, fault)
    said = abc(directory, f"bmc3 -a -F {claim.cycles}" if claim.cycles else f"pdr -T {seconds}")
    return result(said, bool(claim.cycles), started)


def result(said, unrolled, started):
    """The Proof that ABC tells of."""
    refuted = re.search(r"Output \d+ .*was asserted in frame +(\d+)", said)
    if refuted:
        raise Refuted(f"a property fails after {refuted[1]} cycles: {said[-2000:]}")
    depth = re.search(r"No output asserted in (\d+) frames", said) if unrolled \
        else re.search(r"Invariant F\[(\d+)\] : (\d+) clauses", said)
    if not depth or not unrolled and "Property proved." not in said:
        raise Undecided(said[-2000:])
    return Proof(int(depth[1]), 0 if unrolled else int(depth[2]),
                 int(re.search(r"lat = +(\d+)", said)[1]), time.perf_counter() - started)


def prove_languages(directory, claim, fault=None, seconds=600):
    """Show that a block's Verilog and its VHDL, which GHDL makes Verilog of, give the same in every
    cycle: tready, tvalid, and the payload while tvalid is high.  Both begin with zeros in all
    registers, before the first reset.  Returns a Proof; raises as ``prove``.

    fault -- (pattern, replacement) in the block's Verilog
    """
    started = time.perf_counter()
    folder = Path(directory, "vhdl")
    folder.mkdir()
    files = converted(folder, claim, "VHDL")
    text = run_tool(["ghdl", "--synth", "--std=08", "--out=verilog",
                     *(file.name for file in files), "-e", "dut"], folder)
    end = text.rindex("endmodule") + len("endmodule\n")    # warnings follow
    text = text[text.index("module "):end]
    # GHDL 2.0 writes a shift of a signed number as if the number had no sign.
    Path(directory, "other.v").write_text(re.sub(r"(\$signed\(\w+\)) >> ", r"\1 >>> ", text))
    header = converted(folder, claim)[-1].read_text()
    both = replace(claim, properties=other(header, streams_of(claim)), inner={})
    gates(directory, both, fault, (
        "design -stash verilog", "read_verilog other.v", "hierarchy -top dut", "proc", "flatten",
        "memory -nomap", "opt_clean", "rename dut other", "design -copy-from verilog dut",
        "setundef -undriven -init -zero"))
    said = abc(directory, f"bmc3 -a -F 4; scorr; print_stats; pdr -T {seconds}")
    # Where all registers turn out the same nothing is left; what the outputs are was seen before.
    if re.search(r"No output asserted in 4 frames(.*\n)+.*lat = +0 +and = +0 ", said):
        said += "Invariant F[0] : 0 clauses, Property proved."
    return result(said, False, started)


def other(header, streams):
    """Verilog of a second copy of the block, the module ``other``, that has the same inputs, and
    what has to agree."""
    found = re.findall(r"\b(input|output) \w+ (signed )?(\[\d+:0\] )?(\w+)[,)]", header)
    outputs = {name: width for way, _, width, name in found if way == "output"}
    wires = "".join(f"wire {width}{name}_other;\n" for name, width in outputs.items())
    links = ", ".join(f".{name}({name}{'_other' * (name in outputs)})" for _, _, _, name in found)
    payload = {f"{name}_{member}": f"{name}_tvalid" for name, stream in streams.items()
               for member in ("tdata", *stream.shape.marks)}
    same = "".join(f"    if ({payload.get(name, 1)}) assert ({name} == {name}_other);\n"
                   for name in outputs)
    return f"{wires}other copy ({links});\nalways @* if (started) begin\n{same}end\n"
