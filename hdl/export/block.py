"""What a user takes home of a block: its figures, ports and golden vectors."""
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hdl.beats import crept, hex_lines, payload, tiled
from hdl.build import digest
from hdl.convert.network import ENDING, VIDEO_ENDING, top_name
from hdl.convert.video import FAULTS, LATENCY, VideoOutside, check_video
from hdl.export.film import Film, film_of
from hdl.export.names import prefixed
from hdl.plan.budget import Totals, folded_cost, totals
from hdl.plan.config import UnitConfig, by_stage, memory_files
from hdl.plan.network import Plan
from hdl.shape import MARKS, StreamShape

CLOCK_AND_RESET = (("clk", "in", 1, "clock; everything happens at its rising edge"),
                   ("rst", "in", 1, "reset, synchronous, active high"))
VALID = "a beat is offered; it stays until it is taken"
READY = "a beat that is offered is taken in this cycle"
COLORS = {"r": "red", "g": "green", "b": "blue"}
LONGEST = 64    # characters of widths by unit in a name, which becomes a folder's; else a digest


@dataclass(frozen=True)
class Timing:
    """Cycles of a block in the chain, whose input comes at the rate it is made for."""

    interval: int   # from frame to frame
    first: int      # from the first input beat to the first output beat, both included
    last: int       # ... to the frame's last output beat


