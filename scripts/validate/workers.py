"""Who computes a validation's jobs: this process, processes of this machine, a Dask cluster.

Each has ``workers``, how many there are; ``window``, how many jobs are under way at a time;
``errors``, which of a job's Futures ask for it to be submitted again; ``lost``, which say that
nobody will do it; and ``close``.
"""
from __future__ import annotations

import logging
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from hdl.build import Processes, cores
from scripts.shared.options import UserError
from scripts.validate import jobs

if TYPE_CHECKING:
    from distributed import Client

RESTARTS = 3            # of worker processes of this machine that died
CONNECT_SECONDS = 10
INSTALL_CLUSTER = "pip install -e '.[cluster]'"
T = TypeVar("T")


class Inline:
    """An executor of the command's own process."""

    workers = window = 1
    errors = ()
    lost = (CancelledError,)

    def __init__(self, task: jobs.Task) -> None:
        self.task = task

    def submit(self, function: jobs.Function, job: jobs.Job) -> Future[jobs.Result]:
        """A Future that is done."""
        future: Future[jobs.Result] = Future()
        try:
            future.set_result(function(self.task, job))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing is left."""


class Local:
    """Processes on this machine.  One that dies takes all with it, so they are started again."""

    errors = (BrokenProcessPool,)
    lost = (CancelledError,)

    def __init__(self, task: jobs.Task, workers: int) -> None:
        self.workers, self.window, self.restarts = workers, 2 * workers, 0
        self._task, self._threads = task, max(1, cores() // workers)
        self._pool = self._started()

    def _started(self) -> Processes:
        return Processes(self.workers, jobs.hold, (self._task, self._threads))

    def submit(self, function: jobs.Function, job: jobs.Job) -> Future[jobs.Result]:
        """Start a job; after a death in new processes."""
        try:
            return self._pool.submit(function, None, job)
        except BrokenProcessPool:
            if self.restarts == RESTARTS:
                raise UserError(f"worker processes died {RESTARTS + 1} times, perhaps for want of "
                                "memory: give fewer with --workers; what was computed is "
                                "kept") from None
            self.restarts += 1
            self.close()
            self._pool = self._started()
            return self._pool.submit(function, None, job)

    def close(self) -> None:
        """Drop what is waiting and end what is under way."""
        self._pool.end()


class Cluster:
    """The workers of a Dask cluster; the scheduler gives a dead worker's jobs to another."""

    errors = ()

    def __init__(self, client: Client, task: jobs.Task) -> None:
        import dask
        import distributed
        self.lost = (CancelledError, distributed.CancelledError, distributed.KilledWorker)
        self._client, self._executor = client, client.get_executor(pure=False)
        # The Task is an argument of Dask's tasks, not data laid on workers, so that it comes again
        # when all of them are lost.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            self._task = client.submit(itself, task, pure=False)

    @property
    def workers(self) -> int:
        """Worker processes, which may come and go."""
        return max(1, len(self._client.nthreads()))

    @property
    def window(self) -> int:
        """Jobs at a time."""
        return 2 * self.workers

    def submit(self, function: jobs.Function, job: jobs.Job) -> Future[jobs.Result]:
        """Start a job."""
        return self._executor.submit(function, self._task, job)

    def close(self) -> None:
        """Drop what is waiting."""
        self._executor.shutdown(wait=False)
        self._task.release()


Pool = Inline | Local | Cluster


def itself(value: T) -> T:
    """The value: a task that is only data."""
    return value


def connect(address: str) -> Client:
    """A Client of a Dask scheduler that has workers; UserError where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise UserError(f"--scheduler needs Dask: {INSTALL_CLUSTER}") from None
    for name in ("client", "core"):     # they log tracebacks of what is told in a sentence here
        logging.getLogger(f"distributed.{name}").setLevel(logging.CRITICAL + 1)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UserError(f"no Dask scheduler answers at {address} "
                        f"({str(error).splitlines()[0] if str(error) else 'timeout'}): start one "
                        "with 'dask scheduler' or give its address") from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError):
        client.close()
        raise UserError(f"the Dask scheduler at {address} has no workers: start some with "
                        f"'dask worker {address}'") from None
    return client
