"""Conversion of a block: a file of Verilog or VHDL for each of its modules."""
import warnings
from collections.abc import Mapping
from pathlib import Path

from myhdl import ToVerilogWarning, ToVHDLWarning
from myhdl.conversion._toVHDL import _package, _shortversion

from hdl.hierarchy import verilog, vhdl
from hdl.hierarchy.build import modules_of
from hdl.hierarchy.text import written
from hdl.myhdl_fixes.elaborate import Block
from hdl.myhdl_fixes.order import order_registers

SUFFIX = {"Verilog": ".v", "VHDL": ".vhd"}
LANGUAGE = {"Verilog": verilog, "VHDL": vhdl}


def convert_block(block: Block, directory: str | Path, name: str, hdl: str = "Verilog",
                  named: Mapping[int, str] | None = None) -> list[Path]:
    """Write the modules of an elaborated ``block``, a file each; returns the files, a module after
    those that it has instances of, the block's own last.

    name  -- of the block's module or entity
    named -- {id of a block inside: name of its module}, where the name is given

    The same block gives the same bytes in every process.
    """
    order_registers(block)
    files = packages(directory, hdl)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToVerilogWarning)
        warnings.simplefilter("ignore", ToVHDLWarning)
        for module, text in written(modules_of(block, name, named), LANGUAGE[hdl]).items():
            files.append(Path(directory, module + SUFFIX[hdl]))
            files[-1].write_text(text)
    return files


def packages(directory: str | Path, hdl: str) -> list[Path]:
    """Files that every converted file needs, written into ``directory``: of VHDL one."""
    if hdl == "Verilog":
        return []
    file = Path(directory, f"pck_myhdl_{_shortversion}.vhd")
    file.write_text(_package)
    return [file]
