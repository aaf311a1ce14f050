"""Runs jobs in processes of their own, repeats them, and keeps what building their models took."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from scripts.shared.checkout import ROOT

if TYPE_CHECKING:
    import resource

LONG = 60           # seconds; a run that takes longer is not repeated

Row = dict[str, Any]    # of a table or of bench.json: what a job gave, or only 'error'


@dataclass(frozen=True)
class Job:
    """One of scripts.bench.jobs, and the Python that does it."""

    name: str
    arguments: dict[str, Any]
    python: str = sys.executable


class Bench:
    """Runs jobs, each in a process of its own, with their builds in ``work``."""

    def __init__(self, work: str | Path, repeats: int, limit: float, full: bool = False,
                 report: Callable[[str], object] = lambda text: None) -> None:
        self.work, self.repeats, self.limit, self.full = Path(work), repeats, limit, full
        self.report = report
        self.stored = self.work / "builds.json"
        self.builds = json.loads(self.stored.read_text()) if self.stored.exists() else {}

    def run(self, job: Job, label: str) -> Row:
        """Do a job: its result with ``peak_mb`` (MB) of it and its children, or only ``error``."""
        self.report(label)
        environment = {**os.environ, "MNV2_BUILD_DIR": str(self.work),
                       "TF_CPP_MIN_LOG_LEVEL": "2"}
        command = [job.python, "-m", "scripts.bench.jobs", job.name, json.dumps(job.arguments)]
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT,
                                       env=environment, start_new_session=True)
            ended = wait(process, self.limit)
            lines, said = written(output), written(errors)
        if ended is None:
            return {"error": f"did not end in {self.limit:g} s", "seconds_more_than": self.limit}
        status, usage = ended
        if status and not (lines and lines[-1].startswith('{"error"')):
            return {"error": said[-1] if said else f"ended with status {status}"}
        result = json.loads(lines[-1])
        if result.get("mismatches"):
            return {"error": f"{result['mismatches']:,} of {result['elements']:,} integers are "
                             "not the golden's", "wrong": True}
        return result | {"peak_mb": usage.ru_maxrss / 1024}

    def repeat(self, jobs: Mapping[str, Job], case: str,
               expect: Callable[[str, dict[str, Row]], float] = lambda name,
               rows: 0) -> dict[str, Row]:
        """Do each of {row: Job} ``repeats`` times, in turns; {row: merged results}.

        expect -- expect(row, rows so far) foretells a run's seconds; past the limit it is left out
        """
        rows: dict[str, Row] = {}
        for turn in range(self.repeats):
            for name, job in jobs.items():
                if turn == 0:
                    rows[name] = {"seconds": []}
                    seconds = expect(name, rows)
                    if seconds > self.limit:
                        rows[name] = {"error": f"not run: about {seconds:,.0f} s at its speed in "
                                               f"the case above, limit {self.limit:g} s"}
                row = rows[name]
                if "error" in row or row["seconds"] and max(row["seconds"]) > LONG:
                    continue
                result = self.run(job, f"{case}: {name}, run {turn + 1} of {self.repeats}")
                self.merge(row, result, json.dumps([job.name, job.arguments]))
        return rows

    def merge(self, row: Row, result: Row, key: str) -> None:
        """Add a run's result to its row; what built the model is no memory of the run."""
        if "error" in result:
            row.clear()
            row.update(result)
            return
        seconds, peak = result.pop("seconds"), result.pop("peak_mb")
        row["seconds"] += seconds if isinstance(seconds, list) else [seconds]
        if result.get("build_seconds"):
            self.builds[key] = {"build_seconds": result["build_seconds"], "build_peak_mb": peak}
            self.stored.write_text(json.dumps(self.builds))
            row["peak_mb"] = row.get("peak_mb")
        else:
            row["peak_mb"] = max(peak, row.get("peak_mb") or 0)
        row.update(self.builds.get(key, {}))
        row.update((name, value) for name, value in result.items() if name != "build_seconds")


def written(file: IO[str]) -> list[str]:
    """The lines that a process has written into a file."""
    file.seek(0)
    return file.read().strip().splitlines()


def wait(process: subprocess.Popen, limit: float) -> tuple[int, resource.struct_rusage] | None:
    """(exit status, resource usage) of a process and its children; None past the limit."""
    ends = time.monotonic() + limit
    try:
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, usage
            if time.monotonic() > ends:
                return None
            time.sleep(0.05)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
