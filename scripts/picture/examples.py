"""The blocks that are drawn: one small example of each, with its parameters."""
from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from hdl.axis import AxiStream, Handshake
from hdl.blocks.constant_array import ArraySteps, constant_array
from hdl.blocks.fifo import Queue, fifo, link, replay
from hdl.blocks.frame_repair import FAULTS, VERDICT, VideoFrame, frame_repair
from hdl.blocks.line_buffer import Written, line_buffer, row_writer
from hdl.blocks.mac import mac, mac_array, mac_control
from hdl.blocks.mac_loops import loop_array, mac_loops
from hdl.blocks.mac_text import LoopWork
from hdl.blocks.paired_dot import paired_dot
from hdl.blocks.processing_element import (Fold, Steps, accumulators, processing_element,
                                           processing_pair)
from hdl.blocks.requantize import (Factors, Scaling, ScalingSteps, requantize, requantize_control,
                                   scaler)
from hdl.blocks.residual_add import residual_add
from hdl.blocks.serialise import register_chain, serialise
from hdl.blocks.signals import count, flag, sint, uint
from hdl.blocks.stream import fork, narrow, register_slice, widen, width_converter
from hdl.blocks.tile_add import tile_add
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.tile_move import tile_move
from hdl.blocks.tile_patch import Patch, tile_neighbours, tile_patch, tile_pieces
from hdl.blocks.tile_windows import tile_windows
from hdl.blocks.weight_rom import Fetch, weight_rom
from hdl.blocks.whole_bytes import to_bytes
from hdl.blocks.window_mux import Place
from hdl.blocks.window_walk import Walk, window_walk
from hdl.layers import PRECISIONS, layer_table
from hdl.plan.config import UnitConfig, by_stage, configure
from hdl.plan.geometry import WindowGeometry
from hdl.plan.network import plan_network
from hdl.plan.pairs import Pairs
from hdl.plan.rom import Constants, Rom
from hdl.plan.tiles import TileGeometry
from hdl.shape import StreamShape
from hdl.units.constant import (constant_convolve, constant_pointwise, constant_stem,
                                constant_windows)
from hdl.units.convolve import convolve
from hdl.units.depthwise import depthwise
from hdl.units.inverted_residual import inverted_residual, tile_shortcut
from hdl.units.mobilenet_v2 import inner_streams
from hdl.units.outside import outside
from hdl.units.pointwise import matrix, pointwise
from hdl.units.stem import stem
from hdl.units.video import VideoTop, video

RESOLUTION = 32     # of the network whose units are drawn, at one pixel per clock
POINTS = 4          # cycles for a frame of the one whose weights are constants
STAGE = "block_2"   # a stage with a shortcut


def stream(lanes: int, bits: int = 8, signed: bool = True, tile: int = 1,
           creep: int | None = None) -> AxiStream:
    """A stream of beats of ``lanes`` x ``bits``."""
    return AxiStream(StreamShape(lanes, bits, signed, tile, creep=creep))


def pair(lanes_in: int, lanes_out: int) -> dict[str, AxiStream]:
    """The ports of a block with one input and one output."""
    return {"s_axis": stream(lanes_in), "m_axis": stream(lanes_out)}


def rom(words: int, widths: tuple[int, ...]) -> Rom:
    """A ROM of so many words; what it holds does not show."""
    return Rom("rom", ((0,) * len(widths),) * words, widths)


def units(cycles: int) -> dict[str, UnitConfig]:
    """{unit: UnitConfig} of a whole network at a rate, whose integers do not show."""
    plan = plan_network(layer_table(1.0, RESOLUTION), PRECISIONS["w8a8"], cycles)
    configs = {}
    for planned in plan.units:
        shape, channels = planned.unit.weight_shape, planned.unit.channels_out
        params = SimpleNamespace(
            weights=np.ones(shape, np.int64), bias=np.zeros(channels, np.int64),
            multiplier=np.full(channels, 1 << 15), shift=np.full(channels, 20)) if shape else None
        configs[planned.unit.name] = configure(planned, params)
    return configs


