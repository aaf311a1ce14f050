"""Yosys, in a process of its own: an error ends the process that it is in."""
import importlib.util
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from hdl.build import run_tool
from hdl.errors import ToolError

INSTALL = "pip install -e '.[fit]'"
# Its errors are told behind the warnings that explain them.
RUN = """
import os, sys
os.dup2(1, 2)
from pyosys import libyosys as yosys
design = yosys.Design()
for line in sys.stdin:
    yosys.run_pass(line.strip(), design)
"""


class YosysError(ToolError):
    """A pass of Yosys failed: the end of what it said."""


def check() -> None:
    """ToolError without Yosys."""
    if importlib.util.find_spec("pyosys") is None:
        raise ToolError(f"Yosys is not installed: {INSTALL}")


def version() -> str:
    """Of Yosys; ToolError without it."""
    check()
    return version_of("pyosys")


def yosys(directory: str | Path, *passes: str) -> str:
    """Run passes in ``directory``; returns what Yosys says.

    Raises YosysError where a pass fails, and ToolError without Yosys.
    """
    check()
    try:
        return run_tool([sys.executable, "-c", RUN], cwd=directory, input="\n".join(passes))
    except ToolError as error:
        raise YosysError(f"Yosys failed:{str(error).partition('failed:')[2]}") from None


def share() -> Path:
    """Yosys's folder of cell models."""
    import pyosys
    return Path(pyosys.__file__).parent / "share"
