"""Configuration of each unit: its table row, folding and stored integers made ready for blocks.

The weights and scales of a unit and the widths that depend on them are computed here, outside the
hardware description; blocks derive the widths inside them from these.
"""
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hdl.layers import Unit
from hdl.plan.adders import AdderGraph
from hdl.plan.arrays import ArrayWork
from hdl.plan.folding import Folding
from hdl.plan.geometry import TAPS
from hdl.plan.network import UnitPlan
from hdl.plan.pairs import borrowed
from hdl.plan.rom import Constants, Rom, signed_width
from hdl.plan.schedule import Buffers
from hdl.shape import StreamShape

SCALES = ("biases", "multipliers", "shifts")


class UnitIntegers(Protocol):
    """The integers of a convolution, as a golden has them."""

    @property
    def weights(self) -> np.ndarray:
        """The unit's weight_shape."""

    @property
    def bias(self) -> np.ndarray:
        """Of each output channel, as ``multiplier`` and ``shift``."""

    @property
    def multiplier(self) -> np.ndarray:
        """What requantizes, in [2**15, 2**16)."""

    @property
    def shift(self) -> np.ndarray:
        """Bits that leave to the right after it."""


@dataclass(frozen=True)
class UnitConfig:
    """What the blocks of one convolution need to know."""

    plan: UnitPlan
    # None of an add, and where ``constants`` hold them; of pairs as ``borrowed`` has them
    weights: Rom | None
    scales: Rom | None   # a row: lanes_out biases, as many multipliers, as many shifts
    accumulator_bits: int
    biased_bits: int     # accumulator plus bias
    shift_base: int      # the least shift; the ROM holds what comes on top
    # Weights output by output, biases, multipliers, shifts above the least; of an array in loops,
    # weights as it reads them; () where ROMs hold all
    constants: tuple[Constants, ...] = ()
    graph: AdderGraph | None = None     # what takes the place of products with the constant weights

    @property
    def folding(self) -> Folding:
        """What works at once."""
        return self.plan.folding

    @property
    def buffers(self) -> Buffers:
        """How deep its memories are."""
        return self.plan.buffers

    @property
    def unit(self) -> Unit:
        """The layer-table row."""
        return self.plan.unit

    @property
    def name(self) -> str:
        """The unit's name."""
        return self.unit.name

    @property
    def beats(self) -> int:
        """Input beats of the MAC array for one beat of results."""
        return self.unit.weight_shape[0] // self.folding.simd

    @property
    def products(self) -> int:
        """Products that its MAC array makes at once, by the weights that it has at hand: those of
        a row of the ROM, or all constants for each pixel of a tile."""
        if self.weights:
            return len(self.weights.widths)
        if self.folding.constant and self.constants:
            return len(self.work.weights.values) * self.work.places
        return self.folding.products    # of an array in loops; none of an add

    @property
    def work(self) -> ArrayWork:
        """What the constant array of a unit with constants computes."""
        folding, unit = self.folding, self.unit
        weights, biases, multipliers, shifts = self.constants
        return ArrayWork(
            unit.name, weights, biases, multipliers, shifts, self.shift_base,
            self.accumulator_bits, self.biased_bits, folding.tiles, unit.facts.shared,
            replace(self.stream_in(), tile=1, creep=None), replace(self.stream_out(), creep=None),
            folding.precision.limits(unit.activation))

    def structure(self) -> tuple[object, ...]:
        """All that the unit's HDL depends on: everything but the content of its ROMs."""
        roms = tuple((rom.name, len(rom.rows), rom.widths)
                     for rom in (self.weights, self.scales) if rom)
        arrays = tuple((array.name, len(array.values), array.bits) for array in self.constants)
        return (self.plan, roms, arrays, self.accumulator_bits, self.biased_bits, self.shift_base,
                self.graph)

    def stream_in(self) -> StreamShape:
        """What a beat of the input holds."""
        folding = self.folding
        return self._stream(folding.lanes_in, self.unit.activation_in, folding.tile_in,
                            folding.creep_in)

    def stream_flushed(self) -> StreamShape:
        """The same with the beats that push what is left of a frame out, where there are such."""
        shape = self.stream_in()
        return replace(shape, creep=0) if self.folding.flushes else shape

    def stream_out(self) -> StreamShape:
        """What a beat of the output holds."""
        folding = self.folding
        return self._stream(folding.lanes_out, self.unit.activation, folding.tile_out,
                            folding.creep_out)

    def _stream(self, lanes: int, activation: str, tile: int, creep: int | None) -> StreamShape:
        precision = self.folding.precision
        return StreamShape(lanes, precision.bits(activation), precision.signed(activation), tile,
                           creep=creep)


