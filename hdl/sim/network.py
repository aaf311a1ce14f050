"""The network, one of its stages or one unit as a Design, and the comparison with a golden."""
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from hdl.axis import AxiStream
from hdl.beats import creeping_payload, crept, payload, tiled, uncrept, untiled
from hdl.build import default_build_dir
from hdl.convert.network import convert_network
from hdl.layers import Unit
from hdl.plan.config import UnitConfig, by_stage, memory_files
from hdl.shape import StreamShape
from hdl.sim.backends.backend import Progress
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import TIMEOUT, Counter, Monitor, Sink, Source, random_pattern
from hdl.sim.trace import Run, Trace
from hdl.units.by_kind import multiply_step
from hdl.units.inverted_residual import INSTANCES
from hdl.units.mobilenet_v2 import inner_streams, mobilenet_v2, stage_block

DRAIN = 64      # cycles, for each tile of a row, in which what is left over leaves
PATIENCE = 20   # frames' time without a beat anywhere, after which a run is taken for dead


@dataclass(frozen=True)
class Difference:
    """The first element of a unit's output that is not the golden's."""

    stage: str
    unit: str
    frame: int
    pixel: tuple[int, int]      # row, column
    channel: int
    expected: int
    got: int

    def __str__(self) -> str:
        row, column = self.pixel
        return (f"stage {self.stage}, unit {self.unit}, frame {self.frame}, pixel ({row}, "
                f"{column}), channel {self.channel}: expected {self.expected}, got {self.got}")


@dataclass(frozen=True)
class Comparison:
    """One unit's output held against its golden."""

    unit: Unit              # layer-table row
    elements: int
    mismatches: int         # elements that differ or are missing
    first: Difference | None = None


def network_design(configs: Sequence[UnitConfig]) -> Design:
    """Design of consecutive units: the whole network, or the stages that ``configs`` makes up.

    Its ports are s_axis and m_axis; its monitors the output of every unit; its counters the cycles
    in which the multipliers of every convolution work.
    """
    grouped, inner = by_stage(configs), inner_streams(configs)
    ports = {"s_axis": AxiStream(configs[0].stream_in()),
             "m_axis": AxiStream(configs[-1].stream_out())}
    outputs = {**inner, configs[-1].unit.name: ports["m_axis"]}
    whole = len(grouped) > 1
    monitors = {}
    for stage, members in grouped.items():
        for config in members:
            last = config is members[-1]
            monitors[config.unit.name] = Monitor(
                outputs[config.unit.name], f"{stage}_stage" if whole else "",
                "m_axis" if last else f"{config.unit.role}_axis")
    if whole:
        def function(clk, rst, s_axis, m_axis):
            return mobilenet_v2(clk, rst, s_axis, m_axis, configs, inner)
    else:
        block, arguments = stage_block(configs, inner)

        def function(clk, rst, s_axis, m_axis):
            return block(clk, rst, s_axis, m_axis, *arguments)

    def hdl(directory, language):
        files = convert_network(configs, directory, default_build_dir("hdl"), language)
        return files, Path(files[-1]).stem

    return Design(function, ports, monitors=monitors, counters=multiply_counters(configs),
                  memories=memory_files(configs), hdl=hdl)


def multiply_counters(configs: Sequence[UnitConfig]) -> dict[str, Counter]:
    """{unit: Counter} of the cycles in which the multipliers of each convolution work."""
    grouped, counters = by_stage(configs), {}
    for stage, members in grouped.items():
        for config in members:
            if config.unit.weights:
                instances, bits = multiply_step(config)
                if len(members) > 1:
                    instances = (INSTANCES[config.unit.role], *instances)
                if len(grouped) > 1:
                    instances = (f"{stage}_stage", *instances)
                counters[config.unit.name] = Counter(instances, bits)
    return counters


def products(configs: Sequence[UnitConfig], run: Run) -> dict[str, int]:
    """{unit: products that its multipliers made in a Run}: those that it makes at once, in as many
    cycles as were counted in the simulation; 0 of an add."""
    return {config.unit.name: run.counts.get(config.unit.name, 0) * config.products
            for config in configs}


