"""How full every FIFO and line buffer is, from the recorded beats of a run.

What comes to a memory is recorded.  When a word leaves, no stream tells; the schedule's rules say
it of what was recorded: each word is taken as soon as the unit takes one.
"""
from collections.abc import Iterator
from dataclasses import dataclass
from math import lcm

import numpy as np

from hdl.plan.geometry import KERNEL, TAPS
from hdl.plan.network import Plan, UnitPlan
from hdl.plan.schedule import (FIFO, PATCHED, Arrival, Lines, cut_tiles, flush, gather, no_sooner,
                               previous, split)
from scripts.shared.recording import INPUT, Recording


@dataclass(frozen=True)
class Fill:
    """One memory over time."""

    name: str           # of the unit and the memory
    kind: str           # FIFO, shortcut FIFO or line buffer
    unit: str           # of words: channels and pixels
    room: int           # words
    cycles: np.ndarray  # at which the level changes
    levels: np.ndarray  # words from then on

    @property
    def peak(self) -> int:
        """The most words that it holds."""
        return int(self.levels.max())

    def binned(self, edges: np.ndarray) -> np.ndarray:
        """The greatest level in each interval between two edges, cycles that ascend."""
        places = np.searchsorted(self.cycles, edges, side="right")
        before = np.append(0, self.levels)[places[:-1]]
        padded = np.append(self.levels, 0)
        inside = np.maximum.reduceat(padded, np.minimum(places[:-1], len(self.levels)))
        return np.where(places[1:] > places[:-1], np.maximum(before, inside), before)


def levels(written: np.ndarray, freed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(cycles, levels from then on) of words written and freed in those cycles."""
    cycles = np.concatenate([written, freed])
    steps = np.concatenate([np.ones(len(written), np.int64), -np.ones(len(freed), np.int64)])
    order = np.argsort(cycles, kind="stable")   # merges what is in order already
    cycles, found = cycles[order], np.cumsum(steps[order])
    last = np.append(cycles[1:] != cycles[:-1], True)
    return cycles[last], found[last]


def fills(run: Recording, plan: Plan) -> Iterator[Fill]:
    """The Fill of every memory, in order of data flow."""
    stage, shortcut = None, None
    arrival = Arrival(run.cycles[INPUT], plan.units[0].folding.lanes_in)
    for planned in plan.units:
        folding, unit = planned.folding, planned.unit
        if folding.flushes:
            arrival = flush(folding, arrival)
        if unit.stage != stage:
            stage, shortcut = unit.stage, arrival
        assert shortcut is not None
        if not unit.facts.convolves:
            yield shortcut_fill(planned, arrival, shortcut)
        elif folding.constant or folding.tile_in > 1:
            if unit.kernel == KERNEL:
                yield tile_rows(planned, arrival)
        else:
            yield from unit_fills(planned, arrival)
        arrival = Arrival(run.cycles[unit.name], folding.lanes_out, run.tiles.get(unit.name))


def fifo_fill(name: str, kind: str, lanes: int, depth: int, written: np.ndarray,
              left: np.ndarray) -> Fill:
    """The Fill of a FIFO from when its words could be written and when each leaves its output.

    A word that finds no room waits in the register before the FIFO.
    """
    read = np.maximum(written + 1, previous(left))
    written = written.copy()
    written[depth:] = np.maximum(written[depth:], read[:-depth] + 1)
    return Fill(name, kind, f"{lanes} channels", depth, *levels(written, read + 1))


def shortcut_fill(planned: UnitPlan, arrival: Arrival, shortcut: Arrival) -> Fill:
    """What waits for a residual add."""
    folding, buffers = planned.folding, planned.buffers
    name, kind = f"{planned.unit.name}: shortcut", "shortcut FIFO"
    if folding.constant:
        written = cut_tiles(folding, shortcut).cycles + PATCHED
        return fifo_fill(name, kind, buffers.fifo_lanes, buffers.fifo_depth, written,
                         arrival.cycles)
    gathered, _ = gather(shortcut.cycles, buffers.fifo_lanes // shortcut.lanes)
    _, left = split(gathered + FIFO, buffers.fifo_lanes // folding.lanes_in,
                    lambda ready: arrival.cycles)
    return fifo_fill(name, kind, buffers.fifo_lanes, buffers.fifo_depth, gathered, left)


def tile_rows(planned: UnitPlan, arrival: Arrival) -> Fill:
    """Rows of pixels that a unit of tiles keeps: the memory goes round and stays full."""
    folding, unit = planned.folding, planned.unit
    room = planned.line_buffer_bits // (folding.bits_in * unit.channels_in)
    own = arrival.cycles if arrival.own is None else arrival.cycles[arrival.own]
    kept = np.minimum(np.arange(1, len(own) + 1) * folding.tile_in ** 2, room)
    return Fill(f"{unit.name}: rows", "line buffer", f"{unit.channels_in} channels", room, own,
                kept)


def unit_fills(planned: UnitPlan, arrival: Arrival) -> Iterator[Fill]:
    """The FIFO before a convolution of single pixels and its line buffer, where it has them."""
    folding, buffers, unit = planned.folding, planned.buffers, planned.unit
    lines = None
    if unit.facts.windowed:
        beats, interval = (1, folding.steps) if unit.facts.shared else \
            (TAPS // folding.simd, TAPS // folding.simd)
        lines = Lines(planned.windows, beats, interval)
    lanes = folding.simd if lines is None else \
        folding.lanes_in if unit.facts.shared else folding.pe
    middle = lcm(arrival.lanes, lanes)
    gathered, _ = gather(arrival.cycles, middle // arrival.lanes)
    waits = FIFO if buffers.fifo_depth else 0
    words, left = split(gathered + waits, middle // lanes, lines.write if lines else
                        lambda ready: no_sooner(ready, folding.groups))
    if buffers.fifo_depth:
        yield fifo_fill(f"{unit.name}: FIFO", "FIFO", buffers.fifo_lanes, buffers.fifo_depth,
                        gathered, left)
    if lines:
        yield line_fill(planned, lines, words)


def line_fill(planned: UnitPlan, lines: Lines, written: np.ndarray) -> Fill:
    """Words from the oldest that a window still needs to the newest."""
    geometry = lines.geometry
    pixels = geometry.size ** 2
    frames = len(written) // (pixels * geometry.groups)
    frame, row, column = np.ogrid[:frames, :geometry.size_out, :geometry.size_out]
    top, left = (np.maximum(place * geometry.stride - geometry.before, 0)
                 for place in (row, column))
    corner = (frame * pixels + top * geometry.size + left).ravel() * geometry.groups
    oldest = (corner[:, None] + np.arange(geometry.groups)).ravel()
    # A window that is read frees what none after it needs.
    needed = np.minimum.accumulate(np.append(oldest[1:], len(written))[::-1])[::-1]
    freed = np.repeat(lines.read + lines.beats, np.diff(needed, prepend=0))
    return Fill(f"{planned.unit.name}: lines", "line buffer",
                f"{planned.unit.channels_in // geometry.groups} channels", geometry.room,
                *levels(written, freed))
