"""Yosys, in a process of its own: an error ends the process that it is in."""
import subprocess
import sys
from pathlib import Path

RUN = """
import sys
from pyosys import libyosys as yosys
design = yosys.Design()
for line in sys.stdin:
    yosys.run_pass(line.strip(), design)
"""


def yosys(directory, *passes):
    """Run passes in ``directory``; returns what Yosys says, fails the test where a pass does."""
    done = subprocess.run([sys.executable, "-c", RUN], input="\n".join(passes), text=True,
                          capture_output=True, cwd=directory)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def share():
    """Yosys's folder of cell models."""
    import pyosys
    return Path(pyosys.__file__).parent / "share"
