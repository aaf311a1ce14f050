"""A wave as a VCD file.

pyvcd writes the header; the changes, millions of them, are laid into arrays of characters: a call
for each would take ten times as long as the simulation itself.
"""
from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np
from vcd import VCDWriter

from hdl.sim.waves.signals import Signal

CHUNK = 1 << 14    # cycles whose changes are laid out at once
# Changes of one signal or of the clock, all as long as each other: (times, characters of each).
Rows = tuple[np.ndarray, np.ndarray]


def write_vcd(file: TextIO, signals: Sequence[Signal], first: int, last: int) -> None:
    """Write the cycles from ``first`` to before ``last`` into a text file."""
    writer = VCDWriter(file, timescale="1 ns", date="", init_timestamp=first,
                       comment="1 ns is one clock cycle")
    idents = []
    for signal in signals:
        name, *others = signal.names
        var = writer.register_var(signal.scope, name, "wire", signal.bits,
                                  init=signal.at(first))
        for other in others:
            writer.register_alias(signal.scope, other, var)
        idents.append(var.ident)
    writer.flush()
    for start in range(first + 1, last, CHUNK):
        rows = [row_of(signal.within(start, min(start + CHUNK, last)), ident)
                for signal, ident in zip(signals, idents)]
        file.write(laid_out([*clock_rows(rows, start), *rows], start))
    writer.close(last)


def row_of(signal: Signal, ident: str) -> Rows:
    """The changes of a signal as lines of a VCD file."""
    digits = signal.digits + np.uint8(ord("0"))
    before, after = ("b", f" {ident}\n") if signal.bits > 1 else ("", f"{ident}\n")
    return signal.times, np.hstack([repeated(before, len(digits)), digits,
                                    repeated(after, len(digits))])


def clock_rows(rows: Sequence[Rows], start: int) -> Iterator[Rows]:
    """The lines that tell the time, of all times at which something changes in the chunk from
    ``start`` on, by their length."""
    some = np.zeros(CHUNK, bool)
    for changed, _ in rows:
        some[changed - start] = True
    times = start + np.flatnonzero(some)
    for digits in np.unique([len(str(time)) for time in times]).tolist():
        same = times[(times >= 10 ** (digits - 1) * (digits > 1)) & (times < 10 ** digits)]
        decimals = same[:, None] // 10 ** np.arange(digits)[::-1] % 10 + ord("0")
        yield same, np.hstack([repeated("#", len(same)), decimals.astype(np.uint8),
                               repeated("\n", len(same))])


def repeated(text: str, count: int) -> np.ndarray:
    """The characters of a text, uint8 (count, characters)."""
    return np.tile(np.frombuffer(text.encode(), np.uint8), (count, 1))


def laid_out(rows: Sequence[Rows], start: int) -> str:
    """All lines of the chunk from ``start`` on in the order of their times, of one time in the
    order of ``rows``."""
    # Short integers are sorted in a few passes.
    times = np.concatenate([(times - start).astype(np.uint16) for times, _ in rows])
    lengths = np.concatenate([np.full(len(lines), lines.shape[1]) for _, lines in rows])
    order = np.argsort(times, kind="stable")
    starts = np.empty_like(lengths)
    starts[order] = np.cumsum(lengths[order]) - lengths[order]
    text = np.empty(lengths.sum(), np.uint8)
    done = 0
    for _, lines in rows:
        count, length = lines.shape
        if count:   # item i of ``places`` is the characters from i on, as many as a line has
            places = np.ndarray(len(text) - length + 1, f"V{length}", text, strides=(1,))
            places[starts[done:done + count]] = lines.view(f"V{length}")[:, 0]
        done += count
    return text.tobytes().decode("ascii")
