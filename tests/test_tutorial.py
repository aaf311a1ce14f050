"""docs/tutorial.md, done as it says: each of its commands in order, and what it says they print."""
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.__main__ import commands

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
FENCE = re.compile(r"^(?:<!-- (\w+) -->\n)?```(sh|text)\n(.*?)^```$", re.M | re.S)


def steps():
    """[(what it needs, "" where nothing special, shell commands, lines that they print)]."""
    found = []
    for needs, kind, text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append((needs, text, []))
        else:
            found[-1][2].extend(text.splitlines())
    return found


def run(line):
    """What one command prints; those of this project run in this process, which is quicker."""
    words = shlex.split(line)
    if words[:2] == ["python", "-m"]:
        command = import_module(commands()[words[2].removeprefix("scripts.")])
        result = CliRunner().invoke(command.main, words[3:])
        assert result.exit_code == 0, (line, result.output, result.exception)
        return result.output
    return in_shell(line)


def in_shell(text):
    """What commands of a shell print."""
    python = Path(sys.executable).parent
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{python}:{os.environ['PATH']}"})
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


def lines(text):
    """The commands of a step, each with its further lines."""
    return re.split(r"\n(?=python|ls|cd)", text.strip().replace("\\\n", ""))


def check(printed, expected):
    """Every line that the page shows is in what was printed, wherever lines are broken there."""
    flat = " ".join(printed.split())
    for line in expected:
        assert line in flat, f"docs/tutorial.md says that this is printed: {line}"


def test_what_is_found():
    """Nothing of the page is left out."""
    page = PAGE.read_text(encoding="utf-8")
    assert len(FENCE.findall(page)) == len(re.findall("^```$", page, re.M))
    assert {needs for needs, _, _ in steps()} == {"", "full", "board"}
    assert lines("python a \\\n  b\nls c\n") == ["python a   b", "ls c"]
    with pytest.raises(AssertionError, match="says that this is printed: b c"):
        check("a\nb d", ["a", "b c"])


@pytest.mark.slow
@pytest.mark.xdist_group("cosim")       # the network that its tests compile
@pytest.mark.usefixtures("golden_cache")
def test_the_steps(verilator, tmp_path, monkeypatch):
    """Those that take no more than a minute."""
    monkeypatch.chdir(tmp_path)
    for needs, text, expected in steps():
        if not needs:
            check("\n".join(map(run, lines(text))), expected)
    assert (tmp_path / "chain.vcd").stat().st_size > 1_000_000


@pytest.mark.full
def test_the_whole_page(verilator, tmp_path, monkeypatch):
    """All but what needs a board, in a shell."""
    monkeypatch.chdir(tmp_path)
    for needs, text, expected in steps():
        if needs != "board":
            check(in_shell(text), expected)
