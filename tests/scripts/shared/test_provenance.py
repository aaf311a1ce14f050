"""Where a result comes from: the command as it was typed, versions that are installed, the commit
of the checkout."""
import datetime
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from scripts.shared import provenance

ROOT = Path(__file__).parents[3]


def test_of_a_command():
    done = subprocess.run([sys.executable, "-m", "scripts.budget", "--alpha", "0.35",
                           "--resolution", "32", "--json"], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    made = json.loads(done.stdout)["made"]
    assert made["by"] == "scripts.budget"
    assert made["command"] == "python -m scripts.budget --alpha 0.35 --resolution 32 --json"
    assert made["versions"]["numpy"] == importlib.metadata.version("numpy")
    when = datetime.datetime.fromisoformat(made["date"])
    assert abs(datetime.datetime.now().astimezone() - when) < datetime.timedelta(minutes=1)


def test_commit(tmp_path, monkeypatch):
    def git(*arguments):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
                              cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.commit() is None
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert provenance.commit() == git("rev-parse", "--short", "HEAD").strip()
    (tmp_path / "file").write_text("two")
    assert provenance.commit() == git("rev-parse", "--short", "HEAD").strip() + "-dirty"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() is None
