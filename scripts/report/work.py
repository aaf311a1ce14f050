"""When each unit works, waits and is idle, from the recorded beats of a run.

A unit has a frame from the first beat of the frame's input to the last beat of its output.  While
it has one, it works in the cycles that the products of its pixels take, which are drawn right
before each pixel leaves, and waits in the others.  Without a frame it is idle.
"""
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hdl.layers import layer_table, precision
from hdl.plan.network import Plan, UnitPlan, plan_network
from scripts.shared.options import UserError
from scripts.shared.recording import INPUT, Recording


@dataclass(frozen=True)
class Work:
    """The cycles of one unit, as intervals [start, end) in order that do not meet."""

    unit: str
    busy: np.ndarray    # int64 (intervals, 2)
    held: np.ndarray    # int64 (intervals, 2), in which the unit has a frame

    @property
    def busy_cycles(self) -> int:
        """Cycles in which the unit works."""
        return total(self.busy)

    @property
    def waiting_cycles(self) -> int:
        """Cycles in which the unit has a frame and does not work."""
        return total(self.held) - self.busy_cycles


def total(intervals: np.ndarray) -> int:
    """Cycles of intervals."""
    return int((intervals[:, 1] - intervals[:, 0]).sum())


def merged(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Intervals [start, end) in order of their starts, those that meet or overlap as one."""
    ends = np.maximum.accumulate(ends)
    apart = starts[1:] > ends[:-1]
    return np.stack([starts[np.append(True, apart)], ends[np.append(apart, True)]], axis=1)


def plan_of(run: Recording) -> Plan:
    """The Plan that a recorded run was built from, of as many frames as are planned first."""
    told = run.summary
    return plan_network(layer_table(told["alpha"], told["resolution"]),
                        precision(told["precision"]), told["cycles_per_frame"],
                        factor=told.get("pairs"))


def check_beats(run: Recording, plan: Plan) -> None:
    """Refuse a recording whose beats are not those of its plan: UserError."""
    for planned in plan.units:
        folding, unit = planned.folding, planned.unit
        beats = len(run.cycles[unit.name]) if unit.name not in run.tiles \
            else int(run.tiles[unit.name].sum())
        wanted = run.summary["frames"] * unit.pixels_out * unit.channels_out \
            // (folding.lanes_out * folding.tile_out ** 2)
        if beats != wanted:
            raise UserError(f"the recording of {unit.name} has {beats:,} beats and not {wanted:,}, "
                            "as another version of the project plans it: record it again with "
                            f"{run.summary['made']['command']}")


def works(run: Recording, plan: Plan) -> list[Work]:
    """The Work of every unit, in order; UserError as ``check_beats``."""
    check_beats(run, plan)
    frames, found = run.summary["frames"], []
    before, stage, shortcut = INPUT, None, INPUT
    for planned in plan.units:
        unit = planned.unit
        if unit.stage != stage:
            stage, shortcut = unit.stage, before
        source = before if unit.facts.convolves else shortcut
        begins = frame_beats(run, source, frames)[:, 0]
        ends = frame_beats(run, unit.name, frames)[:, 1]
        found.append(Work(unit.name, busy(planned, run), merged(begins, ends + 1)))
        before = unit.name
    return found


def busy(planned: UnitPlan, run: Recording) -> np.ndarray:
    """Intervals in which a unit works."""
    folding, unit = planned.folding, planned.unit
    cycles = run.cycles[unit.name]
    if folding.constant or not unit.weights:    # a beat is what one cycle makes
        leave = cycles[run.tiles[unit.name]] if unit.name in run.tiles else cycles
        return merged(leave, leave + 1)
    beats = unit.channels_out // folding.lanes_out
    leave = cycles[beats - 1::beats] + 1
    takes = unit.weights // folding.multipliers
    # With stalls pixels can leave closer together than they were made.
    starts = np.maximum(leave - takes, np.append(0, leave[:-1]))
    return merged(starts, leave)


def frame_beats(run: Recording, stream: str, frames: int) -> np.ndarray:
    """Cycles of the first and the last beat of each frame, (frames, 2); what is left over of a
    frame where tiles creep leaves with the next frame, and behind the last one by itself."""
    cycles = run.cycles[stream]
    own = cycles[run.tiles[stream]] if stream in run.tiles else cycles
    found = own.reshape(frames, -1)[:, [0, -1]].copy()
    found[-1, 1] = cycles[-1]
    return found


def packed(found: Sequence[Work]) -> tuple[np.ndarray, list[int]]:
    """(int32: for the busy intervals of one unit after the other the gap before each and its
    length, in turn; how many intervals each unit has)."""
    parts = []
    for work in found:
        bounds = work.busy.ravel()
        parts.append(np.diff(bounds, prepend=0).astype(np.int32))
    return np.concatenate(parts), [len(work.busy) for work in found]