@dataclass(frozen=True)
class Block:
    """Consecutive units, one stage or the whole chain, ready to be exported."""

    configs: tuple[UnitConfig, ...]
    timing: Timing
    stimulus: np.ndarray    # (rows, columns, channels), the integers of its input
    golden: np.ndarray      # ... and of its output
    network: str            # what it is a part of, as ``network_name`` says
    prefix: str = ""        # of all its names that a design has once; "" for none
    film: Film | None = None    # where its streams are video

    @property
    def whole(self) -> bool:
        """Whether it is the chain."""
        return len(by_stage(self.configs)) > 1

    @property
    def name(self) -> str:
        """The stage, or the chain's top; with video around it, with VIDEO_ENDING."""
        return top_name(self.configs) + (VIDEO_ENDING if self.film else "")

    @property
    def full_name(self) -> str:
        """The name behind the prefix: of the module or entity, and of the folder."""
        return prefixed(self.prefix, self.name)

    @property
    def top(self) -> str:
        """The module or entity to instantiate: the block with streams of whole bytes, or of video,
        around it."""
        return self.full_name + ("" if self.film else ENDING)

    @property
    def inner_streams(self) -> tuple[StreamShape, StreamShape]:
        """StreamShape of what the block itself takes and gives, as narrow as its numbers."""
        return self.configs[0].stream_in(), self.configs[-1].stream_out()

    @property
    def streams(self) -> tuple[StreamShape, StreamShape]:
        """StreamShape of the top's s_axis and m_axis: whole bytes."""
        taken, given = self.inner_streams
        if self.film:
            return taken.video(*MARKS), given.whole_bytes(*MARKS)
        return taken.whole_bytes(), given.whole_bytes("tlast")

    def vectors(self) -> dict[str, str]:
        """{file name: text} of a frame's beats in and its tiles out, hexadecimal, a line each.

        Where tiles creep, beats without one follow the frame's, until all has left, and tuser is
        above tdata.  The tiles out do not creep.  Of video they are the Film's.
        """
        return {f"{self.full_name}_{kind}.mem": text for kind, (text, _) in self.words().items()}

    def words(self) -> dict[str, tuple[str, int]]:
        """{"stimulus" and "golden": (text of the beats, bits of a line)}."""
        source, sink = self.streams
        if self.film:
            return {"stimulus": self.film.words(source), "golden": self.film.results(sink)}
        tiles, tuser = tiled(self.stimulus[None], source.tile), {}
        inner = self.inner_streams[0]
        if inner.creep is not None:
            tiles, own = crept(tiles, inner, self.configs[0].unit.size_in // inner.tile)
            tuser = {"tuser": own}
        return {"stimulus": (hex_lines(payload(source, tiles, **tuser), source.payload_width),
                             source.payload_width),
                "golden": (hex_lines(payload(sink, tiled(self.golden[None], sink.tile)),
                                     sink.width), sink.width)}

    def memories(self) -> dict[str, str]:
        """{file name: text} of what its ROMs hold."""
        return {prefixed(self.prefix, file): text
                for file, text in memory_files(self.configs).items()}

    def constants(self) -> dict[str, int]:
        """{name: value} of what a design around the block needs to know."""
        first, last = self.configs[0].unit, self.configs[-1].unit
        values: dict[str, int] = {}
        for side, stream, inner, size, channels in zip(
                ("S_AXIS", "M_AXIS"), self.streams, self.inner_streams,
                (first.size_in, last.size_out), (first.channels_in, last.channels_out)):
            row = math.ceil(size / stream.tile)
            values |= {f"{side}_BITS": stream.width, f"{side}_LANES": stream.lanes,
                       f"{side}_ELEMENT_BITS": stream.bits,
                       f"{side}_NUMBER_BITS": min(stream.bits, inner.bits),
                       f"{side}_TILE": stream.tile, f"{side}_CREEP": inner.creep or 0,
                       f"{side}_ROW": row,
                       f"{side}_BEATS": row ** 2 * channels // stream.lanes}
        for side, (text, bits) in zip(("S_AXIS", "M_AXIS"), self.words().values()):
            values |= {f"{side}_WORD_BITS": bits, f"{side}_WORDS": text.count("\n")}
        if self.film:
            patience = self.film.outside.patience
            values |= {"PATIENCE": patience, "FRAME_ERROR_BITS": len(FAULTS),
                       "FRAME_ERRORS": self.film.found,
                       # After so long whatever waits has been taken, and its silence noticed.
                       "PAUSE_CYCLES": 2 * patience + 4 * self.timing.interval}
        return values | {
            "SIZE_IN": first.size_in, "CHANNELS_IN": first.channels_in, "SIZE_OUT": last.size_out,
            "CHANNELS_OUT": last.channels_out, "CYCLES_PER_FRAME": self.timing.interval,
            "FIRST_OUTPUT_CYCLES": self.timing.first, "LAST_OUTPUT_CYCLES": self.timing.last}

    def costs(self) -> Totals:
        """What the block takes, as ``unit_costs``."""
        return unit_costs(self.configs)

    def ports(self) -> list[tuple[str, str, int, str]]:
        """(name, direction, bits, meaning) of every port."""
        if self.film:
            return video_ports(self)
        found = list(CLOCK_AND_RESET)
        activations = self.configs[0].unit.activation_in, self.configs[-1].unit.activation
        for side, stream, inner, activation, (there, back) in zip(
                ("s_axis", "m_axis"), self.streams, self.inner_streams, activations,
                (("in", "out"), ("out", "in"))):
            found += [(f"{side}_tdata", there, stream.width, beat(stream, inner, activation)),
                      (f"{side}_tvalid", there, 1, VALID), (f"{side}_tready", back, 1, READY)]
            if inner.creep is not None:
                found.append((f"{side}_tuser", there, 1, "this beat brings a tile of its own"))
        return [*found, ("m_axis_tlast", "out", 1, "this beat is the last of a frame")]


def video_ports(block: Block) -> list[tuple[str, str, int, str]]:
    """As ``Block.ports``, of one with video around it."""
    (source, sink), (_, inner) = block.streams, block.inner_streams
    pixels = f"{source.tile} x {source.tile} pixels, the first lowest, of " \
        if source.tile > 1 else ""
    colors = ", ".join(COLORS[one] for one in block.film.outside.components) if block.film else ""
    faults = ", ".join(f"{bit} {name.replace('_', ' ')}" for bit, name in enumerate(FAULTS))
    return [
        *CLOCK_AND_RESET,
        ("s_axis_tdata", "in", source.width, f"{pixels}a byte each of {colors}, the first lowest"),
        ("s_axis_tvalid", "in", 1, VALID), ("s_axis_tready", "out", 1, READY),
        ("s_axis_tlast", "in", 1, "this beat is the last of a line"),
        ("s_axis_tuser", "in", 1, "this beat is the first of a frame"),
        ("m_axis_tdata", "out", sink.width, beat(sink, inner, block.configs[-1].unit.activation)),
        ("m_axis_tvalid", "out", 1, VALID), ("m_axis_tready", "in", 1, READY),
        ("m_axis_tlast", "out", 1, "this beat is the last of a frame"),
        ("m_axis_tuser", "out", 1, "with tlast: the frame is damaged"),
        ("frame_error", "out", len(FAULTS),
         f"which faults have been found since reset: bit {faults}")]


def with_video(block: Block, photo: np.ndarray, patience: int,
               outputs: Callable[[np.ndarray], np.ndarray]) -> Block:
    """A Block that takes the image, with streams of video around it.

    photo    -- uint8 (R, R, 3), whose integers are the block's stimulus
    patience -- cycles that a source may bring nothing inside a frame
    outputs  -- outputs(photo) gives the block's integers (rows, columns, channels) of any photo

    Raises ValueError for a block that takes something else.
    """
    source, timing = block.inner_streams[0], block.timing
    outside = VideoOutside(patience, math.ceil(timing.last / timing.interval) + 1)
    check_video(block.configs)
    film = film_of(photo, math.ceil(len(photo) / source.tile), source.tile, outside, outputs)
    later = Timing(timing.interval, timing.first + LATENCY, timing.last + LATENCY)
    return replace(block, film=film, timing=later)


def unit_costs(configs: Sequence[UnitConfig]) -> Totals:
    """The budget's totals of some units, with the bits of their ``scales`` (biases, multipliers and
    shifts) besides."""
    found = totals([folded_cost(config.plan) for config in configs])
    found["bits"]["scales"] = sum(config.scales.bits for config in configs if config.scales)
    return found


def beat(stream: StreamShape, inner: StreamShape, activation: str) -> str:
    """What a beat of a stream holds, in words.

    inner -- the same elements, as narrow as their numbers
    """
    kind = {"input": "input q = 2p - 255 of a byte p, signed", "relu6": "ReLU6 output, unsigned",
            "linear": "linear output, signed"}[activation]
    tile = f"{stream.tile} x {stream.tile} pixels, the first lowest, of " if stream.tile > 1 else ""
    if inner.creep:
        tile = tile.replace(",", f" that creep by {inner.creep},", 1)
    lanes = "one channel" if stream.lanes == 1 else f"{stream.lanes} channels, the first lowest,"
    above = "" if stream.bits == inner.bits else \
        f", {inner.bits} bits and {'its sign' if inner.signed else 'zeros'} above"
    return f"{tile}{lanes} of {stream.bits} bits: {kind}{above}; pixels in raster order"


def network_name(alpha: float, plan: Plan) -> str:
    """What tells a network from others: alpha, resolution, precision and cycles for a frame."""
    name = plan.precision.name.lower()
    if len(name) > LONGEST:
        name = f"{name.partition(',')[0]}_{digest(name)}"
    widths = re.sub(r"[^a-z0-9]+", "_", name)
    return f"alpha{alpha}-{plan.table[0].size_in}-{widths}-{plan.cycles_per_frame}"


def blocks(configs: Sequence[UnitConfig], plan: Plan, integers: Mapping[str, np.ndarray],
           alpha: float, prefix: str = "") -> dict[str, Block]:
    """{name: Block} of every stage in order, and last of the whole chain.

    configs  -- UnitConfig of every unit of the plan
    plan     -- Plan of the network
    integers -- {"input" and every unit: (rows, columns, channels)}
    alpha    -- the network's width multiplier
    prefix   -- of all names that a design has once
    """
    grouped = by_stage(configs)
    stimulus, start, found = integers["input"], 0, []

    def block(members, stimulus, start):
        last = members[-1]
        golden, left = integers[last.unit.name], plan.leave[last.unit.name]
        folding = last.folding
        beats = golden.size // folding.lanes_out // folding.tile_out ** 2
        times = (int(left[at]) - start + 1 for at in (0, beats - 1))
        return Block(members, Timing(plan.cycles_per_frame, *times), stimulus, golden,
                     network_name(alpha, plan), prefix)

    for members in grouped.values():
        found.append(block(members, stimulus, start))
        stimulus, start = found[-1].golden, int(plan.leave[members[-1].unit.name][0])
    found.append(block(tuple(configs), integers["input"], 0))
    return {each.name: each for each in found}
