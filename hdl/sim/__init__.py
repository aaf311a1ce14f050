"""Simulation of stream designs, in MyHDL, Verilog and VHDL, cycle for cycle the same."""

SIMULATORS = ("myhdl", "icarus", "verilator", "ghdl")
