"""Icarus Verilog under myhdl.Cosimulation: the MyHDL bench drives converted Verilog over pipes."""
import fcntl
import importlib.metadata
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from myhdl import Cosimulation, CosimulationError, Signal, SignalType, Simulation, _Cosimulation

from hdl.axis import AxiStream
from hdl.build import Built, built_once, copied, digest, run_tool, tool_version
from hdl.errors import ToolError
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.sim.backends.backend import Counters, Monitors, Scenario, Streams
from hdl.sim.backends.myhdl_bench import run_myhdl
from hdl.sim.memories import Memories, memory_directory, memory_names
from hdl.sim.rules import tell_unknown
from hdl.sim.trace import Run

INSTALL = "apt-get install iverilog"
VPI_SOURCES = ("myhdl.c", "myhdl_table.c")
LANGUAGE = "-g2005-sv"      # $bits; the design itself is Verilog of 2005
# MyHDL and its VPI module send all signals in one line of 4096 characters at the most; a pipe of
# Linux takes 65536 at once, and can be made to take a megabyte.
LINE = "#define MAXLINE 4096"
LONGEST_LINE = 1 << 20


# A signal that MyHDL sees: name, its stream's name, member, bits, whether MyHDL drives it.
Port = tuple[str, str, str, int, bool]


@dataclass(frozen=True)
class Tools:
    """Where the tools are."""

    iverilog: str
    vvp: str
    vpi: str            # the command that compiles VPI modules
    sources: tuple[Path, ...]   # of MyHDL's VPI module

    def identity(self) -> str:
        """What a built object depends on besides its source."""
        return tool_version(self.iverilog, "-V")


@dataclass(frozen=True)
class Model(Built):
    """A design compiled for vvp."""

    vvp: str
    program: Path
    module: Path        # MyHDL's VPI module
    ports: tuple[Port, ...]


def find() -> Tools:
    """The tools, or ToolError: which one is missing and the command that installs it."""
    iverilog, vvp, vpi = map(shutil.which, ("iverilog", "vvp", "iverilog-vpi"))
    if not (iverilog and vvp and vpi):
        raise ToolError(f"Icarus Verilog is not installed: {INSTALL}")
    files = importlib.metadata.files("myhdl") or ()
    shipped = {Path(file).name: Path(file.locate()) for file in files
               if Path(file).parts[-3:-1] == ("cosimulation", "icarus")}
    sources = tuple(shipped[name] for name in VPI_SOURCES
                    if name in shipped and shipped[name].is_file())
    if len(sources) < len(VPI_SOURCES):
        raise ToolError("MyHDL is installed without its VPI module's source: "
                        "pip install --force-reinstall myhdl")
    return Tools(iverilog, vvp, vpi, sources)


def vpi_module(tools: Tools, build_dir: Path) -> Path:
    """MyHDL's VPI module, compiled from its own source for lines as long as a pipe takes."""
    texts = [source.read_text() for source in tools.sources]
    if LINE not in texts[0]:
        raise ToolError(f"MyHDL's VPI module has no '{LINE}' any more")
    texts[0] = texts[0].replace(LINE, f"#define MAXLINE {LONGEST_LINE}")
    target = build_dir / f"vpi-{digest(tools.identity(), *texts)}"

    def compile_module(work):
        for name, text in zip(VPI_SOURCES, texts):
            (work / name).write_text(text)
        run_tool([tools.vpi, *VPI_SOURCES], cwd=work)

    built_once(target, compile_module)
    return target / "myhdl.vpi"


