"""Files of a run's waves: VCD or FST, whole or a window of cycles, and the views beside them."""
import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hdl.sim.waves.fst import write_fst
from hdl.sim.waves.signals import Signal
from hdl.sim.waves.vcd import write_vcd
from hdl.sim.waves.views import write_views

VCD, FST = ".vcd", ".fst"


def check_wave_file(path: Path) -> None:
    """Raise ValueError where the name is no wave's or its folder is missing: what a run for hours
    should begin with."""
    if path.suffix not in (VCD, FST):
        raise ValueError(f"a wave is a .vcd or an .fst file: {path} is neither, name it so")
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise ValueError where the folder of a file is missing."""
    if not path.absolute().parent.is_dir():
        raise ValueError(f"the folder of {path} is not there: make it first")


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name to write to, whose file becomes ``path`` when it is complete."""
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_wave(path: Path, signals: Sequence[Signal], cycles: range, opened: Iterable[str] = (),
               marker: int | None = None) -> None:
    """Write a wave and its views, or nothing: FILE.vcd or FILE.fst, FILE.gtkw and FILE.sucl.

    cycles -- that are written
    opened -- names of the instances to see first, whose groups GTKWave shows open
    marker -- the cycle of the cursor; None: the first one

    Raises what ``check_wave_file`` raises.
    """
    check_wave_file(path)
    with whole_file(path) as part:
        if path.suffix == FST:
            with part.open("wb") as compressed:
                write_fst(compressed, signals, cycles.start, cycles.stop)
        else:
            with part.open("w", encoding="ascii") as text:
                write_vcd(text, signals, cycles.start, cycles.stop)
    write_views(path, signals, opened, cycles.start if marker is None else marker)


def window(cycles: range, run_cycles: int) -> range:
    """Those of ``cycles`` that a run has; ValueError where it has none of them."""
    if cycles.start >= run_cycles:
        raise ValueError(f"the wave's cycles begin at {cycles.start:,}, where the run, which has "
                         f"{run_cycles:,}, is over: give an earlier one")
    return range(cycles.start, min(cycles.stop, run_cycles))
