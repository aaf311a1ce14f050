"""Verilator simulation: Verilog compiled to a shared library, driven from arrays in one call."""
import contextlib
import ctypes
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdl.axis import AxiStream
from hdl.beats import words_of
from hdl.build import Built, beside, built_once, copied, digest, in_threads
from hdl.errors import DeadlockError, ProtocolError, ToolError
from hdl.sim.backends import toolchain
from hdl.sim.backends.backend import Counters, Monitors, Scenario, Streams
from hdl.sim.backends.toolchain import Toolchain
from hdl.sim.endpoints import NO_PAUSE, RESET_CYCLES, Reset, Sink, Source, pause_pattern, segments
from hdl.sim.memories import Memories, memory_directory, memory_names
from hdl.sim.trace import Handshake, Run, Trace

# A frame takes as long as it takes to fetch its code, every cycle anew: what keeps the code short
# is what is quick.  Always blocks stay whole and share their conditions, wide words are copied in
# loops, functions are long enough to merge what they test, and what a few flags decide is tested,
# not looked up.
VERILATE = ("--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing",
            "--no-assert", "--output-split", "20000", "--output-split-cfuncs", "30000",
            "-fno-split", "-fno-table", "--expand-limit", "4", "--unroll-count", "4",
            "-Wno-fatal", "-Wno-lint", "-Wno-style", "--prefix", "Vmodel")
SMALL = 400_000             # bytes of C++ below which one compiler run is quickest
# In converted text, the module and the name of an instance, behind any parameters.
INSTANCE = re.compile(r"^(\w+) (?:#\(.*?\) )?(\w+) \(", re.M)
PROGRESS_CYCLES = 1 << 8    # so often Ctrl-C is heard, too
SOURCE, SINK, MONITOR = range(3)
DONE, PROTOCOL, DEADLOCK, STOPPED, ERROR = range(5)
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int64)
find = toolchain.find


@dataclass(frozen=True)
class Model(Built):
    """A design compiled for simulation; every run starts from a fresh one."""

    library: Path
    top: str


def build(files: Sequence[str | Path], top: str, sources: Streams, sinks: Streams,
          monitors: Monitors, counters: Counters, build_dir: str | Path) -> Model:
    """Compile Verilog ``files`` of module ``top`` into a Model, or find it compiled.

    sources, sinks -- {port: stream}; the model has all ports in any case
    monitors       -- {name: Monitor} of the inner streams that a run may watch
    counters       -- {name: Counter} of the inner bits that a run may count
    """
    started = time.perf_counter()
    tools, build_dir = find(), Path(build_dir).resolve()
    texts = [Path(file).read_text() for file in files]
    public = _public(texts, top, monitors, counters)
    key = digest(tools.identity(), *VERILATE, SMALL,
                 (toolchain.HERE / "harness.cpp").read_bytes(),
                 (toolchain.HERE / "model.cpp").read_bytes(),
                 (toolchain.HERE / "extend.h").read_bytes(), top, public, *texts)
    target = build_dir / key
    reused = built_once(target, lambda work: _compile(tools, build_dir, work, files, top, public))
    return Model(target / "model.so", top, memories=memory_names(texts), digest=key, reused=reused,
                 seconds=time.perf_counter() - started)


def _public(texts: Iterable[str], top: str, monitors: Monitors, counters: Counters) -> str:
    """Verilator configuration that keeps the watched signals, by module and name."""
    modules = {name: text for text in texts for name in re.findall(r"^module (\w+)", text, re.M)}

    def module_at(path: str) -> str:
        module = top
        for label in filter(None, path.split(".")):
            instances = {instance: each for each, instance in INSTANCE.findall(modules[module])}
            if instances.get(label) not in modules:
                raise ToolError(f"the Verilog has no instance {top}.{path}")
            module = instances[label]
        return module

    names = {(module_at(watched.path), f"{watched.prefix or name}_{member}")
             for name, watched in monitors.items() for member in watched.stream.shape.members}
    names |= {(module_at(counter.path), bit) for counter in counters.values()
              for bit in counter.names}
    return "\n".join(["`verilator_config",
                      *(f'public_flat_rd -module "{module}" -var "{name}"'
                        for module, name in sorted(names)), ""])


def _ports(header: str) -> str:
    """Declarations of the model's ports for model.cpp."""
    ports = re.findall(r"VL_(?:IN|OUT)\w*\(&(\w+),(\d+),(\d+)", header)
    return "".join(f"PORT({name}, {int(high) - int(low) + 1})\n" for name, high, low in ports)