def unit_ports(config: UnitConfig) -> dict[str, Any]:
    """The arguments of a unit's block."""
    return {"s_axis": AxiStream(config.stream_in()), "m_axis": AxiStream(config.stream_out()),
            "config": config}


def matrix_ports(config: UnitConfig) -> dict[str, Any]:
    """The arguments of what a pointwise unit has after its link, or of its back half."""
    ports = unit_ports(config)
    return {**ports, "s_axis": AxiStream(config.stream_in().with_lanes(config.folding.simd))}


def stage_ports(members: tuple[UnitConfig, ...]) -> dict[str, Any]:
    """The arguments of a stage's block."""
    return {"s_axis": AxiStream(members[0].stream_in()),
            "m_axis": AxiStream(members[-1].stream_out()), "configs": members,
            "inner": inner_streams(members)}


def numbers(lanes: int, bits: int) -> list:
    """A list of signed signals."""
    return [sint(bits) for _ in range(lanes)]


def mac_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """The MAC array and its parts: two PE of three products each, four beats and two groups."""
    fold = Fold(pe=2, simd=3, shared=True, beats=4, groups=2)
    shape = StreamShape(3, 8, signed=False)
    wide = Fold(pe=1, simd=18, shared=True, beats=4, groups=2)
    weights = Constants("weights", np.zeros(48, np.int64), 8)
    return {
        "mac": (mac, {"s_axis": AxiStream(shape), "m_axis": stream(1, 24),
                      "rom": rom(8, (8,) * 6), "fold": fold}),
        "mac_control": (mac_control, {
            "go": flag(), "s_axis": AxiStream(shape), "take": flag(), "fetch": Fetch(8),
            "steps": Steps(2, 4), "fold": fold}),
        "mac_array": (mac_array, {
            "steps": Steps(2, 4), "queue": Queue(2), "operand": uint(24), "shape": shape,
            "weight": numbers(6, 8), "total": numbers(2, 24), "fold": fold}),
        "processing_element": (processing_element, {
            "steps": Steps(2, 4), "queue": Queue(2), "x": numbers(18, 9), "weight": numbers(18, 8),
            "total": sint(24), "fold": wide}),
        "processing_pair": (processing_pair, {
            "steps": Steps(2, 4), "queue": Queue(2), "x": numbers(12, 9), "weight": numbers(24, 8),
            "total": numbers(2, 24), "fold": wide, "pairs": Pairs(19, 6)}),
        "paired_dot": (paired_dot, {
            "enable": flag(), "x": numbers(12, 9), "weight": numbers(24, 8),
            "total": numbers(2, 22), "pairs": Pairs(19, 6)}),
        "mac_loops": (mac_loops, {"s_axis": AxiStream(shape), "m_axis": stream(1, 24),
                                  "weights": weights, "fold": fold}),
        "loop_array": (loop_array, {
            "fetch": Fetch(8), "steps": Steps(2, 2), "queue": Queue(2), "operand": uint(24),
            "totals": uint(48), "work": LoopWork(weights, fold, shape, 24)}),
        "accumulators": (accumulators, {"steps": Steps(2, 4), "queue": Queue(2), "new": sint(24),
                                        "total": sint(24), "groups": 2}),
        "serialise": (serialise, {"total": numbers(4, 24), "done": Handshake(),
                                  "m_axis": stream(2, 24)}),
        "register_chain": (register_chain, {"total": [sint(24) for _ in range(4)],
                                            "done": Handshake(), "m_axis": stream(2, 24)}),
    }


