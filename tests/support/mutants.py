"""Mutants: small faults planted in a block's converted Verilog, which the block's tests must tell.

Yosys makes a netlist of the text and plants many mutants (``mutate``), all in one netlist, of which
an input turns on one at a time.  So a netlist is compiled once; its number comes from a memory
file.  The tests of the block then run as they are, on that netlist: what raises an error tells the
mutant.  A mutant that no test tells is compared with the block as it was, side by side, under the
rules of streams: ABC looks for a proof that nothing is to be seen of it, whatever comes.
"""
import functools
import importlib
import inspect
import re
import resource
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.build import digest
from hdl.sim.design import Design, simulate
from scripts.shared.yosys import yosys
from tests.support import bench
from tests.support.proof import ABC, FIRST, GATES, contract

VERDICTS = 1    # counts up when they change, so that none is kept
MEMORY = "mutant.mem"
NETLIST = ("proc", "flatten", "opt -full", "wreduce", "opt -full", "memory -nomap", "opt_clean")
SEARCH = 60     # seconds of processor time for the proof that a mutant is none
LONGEST = 20_000    # cycles of a simulation; some mutants give beats for ever
CYCLES = 400    # of the search for a difference, at most


@dataclass(frozen=True)
class Subject:
    """A block and the tests of it.

    module -- that has the tests, below tests.hdl
    tests  -- {name of a test: its arguments, the block by its name}; all of them make one block
    count  -- of mutants
    """

    module: str
    tests: dict
    count: int


@dataclass(frozen=True)
class Netlist:
    """A block with mutants: all files of Verilog, its top, and what each mutant changes."""

    files: dict
    top: str
    mutants: tuple
    ports: dict     # {name: (AxiStream, whether the block gives it)}


def planted(texts, top, count, seed):
    """(text of the module ``top_mutants``, what each of its mutants changes), from converted texts
    {file: text}."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in texts.items():
            Path(directory, name).write_text(text)
        sources = " ".join(name for name in texts if name.endswith(".v"))
        yosys(directory, f"read_verilog {sources}", f"hierarchy -top {top}", *NETLIST,
              f"mutate -list {2 * count} -seed {seed} -o list", "write_rtlil block.il")
        lines = [line for line in Path(directory, "list").read_text().splitlines()
                 if not re.search(r"-port \S*CLK\b", line)][:count]
        bits = max(len(lines).bit_length(), 1)
        yosys(directory, "read_rtlil block.il", *(
            line.replace("mutate ", f"mutate -ctrl mutant {bits} {number} ", 1)
            for number, line in enumerate(lines, 1)),
            f"rename {top} {top}_mutants", "rename -hide w:*", "write_verilog -noattr mutants.v")
        return Path(directory, "mutants.v").read_text(), tuple(lines)


def netlist(files, top, memories, ports, count, seed):
    """The Netlist of converted files; kept in the build folder."""
    texts = {file.name: file.read_text() for file in files} | dict(memories or {})
    text, lines = planted(texts, top, count, seed)
    header = re.search(rf"module {top} \((.*?)\);", texts[f"{top}.v"], re.S)[1]
    names = re.findall(r"(\w+)(?=,|$)", header)
    header = header.replace("output reg", "output wire")
    links = ", ".join(f".{name}({name})" for name in names)
    wrapper = f"""
