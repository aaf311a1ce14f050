"""Devices and boards: what they have, where that is said, and what of it a network needs."""
import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from scripts.fit.families import FAMILIES, Family, Resources

HERE = Path(__file__).parent
# {role: what its column of boards.csv is of}; rx and tx are the device's input and output.
PINS = {"clock": "pin", "rx": "pin", "tx": "pin", "led": "pins", "high": "pins"}
# The share of each kind that a network may take: without a fifth of the LUTs free, placement and
# routing hardly ever end well.
USABLE = {"dsp": 1.0, "block_ram": 1.0, "lut": 0.8, "ff": 0.8}


@dataclass(frozen=True)
class Device:
    """A device, and what it has."""

    name: str
    family: Family
    has: Resources
    source: str     # of its figures

    def shares(self, need: Resources) -> dict[str, float]:
        """{kind: share of what may be used of it that is needed}."""
        has = asdict(self.has)
        return {kind: number / (has[kind] * USABLE[kind])
                for kind, number in asdict(need).items()}

    def limit(self, need: Resources) -> tuple[str, float]:
        """The kind of which the greatest share is needed, and that share."""
        shares = self.shares(need)
        kind = max(shares, key=lambda each: shares[each])
        return kind, shares[kind]


@dataclass(frozen=True)
class Board:
    """A board: its device and what a flow must know of it."""

    name: str
    device: Device
    clock_mhz: float
    package: str    # as nextpnr names it; "": no open flow places and routes the device
    speed: str      # speed grade
    pins: Mapping[str, tuple[str, ...]]     # {role, one of PINS: pins}; empty ones are not known
    source: str


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table beside this file."""
    with open(HERE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def devices() -> dict[str, Device]:
    """{name: Device} of ``devices.csv``."""
    return {row["name"]: Device(row["name"], FAMILIES[row["family"]], Resources(
        *(int(row[kind]) for kind in USABLE)), row["source"]) for row in rows("devices.csv")}


def boards() -> dict[str, Board]:
    """{name: Board} of ``boards.csv``."""
    known = devices()
    return {row["name"]: Board(row["name"], known[row["device"]], float(row["clock_mhz"]),
                               row["package"], row["speed"],
                               {role: tuple(row[f"{role}_{word}"].split())
                                for role, word in PINS.items()}, row["source"])
            for row in rows("boards.csv")}


Row = TypeVar("Row", Device, Board)


def found(name: str, table: Mapping[str, Row], kind: str) -> Row:
    """A row by its name, in whatever case; ValueError, with those there are, for another.

    kind -- 'device' or 'board'
    """
    for each, row in table.items():
        if each.lower() == name.lower():
            return row
    raise ValueError(f"{kind} {name} is not in scripts/fit/{kind}s.csv: give one of "
                     f"{', '.join(table)}, or add a row to it")
