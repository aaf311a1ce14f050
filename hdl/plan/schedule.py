"""Schedule: the cycle in which every beat of a free-running design moves, and the depths it needs.

A unit never waits for the one after it: wherever beats come closer together than they are taken,
a FIFO of exactly the greatest number that ever wait stands before the unit.  So the times at which
a unit's input arrives settle those at which its output leaves, unit after unit, and every rule is
of the form "not before this beat is there, not before that one is done": a running maximum.
Times are cycles, of the rising edge at which a beat moves; latencies are those the blocks state.
"""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import NamedTuple

import numpy as np

from hdl.layers import Unit
from hdl.plan.folding import Folding, pipeline
from hdl.plan.geometry import KERNEL, TAPS, WindowGeometry
from hdl.plan.tiles import Beats, cut, flushed

FRAMES = 3          # back to back: the first fills the design, the others repeat it
FILLED = 64         # cycles after which a stage is full of beats
FIFO = 2            # cycles from a FIFO's input to its output
WINDOW = 3          # from the read of the line buffer to the window's beat
TILE_WINDOW = 2     # from the last tile that a window needs to the window's beat
LOOPED = 3          # from the last operand to the result of a MAC array in loops
BANKED = 1          # more, where results go through a FIFO
REQUANTIZED = 7     # through requantize and the register slice after it
ADDED = 2           # through the residual add and the register slice after it
PATCHED = 1         # from a tile to its patch, which is what a shortcut's tile is cut out of
MULTIPLIED = 4      # from a patch through constant weights and the register slice after them
BRANCH = 3 * MULTIPLIED     # from a tile's patch at a shortcut to the sum that waits for it
NEVER = 1 << 60


@dataclass(frozen=True)
class Buffers:
    """The memories in which a unit's input waits; only the schedule knows how deep they must be."""

    fifo_depth: int     # words that wait before the unit, of an add the shortcut's; 0: no FIFO
    fifo_lanes: int     # channels of such a word; 0: no FIFO
    words_held: int     # input words held to go through them again; 0: it goes through them once
    line_words: int     # input words that a line buffer has room for; 0: as few as do, or none


NO_BUFFERS = Buffers(fifo_depth=0, fifo_lanes=0, words_held=0, line_words=0)
# (Buffers of every unit, {unit: cycles at which its output's beats move}).
Timed = tuple[tuple[Buffers, ...], dict[str, np.ndarray]]


class Arrival(NamedTuple):
    """Beats that come to a unit."""

    cycles: np.ndarray  # at which they move
    lanes: int          # channels of each
    own: np.ndarray | None = None   # whether each brings a tile, where tiles creep


class Input(NamedTuple):
    """A unit's input behind its link."""

    words: np.ndarray   # cycles at which the words move
    latest: np.ndarray  # until when each may move and no beat before the link waits for it
    buffers: Buffers    # the FIFO in the link


