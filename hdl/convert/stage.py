"""Conversion of one block or stage: MyHDL flattens what it converts, so a stage is a module."""
import warnings
from collections.abc import Sequence
from pathlib import Path

from myhdl import ToVerilogWarning, ToVHDLWarning
from myhdl.conversion._toVHDL import _package, _shortversion

from hdl.axis import AxiStream
from hdl.myhdl_fixes.elaborate import Block, clock_and_reset, fresh_elaboration
from hdl.myhdl_fixes.names import name_streams, order_registers
from hdl.myhdl_fixes.vhdl import exact_vhdl, legal_names
from hdl.plan.config import UnitConfig
from hdl.units.mobilenet_v2 import inner_streams, stage_block

SUFFIX = {"Verilog": ".v", "VHDL": ".vhd"}


def convert_block(block: Block, directory: str | Path, name: str,
                  hdl: str = "Verilog") -> list[Path]:
    """Write an elaborated ``block`` as module or entity ``name``; returns the files, its own last.

    The same block gives the same bytes in every process.
    """
    name_streams(block)
    order_registers(block)
    options = {"no_myhdl_header": True}
    if hdl == "Verilog":
        # What counts has a reset; that the rest needs no first value, simulators with unknown bits
        # show.
        options.update(testbench=False, initial_values=False)
    else:
        # Arithmetic of numeric_std reports unknown bits wherever they are.
        options.update(initial_values=True)
        legal_names(block)
    with warnings.catch_warnings(), exact_vhdl():
        warnings.simplefilter("ignore", ToVerilogWarning)
        warnings.simplefilter("ignore", ToVHDLWarning)
        block.convert(hdl=hdl, path=str(directory), name=name, **options)
    return [*packages(directory, hdl), Path(directory, name + SUFFIX[hdl])]


def packages(directory: str | Path, hdl: str) -> list[Path]:
    """Files that every converted file needs, written into ``directory``: of VHDL one."""
    if hdl == "Verilog":
        return []
    file = Path(directory, f"pck_myhdl_{_shortversion}.vhd")
    file.write_text(_package)
    return [file]


def convert_stage(configs: Sequence[UnitConfig], directory: str | Path,
                  hdl: str = "Verilog") -> list[Path]:
    """Write one stage's HDL, ``<stage>.v`` or ``.vhd``; returns the files, its own last."""
    function, arguments = stage_block(configs, inner_streams(configs))
    with fresh_elaboration():
        stage = function(*clock_and_reset(), AxiStream(configs[0].stream_in()),
                         AxiStream(configs[-1].stream_out()), *arguments)
        return convert_block(stage, directory, configs[0].unit.stage, hdl)
