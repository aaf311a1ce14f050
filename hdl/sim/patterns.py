"""Stall patterns: when an end of a stream pauses, by name.

Each is made from a generator, and from how many cycles a line and a frame of the stream take where
nothing stalls; True is a pause, and the pattern repeats.
"""
from collections.abc import Callable

import numpy as np

from hdl.sim.endpoints import random_pattern

BURST = 12      # cycles of a burst in the middle


def share(of_all: float) -> Callable[..., np.ndarray]:
    """Pauses at random in a share of the cycles."""
    return lambda rng, line, frame: random_pattern(int(rng.integers(1 << 31)), of_all)


def bursty(rng: np.random.Generator, line: int, frame: int) -> np.ndarray:
    """Pauses and moves in bursts of any length, the middle one BURST."""
    lengths = rng.geometric(1 / BURST, 2 * 64)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def at_ends(cycles: int, rng: np.random.Generator) -> np.ndarray:
    """A pause of a few cycles after so many that move, exactly where a line or a frame ends as
    long as nothing else stalls."""
    pause = int(rng.choice([1, 2, 7, 60]))
    return np.arange(max(cycles, 1) + pause) >= max(cycles, 1)


def fill_and_drain(rng: np.random.Generator, line: int, frame: int) -> np.ndarray:
    """Half a frame's time without a move, then as long without a pause: at a sink it fills what is
    before it, at a source it empties what is behind it."""
    half = max(frame // 2, 8)
    return np.arange(2 * half) < half


# {name: pattern(rng, cycles of a line, of a frame)}; None never pauses
PATTERNS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray | None]] = {
    "free": lambda rng, line, frame: None,
    "random": share(0.5),
    "three in four": share(0.75),
    "one in a hundred": share(0.01),
    "bursty": bursty,
    "every second": lambda rng, line, frame: np.array([False, True]),
    "line ends": lambda rng, line, frame: at_ends(line, rng),
    "frame ends": lambda rng, line, frame: at_ends(frame, rng),
    "fill and drain": fill_and_drain,
}
