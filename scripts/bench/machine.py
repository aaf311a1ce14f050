"""Where a measurement was taken: the processor, and the versions of all that took part."""
import os
import platform
import shutil
import subprocess
from pathlib import Path

from scripts.shared.provenance import package_versions

TOOLS = {"g++": "--version", "iverilog": "-V", "ghdl": "--version", "pypy3": "--version"}


def machine() -> str:
    """The processor, how many, and what else kept it busy."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() \
        if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return (f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f} before")


def versions() -> dict[str, str]:
    """{package or tool: version} of all that is there."""
    found = package_versions()
    for tool, option in TOOLS.items():
        if shutil.which(tool):
            said = subprocess.run([tool, option], capture_output=True, text=True)
            found[tool] = (said.stdout or said.stderr).splitlines()[0]
    return found
