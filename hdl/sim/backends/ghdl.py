"""GHDL simulation: converted VHDL under a VHDL bench that reads and writes files."""
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.axis import AxiStream
from hdl.beats import hex_lines, words_of
from hdl.build import Built, built_once, digest, run_tool, tool_version
from hdl.errors import RULES, DeadlockError, ProtocolError, ToolError
from hdl.sim.backends.backend import Counters, Monitors, Progress, Scenario, Streams
from hdl.sim.endpoints import RESET_CYCLES, pause_pattern, segments
from hdl.sim.memories import Memories, memory_directory, memory_names
from hdl.sim.rules import tell_unknown
from hdl.sim.trace import Handshake, Run, Trace

INSTALL = "apt-get install ghdl"
STANDARD = "--std=08"
LIBRARY = "--work=sim"      # of the bench's own entities, so that a design may have the same names
ENDS = Path(__file__).with_name("ends.vhd")
PROGRESS_CYCLES = 1 << 8
# An assignment that watches: path of the instance, signal of the package, what it is assigned.
Tap = tuple[str, str, str]


@dataclass(frozen=True)
class Model(Built):
    """A design analysed with its bench."""

    directory: Path


def find() -> str:
    """The command, or ToolError: that it is missing and what installs it."""
    ghdl = shutil.which("ghdl")
    if not ghdl:
        raise ToolError(f"GHDL is not installed: {INSTALL}")
    return ghdl


def build(files: Sequence[str | Path], top: str, sources: Streams, sinks: Streams,
          monitors: Monitors, counters: Counters, build_dir: str | Path) -> Model:
    """Analyse VHDL ``files`` of entity ``top`` and a bench into a Model, or find it analysed.

    sources, sinks -- {port: stream}
    monitors       -- {name: Monitor}
    counters       -- {name: Counter}
    """
    started = time.perf_counter()
    ghdl, build_dir = find(), Path(build_dir).resolve()
    texts = {Path(file).name: Path(file).read_text() for file in files}
    first = len(sources) + len(sinks)
    taps = [*stream_taps(first, monitors), *counter_taps(counters)]
    texts = {"watch.vhd": watch_text(first, monitors, counters), **tapped(texts, top, taps),
             "bench.vhd": bench_text(top, sources, sinks, monitors, counters)}
    key = digest("ghdl", tool_version(ghdl, "--version"), STANDARD, LIBRARY,
                 ENDS.read_bytes(), *texts.values())
    target = build_dir / key

    def analyse_all(work):
        shutil.copy(ENDS, work)
        for name, text in texts.items():
            (work / name).write_text(text)
        analyse(ghdl, work, LIBRARY, ENDS.name)
        analyse(ghdl, work, *texts)

    reused = built_once(target, analyse_all)
    return Model(target, memories=memory_names(texts.values()), digest=key, reused=reused,
                 seconds=time.perf_counter() - started)


def analyse(ghdl: str, directory: Path, *arguments: str) -> None:
    """Analyse files; a warning is an error."""
    said = run_tool([ghdl, "-a", STANDARD, *arguments], cwd=directory)
    if said:
        raise ToolError(f"ghdl -a warns:\n{said[:4000]}")


def watch_text(first: int, monitors: Monitors, counters: Counters) -> str:
    """VHDL of the package with a signal for each member of a monitored stream, numbered from
    ``first``, and for each counter: GHDL 2.0 has no external names."""
    return "\n".join([
        "library ieee;", "use ieee.std_logic_1164.all;", "use ieee.numeric_std.all;", "",
        "package watch is",
        *(f"    signal stream_{number}_{member} : {kind};"
          for number, watched in enumerate(monitors.values(), first)
          for member, kind in members(watched.stream).items()),
        *(f"    signal {name} : std_logic;" for name in tallies(counters)),
        "end package;", ""])


def tallies(counters: Counters) -> list[str]:
    """Names of the bits that are high in the cycles that count."""
    return [f"counter_{number}" for number in range(len(counters))]


def stream_taps(first: int, monitors: Monitors) -> Iterator[Tap]:
    """The assignments of monitored streams to the signals of the package."""
    for number, (name, watched) in enumerate(monitors.items(), first):
        for member in members(watched.stream):
            yield (watched.path, f"stream_{number}_{member}",
                   f"{watched.prefix or name}_{member}")


def counter_taps(counters: Counters) -> Iterator[Tap]:
    """The assignments of the bits of counters."""
    for name, counter in zip(tallies(counters), counters.values()):
        yield counter.path, name, " and ".join(counter.names)


