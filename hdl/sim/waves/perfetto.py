"""A run for Perfetto, in the JSON of Chrome's trace events: when each unit works, waits, is idle.

A microsecond of the trace is a cycle.  A stage is a process, a unit one of its threads, its spans
are slices; what is in none of them is idle.  Arrows follow each frame from unit to unit.
"""
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hdl.plan.config import UnitConfig, by_stage
from hdl.sim.trace import Run
from hdl.sim.waves.files import check_folder, whole_file
from hdl.sim.waves.signals import TOP

IDLE, BUSY, WAITING = range(3)
NAMES = {BUSY: "busy", WAITING: "waiting"}
Event = dict[str, Any]


def states(run: Run, config: UnitConfig) -> np.ndarray:
    """IDLE, BUSY or WAITING of a unit in each cycle of a Run, uint8.

    BUSY are the cycles that its multipliers, or its adder, take for an output pixel or tile,
    counted back from the pixel's last beat; WAITING those in which a beat is offered and not taken.
    """
    name, done = config.unit.name, finished(run, config)
    found = np.full(run.cycles, IDLE, np.uint8)
    found[covered(done - config.folding.steps + 1, done + 1, run.cycles)] = BUSY
    found[waiting(run, name)] = WAITING
    return found


def finished(run: Run, config: UnitConfig) -> np.ndarray:
    """The cycles in which the last beats of a unit's pixels, or of its tiles, moved."""
    trace, shape = run[config.unit.name], config.stream_out()
    if shape.creep is not None:     # beats without a tile are no work of their own
        return trace.cycles[trace.bit(shape.width - 1)]
    groups = config.unit.channels_out // shape.lanes
    return trace.cycles[groups - 1::groups]


def waiting(run: Run, name: str) -> np.ndarray:
    """Whether a beat waits on a stream, in each cycle of a Run."""
    offers = run.handshakes[name].offers
    moves = np.append(run[name].cycles, run.cycles)[:len(offers)]
    return covered(offers, moves, run.cycles)


def covered(starts: np.ndarray, ends: np.ndarray, cycles: int) -> np.ndarray:
    """Whether each of some cycles is in any of the spans from a start to before its end."""
    change = np.zeros(cycles + 1, np.int64)
    np.add.at(change, np.maximum(starts, 0), 1)
    np.add.at(change, ends, -1)
    return np.cumsum(change[:-1]) > 0


def spans(found: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """(state, first cycle, cycles) of each span that is not idle."""
    edges = np.flatnonzero(np.diff(found, prepend=IDLE, append=IDLE))
    for first, after in zip(edges.tolist(), edges[1:].tolist()):
        if found[first] != IDLE:
            yield int(found[first]), first, after - first


def events(run: Run, configs: Sequence[UnitConfig], frames: int) -> Iterator[Event]:
    """Trace events of a Run of so many frames."""
    # Numbers begin at 1: process and thread 0 are a kernel's, which viewers treat as their own.
    yield from named(1, TOP, {1: "input", **{2 + frame: f"frame {frame}"
                                             for frame in range(frames)}})
    for _, first, cycles in spans(np.where(waiting(run, "s_axis"), WAITING, IDLE)):
        yield slice_of(NAMES[WAITING], 1, 1, first, cycles)
    begins = np.array_split(run["s_axis"].cycles, frames)
    last = finished(run, configs[-1])
    for frame, (begin, end) in enumerate(zip(begins, np.array_split(last, frames))):
        yield slice_of(f"frame {frame}", 1, 2 + frame, int(begin[0]), int(end[-1] - begin[0]) + 1)
    thread = 1 + frames
    for process, (stage, members) in enumerate(by_stage(configs).items(), 2):
        threads = {thread + 1 + place: config.unit.name for place, config in enumerate(members)}
        yield from named(process, stage, threads)
        for thread, config in zip(threads, members):
            for state, first, cycles in spans(states(run, config)):
                yield slice_of(NAMES[state], process, thread, first, cycles)
            step = "s" if config is configs[0] else "f" if config is configs[-1] else "t"
            for frame, done in enumerate(np.array_split(finished(run, config), frames)):
                yield {"ph": step, "name": "frame", "cat": "frame", "id": 1 + frame, "bp": "e",
                       "pid": process, "tid": thread, "ts": int(done[0])}


def named(process: int, name: str, threads: Mapping[int, str]) -> Iterator[Event]:
    """Events that give a process and its threads their names, and their order."""
    for kind, value in (("process_name", {"name": name}),
                        ("process_sort_index", {"sort_index": process})):
        yield {"ph": "M", "name": kind, "pid": process, "args": value}
    for thread, words in threads.items():
        for kind, value in (("thread_name", {"name": words}),
                            ("thread_sort_index", {"sort_index": thread})):
            yield {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": value}


def slice_of(name: str, process: int, thread: int, first: int, cycles: int) -> Event:
    """The event of one span."""
    return {"ph": "X", "name": name, "pid": process, "tid": thread, "ts": first, "dur": cycles}


def check_trace_file(path: Path) -> None:
    """Raise ValueError where the name is no trace's, or its folder is missing."""
    if path.suffix != ".json":
        raise ValueError(f"a trace is a .json file: {path} is none, name it so")
    check_folder(path)


def write_trace(path: Path, run: Run, configs: Sequence[UnitConfig], frames: int) -> None:
    """Write the trace of a Run of so many frames, or nothing; raises what ``check_trace_file``
    raises."""
    check_trace_file(path)
    with whole_file(path) as part:
        part.write_text(json.dumps({"traceEvents": list(events(run, configs, frames)),
                                    "otherData": {"1 us": "1 clock cycle"}},
                                   separators=(",", ":")), encoding="utf-8")