def run_frames(simulator: str, configs: Sequence[UnitConfig], frames: np.ndarray,
               seed: int | None = None, cycles: int | None = None,
               timeout: int | None = None,
               progress: Progress | None = None) -> tuple[Run, dict[str, np.ndarray]]:
    """Simulate ``frames``, integers (frames, rows, columns, channels), back to back.

    seed    -- of the random stalls of both sides, half of all cycles each; None runs free
    cycles  -- for a frame, at which an input that runs free sends its beats evenly; None sends one
               in every cycle
    timeout -- cycles without a beat anywhere before DeadlockError; None: PATIENCE frames' time
               where ``cycles`` are given, else TIMEOUT
    Returns (Run, {unit: integers in the order they left}); raises what ``simulate`` raises.
    """
    if timeout is None:
        timeout = max(TIMEOUT, PATIENCE * (cycles or 0))
    design = network_design(configs)
    ports, unit = design.ports, configs[-1].unit
    words = frame_words(ports["s_axis"].shape, frames)
    beats = output_beats(configs[-1], len(frames))
    idle, backpressure = (pace(len(words) // len(frames), cycles), None) if seed is None else (
        random_pattern(2 * seed, 0.5), random_pattern(2 * seed + 1, 0.5))
    shape = configs[-1].stream_out()
    # How many beats bring nothing but left-overs depends on the stalls: all shall be seen.
    drain = 0 if shape.creep is None else DRAIN * (unit.size_out // shape.tile) + DRAIN
    run = simulate(simulator, design, {
        "s_axis": Source(words, idle),
        "m_axis": Sink(beats, backpressure)}, timeout, drain, progress=progress)
    return run, {config.unit.name: values_of(run[config.unit.name], config) for config in configs}


def frame_words(shape: StreamShape, frames: np.ndarray) -> np.ndarray:
    """Words of the beats of some frames, integers (frames, rows, columns, channels), back to back,
    on a stream of this shape."""
    tiles = tiled(frames, shape.tile)
    if shape.creep is None:
        return payload(shape, tiles)
    return creeping_payload(shape, *crept(tiles, shape, frames.shape[1] // shape.tile))


def output_beats(config: UnitConfig, frames: int) -> int:
    """Beats of the output of a unit for so many frames back to back; more where they pause and
    what is left over of a frame leaves by itself."""
    unit, shape = config.unit, config.stream_out()
    row = unit.size_out // shape.tile
    return frames * row ** 2 * unit.channels_out // shape.lanes + (row + 1 if shape.creep else 0)


def values_of(trace: Trace, config: UnitConfig) -> np.ndarray:
    """The integers of a unit's output in raster order, whatever the tiles that they came in."""
    return in_raster(trace.values(config.stream_out()), trace, config)


def in_raster(values: np.ndarray, trace: Trace, config: UnitConfig) -> np.ndarray:
    """``values`` (beats, elements) of a unit's output, in the raster order of its elements."""
    unit, shape = config.unit, config.stream_out()
    if shape.creep is not None:
        values = uncrept(values, trace.bit(shape.width - 1), shape, unit.size_out // shape.tile)
    return untiled(values, shape.tile, unit.size_out).ravel() if shape.tile > 1 else values.ravel()


def cycle_of(trace: Trace, config: UnitConfig, difference: Difference) -> int:
    """The cycle in which the beat with an element of a unit's output moved."""
    unit, shape = config.unit, config.stream_out()
    row, column = difference.pixel
    element = ((difference.frame * unit.size_out + row) * unit.size_out
               + column) * unit.channels_out + difference.channel
    beats = np.broadcast_to(np.arange(len(trace))[:, None], (len(trace), shape.elements))
    return int(trace.cycles[in_raster(beats, trace, config)[element]])


def pace(beats: int, cycles: int | None) -> np.ndarray | None:
    """Pause pattern of a source that spreads ``beats`` evenly over ``cycles``; None: no pause."""
    if cycles is None or cycles <= beats:
        return None
    cycle = np.arange(cycles // math.gcd(beats, cycles))
    return (cycle * beats) % cycles >= beats


def compare(unit: Unit, golden: ArrayLike, values: np.ndarray) -> Comparison:
    """Hold a unit's ``values``, in the order they left, against ``golden`` (frames, H, W, C)."""
    expected = np.asarray(golden).ravel()
    common = min(expected.size, values.size)
    differs = np.flatnonzero(values[:common] != expected[:common])
    mismatches = differs.size + abs(expected.size - values.size)
    first = None
    if differs.size:
        place = np.unravel_index(differs[0], np.shape(golden))
        frame, row, column, channel = map(int, place)
        first = Difference(unit.stage, unit.name, frame, (row, column), channel,
                           int(expected[differs[0]]), int(values[differs[0]]))
    return Comparison(unit, expected.size, int(mismatches), first)
