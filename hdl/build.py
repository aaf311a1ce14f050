"""Tools that are run, and what they make: built once, kept by a digest of what determines it."""
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs
from filelock import FileLock

from hdl.errors import ToolError

PACKAGE = "impossible-mobilenet"


def default_build_dir(kind: str = "models") -> Path:
    """Where what was made is kept, such as ``models`` or ``hdl``: in $MNV2_BUILD_DIR, or in the
    user's cache."""
    given = os.environ.get("MNV2_BUILD_DIR")
    return Path(given or platformdirs.user_cache_path(PACKAGE, appauthor=False), kind)


@dataclass(frozen=True, kw_only=True)
class Built:
    """What the model of every simulator tells of itself."""

    memories: tuple[str, ...]   # names of the files that its ROMs read at run time
    digest: str
    reused: bool                # found in the cache
    seconds: float              # to build, or to find

    def told(self) -> dict[str, str | bool | float]:
        """What a Run keeps of it: ``digest``, ``reused``, ``seconds``."""
        return {"digest": self.digest, "reused": self.reused, "seconds": self.seconds}


@lru_cache
def tool_version(*command: str) -> str:
    """What a tool prints about itself; ToolError where it cannot."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolError(f"{Path(command[0]).name} does not run: {error}") from None


def run_tool(command: Sequence[str], cwd: str | Path | None = None,
             env: Mapping[str, str] | None = None, input: str | None = None,
             encoding: str | None = None) -> str:
    """Run a tool and return what it says on both outputs; options as those of subprocess.run.

    Raises ToolError, with the end of what it says, where its status is not 0.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=cwd,
                          env=env, input=input, encoding=encoding)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise ToolError(f"{Path(command[0]).name} failed:\n{said[-4000:]}")
    return (done.stdout + done.stderr).strip()


def digest(*parts: object) -> str:
    """24 hexadecimal digits of bytes and of other values as texts, each told from the next."""
    total = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        total.update(b"%d:" % len(raw) + raw)
    return total.hexdigest()[:24]


def built_once(target: Path, fill: Callable[[Path], object]) -> bool:
    """Make the directory ``target`` unless it is there; returns whether it was there.

    fill -- fill(directory) fills a fresh directory, which becomes ``target`` when it succeeds

    Of processes that want the same, one builds it while the others wait.
    """
    if target.is_dir():
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if target.is_dir():
            return True
        work = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
        try:
            fill(work)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return False