module {top} ({header});
reg [{max(len(lines).bit_length(), 1) - 1}:0] chosen [0:0];
initial $readmemh("{MEMORY}", chosen);
{top}_mutants mutants ({links}, .mutant(chosen[0]));
endmodule
"""
    given = {name: f"output wire {name}_tvalid" in header for name in ports}
    return Netlist({f"{top}.v": text + wrapper}, top, lines,
                   {name: (stream, given[name]) for name, stream in ports.items()})


def ending(cycle):
    """AssertionError where a simulation has no end."""
    assert cycle < LONGEST, "it has no end"


class Stage:
    """Runs the tests of a subject, each block of theirs replaced by its netlist with mutants."""

    def __init__(self, name, subject, seed=1):
        self.name, self.subject, self.seed = name, subject, seed
        self.module = importlib.import_module(f"tests.hdl.{subject.module}")
        self.netlist, self.texts, self.number = None, None, 0
        self.expected, self.runs, self.late = {}, 0, False
        told = self.failing(0) or self.failing(0, "icarus")
        assert told is None, f"{name}: {' '.join(told)} fails without a mutant"

    @property
    def digest(self):
        """Of all that a verdict depends on."""
        return digest(self.name, *self.netlist.files.values(), *self.netlist.mutants,
                      str(self.subject), inspect.getsource(self.module),
                      inspect.getsource(bench), str(VERDICTS))

    def simulate(self, simulator, design, ends, **options):
        """In place of the one that benches call: the block as it is moves its beats in the cycles
        in which MyHDL moves them, and so has the netlist."""
        chosen = Design(design.function, design.arguments, memories={MEMORY: f"{self.number:x}\n"},
                        hdl=functools.partial(self.convert, design))
        run = simulate(simulator, chosen, ends, progress=ending, **options)
        self.runs += 1
        key = self.test, self.simulator, self.runs
        if key not in self.expected:
            self.expected[key] = simulate("myhdl", design, ends, **options)
        try:
            bench.agree(run, self.expected[key])
        except AssertionError:
            self.late = True
        return run

    def convert(self, design, directory, language):
        """Write the netlist in place of the block."""
        files, top = design.convert(directory, language)
        texts = {file.name: file.read_text() for file in files} | dict(design.memories or {})
        if self.netlist is None:
            self.netlist = netlist(files, top, design.memories, design.ports, self.subject.count,
                                   self.seed)
            self.texts = texts
        assert texts == self.texts, f"{self.name}: its tests are of different blocks"
        for file in files:
            file.unlink()
        for name, text in self.netlist.files.items():
            Path(directory, name).write_text(text)
        return [Path(directory, name) for name in self.netlist.files], top

    def failing(self, number, simulator="verilator"):
        """(the first test that a mutant fails, how); None where all pass.  0 is the block as it
        is; Icarus has unknown bits, which tell of a register that no reset reaches."""
        self.number, self.simulator = number, simulator
        before, bench.simulate = bench.simulate, self.simulate
        try:
            for self.test, arguments in self.subject.tests.items():
                self.runs, self.late = 0, False
                function, given = getattr(self.module, self.test), {
                    "simulator": simulator,
                    "rng": np.random.default_rng(list(self.name.encode())), **arguments}
                if "block" in given:
                    given["block"] = getattr(self.module, given["block"])
                wanted = inspect.signature(function).parameters
                try:
                    function(**{name: given[name] for name in wanted})
                except Exception as error:
                    return self.test, type(error).__name__
                if self.late:
                    return self.test, "other cycles than MyHDL's"
        finally:
            bench.simulate = before
        return None


def seen(ports):
    """Verilog of all that is to be seen of a block: every tready and tvalid, and while tvalid is
    high tdata and the marks."""
    parts = []
    for name, (stream, given) in ports.items():
        if not given:
            parts.append(f"{name}_tready")
            continue
        parts.append(f"{name}_tvalid")
        parts += [f"({name}_{member} & {{{len(stream.signals()[member])}{{{name}_tvalid}}}})"
                  for member in ("tdata", *stream.shape.marks)]
    return parts


def watched(top, ports, bits):
    """Verilog of a block whose input chooses the mutant, under the rules of its input streams."""
    inputs, wires, links, rules, width = ["input clk", "input rst"], [], [], "", 0
    for name, (stream, given) in ports.items():
        rules += "" if given else contract(name, stream.shape, False)
        for member, signal in stream.signals().items():
            size = f"[{len(signal) - 1}:0] " if member == "tdata" else ""
            output = given == (member != "tready")
            (wires if output else inputs).append(
                f"{'wire' if output else 'input'} {size}{name}_{member}")
            links.append(f".{name}_{member}({name}_{member})")
            width += output * len(signal)
    return (f"module observer ({', '.join(inputs)}, input [{bits - 1}:0] mutant, "
            f"output [{width - 1}:0] seen);\n" + "".join(f"{wire};\n" for wire in wires)
            + f"{top}_mutants block (.clk(clk), .rst(rst), {', '.join(links)}, .mutant(mutant));\n"
            f"assign seen = {{{', '.join(seen(ports))}}};\n{FIRST}{rules}endmodule\n")


class Compared:
    """A netlist's gates, for the comparison of its mutants with the block as it was."""

    def __init__(self, netlist):
        bits = max(len(netlist.mutants).bit_length(), 1)
        text = "".join(netlist.files.values()).partition(f"\nmodule {netlist.top} (")[0]
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "mutants.v").write_text(text)
            Path(directory, "observer.sv").write_text(
                watched(netlist.top, netlist.ports, bits))
            yosys(directory, "read_verilog mutants.v", "read_verilog -formal -sv observer.sv",
                  "hierarchy -top observer", "proc", "flatten", "memory -nomap", "opt -full",
                  "chformal -lower", "setundef -undriven -init -zero", *GATES[:-1],
                  "write_aiger -ascii -symbols claim.aag")
            self.gates = Gates.read(Path(directory, "claim.aag").read_text())

    def verdict(self, number, seconds=SEARCH):
        """What is to be seen of a mutant from outside, whatever comes: "equivalent" where it is
        proven that nothing is, "differs after N cycles", or "equal for N cycles" where the time is
        over.

        The registers of both begin with zeros, before the first reset.
        """
        step, sides = self.gates.step(number), self.gates.side_by_side(number)
        if step.outputs == [0] or searched(step, "pdr", seconds / 10) == "equivalent":
            return "equivalent"
        # Most of what is none is shown here within a second, and much of what differs.
        found = searched(sides, "scorr; print_stats; pdr", seconds / 4)
        if found.startswith("equal"):
            found = searched(sides, f"bmc3 -F {CYCLES} -T {seconds // 2}", seconds)
        return found


