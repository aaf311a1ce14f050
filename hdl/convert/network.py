"""The HDL of the network or of some of its stages, converted once and kept."""
import functools
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import myhdl

from hdl.axis import AxiStream
from hdl.blocks.signals import uint
from hdl.build import built_once
from hdl.convert.block import convert_block
from hdl.convert.video import FAULTS, VideoOutside, video_top
from hdl.myhdl_fixes.elaborate import clock_and_reset, collector_paused, fresh_elaboration
from hdl.plan.config import UnitConfig, by_stage
from hdl.units.mobilenet_v2 import inner_streams, network_block
from hdl.units.outside import outside
from hdl.units.video import video

TOP = "mobilenet_v2"
ENDING = "_axis"        # of the name of a top with streams of whole bytes
VIDEO_ENDING = "_video"     # of one with streams of video
Around = bool | VideoOutside     # what is around a network
HDL = Path(__file__).resolve().parents[1]
ORDER = "order.txt"     # of a cached folder: its files, a module after those that it needs


def convert_network(configs: Sequence[UnitConfig], directory: str | Path, cache: str | Path,
                    hdl: str = "Verilog", around: Around = False) -> list[Path]:
    """Write the HDL of the network, or of the one stage that ``configs`` make up, into
    ``directory``; returns its files, a module after those that it has instances of, the top last.

    around -- True: with streams of whole bytes around it, the top's name with ENDING behind it;
              a VideoOutside: with streams of video, and VIDEO_ENDING

    What ``cache``, a directory, has of the same structure and source is copied.
    """
    kept = cached(configs, cache, hdl, around)

    def fill(work: Path) -> None:
        files = convert_stages(configs, work, hdl, around)
        Path(work, ORDER).write_text("".join(f"{file.name}\n" for file in files))

    built_once(kept, fill)
    files = [Path(directory, name) for name in Path(kept, ORDER).read_text().split()]
    for file in files:
        shutil.copy(kept / file.name, file)
    return files


def convert_stages(configs: Sequence[UnitConfig], directory: str | Path, hdl: str = "Verilog",
                   around: Around = False) -> list[Path]:
    """Convert the network or a stage; arguments and result as ``convert_network``'s."""
    grouped, inner, name = by_stage(configs), inner_streams(configs), top_name(configs)
    function, arguments = network_block(configs, inner)
    with fresh_elaboration(), collector_paused():
        if isinstance(around, VideoOutside):
            design = video_top(configs, inner, around)
            top = video(*clock_and_reset(), AxiStream(design.s_axis), AxiStream(design.m_axis),
                        uint(len(FAULTS)), design)
            core = top.subs[2]      # after what repairs frames and what makes numbers of bytes
        elif around:
            shapes, last = (configs[0].stream_in(), configs[-1].stream_out()), configs[-1].unit
            top = outside(*clock_and_reset(), AxiStream(shapes[0].whole_bytes()),
                          AxiStream(shapes[1].whole_bytes("tlast")), shapes, function, arguments,
                          last.pixels_out * last.channels_out // shapes[1].elements)
            core = top.subs[1]      # between what cuts bytes off and what fills them up
        else:
            top = core = function(*clock_and_reset(), AxiStream(configs[0].stream_in()),
                                  AxiStream(configs[-1].stream_out()), *arguments)
        named = {id(core): name}
        if len(grouped) > 1:
            named |= {id(stage): each for stage, each in zip(core.subs, grouped)}
        return convert_block(top, directory, outer_name(configs, around), hdl, named)


def top_name(configs: Sequence[UnitConfig]) -> str:
    """The name of the network's module or of a stage's."""
    stages = list(by_stage(configs))
    return TOP if len(stages) > 1 else stages[0]


def outer_name(configs: Sequence[UnitConfig], around: Around) -> str:
    """The name of the top with what is around it."""
    if isinstance(around, VideoOutside):
        return top_name(configs) + VIDEO_ENDING
    return top_name(configs) + (ENDING if around else "")


def cached(configs: Sequence[UnitConfig], cache: str | Path, hdl: str = "Verilog",
           around: Around = False) -> Path:
    """The folder of converted HDL: its name is a digest of all that determines it."""
    sha256 = hashlib.sha256(source())
    for config in configs:
        sha256.update(repr(config.structure()).encode())
    if isinstance(around, VideoOutside):
        sha256.update(repr(around).encode())
    name = outer_name(configs, around)
    return Path(cache, f"{name}-{hdl}-{sha256.hexdigest()[:24]}")


@functools.lru_cache
def source() -> bytes:
    """MyHDL's version and this package's source."""
    texts = [file.read_bytes() for file in sorted(HDL.rglob("*.py"))]
    return b"\n".join([myhdl.__version__.encode(), *texts])
