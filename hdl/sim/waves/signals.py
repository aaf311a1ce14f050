"""The signals of a wave: the streams of a run, cycle by cycle, with what their beats mean.

One unit of a wave's time is one cycle: what a signal shows at time k is what it is in cycle k, up
to the rising edge at which the beat of cycle k moves.  tvalid and tready are those of every cycle.
tdata, and what is read from it, change where a beat is offered and stay until the next is: what
is on the wires while tvalid is low is not recorded.
"""
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from hdl.layers import Unit
from hdl.plan.config import UnitConfig
from hdl.shape import StreamShape
from hdl.sim.trace import Handshake, Run, Trace

TOP = "mobilenet_v2"
MOST_ELEMENTS = 32      # of a beat that has signals of their own; wider ones show tdata alone
HEXADECIMAL, UNSIGNED, SIGNED = "hex", "dec", "signed"
# What beats hold for one Signal: its names; for each beat something that changes where it does, so
# that few digits need to be made; and its digits for some of the beats, which a mask chooses.
Decoded = tuple[Mapping[str, str], np.ndarray, Callable[[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class Signal:
    """One signal and its changes.

    scope  -- names of the instances around it, the top first
    names  -- {name: how viewers show it, as HEXADECIMAL, UNSIGNED or SIGNED}; most have one
    times  -- int64 (changes,), ascending cycles
    digits -- uint8 (changes, bits), 0 or 1, the highest bit first
    begins -- what it is before its first change: "0", or "x" where nothing is known
    """

    scope: tuple[str, ...]
    names: Mapping[str, str]
    times: np.ndarray
    digits: np.ndarray
    begins: str = "x"

    @property
    def bits(self) -> int:
        """Its width."""
        return self.digits.shape[1]

    def at(self, time: int) -> str:
        """Its digits from ``time`` on, until it changes."""
        done = np.searchsorted(self.times, time, side="right")
        return "".join(map(str, self.digits[done - 1])) if done else self.begins * self.bits

    def within(self, first: int, last: int) -> "Signal":
        """The same signal with its changes in the cycles from ``first`` to before ``last``."""
        inside = slice(*np.searchsorted(self.times, (first, last)))
        return replace(self, times=self.times[inside], digits=self.digits[inside])


@dataclass(frozen=True)
class Stream:
    """A stream of a network: where a wave shows it, and the map that its beats make up."""

    scope: tuple[str, ...]
    port: str
    shape: StreamShape
    size: int       # rows and columns of the map
    channels: int


def streams(configs: Sequence[UnitConfig]) -> dict[str, Stream]:
    """{name in a Run: Stream} of the input and of every unit's output."""
    first: Unit = configs[0].unit
    found = {"s_axis": Stream((TOP,), "s_axis", configs[0].stream_in(), first.size_in,
                              first.channels_in)}
    for config in configs:
        unit = config.unit
        found[unit.name] = Stream((TOP, unit.stage, unit.name), "m_axis", config.stream_out(),
                                  unit.size_out, unit.channels_out)
    return found


def signals_of(run: Run, shown: Mapping[str, Stream]) -> list[Signal]:
    """All signals of some streams of a Run."""
    return [signal for name, stream in shown.items()
            for signal in stream_signals(stream, run[name], run.handshakes[name])]


def stream_signals(stream: Stream, trace: Trace, handshake: Handshake) -> list[Signal]:
    """Signals of one stream: the handshake, the beat, its place in the map and its elements."""
    offers = handshake.offers[:len(trace)]      # what a beat that waits at the end holds is unknown
    valid = valid_turns(trace.cycles, handshake.offers)
    found = [Signal(stream.scope, {f"{stream.port}_{name}": HEXADECIMAL}, turns,
                    alternating(turns), "0")
             for name, turns in (("tvalid", valid), ("tready", handshake.turns))]
    found += [changes(stream, offers, *decoded) for decoded in (
        *payload_digits(stream.shape, trace.words), *place_digits(stream, trace))]
    return found


def valid_turns(cycles: np.ndarray, offers: np.ndarray) -> np.ndarray:
    """The cycles in which tvalid rises and falls, in turn, of beats offered and moved."""
    gone = cycles + 1
    after = np.append(offers[1:], -1)[:len(gone)]       # the next beat's offer
    rises = offers[np.append(True, offers[1:] != gone[:len(offers) - 1])[:len(offers)]]
    falls = gone[gone != after]
    return np.sort(np.concatenate([rises, falls]))


def alternating(turns: np.ndarray) -> np.ndarray:
    """Digits of a bit that was low and turns so often."""
    return (1 - np.arange(len(turns), dtype=np.uint8) % 2)[:, None]


def payload_digits(shape: StreamShape, words: np.ndarray) -> Iterator[Decoded]:
    """tdata, the marks, and each element where they are few: ``value`` where it is alone, else
    ``value_LANE``, of tiles ``value_ROW_COLUMN_LANE``."""
    number = SIGNED if shape.signed else UNSIGNED
    alone = shape.width == shape.bits       # one element is the whole of tdata
    yield ({"tdata": HEXADECIMAL, **({"value": number} if alone else {})}, words,
           lambda mask: unpacked(words[mask])[:, :shape.width][:, ::-1])
    fields = [({mark: HEXADECIMAL}, place, 1)
              for place, mark in enumerate(shape.marks, shape.width)]
    if shape.creep is not None:
        fields.append(({"own": HEXADECIMAL}, shape.width - 1, 1))
    if not alone and shape.elements <= MOST_ELEMENTS:
        fields += element_fields(shape, number)
    bits = unpacked(words if fields else words[:0])
    for names, first, width in fields:
        digits = bits[:, first:first + width][:, ::-1]
        yield names, digits, digits.__getitem__


def element_fields(shape: StreamShape, number: str) -> Iterator[tuple[dict[str, str], int, int]]:
    """(names, first bit, bits) of each element of a beat."""
    for element in range(shape.elements):
        pixel, lane = divmod(element, shape.lanes)
        names = [*(divmod(pixel, shape.tile) if shape.tile > 1 else ()), lane]
        yield {"_".join(map(str, ("value", *names))): number}, element * shape.bits, shape.bits


def place_digits(stream: Stream, trace: Trace) -> Iterator[Decoded]:
    """The frame, the row and column of the first pixel, and the first channel of each beat.

    Of tiles that creep, the place is that of the tile which the beat brings; the numbers in the
    beat lie a creep behind it, and the bit ``own`` says whether the beat brings one.
    """
    shape, beat = stream.shape, np.arange(len(trace))
    across = -(-stream.size // shape.tile)
    groups = stream.channels // shape.lanes
    if shape.creep is not None:
        beat = np.maximum(np.cumsum(trace.bit(shape.width - 1)) - 1, 0) * groups
    tile, group = np.divmod(beat, groups)
    frame, place = np.divmod(tile, across ** 2)
    for name, values, most in (("frame", frame, int(frame.max(initial=0))),
                               ("row", place // across * shape.tile, stream.size - 1),
                               ("column", place % across * shape.tile, stream.size - 1),
                               ("channel", group * shape.lanes, stream.channels - 1)):
        yield {name: UNSIGNED}, values, partial(binary, values, max(most.bit_length(), 1))


def binary(values: np.ndarray, width: int, mask: np.ndarray) -> np.ndarray:
    """Digits of some non-negative integers, uint8 (values, width), the highest bit first."""
    return (values[mask, None] >> np.arange(width)[::-1] & 1).astype(np.uint8)


def expected_signals(stream: Stream, words: np.ndarray, trace: Trace,
                     handshake: Handshake) -> list[Signal]:
    """What the beats of a stream should have held, ``words``, in the cycles of those that came, and
    a bit that says where the two differ."""
    common = min(len(words), len(trace))
    expected, offers = words[:common], handshake.offers[:common]
    differs = (expected != trace.words[:common]).any(axis=1, keepdims=True).astype(np.uint8)
    found = [changes(stream, offers, {"differs": HEXADECIMAL}, differs, differs.__getitem__)]
    for names, key, digits in payload_digits(stream.shape, expected):
        found.append(changes(
            stream, offers, {f"expected_{name}": shown for name, shown in names.items()}, key,
            digits))
    return found


def unpacked(words: np.ndarray) -> np.ndarray:
    """The bits of beats, uint8 (beats, bits), the lowest first."""
    return np.unpackbits(np.ascontiguousarray(words, "<u4").view(np.uint8), axis=1,
                         bitorder="little")


def changes(stream: Stream, offers: np.ndarray, names: Mapping[str, str], key: np.ndarray,
            digits: Callable[[np.ndarray], np.ndarray]) -> Signal:
    """The Signal of what each beat of a stream holds from its offer on; the rest as of Decoded."""
    changed = np.ones(len(key), bool)
    changed[1:] = (key[1:] != key[:-1]).any(axis=tuple(range(1, key.ndim)))
    return Signal(stream.scope, {f"{stream.port}_{name}": shown for name, shown in names.items()},
                  offers[changed], digits(changed))
