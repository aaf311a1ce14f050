"""Timing diagrams of real simulations: what the streams of a block do, cycle by cycle.

A small process records the block's streams at every rising edge of a MyHDL simulation.  In a
diagram a column is a cycle, and its right end the edge at which a beat moves; beats that move are
filled.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from myhdl import SignalType, always

from hdl.axis import AxiStream
from hdl.beats import payload, unpack, words_of
from hdl.blocks.fifo import fifo
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.mac import mac
from hdl.blocks.processing_element import Fold
from hdl.blocks.residual_add import residual_add
from hdl.blocks.stream import register_slice, widen
from hdl.plan.geometry import WindowGeometry
from hdl.plan.rom import Rom
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Sink, Source
from scripts.picture.examples import stream

INK, PALE, MOVED, WAITING = "#1f2937", "#6b7280", "#bbf7d0", "#fef3c7"
LABEL, CELL, ROW, HIGH, MARGIN = 150, 44, 26, 14, 12


@dataclass(frozen=True)
class Example:
    """A simulation to draw.

    block, arguments -- as examples.blocks() has them, small enough to follow by eye
    inputs -- {input stream: (beats, lanes) of integers}
    beats  -- beats that leave on m_axis
    cycles -- that are drawn
    idle   -- {input stream: cycles in which its source offers nothing new}
    busy   -- cycles in which the sink is not ready
    says   -- what to see in it
    """

    block: Callable
    arguments: dict[str, Any]
    inputs: dict[str, Any]
    beats: int
    cycles: int
    says: str
    idle: dict[str, tuple[int, ...]] = field(default_factory=dict)
    busy: tuple[int, ...] = ()


def examples() -> dict[str, Example]:
    """{name: Example} of every diagram in docs/timing."""
    numbers = np.arange(1, 17)[:, None]
    return {
        "register_slice": Example(
            register_slice, {"s_axis": stream(1), "m_axis": stream(1)}, {"s_axis": numbers[:7]},
            7, 12, "a sink that stalls for three cycles: the slice takes one beat more, then holds "
            "two, and tready falls a cycle later", busy=(3, 4, 5)),
        "widen": Example(
            widen, {"s_axis": stream(1), "m_axis": stream(3)}, {"s_axis": numbers[:9]}, 3, 14,
            "three beats become one, the first one lowest, here written first; none comes in while "
            "one waits to leave", busy=(6, 7)),
        "fifo": Example(
            fifo, {"s_axis": stream(1), "m_axis": stream(1), "depth": 2},
            {"s_axis": numbers[:7]}, 7, 14,
            "latency 2; of depth 2 it holds three beats, with the output register's",
            busy=(2, 3, 4, 5, 6)),
        "residual_add": Example(
            residual_add, {"s_axis": stream(1), "s_axis_shortcut": stream(1), "m_axis": stream(1)},
            {"s_axis": numbers[:5], "s_axis_shortcut": 10 * numbers[:5]}, 5, 12,
            "a beat moves on both inputs at once, when both are there",
            idle={"s_axis": (2, 3), "s_axis_shortcut": (6,)}, busy=(8,)),
        "line_buffer": Example(
            line_buffer, {"s_axis": stream(1), "m_axis": stream(3), "geometry": WindowGeometry(
                size=4, groups=1, stride=1, pad=(1, 1), taps=3)},
            {"s_axis": numbers}, 48, 22,
            "a frame of 4 × 4 pixels, three taps a beat: a column of the window from top to "
            "bottom. The first window's newest pixel is the sixth; zeros are the border"),
        "mac": Example(
            mac, {"s_axis": stream(2, 8, False), "m_axis": stream(1, 12),
                  "rom": Rom("rom", ((1, 1, 1, -1), (1, 0, 0, 1), (2, 1, 1, 0)), (4,) * 4),
                  "fold": Fold(pe=2, simd=2, shared=True, beats=3)},
            {"s_axis": np.arange(1, 19).reshape(9, 2)}, 6, 15,
            "two outputs of six products each, two a cycle: PE 2, SIMD 2, three input beats for "
            "an output; the results leave through one lane, the lowest PE first"),
    }


def record(example: Example) -> dict[str, list[tuple[int, int, tuple[int, ...]]]]:
    """{stream: (tvalid, tready, elements of tdata) in each cycle} of the simulation."""
    streams = {name: value for name, value in example.arguments.items()
               if isinstance(value, AxiStream)}
    seen: dict[str, list[tuple[int, int, int]]] = {name: [] for name in streams}

    def watched(clk: SignalType, rst: SignalType, **arguments: Any) -> tuple[Any, Any]:
        inside = example.block(clk, rst, **arguments)

        @always(clk.posedge)
        def watch() -> None:
            if not rst:
                for name, axis in streams.items():
                    seen[name].append((int(axis.tvalid), int(axis.tready), int(axis.tdata)))

        return inside, watch

    ends: dict[str, Source | Sink] = {
        name: Source(payload(streams[name].shape, values),
                     pauses(example.idle.get(name, ()), example.cycles))
        for name, values in example.inputs.items()}
    ends["m_axis"] = Sink(example.beats, pauses(example.busy, 4 * example.cycles))
    simulate("myhdl", Design(watched, example.arguments), ends, timeout=100,
             drain=example.cycles)
    return {name: [(valid, ready, elements(streams[name], data))
                   for valid, ready, data in rows[:example.cycles]] for name, rows in seen.items()}


def pauses(cycles: tuple[int, ...], length: int) -> np.ndarray | None:
    """The pause pattern of an end that pauses in ``cycles``."""
    return np.isin(np.arange(4 * length), cycles) if cycles else None


def elements(axis: AxiStream, data: int) -> tuple[int, ...]:
    """The elements of a beat's tdata, lane 0 first."""
    shape = axis.shape
    words = np.frombuffer(data.to_bytes(4 * words_of(shape.width), "little"), "<u4")
    return tuple(unpack(words, shape.elements, shape.bits, shape.signed)[0].tolist())


