"""A design that any simulator can run: one call for MyHDL, its Verilog and its VHDL."""
import inspect
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from myhdl import ResetSignal, SignalType

from hdl.axis import AxiStream
from hdl.beats import words_of
from hdl.build import Built, default_build_dir
from hdl.convert.block import convert_block
from hdl.hierarchy.scope import groups, instance_names, local_names
from hdl.myhdl_fixes.elaborate import Block, clock_and_reset, fresh_elaboration
from hdl.sim import SIMULATORS
from hdl.sim.backends import BACKENDS
from hdl.sim.backends.backend import Progress, Scenario
from hdl.sim.backends.myhdl_bench import run_myhdl
from hdl.sim.endpoints import (TIMEOUT, Counter, Monitor, Reset, Sink, Source, longest_pause,
                               pause_pattern, segments)
from hdl.sim.memories import Memories
from hdl.sim.rules import check_waits
from hdl.sim.trace import Run


@dataclass
class Design:
    """A block and its arguments; those that are AxiStreams are its ports, by name.

    function  -- @block called as function(clk, rst, **arguments)
    arguments -- {name: stream or parameter}
    inner     -- names of arguments that are streams inside, driven and taken by the block itself
    monitors  -- {name: Monitor}, inner streams to watch
    counters  -- {name: Counter}, inner bits to count the cycles of
    memories  -- directory of .mem files or {file name: text}, for converted ROMs
    hdl       -- hdl(directory, language) -> (files, top) writes the Verilog or VHDL of a design
                 that is not converted as one block; None converts ``function``
    """

    function: Callable[..., Block]
    arguments: Mapping[str, object]
    inner: tuple[str, ...] = ()
    monitors: dict[str, Monitor] = field(default_factory=dict)
    counters: dict[str, Counter] = field(default_factory=dict)
    memories: Memories = None
    hdl: Callable[[str | Path, str], tuple[list[Path], str]] | None = None

    @property
    def ports(self) -> dict[str, AxiStream]:
        """The block's streams by name."""
        return {name: value for name, value in self.arguments.items()
                if isinstance(value, AxiStream) and name not in self.inner}

    @contextmanager
    def elaborated(self) -> Iterator[tuple[Block, SignalType, ResetSignal]]:
        """Yield (block, clk, rst), made afresh; MyHDL forgets them afterwards."""
        clk, rst = clock_and_reset()
        # By position: MyHDL's wrapper has parameters of its own, such as ``name``.
        bound = inspect.signature(self.function).bind(clk, rst, **self.arguments)
        with fresh_elaboration():
            yield self.function(*bound.args, **bound.kwargs), clk, rst

    def convert(self, directory: str | Path, language: str = "Verilog") -> tuple[list[Path], str]:
        """Write the HDL into ``directory``; returns (files, top)."""
        if self.hdl:
            return self.hdl(directory, language)
        with self.elaborated() as (block, _, _):
            files = convert_block(block, directory, block.func.__name__, language)
        return files, files[-1].stem


def simulate(simulator: str, design: Design, ends: Mapping[str, Source | Sink],
             timeout: int = TIMEOUT, drain: int = 0, progress: Progress | None = None,
             build_dir: str | Path | None = None, resets: Sequence[Reset] = (),
             waits: Mapping[str, int] | None = None, model: Built | None = None) -> Run:
    """Run ``design`` in ``simulator`` (one of SIMULATORS) and return its Run.

    ends     -- {port: Source or Sink}, every port of the design
    timeout  -- cycles without a beat anywhere before DeadlockError
    drain    -- cycles to go on after the last beat awaited, to see that no more come
    progress -- called with the cycle now and then
    build_dir -- folder in which models are kept; None: the default one
    resets   -- once more, in order
    waits    -- {port or monitor: cycles that a beat of the stream may wait}; of the others a beat
                may wait for ``timeout`` cycles beyond the longest pauses of the sinks
    model    -- of the design, as ``compiled`` returns it; None: built or found built

    Raises ValueError where ends, patterns or the simulator's name do not fit; ToolError where its
    tools are missing or refuse the design; ProtocolError and DeadlockError as they happen.
    """
    ports = design.ports
    if set(ends) != set(ports):
        raise ValueError(f"the design's streams are {sorted(ports)}, not {sorted(ends)}")
    sources = {n: (ports[n], end) for n, end in ends.items() if isinstance(end, Source)}
    sinks = {n: (ports[n], end) for n, end in ends.items() if not isinstance(end, Source)}
    for name, (_, source) in sources.items():
        segments(resets, name, len(source.words))
    for _, sink in sinks.values():
        pause_pattern(sink.backpressure)
    for name, (stream, source) in sources.items():
        pause_pattern(source.idle)
        count = words_of(stream.shape.payload_width)
        if np.ndim(source.words) != 2 or np.shape(source.words)[1] != count:
            raise ValueError(f"source {name} has beats of {np.shape(source.words)[-1]} words, not "
                             f"{count}")
    scenario = Scenario(sources, sinks, timeout, drain, progress, resets)
    if simulator == "myhdl":
        with design.elaborated() as (block, clk, rst):
            watched = {name: monitor.stream for name, monitor in design.monitors.items()}
            counted = {name: inner_bits(block, counter)
                       for name, counter in design.counters.items()}
            run = run_myhdl(block, clk, rst, scenario, watched, counted)
    elif simulator in SIMULATORS:
        model = model or compiled(design, build_dir, simulator, tuple(sources))
        run = BACKENDS[simulator].run(model, scenario, design.monitors, design.counters,
                                      design.memories)
    else:
        raise ValueError(f"simulator {simulator!r} is not one of {', '.join(SIMULATORS)}")
    longest = sum(longest_pause(sink.backpressure) for _, sink in sinks.values())
    check_waits(run, {name: timeout + longest for name in run.traces} | dict(waits or {}))
    return run


def inner_bits(block: Block, counter: Counter) -> tuple[SignalType, ...]:
    """The signals of a Counter in an elaborated block; KeyError where there are none."""
    for label in counter.instances:
        names = instance_names(local_names(block))
        block = {names[id(sub)][0]: sub for sub in block.subs if id(sub) in names}[label]
    inside = {name: signals[0] for local, value in local_names(block).items()
              for name, signals, _ in groups(local, value)}
    return tuple(inside[bit] for bit in counter.bits)


def compiled(design: Design, build_dir: str | Path | None = None, simulator: str = "verilator",
             sources: Collection[str] = ()) -> Built:
    """The model of ``design`` for a simulator of its HDL, built or found built.

    build_dir -- folder in which models are kept; None: the default one
    sources   -- names of the input streams

    Raises ToolError where the simulator is missing or refuses the design.
    """
    build_dir = build_dir or default_build_dir()
    inputs, outputs = ({name: stream for name, stream in design.ports.items()
                        if (name in sources) is way} for way in (True, False))
    with tempfile.TemporaryDirectory() as directory:
        files, top = design.convert(directory, "VHDL" if simulator == "ghdl" else "Verilog")
        return BACKENDS[simulator].build(files, top, inputs, outputs, design.monitors,
                                         design.counters, build_dir)


def require(simulator: str) -> None:
    """Raise ToolError where ``simulator`` is not installed: what is missing, and the command."""
    if simulator in BACKENDS:
        BACKENDS[simulator].find()
