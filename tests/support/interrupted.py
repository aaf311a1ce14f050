"""``python -m tests.support.interrupted KIND FOLDER``: jobs that never end, to be interrupted.

Each writes to a file of its own again and again for as long as it lives, and has temporary files.
"""
import sys
import tempfile
import time
from pathlib import Path

from hdl.build import Processes, in_threads, results, run_tool

JOBS = 6
BEAT = "for beat in $(seq 999); do sleep 0.05; echo >> {}; done & wait"


def tool(file):
    """Run a tool whose child beats."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        run_tool(["sh", "-c", BEAT.format(file)], cwd=folder)


def loop(file):
    """Beat."""
    with tempfile.TemporaryDirectory(dir=file.parent):
        while True:
            with open(file, "a") as beats:
                beats.write("\n")
            time.sleep(0.05)


def main(kind, folder):
    """Begin the jobs, and end with status 130 when interrupted."""
    files = [Path(folder, f"{number}.beats") for number in range(JOBS)]
    try:
        if kind == "threads":
            in_threads(tool, files)
        else:
            with Processes(JOBS) as pool:
                try:
                    results([pool.submit(loop, file) for file in files])
                except BaseException:
                    pool.end()
                    raise
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(*sys.argv[1:])
