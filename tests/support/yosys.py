"""Yosys, in a process of its own: an error ends the process that it is in."""
import importlib.util
import subprocess
import sys
from pathlib import Path

from hdl.errors import ToolError

INSTALL = "pip install -e '.[test]'"
RUN = """
import sys
from pyosys import libyosys as yosys
design = yosys.Design()
for line in sys.stdin:
    yosys.run_pass(line.strip(), design)
"""


class YosysError(Exception):
    """A pass of Yosys failed: the end of what it said."""


def yosys(directory, *passes):
    """Run passes in ``directory``; returns what Yosys says.

    Raises YosysError where a pass fails, and ToolError without Yosys.
    """
    if importlib.util.find_spec("pyosys") is None:
        raise ToolError(f"Yosys is not installed: {INSTALL}")
    done = subprocess.run([sys.executable, "-c", RUN], input="\n".join(passes), text=True,
                          capture_output=True, cwd=directory)
    if done.returncode:
        raise YosysError((done.stdout + done.stderr)[-3000:])
    return done.stdout


def share():
    """Yosys's folder of cell models."""
    import pyosys
    return Path(pyosys.__file__).parent / "share"
