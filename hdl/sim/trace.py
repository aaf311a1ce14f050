"""What a simulation leaves: the beats of every stream and the cycles they moved in."""
from dataclasses import dataclass, field

import numpy as np

from hdl.beats import unpack
from hdl.shape import StreamShape


@dataclass(frozen=True)
class Trace:
    """The beats that moved on one stream, in order."""

    words: np.ndarray   # uint32 (beats, words of the payload), little-endian
    cycles: np.ndarray  # int64 (beats,), rising edges since reset was released

    def __len__(self) -> int:
        return len(self.cycles)

    def values(self, shape: StreamShape) -> np.ndarray:
        """tdata as int64 (beats, elements), of a stream of this shape."""
        return unpack(self.words, shape.elements, shape.bits, shape.signed)

    def mark(self, shape: StreamShape, name: str) -> np.ndarray:
        """A mark of a stream of this shape, bool (beats,)."""
        return self.bit(shape.width + shape.marks.index(name))

    def bit(self, place: int) -> np.ndarray:
        """One bit of the payload, bool (beats,)."""
        word, bit = divmod(place, 32)
        return (self.words[:, word] >> np.uint32(bit) & 1).astype(bool)


@dataclass(frozen=True)
class Handshake:
    """When tvalid and tready of one stream were high; int64 cycles, as those of a Trace.

    With the cycles in which the beats moved, these say both signals in every cycle: tvalid is high
    from a beat's offer until the beat moves.
    """

    offers: np.ndarray  # of each beat: the first cycle of tvalid; one more of a beat still waiting
    turns: np.ndarray   # in which tready is not what it was before; before cycle 0 tready is low


@dataclass(frozen=True)
class Run:
    """One simulation, from the release of reset to the last beat awaited."""

    traces: dict[str, Trace]    # of each stream
    cycles: int                 # rising edges simulated after reset
    input_stalls: dict[str, int]    # of each source: cycles with tvalid and not tready
    seconds: float = 0.0        # wall clock of the simulation itself
    # Of a compiled model: what Built.told tells.
    build: dict[str, str | bool | float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)    # of each counter: cycles
    handshakes: dict[str, Handshake] = field(default_factory=dict)  # of each stream

    def __getitem__(self, name: str) -> Trace:
        return self.traces[name]

    def first(self, name: str) -> int:
        """Cycle of the first beat on stream ``name``."""
        return int(self.traces[name].cycles[0])

    def last(self, name: str) -> int:
        """Cycle of the last beat on stream ``name``."""
        return int(self.traces[name].cycles[-1])
