"""What the workers of ``python -m scripts.validate`` do, in processes here or on a cluster.

A job is a list of photos, (name, the file's bytes, numbers of its views), and every worker process
builds its models once.
"""
from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import golden
import hdl
from golden import photo, views
from golden.classify import classify
from golden.errors import GoldenError
from golden.metrics import sqnr_db
from golden.network import Network
from golden.quantize import UnitParams, smallest_dtype
from hdl.errors import SimulationError, ToolError
from hdl.layers import Unit
from hdl.plan.config import UnitConfig, configure_network
from hdl.plan.network import plan_network
from hdl.sim.design import compiled
from hdl.sim.network import Comparison, compare, network_design, run_frames

ROOT = Path(__file__).resolve().parents[2]      # where golden, hdl and scripts are
SOURCES = {".py", ".cpp", ".h"}     # endings of what results depend on
LOCK = threading.RLock()    # a simulation changes the working directory, which is the process's
HELD: dict[str, Any] = {}   # of this process: the Task of local workers, Models by key

Job = list[tuple[str, bytes, list[int]]]    # photos: name, the file's bytes, numbers of its views
# Rows of views; (name, reason) of photos that cannot be read; when the job began and ended.
Result = tuple[list[dict[str, Any]], list[tuple[str, str]], tuple[float, float]]
Function = Callable[["Task | None", Job], Result]


@dataclass(frozen=True)
class Task:
    """All that a worker needs to know.  The files that ``network`` names are the command's; what
    workers need of them is in the other fields."""

    key: str            # digest of everything that determines results
    source: str         # digest of the code
    network: Network
    cycles: int         # for a frame
    weights: dict[str, list[np.ndarray]]    # {Keras layer: its arrays}
    params: dict[str, UnitParams]           # {convolution unit: UnitParams}
    scale: float        # of the features
    top: tuple[np.ndarray, np.ndarray] | None = None    # (kernel, bias) of the 1000-class top

    @functools.cached_property
    def configs(self) -> tuple[UnitConfig, ...]:
        """The hardware: UnitConfig of every unit."""
        plan = plan_network(self.network.table, self.network.precision, self.cycles)
        return configure_network(plan.units, self.params)


def source() -> str:
    """Digest of the code that results depend on, alike in a checkout and where it is installed."""
    files = [file for package in (golden, hdl) for file in Path(package.__path__[0]).rglob("*")
             if file.suffix in SOURCES]
    sha256 = hashlib.sha256()
    for file in sorted([*files, Path(__file__)]):
        sha256.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return sha256.hexdigest()