def draw(name: str, example: Example) -> str:
    """The diagram as the text of an SVG file."""
    recorded = record(example)
    width = LABEL + CELL * example.cycles + 2 * MARGIN
    caption = wrapped(f"{name}: {example.says}.", width // 6)
    height = 2 * MARGIN + ROW * (1 + 3 * len(recorded)) + 8 * len(recorded) + 16 * len(caption)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
             f"<title>{name}, recorded from a simulation</title>",
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for line, words in enumerate(caption):
        parts.append(text(MARGIN, MARGIN + 12 + 16 * line, words, 12, "start"))
    y = MARGIN + 16 * len(caption) + 8
    parts += ruler(example.cycles, y, height - MARGIN)
    y += ROW
    for port, cycles in recorded.items():
        parts += stream_rows(port, cycles, y)
        y += 3 * ROW + 8
    return "\n".join(parts) + "\n</svg>\n"


def wrapped(words: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def text(x: float, y: float, words: str, size: int = 11, anchor: str = "middle",
         colour: str = INK) -> str:
    """A line of text."""
    return (f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" '
            f'text-anchor="{anchor}">{words}</text>')


def ruler(cycles: int, y: int, bottom: int) -> list[str]:
    """The number of each cycle, and a line where it ends."""
    left = MARGIN + LABEL
    parts = [text(left - 10, y + 12, "cycle", 11, "end", PALE)]
    for cycle in range(cycles):
        x = left + CELL * cycle
        parts.append(text(x + CELL / 2, y + 12, str(cycle), 11, colour=PALE))
        parts.append(f'<path d="M{x + CELL} {y} V{bottom}" stroke="#d1d5db" '
                     f'stroke-dasharray="2 3"/>')
    return parts


def stream_rows(name: str, cycles: list[tuple[int, int, tuple[int, ...]]], y: int) -> list[str]:
    """tvalid, tready and tdata of one stream."""
    left = MARGIN + LABEL
    parts = []
    for member, levels in (("tvalid", [valid for valid, _, _ in cycles]),
                           ("tready", [ready for _, ready, _ in cycles])):
        parts.append(text(left - 10, y + HIGH, f"{name}_{member}", 11, "end"))
        parts.append(wave(levels, y))
        y += ROW
    parts.append(text(left - 10, y + HIGH, f"{name}_tdata", 11, "end"))
    for cycle, (valid, ready, values) in enumerate(cycles):
        x = left + CELL * cycle
        if valid:
            fill = MOVED if ready else WAITING
            parts.append(f'<rect x="{x + 1}" y="{y}" width="{CELL - 2}" height="{HIGH + 6}" '
                         f'rx="3" fill="{fill}" stroke="{INK}"/>')
            words = " ".join(map(str, values))
            parts.append(text(x + CELL / 2, y + HIGH, words, 11 if len(words) < 6 else 9))
    return parts


def wave(levels: list[int], y: int) -> str:
    """A line that is high where the level is 1."""
    x, bottom = MARGIN + LABEL, y + HIGH + 3
    height = {0: bottom, 1: y + 2}
    path = f"M{x} {height[levels[0]]}"
    for before, level in zip([levels[0], *levels], levels):
        if level != before:
            path += f" V{height[level]}"
        x += CELL
        path += f" H{x}"
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.5"/>'
