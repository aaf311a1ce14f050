"""The network between streams of video as a Design, and what has to leave it, beat by beat."""
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hdl.axis import AxiStream
from hdl.blocks.frame_repair import FAULTS
from hdl.blocks.signals import uint
from hdl.build import default_build_dir
from hdl.convert.network import convert_network
from hdl.convert.video import VideoOutside, video_top
from hdl.plan.config import UnitConfig, memory_files
from hdl.sim.design import Design
from hdl.sim.network import network_design
from hdl.units.video import video

CORE = "core"   # the instance of the network


def video_design(configs: Sequence[UnitConfig], outside: VideoOutside) -> Design:
    """Design of consecutive units with video around them: ports s_axis and m_axis, and monitors at
    the output of every unit but the last."""
    plain = network_design(configs)
    inner = {config.unit.name: plain.monitors[config.unit.name].stream for config in configs[:-1]}
    top = video_top(configs, inner, outside)
    ports = {"s_axis": AxiStream(top.s_axis), "m_axis": AxiStream(top.m_axis)}

    def function(clk, rst, s_axis, m_axis):
        return video(clk, rst, s_axis, m_axis, uint(len(FAULTS)), top)

    def hdl(directory, language):
        files = convert_network(configs, directory, default_build_dir("hdl"), language, outside)
        return files, Path(files[-1]).stem

    monitors = {name: replace(plain.monitors[name], path=".".join(filter(None, (
        CORE, plain.monitors[name].path)))) for name in inner}
    return Design(function, ports, monitors=monitors, memories=memory_files(configs), hdl=hdl)


@dataclass(frozen=True)
class Mended:
    """A frame that leaves the repair: which beat is at each place, -1 where it is black, and the
    faults that were found in it."""

    beats: tuple[int, ...]
    faults: frozenset[str]

    @property
    def damaged(self) -> bool:
        """Whether a fault was found in it."""
        return bool(self.faults)


def mended(marks: Sequence[tuple[bool, bool]], rows: int, columns: int,
           silences: Sequence[int] = ()) -> tuple[list[Mended], bool]:
    """(frames, whether something was outside them) of beats after which nothing comes.

    Read off the table of ``hdl/blocks/frame_repair.py``: cut at the starts of frames, then line by
    line; no clock, no state.

    marks    -- (first of a frame, last of a line) of each beat
    silences -- numbers of the beats before which nothing came for longer than patience lasts
    """
    starts = [beat for beat, (first, _) in enumerate(marks) if first]
    outside = bool(marks) and starts[:1] != [0]
    frames = []
    for start, end in zip(starts, [*starts[1:], len(marks)]):
        quiet = min((beat for beat in silences if start < beat <= end), default=None)
        rest = list(range(start, end if quiet is None else quiet))
        missing = "silence" if quiet is not None or end == len(marks) else "early_start"
        frame: list[int] = []
        found = set()
        for row in range(rows):
            line: list[int] = []
            last = False
            while rest and len(line) < columns and not last:
                line.append(rest.pop(0))
                last = marks[line[-1]][1]
            if len(line) == columns and not last:
                found.add("long_line")
                while row < rows - 1 and rest and not marks[rest.pop(0)][1]:
                    pass
            elif len(line) < columns:
                found.add("short_line" if last else missing)
            frame += line + [-1] * (columns - len(line))
        outside |= bool(rest) or (quiet is not None and quiet < end)
        frames.append(Mended(tuple(frame), frozenset(found)))
    return frames, outside


def frame_shape(configs: Sequence[UnitConfig]) -> tuple[int, int]:
    """Rows and columns of beats in a frame of the image."""
    row = math.ceil(configs[0].unit.size_in / configs[0].stream_in().tile)
    return row, row
