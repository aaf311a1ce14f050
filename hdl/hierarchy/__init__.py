"""A module for each block: MyHDL's elaborated blocks written as Verilog or VHDL with hierarchy."""