def build(files: Sequence[str | Path], top: str, sources: Streams, sinks: Streams,
          monitors: Monitors, counters: Counters, build_dir: str | Path) -> Model:
    """Compile Verilog ``files`` of module ``top`` and a bench into a Model, or find it compiled.

    sources, sinks -- {port: stream}
    monitors       -- {name: Monitor}
    counters       -- {name: Counter}
    """
    started = time.perf_counter()
    tools, build_dir = find(), Path(build_dir).resolve()
    texts = [Path(file).read_text() for file in files]
    ports = bench_ports(sources, sinks, monitors)
    bench = bench_text(top, ports, sources, sinks, monitors, counters)
    key = digest("icarus", tools.identity(), LANGUAGE, bench, *texts)
    target = build_dir / key

    def compile_model(work):
        # Names are relative: Icarus gives them to a shell and writes them into the program.
        source = work / "source"
        source.mkdir()
        (source / "bench.v").write_text(bench)
        names = copied(files, source)
        run_tool([tools.iverilog, LANGUAGE, "-s", "bench", "-o", "../model.vvp", "bench.v",
                  *names], source)
        shutil.rmtree(source)

    reused = built_once(target, compile_model)
    return Model(tools.vvp, target / "model.vvp", vpi_module(tools, build_dir), ports,
                 memories=memory_names(texts), digest=key, reused=reused,
                 seconds=time.perf_counter() - started)


def members(stream: AxiStream) -> dict[str, int]:
    """Members of a stream's bundle that go the way of its data, and their bits."""
    return {"tdata": stream.shape.width, "tvalid": 1, **dict.fromkeys(stream.shape.marks, 1)}


def bench_ports(sources: Streams, sinks: Streams, monitors: Monitors) -> tuple[Port, ...]:
    """All signals that MyHDL sees, by short names, for they are sent with every change."""
    streams = {**sources, **sinks, **{name: each.stream for name, each in monitors.items()}}
    ports = []
    for number, (name, stream) in enumerate(streams.items()):
        for member, bits in members(stream).items():
            ports.append((f"{member[1]}{number}", name, member, bits, name in sources))
        ports.append((f"r{number}", name, "tready", 1, name in sinks))
    return tuple(ports)


