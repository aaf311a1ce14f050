"""Adder graphs of units, found by da4ml tile by tile and kept by content."""
from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hdl.build import Processes, cores, default_build_dir, digest, make_writable
from hdl.errors import ToolError
from hdl.layers import Precision, Unit
from hdl.plan.adders import NOTHING, Add, AdderGraph, Builder, Output
from hdl.plan.config import UnitConfig, UnitIntegers

if TYPE_CHECKING:
    from da4ml.types import CombLogic, Pipeline

INSTALL = "pip install -e '.[silicon]'"
TILE = 32       # inputs and outputs of a matrix that da4ml looks at together
FORMAT = 1      # of the files that graphs are kept in


class Counts(NamedTuple):
    """What the adder graph of one copy of a unit takes."""

    adders: int
    adder_bits: int
    depth: int


@dataclass(frozen=True, eq=False)
class Matrix:
    """A unit's constants as one matrix, and what comes in."""

    name: str                   # of the unit
    weights: np.ndarray         # (inputs, outputs) integers; of a depthwise unit (taps, channels)
    limits: tuple[int, int]     # least and greatest input
    shared: bool                # every output is of all inputs; else of the taps of its channel
    tile: int = TILE

    @property
    def key(self) -> str:
        """The name of the file that keeps its graph: a digest of all that determines it."""
        weights = np.ascontiguousarray(self.weights, np.int64)
        return digest(FORMAT, version("da4ml"), weights.shape, weights.tobytes(), self.limits,
                      self.shared, self.tile)

    @property
    def file(self) -> Path:
        """That file."""
        return default_build_dir("adders") / f"{self.key}.npz"

    def tiles(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(numbers of its inputs, numbers of its outputs, weights (inputs, outputs)) of each part
        that is looked at by itself."""
        inputs, outputs = self.weights.shape
        if not self.shared:
            for channel in range(outputs):
                yield (np.arange(inputs) * outputs + channel, np.array([channel]),
                       self.weights[:, [channel]])
            return
        for first in range(0, outputs, self.tile):
            for row in range(0, inputs, self.tile):
                rows, columns = (np.arange(start, min(start + self.tile, most))
                                 for start, most in ((row, inputs), (first, outputs)))
                yield rows, columns, self.weights[np.ix_(rows, columns)]


def matrix_of(unit: Unit, weights: np.ndarray, precision: Precision, tile: int = TILE) -> Matrix:
    """The Matrix of a convolution's integers.  Inputs count as its windows do: tap by tap, channels
    minor."""
    return Matrix(unit.name, np.asarray(weights, np.int64), precision.limits(unit.activation_in),
                  unit.facts.shared, tile)


def check_installed() -> None:
    """Refuse to count without da4ml: ToolError."""
    if importlib.util.find_spec("da4ml") is None:
        raise ToolError(f"da4ml, which finds the additions, is not installed: {INSTALL}")


def solve(matrix: Matrix) -> AdderGraph:
    """The adder graph of a whole matrix: da4ml's of every tile, and the sums of its tiles."""
    from da4ml._binary import solve as solve_tile
    inputs = len(matrix.weights) * (1 if matrix.shared else matrix.weights.shape[1])
    builder = Builder([matrix.limits] * inputs)
    interval = (*map(float, matrix.limits), 1.0)
    parts: dict[int, list[Output]] = {n: [] for n in range(matrix.weights.shape[1])}
    for rows, columns, weights in matrix.tiles():
        found = solve_tile(weights.astype(np.float32), qintervals=[interval] * len(rows),
                           search_all_decompose_dc=False)
        for column, output in zip(columns, transcribed(builder, rows, found)):
            if output.node != NOTHING:
                parts[column].append(output)
    return builder.graph([builder.sum(terms) for terms in parts.values()])


def transcribed(builder: Builder, rows: Iterable[int], found: Pipeline) -> list[Output]:
    """da4ml's solution of a tile as additions of the builder; returns the tile's outputs.

    rows -- the tile's inputs
    """
    values = [Output(int(row), 0, False) for row in rows]
    for stage in found.solutions:
        values = stage_outputs(builder, values, stage)
    return values


def stage_outputs(builder: Builder, values: Sequence[Output], stage: CombLogic) -> list[Output]:
    """The outputs of one of the stages of a solution, of which each adds up outputs of the one
    before it."""
    nodes: list[Output] = []
    for op in stage.ops:
        if op.opcode == -1:
            nodes.append(shifted(values[op.id0], stage.inp_shifts[op.id0]))
        elif op.opcode in (0, 1):
            nodes.append(builder.add(nodes[op.id0],
                                     shifted(nodes[op.id1], op.data, op.opcode == 1)))
        else:
            raise ToolError(f"da4ml {version('da4ml')} gives an operation {op.opcode} for a "
                            "matrix, which is neither an addition nor a subtraction: install "
                            f"another version, with {INSTALL}")
    return [Output(NOTHING, 0, False) if index < 0 else shifted(nodes[index], shift, negative)
            for index, shift, negative in zip(stage.out_idxs, stage.out_shifts, stage.out_negs)]


def shifted(value: Output, shift: int, negate: bool = False) -> Output:
    """A value times a power of two, negated or not."""
    return Output(value.node, value.shift + shift, value.negative != negate)


def make(matrix: Matrix) -> Counts:
    """Find a matrix's graph and keep it and its counts in its file."""
    graph = solve(matrix)
    counts = Counts(graph.adders, graph.adder_bits, graph.depth)
    file = matrix.file
    part = file.with_name(f"{file.stem}.{os.getpid()}.part")
    try:
        with open(part, "wb") as opened:
            np.savez_compressed(opened, counts=np.array(counts), inputs=np.array(graph.inputs),
                                adds=np.array(graph.adds), outputs=np.array(graph.outputs))
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)
    return counts


