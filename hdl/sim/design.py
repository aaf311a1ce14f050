"""A design that any simulator can run: one call for MyHDL and for its converted Verilog."""
import inspect
import os
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import myhdl
from myhdl import ResetSignal, Signal, ToVerilogWarning

from hdl.axis import AxiStream
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
        """Yield (block, clk, rst), made afresh; MyHDL forgets them afterwards.

        MyHDL numbers block instances and collects signals for the life of the process; both are
        put back, so that names repeat and a long test session does not slow down.
        """
        mark = len(myhdl._simulator._signals)
        myhdl._block._name_set.clear()
        for known in myhdl._simulator._blocks:
            known.calls = 0
        clk, rst = Signal(bool(0)), ResetSignal(1, active=1, isasync=False)
        # By position: MyHDL's wrapper has parameters of its own, such as ``name``.
        bound = inspect.signature(self.function).bind(clk, rst, **self.arguments)
        try:
            yield self.function(*bound.args, **bound.kwargs), clk, rst
        finally:
            del myhdl._simulator._signals[mark:]

    def convert(self, directory):
        """Write the Verilog into ``directory``; returns (files, top module)."""
        if self.verilog:
            return self.verilog(directory)
        with self.elaborated() as (block, _, _), warnings.catch_warnings():
            warnings.simplefilter("ignore", ToVerilogWarning)
            top = block.func.__name__
            order_registers(block)
            block.convert(hdl="Verilog", path=str(directory), name=top, initial_values=True,
                          testbench=False, no_myhdl_header=True)
        return [Path(directory, f"{top}.v")], top


def order_registers(block):
    """Make conversion repeatable: MyHDL collects signals in the order of a set of names, which
    PYTHONHASHSEED shuffles; use the names' own order for resets and sensitivity lists."""
    for sub in block.subs:
        if isinstance(sub, myhdl._block._Block):
            order_registers(sub)
        elif isinstance(sub, myhdl._always_seq._AlwaysSeq):
            sub.sigregs[:] = _signals(sub, sub.outputs)
            sub.varregs.sort(key=lambda register: register[0])
        elif isinstance(sub, myhdl._always_comb._AlwaysComb):
            listed = {id(signal) for signal in sub.senslist}
            sub.senslist = tuple(s for s in _signals(sub, sub.inputs) if id(s) in listed)


def _signals(instance, names):
    """Signals of ``names`` in their order, memories as their elements."""
    found = []
    for name in sorted(names):
        value = instance.symdict[name]
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, myhdl._Signal._Signal):
            found.append(value)
    return found


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