def bench_text(top: str, ports: Sequence[Port], sources: Streams, sinks: Streams,
               monitors: Monitors, counters: Counters) -> str:
    """Verilog of the module that gives MyHDL the design's ports and what is watched inside."""
    inside = {name: ".".join(filter(None, ("dut", each.path, each.prefix or name)))
              for name, each in monitors.items()}
    lines = ["module bench;", "reg clk = 0, rst = 1;", "integer cycle = 0;",
             "always @(posedge clk) if (!rst) cycle <= cycle + 1;"]
    for short, name, member, bits, driven in ports:
        kind, value = ("reg", " = 0") if driven else ("wire", "")
        if name in inside:
            value = f" = {inside[name]}_{member}"
        lines.append(f"{kind} [{bits - 1}:0] {short}{value};")
    for short, counter in zip(tallies(counters), counters.values()):
        counted = (".".join(filter(None, ("dut", counter.path, bit))) for bit in counter.names)
        lines.append(f"wire {short} = &{{{', '.join(counted)}}} === 1'b1;")
    connections = [f".{name}_{member}({short})" for short, name, member, _, _ in ports
                   if name not in inside]
    lines += [f"{top} dut (.clk(clk), .rst(rst),", "    " + ",\n    ".join(connections) + ");",
              "initial begin"]
    for _, name, member, bits, _ in ports:
        signal = f"{inside.get(name, 'dut.' + name)}_{member}"
        lines += [f"    if ($bits({signal}) != {bits})",
                  f'        $display("signal {signal[4:]} has %0d bits, not {bits}", '
                  f"$bits({signal}));"]
    if sum(len(short) + max(len(str(bits)), bits // 4 + 1) + 2
           for short, _, _, bits, _ in ports) > LONGEST_LINE - 64:
        raise ToolError(f"the streams' signals do not fit a line of {LONGEST_LINE} characters")
    set_there, seen = ([port[0] for port in ports if port[4] is way] for way in (True, False))
    lines += [f"    $from_myhdl({', '.join(['clk', 'rst', *set_there])});",
              f"    $to_myhdl({', '.join([*seen, *tallies(counters)])});", "end"]
    for number, name in enumerate((*sources, *sinks, *inside)):
        own = {member: short for short, stream, member, _, _ in ports if stream == name}
        valid, others = own.pop("tvalid"), ", ".join(own.values())
        tell = (f'if (!rst && x{number}) '
                f'$display("stream {name} has unknown bits in cycle %0d", cycle);')
        # tready may be unknown before the first event of what it depends on.
        lines += [f"wire x{number} = {valid} === 1'bx || {valid} && ^{{{others}}} === 1'bx;",
                  f"always @(posedge clk) {tell}", f"final {tell}"]
    return "\n".join([*lines, "endmodule", ""])


def tallies(counters: Counters) -> list[str]:
    """Short names of the bits that are high in the cycles that count."""
    return [f"c{number}" for number in range(len(counters))]


def run(model: Model, scenario: Scenario, monitors: Monitors, counters: Counters,
        memories: Memories = None) -> Run:
    """Simulate ``model`` until every sink has its beats; return a Run.

    Arguments as those of Backend.run.  What vvp prints is an error: of a memory file, a width, or
    bits that Cosimulation would read as zeros because MyHDL knows no unknown ones.
    """
    ends = {**scenario.sources, **scenario.sinks}
    with fresh_elaboration(), memory_directory(model.memories, memories) as directory, \
            tempfile.NamedTemporaryFile("r") as log:
        clk, rst = clock_and_reset()
        bundles = {name: bundle(stream) for name, (stream, _) in ends.items()}
        bundles.update((name, bundle(each.stream)) for name, each in monitors.items())
        signals = {short: getattr(bundles[name], member)
                   for short, name, member, *_ in model.ports}
        counted = {short: Signal(bool(0)) for short in tallies(counters)}
        # A run that ends lets vvp write to a closed pipe: it shall live to its last check.
        command = ["sh", "-c", 'trap "" PIPE; cd "$0" && exec >"$1" 2>&1 && shift && exec "$@"',
                   str(directory), log.name, model.vvp, "-n", "-M", str(model.module.parent),
                   "-m", "myhdl", str(model.program)]
        try:
            with cosimulation(command, clk=clk, rst=rst, **signals, **counted) as design:
                done = run_myhdl(
                    design, clk, rst, replace(
                        scenario,
                        sources={name: (bundles[name], end)
                                 for name, (_, end) in scenario.sources.items()},
                        sinks={name: (bundles[name], end)
                               for name, (_, end) in scenario.sinks.items()}),
                    {name: bundles[name] for name in monitors},
                    {name: (bit,) for name, bit in zip(counters, counted.values())})
        except CosimulationError as error:
            raise ToolError(f"Icarus: {log.read().strip() or error}") from error
        except Exception:
            complain(log)
            raise
        complain(log)
    done.build.update(model.told())
    return done


def complain(log: IO[str]) -> None:
    """Raise ToolError with what vvp has printed, if it has."""
    said = log.read().strip()
    tell_unknown(said)
    if said:
        raise ToolError(f"Icarus: {said[:4000]}")


def bundle(stream: AxiStream) -> AxiStream:
    """A fresh bundle like ``stream``: a run has signals of its own."""
    return AxiStream(stream.shape)


@contextmanager
def cosimulation(command: Sequence[str], **signals: SignalType) -> Iterator[Cosimulation]:
    """A Cosimulation that reads lines as long as the VPI module sends, and ends in any case."""
    short, _Cosimulation._MAXLINE = _Cosimulation._MAXLINE, LONGEST_LINE
    try:
        design = Cosimulation(command, **signals)
        for pipe in (design._rt, design._wf):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, LONGEST_LINE)
        try:
            yield design
        finally:
            if design._child.returncode is None:    # its Simulation has not begun
                Simulation(design).quit()
    finally:
        _Cosimulation._MAXLINE = short
