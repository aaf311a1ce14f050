"""Tools that are run, and what they make: built once, kept by a digest of what determines it.

Whatever interrupts a tool or a process that is started here (Ctrl-C, an error beside it) ends it,
and what it had begun to write is removed.
"""
import contextlib
import fcntl
import glob
import hashlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import (FIRST_EXCEPTION, Future, ProcessPoolExecutor, ThreadPoolExecutor,
                                wait)
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
from filelock import FileLock

from hdl.errors import ToolError

PACKAGE = "impossible-mobilenet"
RUNNING: set[subprocess.Popen] = set()      # tools of this process
Job = TypeVar("Job")
Made = TypeVar("Made")


def default_build_dir(kind: str = "models") -> Path:
    """Where what was made is kept, such as ``models`` or ``hdl``: in $MNV2_BUILD_DIR, in
    $MNV2_CACHE_DIR with all else that is kept, or in the user's cache."""
    given = os.environ.get("MNV2_BUILD_DIR") or os.environ.get("MNV2_CACHE_DIR")
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


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def within(folder: str | Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of a tool that runs in ``folder``: its temporary files go there too, which is there
    and can be written, whatever $TMPDIR says.

    The name is relative, since Icarus gives it to a shell.
    """
    return {**(os.environ if env is None else env), "TMPDIR": "."}


@lru_cache
def tool_version(*command: str) -> str:
    """What a tool prints about itself; ToolError where it cannot."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True,
                                  cwd=scratch, env=within(scratch)).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise ToolError(f"{Path(command[0]).name} does not run: {error}") from None


def run_tool(command: Sequence[str], cwd: str | Path | None = None,
             env: Mapping[str, str] | None = None, input: str | None = None,
             encoding: str | None = None) -> str:
    """Run a tool and return what it says on both outputs; options as those of subprocess.run.

    cwd -- where it runs, and writes its temporary files

    Raises ToolError, with the end of what it says, where its status is not 0.
    """
    # In a session of its own: the terminal's Ctrl-C reaches this process alone, which then ends
    # the tool and all that the tool has started.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", encoding=encoding, cwd=cwd,
                          env=within(cwd, env) if cwd else env, start_new_session=True) as tool:
        RUNNING.add(tool)
        try:
            out, err = tool.communicate(input)
        except BaseException:
            kill(tool)
            raise
        finally:
            RUNNING.discard(tool)
    if tool.returncode:
        raise ToolError(f"{Path(command[0]).name} failed:\n{(err or out).strip()[-4000:]}")
    return (out + err).strip()


def copied(files: Iterable[str | Path], folder: Path) -> list[str]:
    """Copy files into a folder, for a tool that runs there; returns their names."""
    return [Path(shutil.copy(file, folder)).name for file in files]


def kill(tool: subprocess.Popen) -> None:
    """End a tool of ``run_tool`` and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(tool.pid, signal.SIGKILL)


def in_threads(function: Callable[[Job], Made], jobs: Iterable[Job]) -> list[Made]:
    """function(job) of every job, as many at once as there are cores.

    Raises what a job that fails raises; the tools that the others run are ended.
    """
    with ThreadPoolExecutor(cores()) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        try:
            return results(futures)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):
                for tool in tuple(RUNNING):
                    kill(tool)
                time.sleep(0.01)
            raise


def beside(other: Callable[[], object], function: Callable[[], Made]) -> Made:
    """function(), with ``other`` called beside it where there is a second core.

    Raises as ``in_threads`` does.
    """
    steps: tuple[Callable[[], Any], ...] = (other, function)
    return in_threads(lambda step: step(), steps)[1]


def results(futures: Sequence[Future[Made]]) -> list[Made]:
    """Results of all Futures; raises what one raises as soon as it does."""
    for future in wait(futures, return_when=FIRST_EXCEPTION).done:
        future.result()
    return [future.result() for future in futures]


class Processes(ProcessPoolExecutor):
    """Processes that work for this one.  Ctrl-C reaches this one alone, which ends them."""

    def __init__(self, count: int, begin: Callable[..., None] | None = None,
                 arguments: tuple[object, ...] = ()) -> None:
        """begin -- begin(*arguments) is called first in each"""
        super().__init__(count, multiprocessing.get_context("spawn"), _begin, (begin, arguments))

    def submit(self, function: Callable[..., Made], /,  # type: ignore[override]
               *arguments: object) -> Future[Made]:
        """As Executor.submit; it starts processes, which must not hear Ctrl-C from the first."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(_work, function, arguments)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def end(self) -> None:
        """Drop what waits and end what runs; what had been begun is removed.

        A process that does not listen, as one in a long call of a library, has a second for that.
        """
        started = list((self._processes or {}).values())    # Python 3.14: terminate_workers
        for process in started:
            process.terminate()
        deadline = time.monotonic() + 1
        for process in started:
            process.join(max(0, deadline - time.monotonic()))
            process.kill()
        self.shutdown(cancel_futures=True)


def _begin(begin: Callable[..., None] | None, arguments: tuple[object, ...]) -> None:
    """Begin a process of a Processes: it ends with its parent, however that ends."""
    def follow() -> None:
        parent = multiprocessing.parent_process()
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    if begin:
        begin(*arguments)


def _work(function: Callable[..., Made], arguments: tuple[object, ...]) -> Made:
    """A job of a Processes; what it has begun is removed before SIGTERM ends the process."""
    def leave(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)   # the pool sends it again
        sys.exit(1)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        return function(*arguments)
    except SystemExit:
        os._exit(1)     # the pool would tell of it as of any error, and begin the next job
    finally:
        signal.signal(signal.SIGTERM, before)


def digest(*parts: object) -> str:
    """24 hexadecimal digits of bytes and of other values as texts, each told from the next."""
    total = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        total.update(b"%d:" % len(raw) + raw)
    return total.hexdigest()[:24]


def make_writable(folder: Path) -> None:
    """Make the folder of a cache unless it is there; ToolError where it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ToolError(f"cache {folder} cannot be written ({error.strerror}): give another "
                        "folder with --cache") from None


def remove_folders(parent: Path, prefix: str) -> None:
    """Remove the folders in ``parent`` whose names begin with a prefix."""
    for left in parent.glob(f"{glob.escape(prefix)}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def scratch_beside(place: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a place, from which a folder can move there at once; folders
    of processes that were killed are removed."""
    prefix, parent = f".{place.name}.", os.open(place.parent, os.O_RDONLY)
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)      # what is there now, nobody works with
        remove_folders(place.parent, prefix)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=place.parent) as scratch:
            yield Path(scratch)
    finally:
        os.close(parent)


def built_once(target: Path, fill: Callable[[Path], object]) -> bool:
    """Make the directory ``target`` unless it is there; returns whether it was there.

    fill -- fill(directory) fills a fresh directory, which becomes ``target`` when it succeeds

    Of processes that want the same, one builds it while the others wait.
    """
    if target.is_dir():
        return True
    make_writable(target.parent)
    with FileLock(f"{target}.lock"):
        if target.is_dir():
            return True
        remove_folders(target.parent, f"{target.name}.")    # of processes that were killed here
        work = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        try:
            fill(work)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return False
