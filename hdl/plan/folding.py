"""Folding: how many outputs (PE) and inputs (SIMD) of each unit work at once, for a given rate.

One number sets the speed of a design: cycles_per_frame, N.  A unit with P output pixels has N / P
cycles for each; it gets the fewest multipliers that meet that.  PE and SIMD are FINN's words
(Blott et al., "FINN-R", 2018).
"""
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hdl.layers import Precision, Unit
from hdl.plan.geometry import TAPS, TILE, WindowGeometry
from hdl.plan.pairs import Pairs, pairs_of
from hdl.plan.tiles import TileGeometry, tile_rates, tile_side

# What an output at once costs in registers, in those of an operand: its sum and its accumulator,
# each as wide as a weight, an operand and the carries of some hundred products, which is two
# operands and a half.  It chooses among foldings of equally many multipliers.
ACCUMULATOR = 5
READ = 2        # cycles from the address of a weight to its multiplier: memory, and a register
IN_A_SUM = 3     # products that are added in the cycle that makes them
NONE_ABOVE: Mapping[str, int] = {}


@dataclass(frozen=True)
class Folding:
    """What the solver decides for one unit; memory figures in bits."""

    unit: Unit
    precision: Precision    # its own row
    pe: int         # output channels at once
    simd: int       # inputs at once; of a depthwise unit, taps
    lanes_in: int   # channels of an input beat
    lanes_out: int  # channels of an output beat, and requantizers of a convolution
    tile_in: int = 1    # pixels a side of an input beat
    tile_out: int = 1   # ... of an output beat
    constant: bool = False  # every weight works in every cycle: weights are constants
    loops: bool = False     # the multiplier array is written as loops, for so many multipliers
    creep_in: int | None = None     # rows and columns that input tiles lie behind; None: none do
    creep_out: int | None = None    # ... output tiles
    flushes: bool = False   # beats are added to the input that push what is left of a frame out
    pairs: Pairs | None = None  # how two outputs share multipliers; None: each has its own

    @property
    def products(self) -> int:
        """Products that the multiply-accumulate array makes at once."""
        return self.pe * self.simd * self.tile_out ** 2 if self.unit.weights else 0

    @property
    def multipliers(self) -> int:
        """Its multipliers."""
        return multipliers(self.pe, self.simd) if self.pairs else self.products

    @property
    def requantizers(self) -> int:
        """Requantizers, each with a multiplier of its own."""
        return self.lanes_out * self.tile_out ** 2 if self.unit.weights else 0

    @property
    def tiles(self) -> TileGeometry:
        """How the windows of a unit with constant weights lie, those of a shortcut as well."""
        unit = self.unit
        kernel = unit.kernel if unit.facts.convolves else 2
        return TileGeometry(unit.size_in, self.tile_in, self.creep_in or 0, kernel, unit.stride)

    @property
    def groups(self) -> int:
        """Groups of PE outputs that a pointwise unit computes for each input beat: all, where
        there are fewer outputs than inputs to keep; 1 where it takes them one after the other."""
        unit, facts = self.unit, self.unit.facts
        inputs_first = facts.shared and not facts.windowed and unit.channels_out < unit.channels_in
        return unit.channels_out // self.pe if inputs_first else 1

    @property
    def passes(self) -> int:
        """How often a matrix unit goes through its input: once for each group of PE outputs, or
        once in all."""
        if not self.unit.facts.shared:
            return 1
        return self.unit.channels_out // self.pe // self.groups

    @property
    def steps(self) -> int:
        """Cycles for an output pixel."""
        unit = self.unit
        serial = unit.channels_out // self.lanes_out
        return max(unit.weights // (self.pe * self.simd), serial) if unit.weights else serial

    @property
    def weight_bits(self) -> int:
        """The weights in memory, each once; constants are in none."""
        return 0 if self.constant else self.unit.weights * self.precision.weight_bits

    @property
    def windows(self) -> WindowGeometry:
        """How the windows of a 3x3 unit of single pixels lie; the least of them has room."""
        unit, stem = self.unit, self.unit.facts.shared
        groups = unit.channels_in // (self.lanes_in if stem else self.pe)
        return WindowGeometry(unit.size_in, groups, unit.stride, unit.pad,
                              TAPS if stem else self.simd, self.steps if stem else 1)

    @property
    def accumulator_bits(self) -> int:
        """Where it takes every input once, two accumulators for each output, at their widest."""
        if self.groups == 1:
            return 0
        inputs, outputs = self.unit.weight_shape
        width = self.precision.weight_bits + self.bits_in + (inputs - 1).bit_length()
        return 2 * outputs * width

    @property
    def bits_in(self) -> int:
        """Of an input element."""
        return self.precision.bits(self.unit.activation_in)


def multipliers(pe: int, simd: int) -> int:
    """Multipliers of an array whose outputs share them two by two."""
    return -(-pe // 2) * simd


def adder_levels(simd: int) -> int:
    """Cycles in which so many products become one sum: IN_A_SUM of them in the first, then two sums
    in each."""
    return 1 + (-(-simd // IN_A_SUM) - 1).bit_length()


def pipeline(simd: int, pairs: Pairs | None = None) -> int:
    """Cycles from the read of operands and weights to the sum of their products; those of pairs are
    added two in each cycle once they have parted."""
    if pairs is None:
        return READ + adder_levels(simd)
    return READ + adder_levels(pairs.products) + (simd // pairs.products - 1).bit_length()


def divisors(number: int) -> list[int]:
    """All divisors of ``number``, ascending."""
    return [d for d in range(1, number + 1) if number % d == 0]


def fold(table: Sequence[Unit], precision: Precision, cycles_per_frame: int,
         above: Mapping[str, int] = NONE_ABOVE, factor: int | None = None) -> tuple[Folding, ...]:
    """The foldings of every unit of ``table`` with the fewest multipliers that meet the rate.

    above  -- {unit: so many products at once, which have been found to be too few}
    factor -- bits of the wider factor of multipliers, which two outputs share wherever they have
              the same inputs and two products fit, but at rates of tiles; None: none do

    Raises ValueError, with the unit and the least cycles, where no folding does, and where no two
    products of the table's widths fit.
    """
    if factor:
        check_pairs(table, precision, factor)
    least = table[0].pixels_out
    if cycles_per_frame < least:
        return fold_tiles(table, precision, cycles_per_frame, above)
    foldings, lanes = [], table[0].channels_in
    for unit in table:
        widths = precision.of(unit.name)
        if unit.facts.convolves:
            row = fold_convolution(unit, widths, cycles_per_frame, lanes, above.get(unit.name, 0),
                                   factor)
        else:
            row = Folding(unit, widths, 1, 1, lanes, lanes)
        foldings.append(row)
        lanes = row.lanes_out
    return tuple(foldings)


def fold_tiles(table: Sequence[Unit], precision: Precision, cycles_per_frame: int,
               above: Mapping[str, int]) -> tuple[Folding, ...]:
    """As ``fold``, at a rate at which the first unit puts out tiles: units that take a pixel or
    more in every cycle have constant weights, slower ones are folded.

    Raises ValueError, with the rates that there are, where this is none of them.
    """
    least, rates = table[0].pixels_out, tile_rates(table[0].size_in)
    if cycles_per_frame not in rates:
        others = f", or one of {', '.join(map(str, rates))}" if rates else ""
        raise ValueError(
            f"{cycles_per_frame} cycles for a frame are fewer than the {least} pixels of the first "
            f"unit's output, which leave one a clock: give at least {least}{others}")
    foldings: list[Folding] = []
    creep: int | None = None
    shortcut, stage = None, None    # the creep of what comes to a stage, which an add adds to
    for unit in table:
        widths = precision.of(unit.name)
        if unit.pixels_out < cycles_per_frame:
            lanes = foldings[-1].lanes_out
            foldings.append(replace(fold_convolution(unit, widths, cycles_per_frame, lanes,
                                                     above.get(unit.name, 0)), loops=True)
                            if unit.facts.convolves
                            else Folding(unit, widths, 1, 1, lanes, lanes))
            continue
        # A stage whose 3x3 unit works on tiles has beats that say what is real in them.
        first = unit.stage != stage
        windowed = any(row.facts.windowed and row.pixels_out >= cycles_per_frame
                       for row in table if row.stage == unit.stage)
        flushes = first and windowed and creep is None
        if first:
            shortcut, stage = 0 if flushes else creep, unit.stage
        row = constant_folding(unit, widths, cycles_per_frame,
                               creep if unit.facts.convolves else shortcut, flushes)
        foldings.append(row)
        creep = row.creep_out
    return tuple(foldings)


def check_pairs(table: Sequence[Unit], precision: Precision, factor: int) -> None:
    """ValueError where no unit's widths have room for two products in one multiplier."""
    if not any(pairs_of(unit, precision.of(unit.name), 1, factor)
               for unit in table if unit.facts.shared):
        raise ValueError(
            f"no two products of these widths fit into a multiplier whose wider factor has "
            f"{factor} bits: give a wider one, narrower weights or activations, or no pairs")


def constant_folding(unit: Unit, precision: Precision, cycles_per_frame: int, creep: int | None,
                     flushes: bool) -> Folding:
    """The folding of a unit that takes a tile in every cycle.

    creep   -- of what comes; of an add, to its stage
    flushes -- the unit is the first of its stage and adds the beats that windows need to leave
    """
    inputs = unit.weight_shape[0] if unit.facts.convolves else 1
    tile_in, tile_out = (tile_side(size, cycles_per_frame) for size in (unit.size_in,
                                                                        unit.size_out))
    row = Folding(unit, precision, unit.channels_out, inputs, unit.channels_in, unit.channels_out,
                  tile_in, tile_out, constant=True, creep_in=creep, flushes=flushes)
    creep_out = 0 if flushes else creep
    if unit.facts.windowed or not unit.facts.convolves:
        creep_out = None if row.tiles.whole else row.tiles.creep_out
    return replace(row, creep_out=creep_out)


def word_lanes(unit: Unit, pe: int, simd: int) -> int:
    """Channels of an input word as a convolution takes it: of single pixels the inputs that it
    multiplies at once, of windows the channels that share one."""
    if not unit.facts.windowed:
        return simd
    return unit.channels_in if unit.facts.shared else pe


def fold_convolution(unit: Unit, precision: Precision, cycles_per_frame: int,
                     lanes_in: int, above: int = 0, factor: int | None = None) -> Folding:
    """The folding of one convolution that takes ``lanes_in`` channels a beat, of more than
    ``above`` products at once.

    factor -- as ``fold``'s
    """
    budget = cycles_per_frame // unit.pixels_out
    inputs, outputs = unit.weight_shape
    shared, tiles = unit.facts.shared, unit.facts.tiled and cycles_per_frame < unit.pixels_in
    pairs = bool(factor and shared and pairs_of(unit, precision, 1, factor))
    choices = []
    for pe in divisors(outputs):
        for simd in divisors(inputs):
            beats = outputs // pe       # words of PE channels that a depthwise unit takes a pixel
            if not shared and (
                    simd not in (1, 3, TAPS) or unit.pixels_in * beats > cycles_per_frame):
                continue
            if tiles and simd < inputs:     # whole windows, which come as they are completed
                continue
            if inputs // simd * beats <= budget and pe * simd > above:
                takes = word_lanes(unit, pe, simd)
                fits = takes % lanes_in == 0 or lanes_in % takes == 0
                needs = multipliers(pe, simd) if pairs else pe * simd
                choices.append((needs, not fits, ACCUMULATOR * pe + simd, pe, simd))
    if not choices:
        raise ValueError(
            f"{unit.name} has {budget} cycles for each of its {unit.pixels_out} pixels at "
            f"{cycles_per_frame} cycles a frame, and no folding is as quick: give more cycles")
    *_, pe, simd = min(choices)
    lanes_out = next(d for d in divisors(pe) if pe // d <= inputs // simd)
    return Folding(unit, precision, pe, simd, lanes_in, lanes_out, TILE if tiles else 1,
                   pairs=pairs_of(unit, precision, simd, factor)
                   if factor and pairs and pe > 1 else None)
