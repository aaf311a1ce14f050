"""What a simulation leaves: the beats of every stream and the cycles they moved in."""
from dataclasses import dataclass, field

import numpy as np

from hdl.beats import unpack


@dataclass(frozen=True)
class Trace:
    """The beats that moved on one stream, in order."""

    words: np.ndarray   # uint32 (beats, words of the payload), little-endian
    cycles: np.ndarray  # int64 (beats,), rising edges since reset was released

    def __len__(self):
        return len(self.cycles)

    def values(self, shape):
        """tdata as int64 (beats, elements) of a StreamShape."""
        return unpack(self.words, shape.elements, shape.bits, shape.signed)

    def mark(self, shape, name):
        """A mark of a StreamShape, bool (beats,)."""
        word, bit = divmod(shape.width + shape.marks.index(name), 32)
        return (self.words[:, word] >> np.uint32(bit) & 1).astype(bool)


@dataclass(frozen=True)
class Run:
    """One simulation, from the release of reset to the last beat awaited."""

    traces: dict                # stream name -> Trace
    cycles: int                 # rising edges simulated after reset
    input_stalls: dict          # source name -> cycles with tvalid and not tready
    seconds: float = 0.0        # wall clock of the simulation itself
    build: dict = field(default_factory=dict)   # of a compiled model: reused, seconds, digest

    def __getitem__(self, name):
        return self.traces[name]

    def first(self, name):
        """Cycle of the first beat on stream ``name``."""
        return int(self.traces[name].cycles[0])

    def last(self, name):
        """Cycle of the last beat on stream ``name``."""
        return int(self.traces[name].cycles[-1])
