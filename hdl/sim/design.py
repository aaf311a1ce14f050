"""A design that any simulator can run: one call for MyHDL and for its converted Verilog."""
import inspect
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from hdl.axis import AxiStream
from hdl.convert import convert_block
from hdl.elaborate import clock_and_reset, fresh_elaboration
from hdl.sim.endpoints import Source
from hdl.sim.myhdl_bench import run_myhdl
from hdl.sim.verilator import build, run_verilator

SIMULATORS = ("myhdl", "verilator")


def default_build_dir():
    """Where compiled models are kept: $MNV2_BUILD_DIR, or build/verilator of the checkout."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("MNV2_BUILD_DIR", root / "build" / "verilator"))


@dataclass
class Design:
    """A block and its arguments; those that are AxiStreams are its ports, by name.

    function  -- @block called as function(clk, rst, **arguments)
    arguments -- {name: stream or parameter}
    inner     -- names of arguments that are streams inside, driven and taken by the block itself
    monitors  -- {name: Monitor}, inner streams to watch
    memories  -- directory of .mem files or {file name: text}, for converted ROMs
    verilog   -- verilog(directory) -> (files, top module) writes the Verilog of a design that
                 is not converted as one block; None converts ``function``
    """

    function: Callable
    arguments: dict
    inner: tuple = ()
    monitors: dict = field(default_factory=dict)
    memories: Any = None
    verilog: Callable = None

    @property
    def ports(self):
        """The block's streams by name."""
        return {name: value for name, value in self.arguments.items()
                if isinstance(value, AxiStream) and name not in self.inner}

    @contextmanager
    def elaborated(self):
        """Yield (block, clk, rst), made afresh; MyHDL forgets them afterwards."""
        clk, rst = clock_and_reset()
        # By position: MyHDL's wrapper has parameters of its own, such as ``name``.
        bound = inspect.signature(self.function).bind(clk, rst, **self.arguments)
        with fresh_elaboration():
            yield self.function(*bound.args, **bound.kwargs), clk, rst

    def convert(self, directory):
        """Write the Verilog into ``directory``; returns (files, top module)."""
        if self.verilog:
            return self.verilog(directory)
        with self.elaborated() as (block, _, _):
            file = convert_block(block, directory, block.func.__name__)
        return [file], file.stem


def simulate(simulator, design, ends, timeout=10_000, drain=0, progress=None, build_dir=None):
    """Run ``design`` in ``simulator`` ('myhdl' or 'verilator') and return its Run.

    ends     -- {port: Source or Sink}, every port of the design
    timeout  -- cycles without a beat anywhere before DeadlockError
    drain    -- cycles to go on after the last beat awaited, to see that no more come
    progress -- called with the cycle now and then
    """
    ports = design.ports
    if set(ends) != set(ports):
        raise ValueError(f"the design's streams are {sorted(ports)}, not {sorted(ends)}")
    sources = {n: (ports[n], end) for n, end in ends.items() if isinstance(end, Source)}
    sinks = {n: (ports[n], end) for n, end in ends.items() if not isinstance(end, Source)}
    options = {"timeout": timeout, "drain": drain, "progress": progress}
    if simulator == "myhdl":
        with design.elaborated() as (block, clk, rst):
            watched = {name: monitor.stream for name, monitor in design.monitors.items()}
            return run_myhdl(block, clk, rst, sources, sinks, watched, **options)
    if simulator != "verilator":
        raise ValueError(f"simulator {simulator!r} is not one of {', '.join(SIMULATORS)}")
    model = compiled(design, build_dir)
    return run_verilator(model, sources, sinks, design.monitors, memories=design.memories,
                         **options)


def compiled(design, build_dir=None):
    """The Verilator model of ``design``."""
    monitors = [(watched.path, watched.prefix or name)
                for name, watched in design.monitors.items()]
    with tempfile.TemporaryDirectory() as directory:
        files, top = design.convert(directory)
        return build(files, top, monitors, build_dir or default_build_dir())