class Models:
    """Keras's two networks for one photo at a time, as TensorFlow graphs: several times quicker
    than layer by layer, and a photo's features do not depend on what else is in its batch."""

    def __init__(self, task: Task, threads: int | None = None) -> None:
        from golden import model
        model.start_keras()
        import tensorflow as tf
        if threads:
            with contextlib.suppress(RuntimeError):     # TensorFlow is at work already
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(1)
        import keras

        from golden import fixed
        if task.source != source():
            raise GoldenError("a worker has another version of this project's source: install the "
                              "same one on every machine of the cluster")
        network = task.network
        plain = model.mobilenet_v2(network.alpha, network.resolution)
        for name, arrays in task.weights.items():
            plain.get_layer(name).set_weights(arrays)
        integer = fixed.fixed_model(plain, task.params, network.precision)
        self.resolution = network.resolution
        self.last = network.table[-1].name
        self.limits = {unit.name: network.precision.limits(unit.activation)
                       for unit in network.table}
        self.linear = [unit.name for unit in network.table if unit.activation == "linear"]
        brief = keras.Model(integer.input, {name: integer.output[name]
                                            for name in [*self.linear, self.last]})
        self._float, self._brief, self._all = (
            tf.function(functools.partial(each, training=False), autograph=False)
            for each in (plain, brief, integer))
        blank = np.zeros((network.resolution, network.resolution, 3), np.uint8)
        self.float(blank)
        self.brief(blank)

    def float(self, image: np.ndarray) -> np.ndarray:
        """Keras's features (H, W, C) of a photo, uint8 (R, R, 3)."""
        return np.asarray(self._float(photo.pixels_to_floats(image[None])))[0]

    def brief(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """{linear or last unit: integers (H, W, C)} of a photo."""
        return self._integers(self._brief, image)

    def fixed(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """{unit: integers (H, W, C)} of a photo."""
        return self._integers(self._all, image)

    def trace(self) -> None:
        """Make ``fixed`` ready."""
        import tensorflow as tf
        side = self.resolution
        self._all.get_concrete_function(tf.TensorSpec((1, side, side, 3), tf.float64))

    def _integers(self, function: Callable[[np.ndarray], dict[str, Any]],
                  image: np.ndarray) -> dict[str, np.ndarray]:
        outputs = function(photo.pixels_to_integers(image)[None].astype(np.float64))
        return {name: np.asarray(values)[0].astype(smallest_dtype(self.limits[name]))
                for name, values in outputs.items()}

    def saturated(self, integers: Mapping[str, np.ndarray]) -> int:
        """Elements of linear tensors that are at a limit."""
        return sum(int(np.isin(integers[name], self.limits[name]).sum()) for name in self.linear)


def hold(task: Task, threads: int) -> None:
    """Begin a worker process of this machine, of so many threads."""
    HELD.update(task=task, threads=threads)


def models(task: Task) -> Models:
    """The Models of a Task, built once in a process."""
    if task.key not in HELD:
        HELD[task.key] = Models(task, HELD.get("threads") or cluster_threads())
    return HELD[task.key]


def cluster_threads() -> int | None:
    """Threads of the Dask worker that this process is, or None."""
    if "distributed" in sys.modules:
        with contextlib.suppress(ValueError):
            return sys.modules["distributed"].get_worker().state.nthreads
    return None


def opened(photos: Job, resolution: int,
           failures: list[tuple[str, str]]) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Yield (name, digest of the file, view, pixels) of every view that can be read; note in
    ``failures`` the others as (name, reason)."""
    for name, content, numbers in photos:
        try:
            image = photo.decode(content)
        except GoldenError as error:
            failures.append((name, str(error)))
            continue
        digest = hashlib.sha256(content).hexdigest()
        for number in numbers:
            yield name, digest, number, views.view(image, number, resolution)


def golden_job(task: Task | None, photos: Job) -> Result:
    """(rows, failures, times): what Keras and the fixed-point golden make of every view; when that
    began and ended, in seconds of the clock.
    """
    with LOCK:
        task = task or HELD["task"]
        both = models(task)
        rows: list[dict[str, Any]] = []
        failures: list[tuple[str, str]] = []
        begun = started = time.time()
        for name, digest, number, pixels in opened(photos, both.resolution, failures):
            features, integers = both.float(pixels), both.brief(pixels)
            last = integers[both.last]
            values = np.asarray(features, np.float64)
            error = values - last * task.scale
            rows.append({
                "file": name, "view": number, "file_sha256": digest,
                "pixels_sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
                "float_top5": top5(features, task.top),
                "fixed_top5": top5(last * task.scale, task.top),
                "sqnr_db": sqnr_db(features, last, task.scale),
                "signal": float((values ** 2).sum()), "noise": float((error ** 2).sum()),
                "saturated": both.saturated(integers),
                "seconds": time.time() - started})
            started = time.time()
        return rows, failures, (begun, started)


def top5(features: np.ndarray, top: tuple[np.ndarray, np.ndarray] | None) -> list[int]:
    """The five likeliest classes of features (H, W, C), or five times -1 without a top."""
    return [index for index, _ in classify(features, *top)] if top else [-1] * 5


def rtl_job(task: Task | None, photos: Job) -> Result:
    """(rows, failures, times): the chain in Verilator against the golden, every element of every
    unit; when that began and ended.

    The views are frames back to back in one run.
    """
    with LOCK:
        task = task or HELD["task"]
        ready(task)
        both = models(task)
        rows: list[dict[str, Any]] = []
        failures: list[tuple[str, str]] = []
        both.trace()
        begun = time.time()
        frames = list(opened(photos, both.resolution, failures))
        if not frames:
            return [], failures, (begun, begun)
        problem = ""
        outputs: dict[str, np.ndarray] = {}
        try:
            _, outputs = run_frames(
                "verilator", task.configs,
                np.stack([photo.pixels_to_integers(pixels) for *_, pixels in frames]),
                None, task.cycles)
        except SimulationError as error:
            problem = str(error)
        for index, (name, _, number, pixels) in enumerate(frames):
            found = compared(task.network.table, both.fixed(pixels), outputs, index, len(frames))
            first = next((str(each.first) for each in found if each.first), problem)
            rows.append({"file": name, "view": number,
                         "rtl_elements": sum(each.elements for each in found),
                         "rtl_mismatches": sum(each.mismatches for each in found),
                         "rtl_first": first})
        ended = time.time()
        for row in rows:
            row["rtl_seconds"] = (ended - begun) / len(frames)
        return rows, failures, (begun, ended)


def compared(table: Sequence[Unit], integers: Mapping[str, np.ndarray],
             outputs: Mapping[str, np.ndarray], index: int, frames: int) -> list[Comparison]:
    """Comparisons of one frame's units; what is missing or too much is the last frame's."""
    found = []
    for unit in table:
        expected = integers[unit.name]
        values = outputs.get(unit.name, np.zeros(0, int))
        end = None if index == frames - 1 else (index + 1) * expected.size
        found.append(compare(unit, expected[None], values[index * expected.size:end]))
    return found


def ready(task: Task) -> None:
    """Compile the chain where no process of this machine has yet; ToolError if that fails."""
    if HELD.get("compiled") != task.key:
        try:
            compiled(network_design(task.configs), None, "verilator", ("s_axis",))
        except ToolError as error:
            raise ToolError(f"the chain cannot be compiled on {platform.node()}: {error}") from None
        HELD["compiled"] = task.key
