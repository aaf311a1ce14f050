"""The rules of every stream that a finished simulation is held to, and the one that tools report.

That beats are held and stable is seen while a simulation runs, by each simulator's own probe.
"""
import re
from collections.abc import Mapping

import numpy as np

from hdl.errors import ProtocolError
from hdl.shape import StreamShape
from hdl.sim.trace import Run, Trace

UNKNOWN = re.compile(r"stream (\S+) has unknown bits in cycle (-?\d+)")


def tell_unknown(said: str) -> None:
    """ProtocolError where the first that a simulator says is that a stream has unknown bits."""
    found = UNKNOWN.search(said.partition("\n")[0])
    if found:
        raise ProtocolError(found[1], int(found[2]), "known")


def check_waits(run: Run, bounds: Mapping[str, int]) -> None:
    """ProtocolError where a beat waits, after its first cycle, for more cycles than its stream may.

    bounds -- {stream: cycles}
    """
    for name, bound in bounds.items():
        trace, offers = run[name], run.handshakes[name].offers
        moved = np.full(len(offers), run.cycles)
        moved[:len(trace)] = trace.cycles
        late = np.flatnonzero(moved - offers > bound)
        if late.size:
            waited = int(moved[late[0]] - offers[late[0]])
            raise ProtocolError(name, int(offers[late[0]]) + bound + 1, "taken",
                                f"beat {int(late[0])} waited for {waited} cycles, of {bound}")


def check_marks(name: str, trace: Trace, shape: StreamShape, frame: int, line: int = 0,
                first: bool = False) -> None:
    """ProtocolError unless a stream ends with a whole frame, and has its marks where they belong.

    name  -- of the stream, for the sentence
    frame -- beats of a frame
    line  -- beats of a line, with whose last beat tlast is; 0: with the last of a frame
    first -- tuser is with the first beat of a frame; else what tuser says is not looked at
    """
    beats = np.arange(len(trace))
    wanted = {"tlast": (beats + 1) % (line or frame) == 0}
    if first:
        wanted["tuser"] = beats % frame == 0
    for mark, expected in wanted.items():
        wrong = np.flatnonzero(trace.mark(shape, mark) != expected)
        if wrong.size:
            beat = int(wrong[0])
            raise ProtocolError(name, int(trace.cycles[beat]), "marked",
                                f"{mark} is {int(not expected[beat])} with beat {beat}")
    if len(trace) % frame:      # at least one came
        raise ProtocolError(name, int(trace.cycles[-1]), "ended",
                            f"{len(trace) % frame} beats of {frame} came")