def offers(beats: int, cycles: int, frames: int = FRAMES) -> np.ndarray:
    """When ``beats`` a frame arrive that are spread evenly over ``cycles``, one a cycle at most."""
    beat = np.arange(beats * frames)
    return beat if cycles <= beats else -(-beat * cycles // beats)


class TooSlow(ValueError):
    """A unit does not keep the rate, though its multipliers could: its windows come too late."""

    def __init__(self, folding: Folding, takes: int, cycles: int) -> None:
        super().__init__(f"{folding.unit.name} takes {takes} cycles for a frame, not {cycles}: "
                         "give more cycles")
        self.folding = folding


def schedule(foldings: Sequence[Folding], cycles: int, frames: int = FRAMES) -> Timed:
    """The timing of a whole network at one frame every ``cycles``: as ``follow`` gives it, with
    buffers that are deep enough for any number of frames.

    Raises TooSlow, with the unit and what it takes, where one does not keep the rate.
    """
    first = foldings[0]
    tiles = -(-first.unit.size_in // first.tile_in)
    enough = max(FRAMES, -(-FILLED // cycles))
    buffers, leave = follow(foldings, offers(tiles ** 2, cycles, enough))
    for folding, times in zip(foldings, leave.values()):
        if folding.constant:    # a beat in every cycle
            continue
        takes = times[-1] - times[-1 - len(times) // enough]
        if takes > cycles:
            raise TooSlow(folding, takes, cycles)
    if frames != enough:
        buffers, leave = follow(foldings, offers(tiles ** 2, cycles, frames), buffers)
    return buffers, leave


def follow(foldings: Sequence[Folding], arrive: np.ndarray,
           least: Sequence[Buffers] | None = None) -> Timed:
    """The timing of consecutive units whose first one's input beats arrive at those cycles.

    least -- Buffers of every unit that are there already and become no shallower; None: none are

    Returns (Buffers of every unit, {unit: cycles at which its output's beats move}).
    """
    found, leave, stage = [], {}, None
    arrival = Arrival(arrive, foldings[0].lanes_in)
    for folding, floor in zip(foldings, least or (NO_BUFFERS,) * len(foldings), strict=True):
        unit = folding.unit
        if folding.flushes:
            arrival = flush(folding, arrival)
        if unit.stage != stage:     # what a residual add at its end has as its shortcut
            stage, shortcut = unit.stage, arrival
        inputs = (arrival,) if unit.facts.convolves else (arrival, shortcut)
        if folding.constant:
            buffers, arrival = TILE_TIMINGS[unit.kind](folding, floor, *inputs)
        else:
            buffers, left = TIMINGS[unit.kind](folding, floor, *inputs)
            arrival = Arrival(left, folding.lanes_out)
        found.append(buffers)
        leave[unit.name] = arrival.cycles
    return tuple(found), leave


def no_sooner(ready: np.ndarray, step: int, after: int | None = None) -> np.ndarray:
    """Events in order, each when it is ready and ``step`` after the one before, the first of which
    was at ``after``."""
    ramp = step * np.arange(len(ready))
    times = np.maximum.accumulate(ready - ramp) + ramp
    return times if after is None else np.maximum(times, after + step + ramp)


def depth(latest: np.ndarray, read: np.ndarray, written: np.ndarray) -> int:
    """Words of a memory in which each can be written by its ``latest`` cycle; read at ``read``.

    A word's place is free in the cycle after its reading.  Of two words or more, none is read
    later for having been written late: those before it are read meanwhile.
    """
    least, at_once = [int((np.arange(1, len(read) + 1) - np.searchsorted(read, times)).max())
                      for times in (latest, written)]
    return max(least, min(at_once, 2))


def link(arrival: Arrival, lanes: int, take: Callable[[np.ndarray], np.ndarray],
         floor: Buffers) -> Input:
    """The Input of a unit, from its beats to words of ``lanes``, with a FIFO if any has to wait.

    take  -- when the unit takes words, from when they are ready
    floor -- Buffers that are there already
    """
    middle = lcm(arrival.lanes, lanes)
    slots, parts = middle // arrival.lanes, middle // lanes
    gathered, latest = gather(arrival.cycles, slots)
    words, moved = split(gathered, parts, take)
    if (moved <= latest).all() and not floor.fifo_depth:
        if parts == 1:
            return Input(words, latest, NO_BUFFERS)
        if slots > 1:   # when they move is early enough; how much later would do is not needed
            return Input(words, words, NO_BUFFERS)
        until = following(arrival.cycles)[:, None] + np.arange(1 - parts, 1)
        return Input(words, until.ravel(), NO_BUFFERS)
    words, moved = split(gathered + FIFO, parts, take)
    return Input(words, words, fifo(gathered, latest, moved, middle, floor))


def gather(arrive: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray]:
    """When beats are there that take ``slots`` of those that arrive, and until when they may stay:
    the register that they are gathered in is free until the next one comes."""
    if slots == 1:
        return arrive, arrive
    return arrive[slots - 1::slots] + 1, following(arrive[::slots])


def split(ready: np.ndarray, parts: int,
          take: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(when words move, of which a beat has ``parts``; when the beats move) from when these are
    ready."""
    if parts == 1:
        words = take(ready)
        return words, words
    words = take(np.repeat(ready + 1, parts))
    return words, np.maximum(ready, previous(words[parts - 1::parts]))


def fifo(written: np.ndarray, latest: np.ndarray, left: np.ndarray, lanes: int,
         floor: Buffers) -> Buffers:
    """Buffers that are a FIFO of words of ``lanes``; its next word is read as one leaves."""
    read = np.maximum(written + 1, previous(left))
    return Buffers(max(depth(latest, read, written), floor.fifo_depth), lanes, 0, 0)


def following(times: np.ndarray) -> np.ndarray:
    """The times one event earlier; nothing comes after the last."""
    return np.append(times[1:], NEVER)


def previous(times: np.ndarray) -> np.ndarray:
    """The times one event later; nothing was before the first."""
    return np.append(-1, times[:-1])


def activations(folding: Folding, sums: np.ndarray) -> np.ndarray:
    """When the output's beats leave; ``sums``: when those of PE channels are complete."""
    parts = folding.pe // folding.lanes_out
    if parts > 1:
        sums = (no_sooner(sums, parts)[:, None] + 1 + np.arange(parts)).ravel()
    return sums + REQUANTIZED


def accumulated(folding: Folding) -> int:
    """Cycles from the last operand to the result in the MAC array's output register."""
    return LOOPED if folding.loops else pipeline(folding.simd, folding.pairs) + 1


def matrix(folding: Folding, words: np.ndarray, latest: np.ndarray,
           floor: Buffers) -> tuple[int, np.ndarray]:
    """(words held to go through them again, when the output's beats leave)."""
    beats = folding.unit.weight_shape[0] // folding.simd
    if folding.passes > 1:
        runs = words.reshape(-1, beats)
        read = no_sooner((runs + beats - np.arange(beats)).max(axis=1), beats * folding.passes)
        turns = read[:, None] + beats * np.arange(folding.passes)
        freed = turns[:, -2:-1] + 1 + np.arange(beats)
        held = max(depth(latest, freed.ravel(), words), beats, floor.words_held)
        return held, activations(folding, turns.ravel() + 1 + accumulated(folding))
    last = words[beats - 1::beats]
    sums = (last[:, None] + np.arange(folding.groups)).ravel()
    banked = BANKED if folding.groups > 1 and beats > 1 else 0
    return 0, activations(folding, sums + accumulated(folding) + banked)


def pointwise(folding: Folding, floor: Buffers, arrival: Arrival) -> tuple[Buffers, np.ndarray]:
    """(Buffers, no shallower than ``floor``; when the output's beats leave)."""
    words, latest, buffers = link(arrival, folding.simd,
                                  lambda ready: no_sooner(ready, folding.groups), floor)
    held, leave = matrix(folding, words, latest, floor)
    return replace(buffers, words_held=held), leave


def depthwise(folding: Folding, floor: Buffers, arrival: Arrival) -> tuple[Buffers, np.ndarray]:
    """As pointwise; a window's beats are read one after the other."""
    beats = TAPS // folding.simd
    lines = Lines(folding.windows, beats, beats)
    buffers = link(arrival, folding.pe, lines.write, floor).buffers
    buffers = replace(buffers, line_words=max(lines.words, floor.line_words))
    sums = lines.read + WINDOW + beats - 1 + accumulated(folding)
    return buffers, activations(folding, sums)


def stem(folding: Folding, floor: Buffers, arrival: Arrival) -> tuple[Buffers, np.ndarray]:
    """As pointwise, of windows; those of tiles are cut out of beats that never wait."""
    unit = folding.unit
    if folding.tile_in > 1:
        buffers = NO_BUFFERS
        windows = tile_windows(unit, arrival.cycles, folding.steps)
    else:
        lines = Lines(folding.windows, 1, folding.steps)
        buffers = link(arrival, folding.lanes_in, lines.write, floor).buffers
        buffers = replace(buffers, line_words=max(lines.words, floor.line_words))
        windows = lines.read + WINDOW
    words, _ = split(windows, TAPS * unit.channels_in // folding.simd,
                     lambda ready: no_sooner(ready, 1))
    held, leave = matrix(folding, words, words, floor)
    return replace(buffers, words_held=held), leave


def residual_add(folding: Folding, floor: Buffers, arrival: Arrival,
                 shortcut: Arrival) -> tuple[Buffers, np.ndarray]:
    """The sum leaves with the main branch, which never waits for the shortcut."""
    middle = lcm(shortcut.lanes, folding.lanes_in)
    gathered, latest = gather(shortcut.cycles, middle // shortcut.lanes)
    _, left = split(gathered + FIFO, middle // folding.lanes_in, lambda ready: arrival.cycles)
    return fifo(gathered, latest, left, middle, floor), arrival.cycles + ADDED


# {kind: its timing}, each called as timing(folding, floor, arrival), of an add with its shortcut's
# Arrival too; returns (Buffers, cycles at which the output's beats leave).
TIMINGS: dict[str, Callable[..., tuple[Buffers, np.ndarray]]] = {
    "stem": stem, "pointwise": pointwise, "depthwise": depthwise, "residual_add": residual_add}


def flush(folding: Folding, arrival: Arrival) -> Arrival:
    """The beats that a stage of tiles works on, from those that come to it."""
    geometry = folding.tiles
    beats = flushed(arrival.cycles, geometry.tiles ** 2, geometry.tail)
    return Arrival(beats.cycles, arrival.lanes, beats.own)


def constant_pointwise(folding: Folding, floor: Buffers,
                       arrival: Arrival) -> tuple[Buffers, Arrival]:
    """(no Buffers, the output's beats): one for every beat that comes, so late."""
    return floor, Arrival(arrival.cycles + MULTIPLIED, folding.lanes_out, arrival.own)


def constant_windows(folding: Folding, floor: Buffers,
                     arrival: Arrival) -> tuple[Buffers, Arrival]:
    """(no Buffers, the output's beats): one for every beat that completes a piece of a tile."""
    beats = cut_tiles(folding, arrival)
    own = None if folding.tiles.whole else beats.own
    return floor, Arrival(beats.cycles + PATCHED + MULTIPLIED, folding.lanes_out, own)


def constant_add(folding: Folding, floor: Buffers, arrival: Arrival,
                 shortcut: Arrival) -> tuple[Buffers, Arrival]:
    """(Buffers of what passes while the main branch works, the output's beats); the shortcut's
    tiles are cut out at a row and a column before, so both branches have the same beats."""
    written = cut_tiles(folding, shortcut).cycles + PATCHED
    lanes = folding.lanes_in * folding.tile_in ** 2
    return (fifo(written, written, arrival.cycles, lanes, floor),
            Arrival(arrival.cycles + ADDED, folding.lanes_out, arrival.own))


def cut_tiles(folding: Folding, arrival: Arrival) -> Beats:
    """Those of the beats that come with which output tiles leave."""
    assert arrival.own is not None
    return cut(Beats(arrival.cycles, arrival.own), folding.tiles)


# {kind: the timing of a unit with constant weights}, each called as those of TIMINGS; returns
# (Buffers, Arrival of the output's beats).
TILE_TIMINGS: dict[str, Callable[..., tuple[Buffers, Arrival]]] = {
    "stem": constant_windows, "pointwise": constant_pointwise, "depthwise": constant_windows,
    "residual_add": constant_add}


def tile_windows(unit: Unit, arrive: np.ndarray, interval: int) -> np.ndarray:
    """When windows of the tiles that arrive leave; those that a frame's own tiles do not complete
    leave ``interval`` apart until the next frame's come, then with those."""
    tiles = unit.pixels_out
    delay = 0 if unit.pad[0] else unit.size_out + 1
    frames = arrive.reshape(-1, tiles)
    windows = []
    for frame, own in enumerate(frames):
        after = frames[frame + 1] if frame + 1 < len(frames) else np.full(tiles, NEVER)
        alone = own[-1] + interval * np.arange(1, delay + 1)
        alone = alone[alone < after[0]]
        windows += [own[delay:], alone, after[:delay - len(alone)]]
    return np.concatenate(windows) + TILE_WINDOW


class Lines:
    """A line buffer: words in, windows of ``beats`` beats out, ``interval`` apart or more."""

    def __init__(self, geometry: WindowGeometry, beats: int, interval: int) -> None:
        self.geometry, self.beats, self.interval = geometry, beats, interval
        self.read: np.ndarray   # when the first beat of each window is read, known by ``write``
        self.words: int         # that must have room for no word to wait, known by ``write``

    def write(self, ready: np.ndarray) -> np.ndarray:
        """When words are written that are ready then: at once, one a cycle."""
        geometry = self.geometry
        size, groups, pitch = geometry.size, geometry.groups, geometry.pitch
        frames = len(ready) // (size ** 2 * groups)
        written = no_sooner(ready, 1)
        frame, row, column = np.ogrid[:frames, :geometry.size_out, :geometry.size_out]
        top, left = (place * geometry.stride - geometry.before for place in (row, column))
        bottom, right = (np.minimum(place + KERNEL - 1, size - 1) for place in (top, left))
        newest = written.reshape(frames, size, size, groups)[frame, bottom, right]
        self.read = no_sooner(newest.ravel() + 1, self.interval)
        # Places of words in memory, in order: of each that is written, and of the first that is
        # needed by each window, and by the one after the last.
        own = np.arange(size) * pitch
        places = np.arange(frames)[:, None, None] * size * pitch + own[:, None] + np.arange(size)
        upper_left = (frame * size + top) * pitch + left
        first = (np.append(upper_left, frames * size * pitch + geometry.first)[:, None] * groups
                 + np.arange(groups)).ravel()
        needed = first[np.searchsorted(self.read + self.beats, written, side="right")]
        places = (places.ravel()[:, None] * groups + np.arange(groups)).ravel()
        self.words = max(int((places - needed).max()) + 1, geometry.least)
        return written
