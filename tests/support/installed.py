"""``tox -e wheel``: the main jobs from a folder that is not the checkout, with the wheel installed.

Run as a script in an environment that has the wheel and nothing else of this project.
"""
import importlib.util
import subprocess
import sys
from pathlib import Path

JOBS = (["scripts"], ["scripts.cosim", "--resolution", "32"],
        ["scripts.convert", "--resolution", "32", "--block", "stem"])


def beside(place):
    """Files in the folder of the installed packages, compiled modules left out."""
    return {path for path in place.rglob("*") if "__pycache__" not in path.parts}


def main() -> None:
    """Do the jobs; none may fail, nor write beside the code."""
    place = Path(importlib.util.find_spec("hdl").origin).parents[1]
    if (place / "tox.ini").exists():
        sys.exit(f"hdl comes from the checkout {place}, not from a wheel: run tox -e wheel")
    before = beside(place)
    for job in JOBS:
        subprocess.run([sys.executable, "-m", *job], check=True)
    written = sorted(beside(place) - before)
    if written:
        sys.exit(f"written beside the code: {', '.join(map(str, written))}")
    if not Path("build/verilog/stem/LICENSE").is_file():
        sys.exit("the exported folder has no licence")


if __name__ == "__main__":
    main()