def _compile(tools: Toolchain, build_dir: Path, work: Path, files: Sequence[str | Path], top: str,
             public: str) -> None:
    """Make ``model.so`` in ``work``; all names are relative to it, since Verilator expands a $ in a
    name and takes no quote.  While Verilator runs, which takes one core, what all models of
    ``build_dir`` share is compiled beside it."""
    source = work / "source"
    source.mkdir()
    (source / "public.vlt").write_text(public)
    names = copied(files, source)
    options = [*VERILATE, "--top-module", top, "--Mdir", ".", "public.vlt", *names]
    shared = beside(lambda: tools.verilate(options, source),
                    lambda: toolchain.runtime(tools, build_dir))
    (source / "ports.inc").write_text(_ports((source / "Vmodel.h").read_text()))
    # A precompiled header is used only where it comes first.
    include = ["-include", str(shared / toolchain.HEADER), "-I.", f"-I{toolchain.HERE}",
               "-include", str(toolchain.HERE / "extend.h")]
    objects = in_threads(
        lambda job: _object(tools, source / f"{job[0]}.cc", job[1], job[2], include),
        _jobs([*source.glob("*.cpp"), toolchain.HERE / "model.cpp"], tools.optimise))
    tools.compile(["-shared", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-o", "../model.so",
                   *objects, *map(str, sorted(shared.glob("*.o"))), *tools.libraries], source)
    shutil.rmtree(source)


def _jobs(units: Iterable[Path], optimise: str) -> list[tuple[str, str, list[Path]]]:
    """(name, optimisation, units) of compiler runs, the longest first: what simulates in every
    cycle by itself, what runs once together, all of a small model together."""
    sizes = {unit: unit.stat().st_size for unit in sorted(units)}
    if sum(sizes.values()) < SMALL:
        return [("model", optimise, list(sizes))]
    slow = [unit for unit in sizes if "Slow" in unit.name]
    large = [unit for unit in sizes if unit not in slow and sizes[unit] > SMALL / 4]
    rest = [unit for unit in sizes if unit not in slow and unit not in large]
    jobs = [(unit.stem, optimise, [unit]) for unit in large]
    jobs += [("rest", optimise, rest), ("slow", toolchain.OPTIMISE_ONCE, slow)]
    return sorted(jobs, key=lambda job: -sum(sizes[unit] for unit in job[2]))


def _object(tools: Toolchain, joined: Path, optimise: str, units: Iterable[Path],
            options: Sequence[str]) -> str:
    """Compile units of C++ as one; returns the object file's name, beside ``joined``."""
    joined.write_text("".join(f'#include "{unit.name}"\n' for unit in units))
    target = f"{joined.stem}.o"
    tools.compile([optimise, *options, "-c", joined.name, "-o", target], joined.parent)
    return target


def run(model: Model, scenario: Scenario, monitors: Monitors, counters: Counters,
        memories: Memories = None) -> Run:
    """Simulate ``model`` until every sink has its beats and ``drain`` cycles more; return a Run.

    Arguments as those of Backend.run.
    """
    sources, sinks, resets = scenario.sources, scenario.sinks, scenario.resets
    streams: list[tuple[str, str, str, int, AxiStream, Source | Sink | None]] = []
    streams += [(name, "", name, SOURCE, stream, end) for name, (stream, end) in sources.items()]
    streams += [(name, "", name, SINK, stream, end) for name, (stream, end) in sinks.items()]
    streams += [(name, watched.path, watched.prefix or name, MONITOR, watched.stream, None)
                for name, watched in monitors.items()]
    failure: list[BaseException] = []

    @_CALLBACK
    def report(cycle):
        try:
            if scenario.progress:
                scenario.progress(cycle)
        except BaseException as error:   # raised again when the C++ call is over
            failure.append(error)
        return len(failure)

    library = _load(model.library)
    with _working_directory(model, memories):
        simulation = library.sim_open()
    try:
        _raise_error(library, simulation)
        keep = [_declare(library, simulation, model.top, resets, *stream) for stream in streams]
        moments = np.array([reset.cycle for reset in resets], np.int64)
        for counter in counters.values():
            if library.sim_counter(simulation, _scope(model.top, counter.path),
                                   " ".join(counter.names).encode()):
                _raise_error(library, simulation)
        started = time.perf_counter()
        with _signals_noted(failure):
            status = library.sim_run(simulation, RESET_CYCLES, moments.ctypes.data, len(moments),
                                     scenario.timeout, scenario.drain, PROGRESS_CYCLES, report)
        seconds = time.perf_counter() - started
        del keep
        if failure:
            raise failure[0]
        if status == ERROR:
            _raise_error(library, simulation)
        cycles = library.sim_cycles(simulation)
        if status == PROTOCOL:
            raise ProtocolError(streams[library.sim_violator(simulation)][0], cycles,
                                "held" if library.sim_withdrew(simulation) else "stable")
        beats = {stream[0]: library.sim_beats(simulation, i) for i, stream in enumerate(streams)}
        if status == DEADLOCK:
            raise DeadlockError(beats, cycles - 1, scenario.timeout)
        traces = {name: _trace(library, simulation, i, beats[name], stream)
                  for i, (name, _, _, _, stream, _) in enumerate(streams)}
        stalls = {name: library.sim_stalls(simulation, i) for i, name in enumerate(sources)}
        counts = {name: library.sim_count(simulation, i) for i, name in enumerate(counters)}
        handshakes = {name: _handshake(library, simulation, i)
                      for i, (name, *_) in enumerate(streams)}
        return Run(traces, cycles, stalls, seconds, model.told(), counts, handshakes)
    finally:
        library.sim_close(simulation)


