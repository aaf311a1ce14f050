"""What the units of a rate take of a chip: cells, and their area in some libraries.

All of a unit counts: adder graphs or multipliers, requantizers, registers as the hardware has
them, memories of rows and shortcuts, ROMs.
"""
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from hdl.plan.config import UnitConfig
from scripts.silicon.graphs import Counts

# In NAND2 gates: a full adder and a flip-flop as in osu018; a choice of two, a bit of memory of six
# transistors and a bit of ROM of one, where a NAND2 has four.
FULL_ADDER, FLIP_FLOP, CHOICE, RAM_BIT, ROM_BIT = 5, 4, 2, 6 / 4, 1 / 4
UTILISATION = 0.7       # of a chip's area by cells; wires need the rest


@dataclass(frozen=True)
class Library:
    """Areas of cells in um2."""

    source: str
    nand2: float
    full_adder: float
    flip_flop: float

    def area_mm2(self, cells: 'Cells') -> float:
        """What cells take of a chip, in mm2, the space for wires included."""
        rest = CHOICE * cells.choices + RAM_BIT * cells.ram_bits + ROM_BIT * cells.rom_bits
        um2 = (self.full_adder * cells.full_adders + self.flip_flop * cells.flip_flops
               + self.nand2 * rest)
        return um2 / UTILISATION / 1e6


def of_density(source: str, transistors: float) -> Library:
    """The Library of a process of which only the density is known, in millions of transistors a
    mm2, four of which are a NAND2; other cells are as large beside it as in osu018."""
    nand2 = 4 / transistors
    return Library(source, nand2, FULL_ADDER * nand2, FLIP_FLOP * nand2)


LIBRARIES = {
    "osu018": Library("180 nm, osu018_stdcells.lib of Debian's qflow-tech-osu018", 24, 120, 96),
    "sky130": Library("130 nm, LEF of sky130_fd_sc_hd", 3.754, 20.02, 20.02),
    "n7": of_density("TSMC N7, 91.2 million transistors a mm2 (WikiChip, 2020)", 91.2),
    "n5": of_density("TSMC N5, 137.6 million transistors a mm2, measured (Angstronomics, 2022)",
                     137.6),
}


@dataclass(frozen=True)
class Cells:
    """Cells of some hardware."""

    full_adders: int = 0
    flip_flops: int = 0
    choices: int = 0        # of one bit, between two
    ram_bits: int = 0
    rom_bits: int = 0

    def __add__(self, other: 'Cells') -> 'Cells':
        return Cells(*(getattr(self, part.name) + getattr(other, part.name)
                       for part in fields(Cells)))

    @property
    def gates(self) -> float:
        """All of them in NAND2 gates."""
        return (FULL_ADDER * self.full_adders + FLIP_FLOP * self.flip_flops
                + CHOICE * self.choices + RAM_BIT * self.ram_bits + ROM_BIT * self.rom_bits)


@dataclass(frozen=True)
class Cost:
    """What one unit takes at a rate."""

    config: UnitConfig
    counts: Counts      # of its adder graphs, all copies; zeros where it has none
    parts: dict[str, Cells]     # by what they are

    @property
    def method(self) -> str:
        """How it multiplies."""
        unit, folding = self.config.unit, self.config.folding
        if not unit.weights:
            return "none"
        return "constants" if folding.constant else "multipliers"

    @property
    def uses(self) -> int:
        """Weights that are there, all copies."""
        return self.config.unit.weights * self.config.folding.tile_out ** 2

    @property
    def cells(self) -> Cells:
        """All of them."""
        return total(self.parts.values())


def total(cells: Iterable[Cells]) -> Cells:
    """Their sum."""
    return sum(cells, Cells())


def cost(config: UnitConfig, counts: Counts | None = None) -> Cost:
    """The Cost of a unit.

    counts -- of the adder graph of one copy, of a unit whose weights are constants
    """
    folding = config.folding
    memory = Cells(ram_bits=config.plan.line_buffer_bits + config.plan.fifo_bits
                   + config.plan.buffer_bits)
    if not config.unit.weights:
        return Cost(config, Counts(0, 0, 0), {"adders": added(config), "memories": memory})
    if counts is None:
        return Cost(config, Counts(0, 0, 0), multiplied(config) | {"memories": memory})
    copies = folding.tile_out ** 2
    everything = Counts(counts.adders * copies, counts.adder_bits * copies, counts.depth)
    return Cost(config, everything, constant(config, everything) | {"memories": memory})


def constant(config: UnitConfig, counts: Counts) -> dict[str, Cells]:
    """Cells of a unit whose weights are constants, multipliers and biases too."""
    folding, unit, work = config.folding, config.unit, config.work
    copies, bits_out, scaled = work.places, work.shape_out.bits, work.scaled_bits
    digits = signed_digits(work.multipliers.values)
    # A bias, the digits of a multiplier but one, and the half that is rounded.
    scale = (config.biased_bits * unit.channels_out
             + (config.biased_bits + work.multipliers.bits) * int((digits - 1).sum())
             + scaled * unit.channels_out)
    patch = work.patch_bits if unit.facts.windowed else 0
    a_lane = config.accumulator_bits + scaled + 3 * bits_out    # the last two in a register slice
    return {"adders": Cells(full_adders=counts.adder_bits),
            "requantizers": Cells(full_adders=scale * copies,
                                  choices=2 * bits_out * unit.channels_out * copies),
            "registers": Cells(flip_flops=a_lane * folding.requantizers + patch)}


def multiplied(config: UnitConfig) -> dict[str, Cells]:
    """Cells of a unit that reads its weights: an adder for each bit of a weight and an operand, one
    for each bit of a sum, and what scales sums by any number."""
    folding, unit, precision = config.folding, config.unit, config.folding.precision
    bits_out, factor = precision.bits(unit.activation), precision.multiplier_bits
    product = config.biased_bits + factor
    scaled = max(product - (config.shift_base - 1), 1)
    shift_bits = max((product - 1).bit_length(), 1)
    an_array = precision.weight_bits * (folding.bits_in + 1) + config.accumulator_bits
    a_lane = config.biased_bits + factor * config.biased_bits + scaled
    arrays, lanes = folding.multipliers, folding.requantizers
    rows = sum(rom.bits for rom in (config.weights, config.scales) if rom) + sum(
        len(array.values) * array.bits for array in config.constants)
    return {"multipliers": Cells(full_adders=an_array * arrays),
            "requantizers": Cells(full_adders=a_lane * lanes,
                                  choices=(shift_bits * product + 2 * bits_out) * lanes),
            "registers": Cells(flip_flops=(precision.weight_bits + folding.bits_in) * arrays
                               + 2 * config.accumulator_bits * folding.pe
                               + (2 * config.biased_bits + 2 * factor + product + scaled
                                  + 3 * bits_out) * lanes),
            "roms": Cells(rom_bits=rows)}


def added(config: UnitConfig) -> Cells:
    """Cells of a residual add: a sum a bit wider than its terms, clipped, in a register slice."""
    folding, bits = config.folding, config.folding.bits_in
    lanes = folding.lanes_out * folding.tile_out ** 2
    return Cells(full_adders=(bits + 1) * lanes, choices=2 * bits * lanes,
                 flip_flops=3 * bits * lanes)


def signed_digits(values: np.ndarray) -> np.ndarray:
    """Digits that are not 0 of positive numbers in canonical signed form, which has the fewest:
    as many as 3x and x differ in bits."""
    values = np.asarray(values, np.int64)
    return np.bitwise_count(values ^ 3 * values).astype(np.int64)
