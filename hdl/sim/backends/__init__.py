"""Simulators of converted HDL, with one contract: find() the tools, build() a model, run() it."""
from hdl.sim.backends import ghdl, icarus, verilator

BACKENDS = {"icarus": icarus, "verilator": verilator, "ghdl": ghdl}
