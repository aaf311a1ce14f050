"""A network on a board: Verilog, constraints, placement and routing, and the bits."""
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any

from golden.network import Network
from hdl.board.clock import pll_settings
from hdl.board.protocol import FAULTS, SYNC
from hdl.board.top import LEDS, BoardTop, network_top
from hdl.board.uart import BITS as BITS_OF_A_BYTE
from hdl.board.uart import bit_cycles
from hdl.build import built_once, default_build_dir, digest
from hdl.convert.board import TOP, convert_board
from hdl.convert.network import cached
from hdl.plan.config import UnitConfig, memory_files
from scripts.fit import host
from scripts.fit.devices import PINS, Board
from scripts.fit.route import Report, Routed, packed, routed
from scripts.shared.json_output import versioned

PATIENCE = 0.1      # seconds for which a sender may pause inside a photo
BAUD = 1_000_000
BITS, LPF = "board.bit", "board.lpf"
PORTS = {"clock": "clk_in", "rx": "rx", "tx": "tx", "led": "led", "high": "high"}


class SlowDesign(Exception):
    """The routed design does not reach the clock that was asked for.

    done -- the design as it was routed
    """

    def __init__(self, done: Routed, clock_mhz: float) -> None:
        super().__init__(f"the routed design reaches {done.fmax_mhz:.2f} MHz, not {clock_mhz:g}: "
                         f"give --clock {floor(done.fmax_mhz)}, or another --seed")
        self.done = done


@dataclass(frozen=True)
class Job:
    """A bitstream to make.

    scale -- of the features: their value is this times the integer
    """

    network: Network
    configs: tuple[UnitConfig, ...]
    scale: float
    board: Board
    clock_mhz: float
    baud: int
    cycles_per_frame: int
    seed: int

    def top(self) -> BoardTop:
        """What is on the board; ValueError where the clock, the line or the network does not go."""
        settings = pll_settings(self.board.clock_mhz, self.clock_mhz)
        clock = float(settings.mhz)
        return network_top(self.configs, settings, bit_cycles(clock, self.baud),
                           floor(PATIENCE * clock * 1e6), self.cycles_per_frame)


def check_port(board: Board, clock_mhz: float, baud: int) -> None:
    """ValueError for a board whose pins are not known, and for a clock or baud rate that is none of
    its."""
    missing = [f"{role}_{word}" for role, word in PINS.items()
               if not board.pins[role] and role != "high"]
    if missing:
        raise ValueError(f"board {board.name} has no {missing[0]} in scripts/fit/boards.csv: give "
                         "another, such as ulx3s-85f, or fill in its pins")
    bit_cycles(float(pll_settings(board.clock_mhz, clock_mhz).mhz), baud)


def constraints(board: Board) -> str:
    """Where each port of a board's top is, as nextpnr reads it."""
    lines = []
    for role, port in PORTS.items():
        pins = board.pins[role][:LEDS]
        for place, pin in enumerate(pins):
            name = f"{port}[{place}]" if role == "led" else port
            pull = " PULLMODE=UP" if role == "rx" else ""
            lines += [f'LOCATE COMP "{name}" SITE "{pin}";',
                      f'IOBUF PORT "{name}" IO_TYPE=LVCMOS33{pull};']
    lines.append(f'FREQUENCY PORT "{PORTS["clock"]}" {board.clock_mhz:g} MHZ;')
    return "\n".join(lines) + "\n"


def converted(job: Job, report: Report) -> tuple[Path, bool]:
    """(folder of the Verilog of a board and of what its memories read, whether it was kept)."""
    top = job.top()
    files = memory_files(job.configs)
    target = default_build_dir("fit") / digest(
        "board", cached(job.configs, "").name, repr(top.settings), top.bit_cycles, top.patience,
        *(part for name, text in files.items() for part in (name, text)))

    def fill(folder: Path) -> None:
        report("converting")
        convert_board(top, folder)
        for name, text in files.items():
            (folder / name).write_text(text)

    kept = built_once(target, fill)
    return target, kept


def routed_board(job: Job, report: Report) -> Routed:
    """The board, placed and routed; SlowDesign where it does not reach its clock."""
    folder, _ = converted(job, report)
    files: Sequence[Path] = sorted(folder.iterdir())
    clock = float(job.top().settings.mhz)
    done = routed(files, TOP, job.board, constraints(job.board), job.seed, clock, report)
    if done.fmax_mhz < clock:
        raise SlowDesign(done, clock)
    return done


def routed_fields(board: Board, done: Routed) -> dict[str, Any]:
    """What a routed design takes of a board, and its clock."""
    return {"board": board.name, "fmax_mhz": done.fmax_mhz, "used": done.used,
            "available": done.available, "config": str(done.config), "reused": done.reused,
            "slowest_path": list(done.slowest)}


def told(job: Job, done: Routed) -> dict[str, Any]:
    """The fields of a routed board: what it takes, and all that ``host`` must know of it."""
    top = job.top()
    clock = float(top.settings.mhz)
    return routed_fields(job.board, done) | {"bitstream": {
        "alpha": job.network.alpha, "resolution": job.network.resolution,
        "precision": job.network.precision.name, "weights": job.network.weights,
        "cycles_per_frame": job.cycles_per_frame, "clock_mhz": clock, "seed": job.seed,
        "frames_per_second": clock * 1e6 / job.cycles_per_frame,
        "photos_per_second": job.baud / (BITS_OF_A_BYTE * top.photo), "baud": job.baud,
        "features": list(top.features), "feature_bytes": top.feature_bytes,
        "feature_scale": job.scale,
        "patience_seconds": PATIENCE, "sync": SYNC.hex(), "faults": list(FAULTS)}}


def write(job: Job, out: Path, report: Report) -> dict[str, Any]:
    """Make the bitstream and write its folder, whole or not at all; returns the fields.

    Raises ValueError for a folder that something else has made.
    """
    done = routed_board(job, report)
    report("packing")
    fields = told(job, done)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        fresh, old = Path(scratch, "new"), Path(scratch, "old")
        fresh.mkdir()
        packed(done, fresh / BITS)
        (fresh / LPF).write_text(constraints(job.board))
        (fresh / host.SUMMARY).write_text(json.dumps(versioned(fields), indent=1) + "\n")
        shutil.copy(host.__file__, fresh)
        if out.exists():
            out.rename(old)
        fresh.rename(out)
    return fields


def check_replaceable(out: Path) -> None:
    """ValueError for a folder that is there and is none of this command's."""
    if out.exists() and not (out / host.SUMMARY).is_file():
        raise ValueError(f"{out} is there and was not made by this command: remove it, or give "
                         "another --out")
