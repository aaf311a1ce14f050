"""The network, or its first stages, with streams of video around it: what its top is made of."""
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdl.axis import AxiStream
from hdl.blocks.frame_repair import FAULTS, LATENCY, RGB, VideoFrame
from hdl.plan.config import UnitConfig
from hdl.units.mobilenet_v2 import network_block
from hdl.units.video import UG934, VideoTop

__all__ = ["FAULTS", "LATENCY", "RGB", "VideoOutside", "check_video", "video_top"]


@dataclass(frozen=True)
class VideoOutside:
    """Streams of video around a network; the network itself says the rest.

    patience   -- cycles that a source may bring nothing inside a frame
    frames     -- frames that can have come in whole before the first of them has left, 1 or more
    components -- the order of a pixel's bytes, the lowest first
    """

    patience: int
    frames: int
    components: str = UG934


def video_top(configs: Sequence[UnitConfig], inner: Mapping[str, AxiStream],
              outside: VideoOutside) -> VideoTop:
    """The VideoTop of consecutive units, the first of which takes the image.

    inner -- {unit: AxiStream}, the output of every unit but the last

    Raises ValueError where the first unit takes something else than the image.
    """
    check_video(configs)
    first, last = configs[0], configs[-1]
    function, arguments = network_block(configs, inner)
    taken, given = first.stream_in(), last.stream_out()
    row = math.ceil(first.unit.size_in / taken.tile)
    return VideoTop(function, arguments, (taken, given),
                    VideoFrame(row, row, outside.patience),
                    last.unit.pixels_out * last.unit.channels_out // given.elements,
                    outside.frames, outside.components)


def check_video(configs: Sequence[UnitConfig]) -> None:
    """ValueError where the first of some units takes something else than the image, or where their
    output is in tiles that creep, which a network's never is."""
    first = configs[0].unit
    if first.activation_in != "input" or configs[-1].stream_out().creep is not None:
        raise ValueError(f"video goes around what takes the image and gives whole frames, and "
                         f"{configs[-1].unit.stage} does not: give the chain")
