"""Folding: how many outputs (PE) and inputs (SIMD) of each unit work at once, for a given rate.

One number sets the speed of a design: cycles_per_frame, N.  A unit with P output pixels has N / P
cycles for each; it gets the fewest multipliers that meet that.  PE and SIMD are FINN's words
(Blott et al., "FINN-R", 2018).
"""
from dataclasses import dataclass
from math import ceil

from hdl.layers import Precision, Unit
from hdl.line_buffer import KERNEL, TAPS
from hdl.tile_windows import TILE


# Where windows pause, pixels find their row memory still read: at a stride of 2, two of this row,
# three of the next, and those on their way meanwhile.
WAITING_PIXELS = 8
# A branch's latency: pixels that its units hold, and the cycles of their pipelines.
BRANCH_PIXELS, BRANCH_CYCLES = 6, 48
ACCUMULATOR = 5     # registers of an output's sums and its way out, in those of an operand
WORDS_AHEAD = 2     # input words that wait while one is held for all groups of outputs


@dataclass(frozen=True)
class Folding:
    """One unit's folding; memory figures in bits."""

    unit: Unit
    precision: Precision
    pe: int         # output channels at once
    simd: int       # inputs at once; of a depthwise unit, taps
    lanes_in: int   # channels of an input beat
    lanes_out: int  # channels of an output beat, and requantizers of a convolution
    fifo_depth: int = 0  # beats that wait for an add's other branch, or for a line buffer
    tile_in: int = 1     # pixels a side of an input beat

    @property
    def multipliers(self):
        """Multipliers of the multiply-accumulate array."""
        return self.pe * self.simd if self.unit.weights else 0

    @property
    def requantizers(self):
        """Requantizers, each with a multiplier of its own."""
        return self.lanes_out if self.unit.weights else 0

    @property
    def groups(self):
        """Groups of PE outputs that a pointwise unit computes for each input beat: all, where
        there are fewer outputs than inputs to keep; 1 where it takes them one after the other."""
        unit = self.unit
        inputs_first = unit.kind == "pointwise" and unit.channels_out < unit.channels_in
        return unit.channels_out // self.pe if inputs_first else 1

    @property
    def passes(self):
        """How often a matrix unit goes through its input: once for each group of PE outputs, or
        once in all."""
        if self.unit.kind not in ("pointwise", "stem"):
            return 1
        return self.unit.channels_out // self.pe // self.groups

    @property
    def steps(self):
        """Cycles for an output pixel."""
        unit = self.unit
        serial = unit.channels_out // self.lanes_out
        return max(unit.weights // self.multipliers, serial) if unit.weights else serial

    @property
    def weight_bits(self):
        """The weights, each once."""
        return self.unit.weights * self.precision.weight_bits

    @property
    def line_buffer_bits(self):
        """Three rows of a 3x3 unit's input and, around a stride of 2, the pixels that wait; one row
        of tiles where it takes those."""
        unit = self.unit
        if unit.kernel == 1:
            return 0
        if self.tile_in > 1:
            return unit.size_out * self.tile_in ** 2 * unit.channels_in \
                * self.precision.bits(unit.activation_in)
        pixels = KERNEL * unit.size_in + (WAITING_PIXELS + 1 if self.fifo_depth else 0)
        return pixels * unit.channels_in * self.precision.bits(unit.activation_in)

    @property
    def fifo_bits(self):
        """The shortcut of a residual add."""
        if self.unit.weights:
            return 0
        return self.fifo_depth * self.lanes_in * self.precision.linear_bits

    @property
    def buffer_bits(self):
        """What a matrix unit keeps: two pixels, or windows, where it goes through them more than
        once; waiting input and two accumulators an output, at their widest, where it takes every
        input once."""
        inputs, bits_in = self.unit.weight_shape[0] if self.unit.weights else 0, \
            self.precision.bits(self.unit.activation_in)
        if self.passes > 1:
            return 2 * inputs * bits_in
        if self.groups > 1:
            accumulator = self.precision.weight_bits + bits_in + (inputs - 1).bit_length()
            return WORDS_AHEAD * self.simd * bits_in + 2 * self.unit.channels_out * accumulator
        return 0


def divisors(number):
    """All divisors of ``number``, ascending."""
    return [d for d in range(1, number + 1) if number % d == 0]


def fold(table, precision, cycles_per_frame):
    """The foldings of every unit of ``table`` with the fewest multipliers that meet the rate.

    Raises ValueError, with the unit and the least cycles, where no folding does.
    """
    least = table[0].pixels_out
    if cycles_per_frame < least:
        raise ValueError(
            f"{cycles_per_frame} cycles for a frame are fewer than the {least} pixels of the first "
            f"unit's output, which leave one a clock: give at least {least}")
    foldings, lanes = [], table[0].channels_in
    for unit in table:
        if unit.kind == "residual_add":
            row = Folding(unit, precision, 1, 1, lanes, lanes,
                          shortcut_depth(unit, lanes, cycles_per_frame))
        else:
            row = fold_convolution(unit, precision, cycles_per_frame, lanes)
        foldings.append(row)
        lanes = row.lanes_out
    return tuple(foldings)


def fold_convolution(unit, precision, cycles_per_frame, lanes_in):
    """The folding of one convolution that takes ``lanes_in`` channels a beat."""
    budget = cycles_per_frame // unit.pixels_out
    if pauses(unit):
        budget -= ceil(budget / 8)  # to catch up
    inputs, outputs = unit.weight_shape
    choices = []
    for pe in divisors(outputs):
        for simd in divisors(inputs):
            beats = outputs // pe       # words of PE channels that a depthwise unit takes a pixel
            if unit.kind == "depthwise" and (
                    simd not in (1, 3, TAPS) or unit.pixels_in * beats > cycles_per_frame):
                continue
            if inputs // simd * beats <= budget:
                arrives = pe if unit.kind == "depthwise" else simd
                fits = unit.kind == "stem" or arrives % lanes_in == 0 or lanes_in % arrives == 0
                choices.append((pe * simd, not fits, ACCUMULATOR * pe + simd, pe, simd))
    if not choices:
        raise ValueError(
            f"{unit.name} has {budget} cycles for each of its {unit.pixels_out} pixels at "
            f"{cycles_per_frame} cycles a frame, and no folding is as quick: give more cycles")
    *_, pe, simd = min(choices)
    lanes_out = next(d for d in divisors(pe) if outputs // d <= budget)
    if unit.kind == "stem" and cycles_per_frame < unit.pixels_in:
        return Folding(unit, precision, pe, simd, lanes_in, lanes_out, tile_in=TILE)
    waiting = WAITING_PIXELS * (unit.channels_in // (lanes_in if unit.kind == "stem" else pe))
    return Folding(unit, precision, pe, simd, lanes_in, lanes_out,
                   waiting if unit.stride == 2 or pauses(unit) else 0)


def pauses(unit):
    """Whether a depthwise unit's windows pause while the line buffer takes pixels that had to wait
    for its memory: between the rows of a stride of 2, and between frames of so few pixels that the
    next one's second row comes while the last windows are read."""
    return unit.kind == "depthwise" and (unit.stride == 2 or unit.size_in < KERNEL)


def shortcut_depth(unit, lanes, cycles_per_frame):
    """Beats that a residual add's shortcut must hold while the other branch works.

    The depthwise window takes a row and two pixels before its first output, the branch's three
    convolutions some pixels more, and BRANCH_CYCLES whatever the pixels take.
    """
    pixel = cycles_per_frame // unit.pixels_in
    pixels = unit.size_in + BRANCH_PIXELS + ceil(BRANCH_CYCLES / pixel)
    return pixels * ceil(unit.channels_in / lanes)
