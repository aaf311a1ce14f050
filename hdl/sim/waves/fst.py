"""A wave as an FST file, GTKWave's own compressed format, by GTKWave's own writer (pylibfst)."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hdl.errors import ToolError
from hdl.sim.waves.signals import Signal

try:
    import pylibfst
except ImportError:
    pylibfst = None
CHUNK = 1 << 14     # cycles whose changes are put in order at once


def require_fst() -> None:
    """Raise ToolError where FST files cannot be written: what is missing, and the command."""
    if pylibfst is None:
        raise ToolError("writing an FST file needs pylibfst: pip install pylibfst, or name a .vcd "
                        "file")


def write_fst(path: Path, signals: Sequence[Signal], first: int, last: int) -> None:
    """Write the cycles from ``first`` to before ``last``; ToolError where pylibfst is missing."""
    require_fst()
    library = pylibfst.lib
    context = library.fstWriterCreate(str(path).encode(), True)
    if context == pylibfst.ffi.NULL:
        raise OSError(0, "an FST file cannot be written", str(path))
    try:
        library.fstWriterSetComment(context, b"1 ns is one clock cycle")
        library.fstWriterSetTimescaleFromString(context, b"1ns")
        handles = declared(library, context, signals)
        library.fstWriterEmitTimeChange(context, first)
        for handle, signal in zip(handles, signals):
            library.fstWriterEmitValueChange(context, handle, signal.at(first).encode())
        for start in range(first + 1, last, CHUNK):
            emit(library, context, handles,
                 [signal.within(start, min(start + CHUNK, last)) for signal in signals])
        library.fstWriterEmitTimeChange(context, last)
    finally:
        library.fstWriterClose(context)


def declared(library: Any, context: Any, signals: Sequence[Signal]) -> list[int]:
    """Handles of the signals, declared in their scopes."""
    handles = []
    open_scope: tuple[str, ...] = ()
    for signal in signals:
        while open_scope != signal.scope[:len(open_scope)]:
            library.fstWriterSetUpscope(context)
            open_scope = open_scope[:-1]
        for name in signal.scope[len(open_scope):]:
            library.fstWriterSetScope(context, library.FST_ST_VCD_MODULE, name.encode(),
                                      pylibfst.ffi.NULL)
        open_scope = signal.scope
        handle = 0      # a new one; later, of the signal whose other name it is
        for name in signal.names:
            handle = library.fstWriterCreateVar(
                context, library.FST_VT_VCD_WIRE, library.FST_VD_IMPLICIT, signal.bits,
                name.encode(), handle)
        handles.append(handle)
    return handles


def emit(library: Any, context: Any, handles: Sequence[int], signals: Sequence[Signal]) -> None:
    """Write the changes of some cycles in order."""
    counts = [len(signal.times) for signal in signals]
    times = np.concatenate([signal.times for signal in signals])
    texts = [(signal.digits + np.uint8(ord("0"))).ravel() for signal in signals]
    lengths = np.repeat([signal.bits for signal in signals], counts)
    order = np.argsort(times, kind="stable")
    places = np.cumsum(lengths) - lengths
    text = np.ascontiguousarray(np.concatenate(texts))
    characters = pylibfst.ffi.from_buffer("char[]", text)
    change, now = library.fstWriterEmitValueChange, -1
    which = np.repeat(handles, counts)
    for time, handle, place in zip(times[order].tolist(), which[order].tolist(),
                                   places[order].tolist()):
        if time != now:
            library.fstWriterEmitTimeChange(context, time)
            now = time
        change(context, handle, characters + place)
