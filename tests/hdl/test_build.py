"""Where what is made is kept, what a tool that fails is told as, and what an interruption ends."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from golden.build import cache_folder
from hdl import build
from hdl.errors import ToolError
from tests.support.interrupted import JOBS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have their own places")
def test_builds_go_to_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("MNV2_BUILD_DIR")
    monkeypatch.delenv("MNV2_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.default_build_dir("hdl") == tmp_path / "impossible-mobilenet" / "hdl"
    assert build.default_build_dir().parent == cache_folder()
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert build.default_build_dir().parent == Path.home() / ".cache" / "impossible-mobilenet"


def test_or_where_a_variable_says(monkeypatch, tmp_path):
    """An empty one says nothing."""
    monkeypatch.setenv("MNV2_BUILD_DIR", str(tmp_path))
    assert build.default_build_dir() == tmp_path / "models"
    monkeypatch.setenv("MNV2_BUILD_DIR", "")
    monkeypatch.setenv("MNV2_CACHE_DIR", str(tmp_path / "all"))
    assert build.default_build_dir("hdl") == tmp_path / "all" / "hdl"
    assert cache_folder() == tmp_path / "all"
    monkeypatch.setenv("MNV2_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.default_build_dir().parent == cache_folder() != Path("")
    assert cache_folder().is_absolute()


def test_a_tool_that_fails_says_why():
    with pytest.raises(ToolError, match="^python.* failed:\nno such luck$"):
        build.run_tool([sys.executable, "-c", "import sys; sys.exit('no such luck')"])


def test_a_tool_that_does_not_run_is_told(tmp_path):
    broken = tmp_path / "ghdl"
    broken.write_text("#!/bin/sh\nexit 127\n")
    with pytest.raises(ToolError, match="^ghdl does not run: .*Permission denied"):
        build.tool_version(str(broken), "--version")
    broken.chmod(0o755)
    with pytest.raises(ToolError, match="^ghdl does not run: .*exit status 127"):
        build.tool_version(str(broken), "--version")


def test_a_failure_leaves_nothing(tmp_path):
    """What cannot be made is not found the next time."""
    def half(work):
        (work / "file").write_text("half")
        raise subprocess.CalledProcessError(1, "make")

    with pytest.raises(subprocess.CalledProcessError):
        build.built_once(tmp_path / "model", half)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []
    assert build.built_once(tmp_path / "model", lambda work: (work / "file").write_text("whole")) \
        is False
    assert build.built_once(tmp_path / "model", half) is True


def test_what_killed_processes_left_is_removed(tmp_path):
    """By the next one that makes the same, and nothing else is."""
    for name in ("model.x7", "model2.x7", ".model.x7", ".model2.x7"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("half")
    assert not build.built_once(tmp_path / "model", lambda work: (work / "file").write_text("w"))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        ".model.x7", ".model2.x7", "model", "model2.x7"]
    with build.scratch_beside(tmp_path / "model") as scratch:
        assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
            ".model2.x7", scratch.name, "model", "model2.x7"}
    assert not scratch.exists()


def test_folders_beside_one_place_are_made_one_after_the_other(tmp_path):
    """What the one works in, the other does not take for left."""
    seen = []

    def work(number):
        with build.scratch_beside(tmp_path / "place") as scratch:
            (scratch / "file").write_text("")
            time.sleep(0.05)
            seen.append((number, (scratch / "file").exists()))

    build.in_threads(work, [0, 1, 2])
    assert sorted(seen) == [(0, True), (1, True), (2, True)]


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path):
    """Whoever runs the test: a file is no folder for root either."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="^cache .*file cannot be written .*: give another folder "
                                        "with --cache$"):
        build.built_once(tmp_path / "file" / "model", lambda work: None)


def test_temporary_files_of_a_tool_go_where_it_runs(monkeypatch, tmp_path):
    """Whatever TMPDIR says."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    build.run_tool(["sh", "-c", "mktemp"], cwd=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert build.tool_version("sh", "-c", "mktemp && echo well").endswith("well\n")


@pytest.mark.parametrize("kind", ["threads", "processes"])
@pytest.mark.parametrize("tell", [os.killpg, os.kill], ids=["terminal", "kill"])
def test_an_interruption_ends_all_that_was_begun(kind, tell, tmp_path):
    """Tools with the processes that they have started, and processes; the terminal tells all of
    them, ``kill`` the first alone."""
    process = subprocess.Popen([sys.executable, "-m", "tests.support.interrupted", kind, tmp_path],
                               cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    # One that is interrupted while it makes its folder would leave the folder.
    at_once = JOBS if kind == "processes" else min(build.cores(), JOBS)
    while len(list(tmp_path.glob("*.beats"))) < at_once:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    tell(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=10)       # two seconds where nothing else runs
    assert (process.returncode, said) == (130, "")
    left = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert left and not [path for path in tmp_path.iterdir() if path.is_dir()]
    time.sleep(0.3)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == left, "one lives"


def test_a_job_that_fails_ends_the_others(tmp_path):
    with pytest.raises(ToolError, match="^sh failed:\nno$"):
        build.in_threads(lambda line: build.run_tool(["sh", "-c", line], cwd=tmp_path),
                         ["sleep 99", "echo no >&2; exit 1", *["sleep 99"] * 9])
