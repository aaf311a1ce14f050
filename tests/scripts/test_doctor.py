"""The doctor: what is missing is found, told with what installs it, and stops the right jobs."""
import configparser
import importlib.metadata
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hdl.errors import ToolError
from hdl.sim.backends import BACKENDS, icarus, verilator
from scripts.__main__ import commands
from scripts.doctor import BASE, EXTRA, JOBS, MAIN_JOB, SYSTEM, main
from tests.support.json_page import check

ROOT = Path(__file__).parents[2]


def jobs():
    """(exit status, {job: names of what it misses}) of the command."""
    result = CliRunner().invoke(main, ["--json"])
    document = json.loads(result.stdout)
    check("scripts.doctor", document)
    assert all(job["works"] == (not job["missing"]) for job in document["jobs"])
    return result.exit_code, {job["name"]: job["missing"] for job in document["jobs"]}


def table():
    """What people read, its lines joined."""
    return " ".join(CliRunner().invoke(main).output.split())


def missing(error):
    """A function that raises."""
    def find(*arguments):
        raise error
    return find


@pytest.fixture
def everything(monkeypatch):
    """A machine that has all simulators and packages, in versions of its own."""
    for backend in BACKENDS.values():
        monkeypatch.setattr(backend, "find", lambda: "here")
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: Known())
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: [
        "numpy<3,>=1.26", "myhdl; python_version >= '3'", "tensorflow; sys_platform == 'nowhere'",
        "cocotb>=2; extra == 'bench'"])
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.5")
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")


class Known:
    """Metadata of a project with all extras."""

    def get_all(self, name):
        return [need.removeprefix(EXTRA) for needs in JOBS.values() for need in needs]


def test_every_command_and_every_need_is_known():
    """No command is forgotten, no extra or simulator is misspelt."""
    extras = configparser.ConfigParser()
    extras.read(ROOT / "setup.cfg")
    known = {BASE, *BACKENDS, *SYSTEM, *(f"{EXTRA}{name}" for name in
                                         extras["options.extras_require"])}
    assert {need for needs in JOBS.values() for need in needs} <= known
    told = " ".join(JOBS)
    assert [name for name in commands() if name not in told] == ["doctor"]


def test_where_all_is_there(everything):
    status, missing = jobs()
    assert status == 0 and not any(missing.values())
    assert "numpy 2.5" in table() and "tensorflow" not in table()


def test_without_a_simulator(everything, monkeypatch):
    """The jobs that need it, and what its own search says."""
    monkeypatch.setattr(icarus, "find", missing(ToolError("no Icarus: apt-get install it")))
    status, told = jobs()
    assert status == 0
    assert {job for job in told if told[job]} == {job for job in JOBS if "icarus" in JOBS[job]}
    assert "no Icarus: apt-get install it" in table()


def test_without_what_the_main_job_needs(everything, monkeypatch):
    monkeypatch.setattr(verilator, "find", missing(ToolError("no g++")))
    status, told = jobs()
    assert status == 1 and told[MAIN_JOB] == ["verilator"]


def test_an_old_package(everything, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.4")
    status, told = jobs()
    assert status == 1
    assert told[MAIN_JOB] == ["numpy"] and told["scripts.bench"] == ["numpy", "cocotb"]
    assert "pip install 'numpy<3,>=1.26'" in table()


def test_a_missing_package(everything, monkeypatch):
    def version(name):
        if name == "cocotb":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.5"
    monkeypatch.setattr(importlib.metadata, "version", version)
    status, told = jobs()
    assert status == 0 and [job for job in told if told[job]] == ["scripts.bench"]
    assert "pip install 'cocotb>=2'" in table()


def test_an_extra_that_is_newer_than_what_is_installed(everything, monkeypatch):
    """An editable install knows the extras of the day it was made."""
    monkeypatch.setattr(Known, "get_all", lambda self, name: None)
    assert jobs()[1]["scripts.bench"] == ["bench"]
    assert "pip install -e '.[bench]'" in table()


def test_a_project_that_is_not_installed(everything, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "metadata",
                        missing(importlib.metadata.PackageNotFoundError("impossible-mobilenet")))
    result = CliRunner().invoke(main)
    assert result.exit_code == 2 and result.stdout == ""
    assert "the project itself is not installed" in result.stderr