def requantize_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """The requantizer of two lanes and its parts."""
    scaling = Scaling(biased_bits=25, shift_base=20, low=0, high=255)
    sums, activations = StreamShape(2, 24), StreamShape(2, 8, signed=False)
    return {
        "requantize": (requantize, {
            "s_axis": AxiStream(sums), "m_axis": AxiStream(activations),
            "rom": rom(4, (16, 16, 16, 16, 2, 2)), "scaling": scaling}),
        "requantize_control": (requantize_control, {
            "s_axis": AxiStream(sums), "m_axis": AxiStream(activations),
            "fetch": Fetch(4), "steps": ScalingSteps()}),
        "scaler": (scaler, {"steps": ScalingSteps(), "acc": sint(24),
                            "factors": Factors(16, 16, 2), "activation": uint(8),
                            "scaling": scaling}),
    }


def window_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """What makes windows: of frames of 6 x 6 pixels, whole windows at once."""
    geometry = WindowGeometry(size=6, groups=2, stride=1, pad=(1, 1), taps=9, interval=2)
    return {
        "line_buffer": (line_buffer, {"s_axis": stream(2), "m_axis": stream(18),
                                      "geometry": geometry}),
        "row_writer": (row_writer, {
            "s_axis": stream(2), "write": [flag() for _ in range(geometry.banks)],
            "written": Written(geometry), "geometry": geometry}),
        "window_walk": (window_walk, {
            "read": flag(), "walk": Walk(geometry), "place": Place(geometry),
            "read_address": [count(geometry.depth) for _ in range(geometry.banks)],
            "geometry": geometry}),
        "tile_windows": (tile_windows, {"s_axis": stream(3, 9, True, 2), "m_axis": stream(27, 9),
                                        "size": 6, "pad": (0, 1), "interval": 2}),
    }


def outside_blocks(members: tuple[UnitConfig, ...]) -> dict[str, tuple[Callable, dict[str, Any]]]:
    """What an exported stage has around it."""
    taken, given = members[0].stream_in(), members[-1].stream_out()
    marked, beats = AxiStream(given.whole_bytes("tlast")), 100
    return {
        "to_bytes": (to_bytes, {"s_axis": AxiStream(given), "m_axis": marked, "beats": beats}),
        "outside": (outside, {
            "s_axis": AxiStream(taken.whole_bytes()), "m_axis": marked, "shapes": (taken, given),
            "inside": inverted_residual, "arguments": (members, inner_streams(members)),
            "beats": beats})}


def video_blocks(members: tuple[UnitConfig, ...]) -> dict[str, tuple[Callable, dict[str, Any]]]:
    """Video around a stage that takes a photo."""
    shapes = members[0].stream_in(), members[-1].stream_out()
    frame = VideoFrame(RESOLUTION, RESOLUTION, RESOLUTION ** 2)
    top = VideoTop(stem, (members[0],), shapes, frame, 100, 2)
    errors = uint(len(FAULTS))
    return {
        "frame_repair": (frame_repair, {
            "s_axis": AxiStream(top.s_axis), "m_axis": AxiStream(top.bytes_in),
            "verdict": AxiStream(VERDICT), "frame_error": errors, "frame": frame}),
        "video": (video, {"s_axis": AxiStream(top.s_axis), "m_axis": AxiStream(top.m_axis),
                          "frame_error": errors, "top": top})}


def unit_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """Units of the real network, and one of its stages."""
    network = units(RESOLUTION ** 2)
    return {
        "convolve": (convolve, matrix_ports(network[f"{STAGE}_project"])),
        "pointwise": (pointwise, unit_ports(network[f"{STAGE}_expand"])),
        "matrix": (matrix, matrix_ports(network[f"{STAGE}_expand"])),
        "depthwise": (depthwise, unit_ports(network[f"{STAGE}_depthwise"])),
        "stem": (stem, unit_ports(network["Conv1"])),
        "inverted_residual": (inverted_residual, stage_ports(by_stage(network.values())[STAGE])),
        **outside_blocks(by_stage(network.values())[STAGE]),
        **video_blocks((network["Conv1"],)),
    }