def searched(gates, how, seconds):
    """What ABC finds of the output of some gates, which is high where something differs; it is
    ended after so many seconds of processor time."""
    limit = round(seconds)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "claim.aig").write_bytes(gates.binary())
        said = subprocess.run(
            [str(ABC), "-c", f"read claim.aig; fold; {how}"], cwd=directory, capture_output=True,
            text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
        ).stdout
    found = re.search(r"was asserted in frame +(\d+)", said)
    if found:
        return f"differs after {found[1]} cycles"
    # Nothing is left where all registers turn out the same.
    if "Property proved" in said or re.search(r"lat = +0 +and = +0 ", said):
        return "equivalent"
    depth = re.findall(r"No output asserted in (\d+) frames|^ *(\d+) [+-] :", said, re.M)
    return f"equal for {max([int(a or b) for a, b in depth], default=0)} cycles"


class Gates:
    """An and-inverter graph as AIGER has it: literals are numbers, odd ones inverted; 0 is false.

    latches -- [literal, next]; they begin with zeros
    gates   -- [literal, left, right], each after those that it needs
    """

    def __init__(self, names, latches, outputs, constraints, gates):
        self.names, self.latches, self.outputs = names, latches, outputs
        self.constraints, self.gates = constraints, gates

    @classmethod
    def read(cls, text):
        """From AIGER's text."""
        lines = iter(text.splitlines())
        counts = [int(number) for number in next(lines).split()[1:]] + [0] * 4
        rows = [[[int(number) for number in next(lines).split()] for _ in range(count)]
                for count in (*counts[1:4], counts[5], counts[6], counts[4])]
        inputs, latches, outputs, bad, constraints, gates = rows
        names = [f"input {number}" for number in range(len(inputs))]
        for line in lines:
            if line.startswith("c"):
                break
            kind, _, name = line.partition(" ")
            if kind[0] == "i":
                names[int(kind[1:])] = name
        return cls({literal: name for (literal,), name in zip(inputs, names)},
                   [row[:2] for row in latches], [row[0] for row in outputs],
                   [row[0] for row in constraints], gates)

    def chosen(self, number):
        """{input: 0 or 1} that turns a mutant on."""
        return {literal: number >> int(name.partition("[")[2].rstrip("]") or 0) & 1
                for literal, name in self.names.items() if re.match(r"mutant\b", name)}

    def step(self, number):
        """Gates that tell where the mutant, in a state of the block, has another next state or
        other outputs: it is no mutant where none does, in any state that the block comes to."""
        new = Copies(self)
        one, other = (new.copy(self.chosen(each)) for each in (0, number))
        return new.told(one, [(one(literal), other(literal)) for literal in (
            *self.outputs, *(latch for _, latch in self.latches))])

    def side_by_side(self, number):
        """Gates that tell where the block and the mutant, each with its own state, differ in what
        is to be seen."""
        new = Copies(self)
        one = new.copy(self.chosen(0))
        other = new.copy(self.chosen(number), own=True)
        return new.told(one, [(one(literal), other(literal)) for literal in self.outputs])

    def binary(self):
        """AIGER's binary form, its one output the property's violation."""
        inputs, count = list(self.names), len(self.names) + len(self.latches)
        place = {0: 0} | {literal: 2 * number for number, literal in enumerate(
            (*inputs, *(latch for latch, _ in self.latches),
             *(gate[0] for gate in self.gates)), 1)}

        def literal(old):
            return place[old & ~1] ^ (old & 1)

        head = (f"aig {count + len(self.gates)} {len(inputs)} {len(self.latches)} 0 "
                f"{len(self.gates)} 1 {len(self.constraints)}\n")
        lines = [literal(after) for _, after in self.latches] \
            + [literal(self.outputs[0])] + [literal(each) for each in self.constraints]
        body = bytearray()
        for new, left, right in self.gates:
            high, low = sorted((literal(left), literal(right)), reverse=True)
            for delta in (place[new] - high, high - low):
                while delta >= 128:
                    body.append(delta & 127 | 128)
                    delta >>= 7
                body.append(delta)
        return (head + "".join(f"{line}\n" for line in lines)).encode() + bytes(body)


