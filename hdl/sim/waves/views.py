"""Saved views of a wave: what GTKWave and Surfer show when they open it.

Both list the streams in the order of the data's flow, each in a group or under its own heading,
and begin with the streams that someone wants to see first.
"""
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from vcd.gtkw import GTKWSave

from hdl.sim.waves.signals import Signal

GTKWAVE, SURFER = ".gtkw", ".sucl"
ZOOM = -3       # of GTKWave: two dozen pixels of the screen for a cycle
BEFORE = 6      # cycles that GTKWave shows before the cursor's


def write_views(path: Path, signals: Sequence[Signal], opened: Iterable[str], marker: int) -> None:
    """Write FILE.gtkw and FILE.sucl beside the wave FILE.

    opened -- names of the instances to see first, whose groups GTKWave shows open, others closed
    marker -- the cycle of the cursor
    """
    scopes = by_scope(signals)
    first = set(opened)
    scopes = dict(sorted(scopes.items(), key=lambda item: item[0][-1] not in first))
    with path.with_suffix(GTKWAVE).open("w", encoding="utf-8") as file:
        gtkwave(file, path.name, scopes, first, marker)
    path.with_suffix(SURFER).write_text(surfer(path.name, scopes, marker), encoding="utf-8")


def by_scope(signals: Sequence[Signal]) -> dict[tuple[str, ...], dict[str, Signal]]:
    """{scope: {name: Signal}} in the order of the signals."""
    found: dict[tuple[str, ...], dict[str, Signal]] = {}
    for signal in signals:
        found.setdefault(signal.scope, {}).update(dict.fromkeys(signal.names, signal))
    return found


def gtkwave(file: TextIO, wave: str, scopes: Mapping[tuple[str, ...], Mapping[str, Signal]],
            opened: set[str], marker: int) -> None:
    """Write what ``gtkwave FILE.gtkw`` shows."""
    save = GTKWSave(file)
    save.dumpfile(wave, abspath=False)
    save.zoom_markers(ZOOM, marker)
    save.timestart(max(marker - BEFORE, 0))
    for scope, signals in scopes.items():
        with save.group(scope[-1], closed=scope[-1] not in opened):
            for name, signal in signals.items():
                save.trace(".".join((*scope, name)) + vector(signal), name,
                           datafmt=signal.names[name])


def vector(signal: Signal) -> str:
    """The range that GTKWave adds to the name of a signal of several bits."""
    return f"[{signal.bits - 1}:0]" if signal.bits > 1 else ""


def surfer(wave: str, scopes: Mapping[tuple[str, ...], Mapping[str, Signal]], marker: int) -> str:
    """The commands of ``surfer --command-file FILE.sucl``."""
    lines = [f"load_file {wave}"]
    for scope, signals in scopes.items():
        lines += [f"divider_add {scope[-1]}",
                  *(f"variable_add {'.'.join((*scope, name))}" for name in signals)]
    return "\n".join([*lines, f"cursor_set {marker}", "zoom_fit", ""])
