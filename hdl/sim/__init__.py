"""Simulation of stream designs, in MyHDL and in Verilator, cycle for cycle the same."""
from hdl.sim.design import SIMULATORS, Design, compiled, require, simulate
from hdl.sim.endpoints import (DeadlockError, Monitor, ProtocolError, SimulatorError, Sink, Source,
                               random_pattern)
from hdl.sim.trace import Run, Trace, pack, payload, unpack

__all__ = ["SIMULATORS", "DeadlockError", "Design", "Monitor", "ProtocolError", "Run",
           "SimulatorError", "Sink", "Source", "Trace", "compiled", "pack", "payload",
           "random_pattern", "require", "simulate", "unpack"]
