"""Verilog and VHDL of blocks, stages and the network, kept by content."""