def kept_counts(matrix: Matrix) -> Counts | None:
    """The counts of a graph that is kept, or None."""
    if not matrix.file.is_file():
        return None
    with np.load(matrix.file, allow_pickle=False) as kept:
        return Counts(*kept["counts"].tolist())


def graph_of(matrix: Matrix) -> AdderGraph:
    """A matrix's graph, kept or found now; ToolError without da4ml."""
    check_installed()
    make_writable(matrix.file.parent)
    if not matrix.file.is_file():
        make(matrix)
    with np.load(matrix.file, allow_pickle=False) as kept:
        return AdderGraph(
            tuple(map(tuple, kept["inputs"].tolist())),
            tuple(Add(a, b, i, j, bool(minus)) for a, b, i, j, minus in kept["adds"].tolist()),
            tuple(Output(node, shift, bool(minus))
                  for node, shift, minus in kept["outputs"].tolist()))


def with_adders(configs: Sequence[UnitConfig], params: Mapping[str, UnitIntegers],
                name: str) -> tuple[UnitConfig, ...]:
    """The UnitConfigs of which the named one computes its products as additions.

    params -- {unit: its integers}

    Raises ValueError where it has no constants at its rate, and ToolError without da4ml.
    """
    constant = [config.name for config in configs if config.constants and config.folding.constant]
    if name not in constant:
        rest = f"give one of {', '.join(constant)}" if constant else "give fewer cycles for a frame"
        raise ValueError(f"{name} is no unit whose weights are constants at this rate, which "
                         f"additions could take the place of: {rest}")
    found = next(config for config in configs if config.name == name)
    graph = graph_of(matrix_of(found.unit, params[name].weights, found.folding.precision))
    return tuple(replace(config, graph=graph) if config is found else config for config in configs)


def count_all(matrices: Sequence[Matrix]) -> Iterator[tuple[Matrix, Counts, bool]]:
    """(Matrix, Counts, whether they were kept) of each matrix, in the order in which they are
    found: those that are kept first, then, largest first, those that processes find, one a core.
    """
    check_installed()
    make_writable(default_build_dir("adders"))
    missing: dict[str, Matrix] = {}
    waiting: dict[str, list[Matrix]] = {}
    for matrix in matrices:
        counts = kept_counts(matrix)
        if counts:
            yield matrix, counts, True
        else:
            missing.setdefault(matrix.key, matrix)
            waiting.setdefault(matrix.key, []).append(matrix)
    if not missing:
        return
    pool = Processes(min(cores(), len(missing)))
    try:
        order = sorted(missing.values(), key=lambda each: -each.weights.size)
        jobs = {pool.submit(make, matrix): matrix for matrix in order}
        for job in as_completed(jobs):
            for matrix in waiting[jobs[job].key]:
                yield matrix, job.result(), False
    finally:
        pool.end()