def configure(plan: UnitPlan, params: UnitIntegers | None = None) -> UnitConfig:
    """The configuration of one unit, of its UnitPlan.

    params -- its integers; None for an add, which has none

    Raises ValueError where another unit has none.
    """
    folding, unit, precision = plan.folding, plan.unit, plan.folding.precision
    if not unit.weights:
        return UnitConfig(plan, None, None, 0, 0, 0)
    if params is None:
        raise ValueError(f"unit {unit.name} has weights: give its integers")
    low, high = precision.limits(unit.activation_in)
    weights = np.asarray(params.weights, np.int64)
    reach = np.abs(weights).sum(axis=0) * max(-low, high)
    bias, multiplier, shift = (np.asarray(v, np.int64)
                               for v in (params.bias, params.multiplier, params.shift))
    biased = int((reach + np.abs(bias)).max())
    shift_base = int(shift.min())
    lanes = folding.lanes_out
    scales = dict(zip(SCALES, (bias, multiplier, shift - shift_base)))
    widths = dict(zip(SCALES, (signed_width(bias.min(), bias.max()), precision.multiplier_bits,
                               max(int(shift.max() - shift_base).bit_length(), 1))))
    sizes = (signed_width(-int(reach.max()), int(reach.max())), signed_width(-biased, biased),
             shift_base)
    name, weight_bits = f"{unit.name}_weights", precision.weight_bits
    if folding.constant:
        return UnitConfig(plan, None, None, *sizes, (
            Constants(name, weights.T.ravel(), weight_bits),
            *(Constants(f"{unit.name}_{scale}", scales[scale], widths[scale], scale == SCALES[0])
              for scale in SCALES)))
    scale_rows = np.hstack([values.reshape(-1, lanes) for values in scales.values()])
    scale_rom = Rom(f"{unit.name}_scales", rows(scale_rows),
                    tuple(bits for bits in widths.values() for _ in range(lanes)))
    ordered = weight_rows(folding, weights)
    if folding.pairs:
        ordered = borrowed(ordered, folding.pe, precision.weight_limit)
    if folding.loops:
        return UnitConfig(plan, None, scale_rom, *sizes,
                          (Constants(name, ordered.ravel(), weight_bits),))
    return UnitConfig(plan, Rom(name, rows(ordered), (weight_bits,) * folding.products),
                      scale_rom, *sizes)


def weight_rows(folding: Folding, weights: np.ndarray) -> np.ndarray:
    """Weights as the MAC array reads them: (rows, pe x simd), SIMD minor.

    A matrix unit goes through all inputs for each group of PE outputs, or through all groups for
    each input beat where it keeps accumulators for them.  A depthwise unit goes
    through its taps for each group of PE channels, columns before rows unless all nine are taken
    at once.
    """
    pe, simd, unit = folding.pe, folding.simd, folding.unit
    inputs, outputs = weights.shape
    if not unit.facts.shared and simd < TAPS:
        weights = weights.reshape(3, 3, outputs).transpose(1, 0, 2).reshape(inputs, outputs)
    # (beat, simd, group, pe) to (group, beat, pe, simd) or (beat, group, pe, simd)
    order = (0, 2, 3, 1) if folding.groups > 1 else (2, 0, 3, 1)
    return (weights.reshape(inputs // simd, simd, outputs // pe, pe)
            .transpose(order).reshape(-1, pe * simd))


def rows(array: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """A two-dimensional array as a tuple of tuples of ints."""
    return tuple(map(tuple, array.tolist()))


def configure_network(plans: Iterable[UnitPlan],
                      params: Mapping[str, UnitIntegers]) -> tuple[UnitConfig, ...]:
    """UnitConfig of each of some UnitPlans; ``params`` {unit: its integers}."""
    return tuple(configure(plan, params.get(plan.unit.name)) for plan in plans)


def by_stage(configs: Iterable[UnitConfig]) -> dict[str, tuple[UnitConfig, ...]]:
    """{stage: (UnitConfig, ...)} in order."""
    grouped: dict[str, list[UnitConfig]] = {}
    for config in configs:
        grouped.setdefault(config.unit.stage, []).append(config)
    return {stage: tuple(members) for stage, members in grouped.items()}


def memory_files(configs: Iterable[UnitConfig]) -> dict[str, str]:
    """{file name: text} of the network's or stage's ``.mem`` files; what an adder graph computes is
    in none."""
    return {f"{rom.name}.mem": rom.mem() for config in configs if not config.graph
            for rom in (config.weights, config.scales, *config.constants) if rom}