class Copies:
    """Copies of one graph in another, with some inputs set."""

    def __init__(self, source):
        self.source, self.gates, self.latches = source, [], []
        self.free = 2 + 2 * max([0, *source.names, *(latch for latch, _ in source.latches),
                                 *(gate[0] for gate in source.gates)])

    def both(self, left, right):
        """The literal of left and right."""
        if left == right or right == 1:
            return left
        if left == 1:
            return right
        if 0 in (left, right) or left == right ^ 1:
            return 0
        self.free += 2
        self.gates.append([self.free, left, right])
        return self.free

    def copy(self, chosen, own=False):
        """A copy's function from the source's literals to those of the copy; with latches of its
        own, or with those of the source."""
        place = {0: 0} | {literal: literal for literal in self.source.names} | chosen
        if not own:
            place |= {latch: latch for latch, _ in self.source.latches}
        else:
            for latch, _ in self.source.latches:
                self.free += 2
                place[latch] = self.free

        def literal(old):
            return place[old & ~1] ^ (old & 1)

        for gate, left, right in self.source.gates:
            place[gate] = self.both(literal(left), literal(right))
        if own or not self.latches:
            self.latches += [[place[latch], literal(after)] for latch, after in self.source.latches]
        return literal

    def told(self, one, pairs):
        """Gates whose output is high where a pair differs, under the constraints of a copy."""
        same = 1
        for left, right in pairs:
            alike = self.both(self.both(left, right ^ 1) ^ 1, self.both(left ^ 1, right) ^ 1)
            same = self.both(same, alike)
        names = {literal: name for literal, name in self.source.names.items()
                 if not re.match(r"mutant\b", name)}
        return Gates(names, self.latches, [same ^ 1],
                     [one(each) for each in self.source.constraints], self.gates)
