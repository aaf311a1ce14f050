"""A wave as an FST file, GTKWave's compressed format.

GTKWave's own writer takes a call for each change, and millions of them from Python would take six
times as long as the simulation itself.  The format keeps all changes of a signal together, so that
a few operations on arrays lay them out here.  It is described in doc/block_format.txt and
src/fstapi.c of https://github.com/gtkwave/libfst.
"""
import gzip
import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from hdl.sim.waves.signals import Signal

HEADER, CHANGES, GEOMETRY, HIERARCHY = 0, 1, 3, 4   # kinds of blocks
COMMENT, MODULE, WIRE, END = b"\xfc\0\0", b"\xfe\0", b"\x10\0", b"\xff"     # of the hierarchy
LEVEL = 1       # of zlib; higher ones save 3 % and take twice as long


def write_fst(file: BinaryIO, signals: Sequence[Signal], first: int, last: int) -> None:
    """Write the cycles from ``first`` to before ``last`` into a binary file."""
    tree, modules, names = hierarchy(signals)
    widths = varints([signal.bits for signal in signals])
    for kind, content in (
            (HEADER, header(first, last, modules, names, len(signals))),
            (CHANGES, changes(signals, first, last)),
            (GEOMETRY, struct.pack(">QQ", len(widths), len(signals)) + smaller(widths)),
            (HIERARCHY, struct.pack(">Q", len(tree)) + gzip.compress(tree, LEVEL, mtime=0))):
        file.write(struct.pack(">BQ", kind, len(content) + 8) + content)


def header(first: int, last: int, modules: int, names: int, signals: int) -> bytes:
    """The first block; no date is in it, so that the same wave is the same file."""
    return b"".join((
        struct.pack(">QQ", first, last), struct.pack("=d", np.e),   # which tells the byte order
        struct.pack(">QQQQQb", 0, modules, names, signals, 1, -9),  # one block of changes; 1 ns
        struct.pack(">128s119sBq", b"impossible-mobilenet", b"", 0, 0)))


def hierarchy(signals: Sequence[Signal]) -> tuple[bytes, int, int]:
    """The names in their modules; how many modules there are, and names."""
    found, modules, names = [COMMENT, b"1 ns is one clock cycle\0", varints([0])], 0, 0
    open_scope: tuple[str, ...] = ()
    for handle, signal in enumerate(signals, 1):
        while open_scope != signal.scope[:len(open_scope)]:
            found.append(END)
            open_scope = open_scope[:-1]
        for module in signal.scope[len(open_scope):]:
            found += MODULE, module.encode(), b"\0\0"
            modules += 1
        open_scope = signal.scope
        for name, known in zip(signal.names, [0] + [handle] * len(signal.names)):
            found += WIRE, name.encode(), b"\0", varints([signal.bits, known])
            names += 1
    return b"".join(found) + END * len(open_scope), modules, names


def changes(signals: Sequence[Signal], first: int, last: int) -> bytes:
    """The values at the time ``first``; each signal's changes; where they begin; all times."""
    begin = [signal.at(first) for signal in signals]
    later = [signal.within(first + 1, last) for signal in signals]
    some = np.zeros(last - first + 1, bool)     # where something changes, and both ends
    some[[0, -1]] = True
    for signal in later:
        some[signal.times - first] = True
    place = np.cumsum(some) - 1     # of each time among those
    plain = [begun(value) + chain(place[signal.times - first], signal.digits)
             for value, signal in zip(begin, later)]
    packed = [smaller(whole) for whole in plain]
    chains = [varints([len(whole) if len(part) < len(whole) else 0]) + part
              for whole, part in zip(plain, packed)]
    steps = [1, *map(len, chains[:-1])]     # from one chain to the next; a letter is before them
    index = varints(np.array(steps) << 1 | 1)
    values = "".join(begin).encode()
    few_values = smaller(values)
    times = varints(np.diff(first + np.flatnonzero(some), prepend=0))
    few_times = smaller(times)
    return b"".join((
        struct.pack(">QQQ", first, last, sum(map(len, plain))),
        varints([len(values), len(few_values), len(signals)]), few_values,
        varints([len(signals)]), b"Z", *chains, index, struct.pack(">Q", len(index)),
        few_times, struct.pack(">QQQ", len(times), len(few_times), some.sum())))


def begun(value: str) -> bytes:
    """The change to a value at the first time; it is all "x" where it is not known."""
    if "x" in value:
        return b"\1" + value.encode() if len(value) > 1 else b"\1"
    return chain(np.zeros(1, int), np.array([[*map(int, value)]], np.uint8))


def chain(places: np.ndarray, digits: np.ndarray) -> bytes:
    """Changes at some places among the times, each as the step from the one before and its digits.
    """
    steps = np.diff(places, prepend=0)
    count, bits = digits.shape
    if bits == 1:
        return varints(steps << 2 | digits[:, 0] << 1)
    row = -(-bits // 8)
    padded = np.zeros((count, row * 8), np.uint8)
    padded[:, :bits] = digits
    return varints(steps << 1, np.packbits(padded).reshape(count, row))     # quicker than row-wise


def varints(numbers: ArrayLike, after: np.ndarray | None = None) -> bytes:
    """Integers from 0 on, seven bits a byte, the lowest first, the highest bit of a byte saying
    that more follow; after each one its row of bytes ``after``."""
    values = np.asarray(numbers)
    count = max(-(-int(values.max(initial=0)).bit_length() // 7), 1)
    rest = values[:, None] >> 7 * np.arange(count)
    there = rest > 0
    there[:, 0] = True
    septets = (rest & 127).astype(np.uint8)
    septets[:, :-1] |= there[:, 1:].view(np.uint8) << 7
    if after is not None:
        septets = np.hstack([septets, after])
        there = np.hstack([there, np.ones(after.shape, bool)])
    return septets[there].tobytes()


def smaller(plain: bytes) -> bytes:
    """Compressed, or as it is where that is not longer: readers compare lengths."""
    return min(plain, zlib.compress(plain, LEVEL), key=len)
