"""Ends of a simulated design: what sources send, what sinks await, when each of them pauses.

Every simulator keeps these rules, so that the cycles of two of them can be compared.  Cycle 0 is
the first rising edge with reset released.  In cycle k a source that holds no beat offers its next
one unless ``idle[k % len(idle)]``; a beat once offered stays until taken; while nothing is offered
tdata is the complement of the last beat, so that a block which looks at it is found out.  A sink
is ready unless ``backpressure[k % len(backpressure)]``.
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hdl.axis import AxiStream
from hdl.hierarchy.reserved import legal

TIMEOUT = 10_000    # cycles without a beat anywhere, after which a run is taken for dead
RESET_CYCLES = 4    # rising edges with reset active, before cycle 0
NO_PAUSE = np.zeros(1, bool)


@dataclass(frozen=True)
class Source:
    """Beats for an input stream: ``words`` uint32 (beats, words), as ``payload`` makes them."""

    words: np.ndarray
    idle: np.ndarray | None = None  # bool array by cycle, True = offer nothing new; None = never


@dataclass(frozen=True)
class Sink:
    """An output stream that must deliver ``count`` beats; more are recorded, not refused."""

    count: int
    backpressure: np.ndarray | None = None  # bool array by cycle, True = not ready; None = never


@dataclass(frozen=True)
class Reset:
    """Reset once more, for RESET_CYCLES rising edges that are not counted, before ``cycle``.

    A beat that is being offered is withdrawn.  Until then a source offers no beat from ``begin``
    on, and from then on these.  Sinks await their beats after the last reset.

    begin -- {source: number of the beat}, of every source
    """

    cycle: int
    begin: Mapping[str, int]


@dataclass(frozen=True)
class Monitor:
    """An inner stream to watch: the MyHDL bundle, and where converted HDL has it.

    ``path`` is the instance below the top ("block_1", "block_1.expand", "" for the top itself),
    ``prefix`` the name of its signals before _tdata, _tvalid, _tready.
    """

    stream: AxiStream
    path: str = ""
    prefix: str = ""


@dataclass(frozen=True)
class Counter:
    """Bits inside a design; the cycles are counted in which all of them are high.

    instances -- names in the source, from the top inwards; () for the top itself
    bits      -- names of signals there; of a bundle's, ``bundle_attribute``
    """

    instances: tuple[str, ...]
    bits: tuple[str, ...]

    @property
    def path(self) -> str:
        """The instance in converted HDL, as a Monitor's."""
        return ".".join(map(legal, self.instances))

    @property
    def names(self) -> tuple[str, ...]:
        """The signals in converted HDL."""
        return tuple(map(legal, self.bits))


def random_pattern(seed: int, probability: float, length: int = 4093) -> np.ndarray:
    """Pauses in ``probability`` (0 to 1) of the cycles, the same on every machine for a ``seed``.

    Returns (length,) booleans; True is a pause.  The default length is prime, so
    that patterns do not fall into step with frames.
    """
    raw = np.random.Philox(seed).random_raw(length) >> np.uint64(11)
    return raw.astype(np.float64) * 2.0 ** -53 < probability


def pause_pattern(pattern: ArrayLike | None) -> np.ndarray:
    """``pattern`` as uint8 (cycles,), None as one without a pause.

    Raises ValueError where the stream could never move.
    """
    pattern = np.ascontiguousarray(NO_PAUSE if pattern is None else pattern, np.uint8)
    if pattern.ndim != 1 or pattern.all():
        raise ValueError("a pause pattern is a vector that lets at least one cycle through")
    return pattern


def longest_pause(pattern: ArrayLike | None) -> int:
    """Cycles of the longest pause of a pattern, which repeats."""
    moves = np.flatnonzero(pause_pattern(pattern) == 0)
    return int(np.diff(moves, append=moves[0] + np.size(pause_pattern(pattern))).max()) - 1


def segments(resets: Sequence[Reset], source: str, beats: int) -> list[int]:
    """The beats before which a source waits for each reset, and last all of its beats.

    Raises ValueError where resets or beats are not in order.
    """
    cycles = [reset.cycle for reset in resets]
    if cycles != sorted(set(cycles)) or min(cycles, default=0) < 0:
        raise ValueError(f"resets come one after the other, not in cycles {cycles}")
    ends = [reset.begin[source] for reset in resets] + [beats]
    if ends != sorted(ends) or ends[0] < 0:
        raise ValueError(f"source {source} begins after resets with beats of its {beats} in order, "
                         f"not with {ends[:-1]}")
    return ends
