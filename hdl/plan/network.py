"""The finished plan of a network for a rate: every unit's folding and buffers, and the times."""
from dataclasses import dataclass, field, replace

import numpy as np

from hdl.layers import Precision, Unit
from hdl.plan.folding import Folding, fold
from hdl.plan.geometry import WindowGeometry
from hdl.plan.schedule import FRAMES, Buffers, TooSlow, schedule
from hdl.plan.tiles import LEAST_KEPT


@dataclass(frozen=True)
class UnitPlan:
    """One unit, folded and scheduled; memory figures in bits."""

    folding: Folding
    buffers: Buffers

    @property
    def unit(self) -> Unit:
        """The layer-table row."""
        return self.folding.unit

    @property
    def windows(self) -> WindowGeometry:
        """How the windows of a 3x3 unit of single pixels lie, and how many words have room."""
        return replace(self.folding.windows, words=self.buffers.line_words)

    @property
    def line_buffer_bits(self) -> int:
        """What a 3x3 unit keeps of its input: of pixels what the schedule found, of tiles two rows,
        or one of tiles, where it takes those that do not creep."""
        folding, unit = self.folding, self.unit
        if unit.kernel == 1:
            return 0
        if folding.constant:
            pixels = LEAST_KEPT * unit.size_in
        elif folding.tile_in > 1:
            pixels = unit.size_out * folding.tile_in ** 2
        else:
            windows = self.windows
            return windows.room * unit.channels_in // windows.groups * folding.bits_in
        return pixels * unit.channels_in * folding.bits_in

    @property
    def fifo_bits(self) -> int:
        """The shortcut that waits for a residual add."""
        if self.unit.weights:
            return 0
        folding = self.folding
        # Tiles move by a row and a column before they wait.
        kept = folding.unit.size_in + folding.tile_in if folding.constant else 0
        return (self._waiting + kept * folding.lanes_in) * folding.bits_in

    @property
    def buffer_bits(self) -> int:
        """What waits before a convolution and what it holds to go through it again, and its
        accumulators in memory."""
        if not self.unit.weights:
            return 0
        held = self.buffers.words_held * self.folding.simd
        return (self._waiting + held) * self.folding.bits_in + self.folding.accumulator_bits

    @property
    def _waiting(self) -> int:
        """Elements of the FIFO."""
        return self.buffers.fifo_depth * self.buffers.fifo_lanes


@dataclass(frozen=True, eq=False)
class Plan:
    """A network's hardware for a rate, and when its beats move."""

    table: tuple[Unit, ...]
    precision: Precision
    cycles_per_frame: int
    frames: int                     # that ``leave`` follows, back to back
    units: tuple[UnitPlan, ...]     # in order of data flow
    # {unit: cycles at which its output's beats move}; cycle 0 has the first input beat.
    leave: dict[str, np.ndarray] = field(repr=False)

    @property
    def latency(self) -> int:
        """Cycles from the first input beat to the first frame's last output beat, both included."""
        last = self.leave[self.table[-1].name]
        return int(last[len(last) // self.frames - 1]) + 1

    @property
    def multipliers(self) -> int:
        """Multipliers of all multiply-accumulate arrays."""
        return sum(planned.folding.multipliers for planned in self.units)

    @property
    def beats(self) -> int:
        """Output beats of all units in all frames."""
        return sum(map(len, self.leave.values()))


def plan_network(table: tuple[Unit, ...], precision: Precision, cycles_per_frame: int,
                 frames: int = FRAMES, factor: int | None = None) -> Plan:
    """The Plan of a layer table at one frame every ``cycles_per_frame`` cycles.

    frames -- how many frames, back to back, the times are given for; the buffers are deep enough
              for any number of them
    factor -- bits of the wider factor of multipliers that two outputs share, where two products
              fit; None: each product has a multiplier of its own

    Raises ValueError, with the unit and what it takes, where no folding meets the rate, and where
    no two products of the network's widths fit.
    """
    above: dict[str, int] = {}  # {unit: so many products at once that were too few}
    while True:
        foldings = fold(table, precision, cycles_per_frame, above, factor)
        try:
            buffers, leave = schedule(foldings, cycles_per_frame, frames)
            break
        except TooSlow as slow:
            if not slow.folding.products:    # an add
                raise
            above[slow.folding.unit.name] = slow.folding.products
    return Plan(tuple(table), precision, cycles_per_frame, frames,
                tuple(map(UnitPlan, foldings, buffers)), leave)