@contextlib.contextmanager
def _signals_noted(failure: list[BaseException]) -> Iterator[None]:
    """What the handlers of Ctrl-C and of the request to end raise is put into ``failure``: raised
    on the way from C++ into Python it would be lost."""
    if threading.current_thread() is not threading.main_thread():   # no signal comes to another
        yield
        return

    def noting(handler: Callable[..., object]) -> Callable[..., None]:
        def note(*arguments: object) -> None:
            try:
                handler(*arguments)
            except BaseException as error:
                failure.append(error)
        return note

    handlers = {number: handler for number in (signal.SIGINT, signal.SIGTERM)
                if callable(handler := signal.getsignal(number))}
    for number, handler in handlers.items():
        signal.signal(number, noting(handler))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _load(path: Path) -> ctypes.CDLL:
    """The model's library with the types of its functions."""
    library = ctypes.CDLL(str(path))
    integer, pointer, text = ctypes.c_int64, ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
            ("open", pointer, []), ("close", None, [pointer]), ("error", text, [pointer]),
            ("cycles", integer, [pointer]), ("violator", integer, [pointer]),
            ("withdrew", integer, [pointer]),
            ("beats", integer, [pointer, ctypes.c_int]),
            ("offers", integer, [pointer, ctypes.c_int]),
            ("turns", integer, [pointer, ctypes.c_int]),
            ("stalls", integer, [pointer, ctypes.c_int]),
            ("stream", ctypes.c_int, [pointer, text, text, ctypes.c_int, integer, text,
                                      pointer, integer, pointer, pointer, integer]),
            ("counter", ctypes.c_int, [pointer, text, text]),
            ("count", integer, [pointer, ctypes.c_int]),
            ("run", ctypes.c_int, [pointer, integer, pointer] + 4 * [integer] + [_CALLBACK]),
            ("copy", None, [pointer, ctypes.c_int, pointer, pointer]),
            ("copy_handshake", None, [pointer, ctypes.c_int, pointer, pointer])):
        function = getattr(library, f"sim_{name}")
        function.restype, function.argtypes = result, arguments
    return library


@contextlib.contextmanager
def _working_directory(model: Model, memories: Memories) -> Iterator[None]:
    """Be where the model's $readmemh calls find their files."""
    before = os.getcwd()
    with memory_directory(model.memories, memories) as directory:
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def _declare(library: ctypes.CDLL, simulation: int, top: str, resets: Sequence[Reset], name: str,
             path: str, prefix: str, kind: int, stream: AxiStream, end: Source | Sink | None
             ) -> tuple[np.ndarray, ...]:
    """Tell the simulation of one stream; returns the arrays that must outlive it."""
    scope = _scope(top, path) if kind == MONITOR else b""
    count = words_of(stream.shape.payload_width)
    words, beats, pause = np.zeros((0, count), np.uint32), 0, NO_PAUSE.view(np.uint8)
    ends = np.zeros(0, np.int64)
    if isinstance(end, Source):
        words, pause = np.ascontiguousarray(end.words, "<u4"), pause_pattern(end.idle)
        beats, ends = len(words), np.array(segments(resets, name, len(words)), np.int64)
    elif isinstance(end, Sink):
        beats, pause = end.count, pause_pattern(end.backpressure)
    marks = " ".join(stream.shape.marks)
    if library.sim_stream(simulation, scope, prefix.encode(), kind, stream.shape.width,
                          marks.encode(), words.ctypes.data, beats, ends.ctypes.data,
                          pause.ctypes.data, len(pause)):
        _raise_error(library, simulation)
    return words, ends, pause


def _scope(top: str, path: str) -> bytes:
    """Verilator's name of an instance."""
    return ".".join(filter(None, ("TOP", top, path))).encode()


def _trace(library: ctypes.CDLL, simulation: int, index: int, beats: int,
           stream: AxiStream) -> Trace:
    words = np.empty((beats, words_of(stream.shape.payload_width)), np.uint32)
    cycles = np.empty(beats, np.int64)
    library.sim_copy(simulation, index, words.ctypes.data, cycles.ctypes.data)
    return Trace(words, cycles)


def _handshake(library: ctypes.CDLL, simulation: int, index: int) -> Handshake:
    offers = np.empty(library.sim_offers(simulation, index), np.int64)
    turns = np.empty(library.sim_turns(simulation, index), np.int64)
    library.sim_copy_handshake(simulation, index, offers.ctypes.data, turns.ctypes.data)
    return Handshake(offers, turns)


def _raise_error(library: ctypes.CDLL, simulation: int) -> None:
    text = library.sim_error(simulation).decode()
    if text:
        raise ToolError(f"Verilator: {text}")