def tapped(texts: Mapping[str, str], top: str, taps: Sequence[Tap]) -> dict[str, str]:
    """The design's files {name: text}, with the assignments ``taps``."""
    texts = dict(texts)
    files = {entity: name for name, text in texts.items()
             for entity in re.findall(r"^entity (\w+) is", text, re.M)}
    for path, signal, value in taps:
        entity = top
        for label in filter(None, path.split(".")):
            instances = dict(re.findall(r"(\w+)\s*:\s*entity\s+work\.(\w+)",
                                        texts[files[entity]]))
            if instances.get(label) not in files:
                raise ToolError(f"the VHDL has no instance {top}.{path}")
            entity = instances[label]
        text, end, rest = texts[files[entity]].rpartition("end architecture")
        texts[files[entity]] = f"{text}work.watch.{signal} <= {value};\n{end}{rest}"
    return texts


def bench_text(top: str, sources: Streams, sinks: Streams, monitors: Monitors,
               counters: Counters) -> str:
    """VHDL of the bench: the design, an end for each port, a probe for each stream, a tally for
    each counter."""
    declarations, statements = [], []
    streams = {**sources, **sinks, **{name: each.stream for name, each in monitors.items()}}
    connections = ["clk => clk", "rst => rst"]
    for name, stream in {**sources, **sinks}.items():
        for member, kind in members(stream).items():
            declarations.append(f"signal {name}_{member} : {kind};")
            connections.append(f"{name}_{member} => {name}_{member}")
    statements.append(f"dut : entity work.{top} port map (\n    {join(connections)});")
    for number, (name, stream) in enumerate(streams.items()):
        own = f"stream_{number}"
        declarations.append(
            f"signal {own} : std_logic_vector({stream.shape.payload_width - 1} downto 0);")
        marks = stream.shape.marks
        signals = {member: f"{name}_{member}" for member in members(stream)}
        if name in monitors:
            signals = {member: f"work.watch.{own}_{member}" for member in signals}
        data = "std_logic_vector({})".format(signals["tdata"])
        if name in sources:
            width = stream.shape.width
            statements.append(f"{signals['tdata']} <= unsigned({own}({width - 1} downto 0));")
            statements += [f"{signals[mark]} <= {own}({place});"
                           for place, mark in enumerate(marks, width)]
            statements.append(instance(f"{own}_source", "source", name, clk="clk", rst="rst",
                                       cycle="cycle",
                                       payload=own, tvalid=signals["tvalid"],
                                       tready=signals["tready"]))
        else:
            statements.append(
                f"{own} <= {' & '.join([*(signals[mark] for mark in reversed(marks)), data])};")
        if name in sinks:
            statements.append(instance(f"{own}_sink", "sink", name, cycle="cycle",
                                       tready=signals["tready"]))
        statements.append(instance(
            f"{own}_probe", "probe", name, clk="clk", rst="rst", cycle="cycle",
            finished="finished", payload=own, tvalid=signals["tvalid"], tready=signals["tready"],
            beats=f"beats({number})", violated=f"violated({number})"))
    statements += [instance(f"{tally}_tally", "tally", name, clk="clk", rst="rst",
                            finished="finished", bit_high=f"work.watch.{tally}")
                   for tally, name in zip(tallies(counters), counters)]
    last = len(streams) - 1
    return "\n".join([
        "library ieee;", "use ieee.std_logic_1164.all;", "use ieee.numeric_std.all;",
        "library sim;", "",
        "entity bench is", "end entity;", "", "architecture generated of bench is",
        "signal clk, rst : std_logic;", "signal cycle : integer;", "signal finished : boolean;",
        f"signal beats : integer_vector(0 to {last});",
        f"signal violated : boolean_vector(0 to {last});",
        *declarations, "begin",
        "conductor : entity sim.conductor generic map (",
        f"    reset_cycles => {RESET_CYCLES}, progress_cycles => {PROGRESS_CYCLES}) port map (",
        "    clk => clk, rst => rst, cycle => cycle, finished => finished, beats => beats,",
        "    violated => violated);",
        *statements, "end architecture;", ""])


def members(stream: AxiStream) -> dict[str, str]:
    """Members of a stream's bundle and their types."""
    return {**dict.fromkeys(stream.shape.members, "std_logic"),
            "tdata": f"unsigned({stream.shape.width - 1} downto 0)"}


def instance(label: str, entity: str, name: str, **ports: str) -> str:
    """An instance of one of the bench's entities for stream ``name``."""
    connections = join(f"{port} => {signal}" for port, signal in ports.items())
    return (f'{label} : entity sim.{entity} generic map (name => "{name}") port map (\n'
            f"    {connections});")


def join(connections: Iterable[str]) -> str:
    """A port map's lines."""
    return ",\n    ".join(connections)


