"""What a rate costs: multipliers, weight words and on-chip bits, from the layer table.

Two accounts.  The origin's counts the weight uses behind one of the 49 points of the final 7x7
map (``origin_lines``).  The ladder's (``rung``) gives every unit ``cycles_per_frame`` cycles for
its frame, first ideally, as if multiply-accumulates could be divided at will, then as the folding
solver really divides them.
"""
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypedDict

from hdl.layers import Precision, Unit
from hdl.plan.network import UnitPlan, plan_network
from hdl.plan.schedule import BRANCH

FINEST_STEP = 5      # the ladder begins at 4^5 input pixels per clock, one 7x7 point at 224 ...
COARSEST_STEP = 3    # ... and ends at 64 cycles for a pixel


@dataclass(frozen=True)
class Cost:
    """What one unit takes at a rate; bits are of on-chip memory."""

    unit: Unit
    multipliers: int
    weight_words: int        # the unit's weights times their copies
    weight_bits: int
    line_buffer_bits: int
    fifo_bits: int           # residual shortcut
    buffer_bits: int         # pixels held between units and inside them
    pe: int = 0              # 0 where the folding is ideal
    simd: int = 0
    steps: int = 0           # cycles for an output pixel
    requantizers: int = 0

    @property
    def bits(self) -> dict[str, int]:
        """On-chip memory by kind, in bits."""
        return {"weights": self.weight_bits, "line_buffers": self.line_buffer_bits,
                "residual_fifos": self.fifo_bits, "pixel_buffers": self.buffer_bits}


class Totals(TypedDict):
    """What some units take together; ``bits`` {kind of memory: bits}."""

    multipliers: int
    requantizers: int
    bits: dict[str, int]


def totals(costs: Sequence[Cost]) -> Totals:
    """The sums of some units' costs."""
    return {"multipliers": sum(cost.multipliers for cost in costs),
            "requantizers": sum(cost.requantizers for cost in costs),
            "bits": {kind: sum(cost.bits[kind] for cost in costs) for kind in costs[0].bits}}


@dataclass(frozen=True)
class Rung:
    """One rate of the ladder: the cost of every unit, folded, or ideal with the reason why."""

    cycles_per_frame: int
    macs: int
    costs: tuple[Cost, ...]
    least_bits: int          # the lower bound of all on-chip memory
    refusal: str = ""
    latency: int = 0         # cycles from the first pixel to the last feature, if folded

    @property
    def folded(self) -> bool:
        """Whether the costs are the folding solver's; they are ideal otherwise."""
        return not self.refusal

    @property
    def ideal_multipliers(self) -> float:
        """Multipliers if every one worked in every cycle; not a whole number in general."""
        return self.macs / self.cycles_per_frame

    @property
    def multipliers(self) -> int:
        """Multipliers of all units."""
        return totals(self.costs)["multipliers"]

    @property
    def requantizers(self) -> int:
        """Requantizers of all units, each with one multiplier more; 0 where ideal."""
        return totals(self.costs)["requantizers"]

    @property
    def weight_words(self) -> int:
        """Weight words held on chip, copies included."""
        return sum(cost.weight_words for cost in self.costs)

    @property
    def bits(self) -> dict[str, int]:
        """On-chip memory by kind, in bits."""
        return totals(self.costs)["bits"]

    @property
    def memory(self) -> float:
        """All on-chip memory, in lower bounds."""
        return sum(self.bits.values()) / self.least_bits


def ideal_cost(unit: Unit, precision: Precision, cycles_per_frame: int) -> Cost:
    """A unit's cost if its multiply-accumulates could be divided at will: a lower bound.

    Multipliers are rounded up.  A weight used at several points in one cycle is held as often, once
    beside each multiplier.  A 3x3 window holds two rows of its input; a shortcut waits for one row
    and one pixel of it.
    """
    copies = max(1, ceil(unit.pixels_out / cycles_per_frame))
    pixel_bits = unit.channels_in * precision.bits(unit.activation_in)
    waits = 0 if unit.facts.convolves else unit.size_in + 1
    return Cost(
        unit, ceil(unit.macs / cycles_per_frame), unit.weights * copies,
        weight_bits=unit.weights * copies * precision.of(unit.name).weight_bits,
        line_buffer_bits=(unit.kernel - 1) * unit.size_in * pixel_bits,
        fifo_bits=waits * pixel_bits, buffer_bits=0)


def folded_cost(plan: UnitPlan) -> Cost:
    """The cost of a UnitPlan: each weight is held once, constants once beside each multiplier."""
    folding = plan.folding
    return Cost(
        plan.unit, folding.multipliers, plan.unit.weights * folding.tile_out ** 2,
        weight_bits=folding.weight_bits, line_buffer_bits=plan.line_buffer_bits,
        fifo_bits=plan.fifo_bits, buffer_bits=plan.buffer_bits, pe=folding.pe,
        simd=folding.simd, steps=folding.steps, requantizers=folding.requantizers)


def bound(plan: UnitPlan, ideal: Cost) -> Cost:
    """The lower bound of a unit as it is planned: of one with constants no memory holds weights,
    and where tiles wait for a residual add, there wait those too that pass while its stage's other
    branch works on one.
    """
    if not plan.folding.constant:
        return ideal
    waits = 0 if plan.unit.facts.convolves else BRANCH * plan.folding.tile_in ** 2
    return replace(ideal, weight_bits=0, fifo_bits=ideal.fifo_bits
                   + waits * plan.unit.channels_in * plan.folding.bits_in)


def rung(table: tuple[Unit, ...], precision: Precision, cycles_per_frame: int) -> Rung:
    """The cost of the whole table at one rate, ideal where the solver refuses to fold it."""
    macs = sum(unit.macs for unit in table)
    ideal = tuple(ideal_cost(unit, precision, cycles_per_frame) for unit in table)
    try:
        plan = plan_network(table, precision, cycles_per_frame)
    except ValueError as refusal:
        least = sum(sum(cost.bits.values()) for cost in ideal)
        return Rung(cycles_per_frame, macs, ideal, least, str(refusal))
    least = sum(sum(bound(*unit).bits.values()) for unit in zip(plan.units, ideal))
    return Rung(cycles_per_frame, macs, tuple(map(folded_cost, plan.units)), least,
                latency=plan.latency)


def ladder_rates(resolution: int) -> tuple[int, ...]:
    """Cycles per frame of the ladder's rungs, fastest first, in steps of four.

    From 4^5 input pixels per clock, or as many as divide the frame, to 64 cycles for a pixel.
    """
    pixels = resolution ** 2
    rates = [pixels // 4 ** step for step in range(FINEST_STEP, 0, -1) if pixels % 4 ** step == 0]
    return tuple(rates + [pixels * 4 ** step for step in range(COARSEST_STEP + 1)])
