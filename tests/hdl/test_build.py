"""Where what is made is kept, and what a tool that fails is told as."""
import subprocess
import sys
from pathlib import Path

import pytest

from golden.build import cache_folder
from hdl import build
from hdl.errors import ToolError


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have their own places")
def test_builds_go_to_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("MNV2_BUILD_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.default_build_dir("hdl") == tmp_path / "impossible-mobilenet" / "hdl"
    assert build.default_build_dir().parent == cache_folder()
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert build.default_build_dir().parent == Path.home() / ".cache" / "impossible-mobilenet"


def test_or_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("MNV2_BUILD_DIR", str(tmp_path))
    assert build.default_build_dir() == tmp_path / "models"


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
