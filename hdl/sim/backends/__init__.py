"""Simulators of converted HDL, each a module that keeps the contract of ``backend``."""
from hdl.sim.backends import ghdl, icarus, verilator
from hdl.sim.backends.backend import Backend

BACKENDS: dict[str, Backend] = {"icarus": icarus, "verilator": verilator, "ghdl": ghdl}