def run(model: Model, scenario: Scenario, monitors: Monitors, counters: Counters,
        memories: Memories = None) -> Run:
    """Simulate ``model`` until every sink has its beats and ``drain`` cycles more; return a Run.

    Arguments as those of Backend.run.
    """
    sources, sinks, resets = scenario.sources, scenario.sinks, scenario.resets
    streams = {name: stream for name, (stream, _) in (*sources.items(), *sinks.items())}
    streams.update((name, each.stream) for name, each in monitors.items())
    with tempfile.TemporaryDirectory() as folder, \
            memory_directory(model.memories, memories) as directory:
        scratch = Path(folder)
        for name in model.memories:
            (scratch / name).symlink_to(directory / name)
        for name, (stream, source) in sources.items():
            write_pauses(scratch, name, source.idle)
            text = hex_lines(source.words, stream.shape.payload_width)
            (scratch / f"{name}.beats").write_text(text)
            ends = segments(resets, name, len(source.words))
            (scratch / f"{name}.ends").write_text("".join(f"{end}\n" for end in ends))
        for name, (_, sink) in sinks.items():
            write_pauses(scratch, name, sink.backpressure)
        wanted = [sinks[name][1].count if name in sinks else 0 for name in streams]
        (scratch / "run").write_text(
            " ".join(map(str, (scenario.timeout, scenario.drain, *wanted))) + "\n")
        (scratch / "resets").write_text("".join(f"{reset.cycle}\n" for reset in resets))
        started = time.perf_counter()
        execute(model, scratch, scenario.progress)
        seconds = time.perf_counter() - started
        verdict, last = (scratch / "verdict").read_text().split()
        found = {name: read_trace(scratch / f"{name}.trace", stream)
                 for name, stream in streams.items()}
        handshakes = {name: Handshake(read_cycles(scratch / f"{name}.offers"),
                                      read_cycles(scratch / f"{name}.turns")) for name in streams}
        counts = {name: int((scratch / f"{name}.count").read_text()) for name in counters}
    cycle = int(last)
    traces = {name: trace for name, (trace, _, _) in found.items()}
    if verdict == "protocol":
        name = next(name for name, each in found.items() if each[2])
        raise ProtocolError(name, cycle, found[name][2])
    if verdict == "deadlock":
        raise DeadlockError({name: len(trace) for name, trace in traces.items()}, cycle,
                            scenario.timeout)
    return Run(traces, cycle + 1, {name: found[name][1] for name in sources}, seconds, model.told(),
               counts, handshakes)


def write_pauses(directory: Path, name: str, pattern: np.ndarray | None) -> None:
    """The pauses of an end, a character for each cycle."""
    text = "".join("01"[pause] for pause in pause_pattern(pattern))
    (directory / f"{name}.pauses").write_text(text + "\n")


def execute(model: Model, directory: Path, progress: Progress | None) -> None:
    """Run the bench in ``directory``; what it says besides cycles is an error."""
    # The contents of ROMs pass over the stack when they are read.
    command = ["sh", "-c", 'ulimit -s "$(ulimit -H -s)" && exec "$@"', "sh", find(), "--elab-run",
               STANDARD, f"--workdir={model.directory}", f"-P{model.directory}", "bench",
               "--max-stack-alloc=0",           # for beats of any width
               "--ieee-asserts=disable-at-0"]   # before the first delta cycle nothing is driven
    said = []
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    with process:
        try:
            for line in process.stdout or ():
                if not line.strip().isdigit():
                    said.append(line)
                elif progress:
                    progress(int(line))
        except BaseException:
            process.kill()
            raise
    tell_unknown("".join(said))
    if said or process.returncode:
        raise ToolError(f"GHDL: {''.join(said)[:4000] or f'status {process.returncode}'}")


def read_cycles(file: Path) -> np.ndarray:
    """The cycles that a file has, one a line."""
    return np.array(file.read_text().split(), np.int64)


def read_trace(file: Path, stream: AxiStream) -> tuple[Trace, int, str]:
    """(Trace, cycles with tvalid and not tready, the rule that was broken or "")."""
    *lines, stalls = file.read_text().splitlines()
    broken = lines.pop() if lines and lines[-1] in RULES else ""
    rows = [line.split() for line in lines]
    count = words_of(stream.shape.payload_width)
    raw = b"".join(int(beat, 16).to_bytes(4 * count, "little") for _, beat in rows)
    trace = Trace(np.frombuffer(raw, "<u4").reshape(-1, count).copy(),
                  np.array([int(cycle) for cycle, _ in rows], np.int64))
    return trace, int(stalls), broken
