"""What each unit takes of a device, without any tool: counted in the elaborated hardware itself.

Multipliers and memories are counted one by one, with their widths and depths; registers by their
bits; LUTs are estimated from these.
"""
from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from hdl.build import built_once, default_build_dir, digest
from hdl.layers import Precision, Unit
from hdl.plan.budget import folded_cost
from hdl.plan.config import UnitConfig, UnitIntegers, by_stage
from hdl.plan.memory import in_blocks
from scripts.fit.families import Family, Resources

if TYPE_CHECKING:
    from myhdl import SignalType
    from myhdl._instance import _Instantiator

    from hdl.myhdl_fixes.elaborate import Block

BLOCK_WORDS = 16384     # of one bit, in a block of block RAM
SPREAD = 4      # channels of a unit have shifts of so many values, as an average network's


@dataclass
class Parts:
    """What a unit is made of, in any family."""

    products: Counter[tuple[int, int]] = field(default_factory=Counter)     # bits of the factors
    memories: Counter[tuple[int, int, bool]] = field(default_factory=Counter)  # depth, width, RAM
    registers: int = 0      # bits, those of memories apart

    @property
    def memory_bits(self) -> int:
        """Bits that the memories hold, in block RAM or in LUTs."""
        return sum(depth * width * number for (depth, width, _), number in self.memories.items())

    def of(self, family: Family) -> Resources:
        """What they take of a family's devices."""
        found = Resources(ff=self.registers)
        for (depth, width, written), number in self.memories.items():
            one = family.memory(depth, width, written)
            found += Resources(block_ram=one.block_ram * number, lut=one.lut * number)
        bits = sum((a + b) * number for (a, b), number in self.products.items())
        logic = family.logic
        return found + Resources(
            dsp=sum(family.multipliers(*widths) * number
                    for widths, number in self.products.items()),
            lut=round(logic.register * self.registers + logic.product * bits + logic.unit))


def typical(unit: Unit, precision: Precision) -> UnitIntegers:
    """Integers of a convolution that make it as wide as those of a trained network do, without
    one: weights spread evenly, biases and shifts over some bits."""
    limit, channels = precision.of(unit.name).weight_limit, unit.channels_out
    inputs = unit.weight_shape[0]
    weights = np.broadcast_to(np.linspace(-limit, limit, inputs).round().astype(np.int64)[:, None],
                              unit.weight_shape)
    reach = int(np.abs(weights[:, 0]).sum()) * max(map(abs, precision.limits(unit.activation_in)))
    even = np.arange(channels) % SPREAD
    out = precision.bits(unit.activation)
    return SimpleNamespace(
        weights=weights, bias=(even - 1) * (reach >> SPREAD - 1),
        multiplier=np.full(channels, (1 << precision.multiplier_bits) - 1),
        shift=even + max(1, reach.bit_length() + precision.multiplier_bits - out - SPREAD))


def parts_of(configs: Sequence[UnitConfig]) -> dict[str, Parts]:
    """{unit: its Parts} of a network, of which the elaborated hardware of a stage is kept."""
    found: dict[str, Parts] = {}
    for stage, members in by_stage(configs).items():
        found |= kept(stage, members)
    return found


def kept(stage: str, members: Sequence[UnitConfig]) -> dict[str, Parts]:
    """{unit: its Parts} of a stage, counted once and kept by what determines them."""
    from hdl.convert.network import source
    target = default_build_dir("fit") / digest(
        "parts", source(), Path(__file__).read_bytes(), *(each.structure() for each in members))

    def fill(folder: Path) -> None:
        """Write the Parts as JSON."""
        (folder / "parts.json").write_text(json.dumps({name: [
            list(each.products.items()), list(each.memories.items()), each.registers]
            for name, each in elaborated(members).items()}))

    built_once(target, fill)
    text = json.loads((target / "parts.json").read_text())
    return {name: Parts(Counter({tuple(key): number for key, number in products}),
                        Counter({tuple(key): number for key, number in memories}), registers)
            for name, (products, memories, registers) in text.items()}


def elaborated(members: Sequence[UnitConfig]) -> dict[str, Parts]:
    """{unit: its Parts} of a stage."""
    if any(config.folding.constant or config.folding.loops for config in members):
        return {config.name: planned(config) for config in members}
    from hdl.axis import AxiStream
    from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
    from hdl.units.mobilenet_v2 import inner_streams, stage_block
    inner = inner_streams(members)
    function, arguments = stage_block(members, inner)
    found = {config.name: Parts() for config in members}
    with fresh_elaboration():
        ends = AxiStream(members[0].stream_in()), AxiStream(members[-1].stream_out())
        stage: Any = function(*clock_and_reset(), *ends, *arguments)
    if len(members) == 1:
        count(stage, found[members[0].name])
    for sub in stage.subs if len(members) > 1 else ():
        # What is in a stage beside its convolutions is of its add.
        config = sub.args[-1] if isinstance(sub.args[-1], UnitConfig) else members[-1]
        count(sub, found[config.name])
    return found


def planned(config: UnitConfig) -> Parts:
    """The Parts of a unit that works on tiles, or behind such: from its folding alone, since no
    device takes it and its hardware takes long to elaborate."""
    folding, widths, bits = config.folding, config.folding.precision, folded_cost(config.plan).bits
    memories = sum(map(memory_of, bits.values()), Counter())
    if not config.unit.weights:
        return Parts(memories=memories)
    products = Counter({(folding.bits_in + 1, widths.weight_bits): folding.multipliers})
    products[config.biased_bits, widths.multiplier_bits + 1] += folding.requantizers
    return Parts(products, memories,
                 folding.requantizers * (config.accumulator_bits + config.biased_bits))


def memory_of(bits: int) -> Counter[tuple[int, int, bool]]:
    """Memory of so many bits in words as narrow as blocks have them."""
    return Counter({(BLOCK_WORDS, 1, True): -(-bits // BLOCK_WORDS)}) if bits else Counter()


def count(block: Block | _Instantiator, parts: Parts) -> None:
    """Add what an elaborated block and all inside it take."""
    from hdl.myhdl_fixes.elaborate import Block
    from hdl.myhdl_fixes.structure import clocked, signals_in
    if not isinstance(block, Block):
        if clocked(block):
            driven = {id(signal): len(signal) for name in block.outputs
                      for signal in signals_in(block.symdict[name])}
            parts.registers += sum(driven.values())
        return
    given = inspect.signature(block.func).bind(*block.args, **block.kwargs).arguments
    name = block.func.__name__
    memory = {"ram": lambda: (given["depth"], len(given["write_data"]), True),
              "weight_rom": lambda: (len(given["rom"].rows), given["rom"].width, False)}.get(name)
    if memory:
        depth, width, written = memory()
        parts.memories[depth, width, written] += 1
        # Of a word that is read, where no block of block RAM has it, and of a ROM once more.
        parts.registers += width * ((not in_blocks(depth, width, written)) + (not written))
        return
    if name in ("join", "part"):    # wires
        return
    if name.startswith("dot_"):
        parts.products.update((signed_bits(x), signed_bits(weight))
                              for x, weight in zip(given["x"], given["weight"]))
    if name == "accumulators":
        parts.memories[given["groups"], len(given["total"]), True] += 2
        parts.registers += 2 * len(given["total"])
        return
    if name == "scaler":
        parts.products[given["scaling"].biased_bits, len(given["factors"].multiplier) + 1] += 1
    for sub in block.subs:
        count(sub, parts)


def signed_bits(signal: SignalType) -> int:
    """Bits of a signal as a signed number."""
    return len(signal) + (signal.min >= 0)
