"""The vectors of a network with video around it: good frames of a photo, and every fault between.

A film is made for whatever comes to a network with ``hdl.units.video`` around it; it repeats.
"""
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hdl.beats import hex_lines, payload, tiled
from hdl.convert.video import FAULTS, RGB, VideoOutside
from hdl.shape import MARKS, StreamShape

GARBAGE = -1    # a beat that is of no place in a frame
PAUSE = "pause"     # the mark of a beat before which the source is silent; no port has it


@dataclass(frozen=True)
class Shot:
    """A beat of a film: its place in the photo, or GARBAGE, and its marks."""

    place: int
    first: bool = False
    last: bool = False
    pause: bool = False


@dataclass(frozen=True)
class Take:
    """A frame that leaves: which places of the photo are in it, the others being black, and whether
    it is damaged."""

    kept: np.ndarray    # (rows, columns) booleans
    damaged: bool = False


@dataclass(frozen=True)
class Script:
    """What comes, what leaves, and which of FAULTS are found on the way."""

    shots: tuple[Shot, ...]
    takes: tuple[Take, ...]
    faults: tuple[str, ...]


def script(rows: int, columns: int) -> Script:
    """The Script of frames of ``rows`` x ``columns`` beats: each fault that such a frame can have,
    good frames before, between and after."""
    beats = rows * columns
    whole = [Shot(place, place == 0, place % columns == columns - 1) for place in range(beats)]
    all_there = np.ones(beats, bool)
    shots, takes, faults = list(whole), [Take(all_there)], []

    def take(fault: str, sent: list[Shot], kept: np.ndarray) -> None:
        shots.extend(sent)
        takes.append(Take(kept, True))
        faults.append(fault)

    if columns > 1:
        cut = columns // 2
        line = [*whole[:cut - 1], replace(whole[cut - 1], last=True)]
        take("short_line", line + whole[columns:],
             (np.arange(beats) < cut) | (np.arange(beats) >= columns))
    end = columns - 1
    take("long_line", [*whole[:end], replace(whole[end], last=False), Shot(GARBAGE),
                       Shot(GARBAGE, last=True), *whole[columns:]], all_there)
    shots += [Shot(GARBAGE), Shot(GARBAGE, last=True), Shot(GARBAGE)]
    faults.append("outside")
    if beats > 1:
        for fault, cut in (("early_start", min(columns + 1, beats - 1)), ("silence", beats // 2)):
            take(fault, whole[:cut], np.arange(beats) < cut)
            shots.append(replace(whole[0], pause=fault == "silence"))
            shots += whole[1:]
            takes.append(Take(all_there))
    return Script(tuple(shots), tuple(replace(each, kept=each.kept.reshape(rows, columns))
                                      for each in takes), tuple(faults))


@dataclass(frozen=True)
class Film:
    """A Script of a photo, with what the network makes of each frame.

    outside -- the streams of video
    photo   -- uint8 (R, R, 3)
    golden  -- (frames, rows, columns, channels), of the takes
    """

    outside: VideoOutside
    photo: np.ndarray
    script: Script
    golden: np.ndarray

    @property
    def found(self) -> int:
        """The bits of the faults that are found."""
        return sum(1 << FAULTS.index(fault) for fault in self.script.faults)

    def words(self, source: StreamShape) -> tuple[str, int]:
        """(text of the beats that come, a line each; bits of a line): tdata, tlast, tuser, PAUSE.

        source -- the StreamShape of s_axis
        """
        shape = replace(source, marks=(*MARKS, PAUSE))
        order = [RGB.index(component) for component in self.outside.components]
        tiles = tiled(self.photo[None][..., order].astype(int), source.tile)
        garbage = 255 - tiles[:1]
        values = np.concatenate([tiles, garbage])[[shot.place for shot in self.script.shots]]
        marks = {name: np.array([getattr(shot, field) for shot in self.script.shots])
                 for name, field in (("tlast", "last"), ("tuser", "first"), (PAUSE, PAUSE))}
        return hex_lines(payload(shape, values, **marks), shape.payload_width), shape.payload_width

    def results(self, sink: StreamShape) -> tuple[str, int]:
        """(text of the beats that leave, a line each; bits of a line): tdata and tuser.

        sink -- the StreamShape of m_axis
        """
        shape = replace(sink, marks=("tuser",))
        tiles = tiled(self.golden, sink.tile)
        beats = tiles.size // sink.elements
        damaged = np.zeros((len(self.golden), beats // len(self.golden)), bool)
        damaged[:, -1] = [take.damaged for take in self.script.takes]
        words = payload(shape, tiles, tuser=damaged.ravel())
        return hex_lines(words, shape.payload_width), shape.payload_width


def film_of(photo: np.ndarray, row: int, tile: int, outside: VideoOutside,
            outputs: Callable[[np.ndarray], np.ndarray]) -> Film:
    """The Film of a photo.

    photo   -- uint8 (R, R, 3)
    row     -- beats in a row of a frame, and rows
    tile    -- pixels a side of a beat
    outputs -- outputs(photo) gives the network's integers (rows, columns, channels)
    """
    found, golden = script(row, row), []
    made: dict[bytes, np.ndarray] = {}
    size = len(photo)
    for take in found.takes:
        key = take.kept.tobytes()
        if key not in made:
            kept = take.kept.repeat(tile, 0).repeat(tile, 1)[:size, :size, None]
            made[key] = outputs(photo * kept)
        golden.append(made[key])
    return Film(outside, photo, found, np.stack(golden))