def tile_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """What works on creeping tiles: of 4 x 4 pixels, of frames of 8 x 8."""
    geometry, waits = TileGeometry(8, 4, 1, 3), TileGeometry(8, 4, 1, 2)
    pixel = 16
    coming, waiting = stream(2, tile=4, creep=1), stream(2, tile=4, creep=2)
    patch = Patch(geometry.patch ** 2 * pixel)
    return {
        "tile_flush": (tile_flush, {"s_axis": stream(2, tile=4), "frame": 4, "tail": 3,
                                    "m_axis": stream(2, tile=4, creep=0)}),
        "tile_patch": (tile_patch, {"s_axis": coming, "patch": patch, "geometry": geometry}),
        "tile_neighbours": (tile_neighbours, {
            "step": flag(), "tile": uint(16 * pixel), "patch": uint(geometry.patch ** 2 * pixel),
            "pixel": pixel, "geometry": geometry}),
        "tile_pieces": (tile_pieces, {"step": flag(), "coming": flag(), "real": flag(),
                                      "patch": patch, "geometry": geometry}),
        "tile_move": (tile_move, {"s_axis": coming, "m_axis": waiting, "geometry": waits}),
        "tile_add": (tile_add, {"s_axis": waiting, "s_axis_shortcut": stream(2, tile=4, creep=2),
                                "m_axis": stream(2, tile=4, creep=2)}),
    }


def flushed_ports(config: UnitConfig) -> dict[str, Any]:
    """The arguments of a unit with constants in a stage."""
    return {**unit_ports(config), "s_axis": AxiStream(config.stream_flushed())}


def constant_blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """Units with constant weights, and their parts."""
    network = units(POINTS)
    expand, add = network[f"{STAGE}_expand"], network[f"{STAGE}_add"]
    patch = Patch(expand.work.patch_bits)
    return {
        "constant_array": (constant_array, {
            "steps": ArraySteps(), "patch": patch, "tile": uint(expand.work.shape_out.width),
            "work": expand.work}),
        "constant_convolve": (constant_convolve, {
            "patch": patch, "m_axis": AxiStream(expand.stream_out()), "config": expand}),
        "constant_pointwise": (constant_pointwise, flushed_ports(expand)),
        "constant_windows": (constant_windows, flushed_ports(network[f"{STAGE}_depthwise"])),
        "constant_stem": (constant_stem, unit_ports(network["Conv1"])),
        "tile_shortcut": (tile_shortcut, {"s_axis": AxiStream(expand.stream_flushed()),
                                          "m_axis": AxiStream(add.stream_out()), "config": add}),
    }


def blocks() -> dict[str, tuple[Callable, dict[str, Any]]]:
    """{name: (block, its arguments but for clk and rst)}, in the order of docs/blocks.md."""
    return {
        "register_slice": (register_slice, pair(4, 4)),
        "widen": (widen, pair(2, 6)),
        "narrow": (narrow, pair(6, 2)),
        "width_converter": (width_converter, pair(4, 6)),
        "fork": (fork, {"s_axis": stream(4), "m_axis_a": stream(4), "m_axis_b": stream(4)}),
        "fifo": (fifo, {**pair(4, 4), "depth": 16}),
        "link": (link, {**pair(4, 6), "depth": 16}),
        "replay": (replay, {**pair(4, 4), "words": 6, "passes": 3, "depth": 8}),
        "weight_rom": (weight_rom, {"enable": flag(), "address": count(6),
                                    "lanes": tuple(numbers(4, 8)), "rom": rom(6, (8,) * 4),
                                    "again": flag()}),
        **mac_blocks(),
        **requantize_blocks(),
        "residual_add": (residual_add, {"s_axis": stream(2, 12), "s_axis_shortcut": stream(2, 12),
                                        "m_axis": stream(2, 12)}),
        **window_blocks(),
        **tile_blocks(),
        **unit_blocks(),
        **constant_blocks(),
    }
