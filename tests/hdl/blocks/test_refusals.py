"""What blocks refuse: tiles they do not take, shapes that differ, marks that would be lost."""
import inspect
import pkgutil
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import hdl.blocks
from hdl.blocks.fifo import fifo, link, ram, replay
from hdl.blocks.frame_repair import VideoFrame, frame_repair, mark_frames, pixels_of_bytes
from hdl.blocks.lanes import pack, unpack
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.mac import mac
from hdl.blocks.mac_loops import mac_loops
from hdl.blocks.processing_element import Fold
from hdl.blocks.requantize import Scaling, requantize
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import count, flag, sint, uint
from hdl.blocks.stream import connect, fork, narrow, register_slice, widen, width_converter
from hdl.blocks.tile_add import tile_add
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.tile_move import tile_move
from hdl.blocks.tile_patch import Patch, tile_patch
from hdl.blocks.tile_windows import tile_windows
from hdl.blocks.weight_rom import weight_rom
from hdl.blocks.whole_bytes import from_bytes, to_bytes
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.plan.geometry import WindowGeometry
from hdl.plan.rom import Constants, Rom
from hdl.plan.tiles import TileGeometry
from hdl.shape import MARKS
from tests.support.streams import stream

ROM = Rom("rom", ((0,) * 6,) * 4, (4,) * 6)


def ends(lanes_in=2, lanes_out=2, bits=8, **shape):
    """One stream in and one out."""
    return {"s_axis": stream(lanes_in, bits, **shape), "m_axis": stream(lanes_out, bits, **shape)}


def three(**shape):
    return {name: stream(2, 8, **shape) for name in ("s_axis", "s_axis_shortcut", "m_axis")}


def forked(**shape):
    return {name: stream(2, 8, **shape) for name in ("s_axis", "m_axis_a", "m_axis_b")}


# Block and the rest of its arguments, with ports that it takes.
TAKES = {
    connect: (ends, {}), register_slice: (ends, {}), width_converter: (ends, {}),
    fifo: (ends, {"depth": 2}), link: (ends, {"depth": 2}),
    replay: (ends, {"words": 2, "passes": 2, "depth": 2}),
    fork: (forked, {}), residual_add: (three, {}), tile_add: (three, {})}
BUFFER = {"geometry": WindowGeometry(size=4, groups=1, stride=1, pad=(1, 1), taps=1)}
SCALES = {"rom": ROM, "scaling": Scaling(biased_bits=9, shift_base=2, low=0, high=9)}
FOLD = Fold(pe=3, simd=2, shared=True, beats=4)
SUMS = {"rom": ROM, "fold": FOLD}
IN_LOOPS = {"weights": Constants("weights", np.zeros(24, int), 4), "fold": FOLD}
# Block: ports and arguments that it takes but for their tile.
REFUSES = {
    widen: (ends(1, 2, tile=2), {}), narrow: (ends(2, 1, tile=2), {}),
    requantize: (ends(tile=2), SCALES), mac: (ends(2, 3, tile=2), SUMS),
    mac_loops: (ends(2, 3, tile=2), IN_LOOPS),
    line_buffer: (ends(tile=2), BUFFER)}


def elaborate(block, ports, arguments):
    with fresh_elaboration():
        clk, rst = clock_and_reset()
        named = {"clk": clk, "rst": rst, **ports, **arguments}
        return block(**{name: named[name] for name in inspect.signature(block.func).parameters
                        if name in named})


def refused(sentence, block, ports, arguments):
    with pytest.raises(ValueError, match=sentence):
        elaborate(block, ports, arguments)


@pytest.mark.parametrize("block", TAKES, ids=lambda block: block.func.__name__)
@pytest.mark.parametrize("tile", [1, 2, 3])
def test_takes_any_tile(block, tile):
    ports, arguments = TAKES[block]
    assert elaborate(block, ports(tile=tile), arguments)


@pytest.mark.parametrize("block", REFUSES, ids=lambda block: block.func.__name__)
def test_refuses_tiles(block):
    name = block.func.__name__
    refused(f"^{name} takes and gives one pixel a beat, not 2 x 2 pixels of", block,
            *REFUSES[block])


def test_tile_windows_take_tiles_of_two():
    arguments = {"size": 4, "pad": (0, 1)}
    assert elaborate(tile_windows, {"s_axis": stream(1, 4, tile=2), "m_axis": stream(9, 4)},
                     arguments)
    for tile in (1, 3):
        refused("^tile_windows has an input of 2 x 2 pixels of", tile_windows,
                {"s_axis": stream(1, 4, tile=tile), "m_axis": stream(9, 4)}, arguments)
    for shape in ({"lanes": 8}, {"lanes": 9, "signed": False}, {"lanes": 9, "tile": 2}):
        refused("^tile_windows has an output of 9 taps of 9 x 4 bits signed, not", tile_windows,
                {"s_axis": stream(1, 4, tile=2), "m_axis": stream(bits=4, **shape)}, arguments)


@pytest.mark.parametrize("block", [*TAKES, *REFUSES], ids=lambda block: block.func.__name__)
def test_marks_are_not_dropped(block):
    ports, arguments = TAKES[block] if block in TAKES else (ends, REFUSES[block][1])
    refused(f"^{block.func.__name__} drops tlast and tuser", block, ports(marks=MARKS), arguments)


@pytest.mark.parametrize("other", [
    {"lanes": 3}, {"bits": 9}, {"signed": False}, {"tile": 2}], ids=str)
@pytest.mark.parametrize("block", [
    each for each in TAKES if each not in (width_converter, link)],
    ids=lambda block: block.func.__name__)
def test_shapes_that_differ(block, other):
    ports, arguments = TAKES[block]
    for name in ports():
        mixed = {**ports(), name: stream(**{"lanes": 2, "bits": 8, **other})}
        refused(f"^{block.func.__name__} takes and gives streams of one shape, not", block, mixed,
                arguments)


@pytest.mark.parametrize("other", [{"bits": 9}, {"signed": False}], ids=str)
@pytest.mark.parametrize("block, lanes", [(widen, 4), (narrow, 1), (width_converter, 3)],
                         ids=lambda each: getattr(getattr(each, "func", None), "__name__", each))
def test_elements_that_differ(block, lanes, other):
    refused("changes the lanes of a beat, not its elements: 2 x 8 bits signed come in", block,
            {"s_axis": stream(2, 8), "m_axis": stream(**{"lanes": lanes, "bits": 8, **other})}, {})


def test_a_tile_keeps_its_lanes():
    refused("^width_converter takes and gives one pixel a beat", width_converter,
            ends(2, 3, tile=2), {})
    refused("^widen takes and gives one pixel a beat", link, ends(2, 4, tile=2), {"depth": 1})


def test_whole_bytes():
    """Any tile, each element filled up by itself; tlast at the output and nowhere else."""
    for tile in (1, 2):
        inner, outer = stream(2, 9, tile=tile), stream(2, 16, tile=tile)
        marked = stream(2, 16, tile=tile, marks=("tlast",))
        assert elaborate(from_bytes, {"s_axis": outer, "m_axis": inner}, {})
        assert elaborate(to_bytes, {"s_axis": inner, "m_axis": marked}, {"beats": 3})
        for wrong in (inner, marked, stream(2, 24, tile=tile)):
            refused("^from_bytes has an input of .*2 x 16 bits signed, not", from_bytes,
                    {"s_axis": wrong, "m_axis": inner}, {})
        for wrong in (outer, stream(2, 16, False, tile, ("tlast",))):
            refused("^to_bytes has an output of .*2 x 16 bits signed with tlast, not", to_bytes,
                    {"s_axis": inner, "m_axis": wrong}, {"beats": 3})
    refused("^from_bytes drops tlast", from_bytes, {"s_axis": outer, "m_axis": marked}, {})
    refused("^to_bytes drops tlast", to_bytes, {"s_axis": marked, "m_axis": marked}, {"beats": 3})
    refused("^a frame has one beat or more, not 0", to_bytes,
            {"s_axis": inner, "m_axis": marked}, {"beats": 0})


def video(lanes=3, tile=1):
    return stream(lanes, 8, False, tile, MARKS)


FRAME = VideoFrame(3, 4, 100)
FILM = {"s_axis": video(), "m_axis": stream(3, 8, False), "verdict": stream(1, 1, False),
        "frame_error": uint(5)}
BYTES = {"s_axis": stream(3, 8, False), "m_axis": stream(3, 9)}
ENDED = {"s_axis": stream(2, 8, marks=("tlast",)), "verdict": stream(1, 1, False),
         "m_axis": stream(2, 8, marks=MARKS)}


@pytest.mark.parametrize("block, ports, arguments, sentence", [
    (frame_repair, {**FILM, "s_axis": FILM["m_axis"]}, {"frame": FRAME},
     "^frame_repair has an input of 3 x 8 bits unsigned with tlast and tuser, not 3 x 8 bits "),
    (frame_repair, {**FILM, "m_axis": video()}, {"frame": FRAME}, "^frame_repair drops tlast and"),
    (frame_repair, {**FILM, "verdict": stream(1, 2, False)}, {"frame": FRAME},
     "^frame_repair has a verdict of 1 x 1 bits unsigned, not 1 x 2 bits unsigned$"),
    (pixels_of_bytes, {**BYTES, "m_axis": stream(3, 9, False)}, {"components": "gbr"},
     "^pixels_of_bytes has an output of 3 x 9 bits signed, not 3 x 9 bits unsigned$"),
    (pixels_of_bytes, BYTES, {"components": "gbb"},
     "r, g and b in any order, such as gbr, not gbb"),
    (pixels_of_bytes, {"s_axis": stream(1, 8, False), "m_axis": stream(1, 9)},
     {"components": "rgb"}, "not rgb for 1 lanes$"),
    (mark_frames, {**ENDED, "s_axis": stream(2, 8)}, {}, "^mark_frames has an input of .* tlast, "),
    (mark_frames, {**ENDED, "m_axis": stream(2, 8)}, {}, "^mark_frames has an .* with tlast and "),
    (mark_frames, {**ENDED, "verdict": stream(2, 1, False)}, {}, "^mark_frames has a verdict of")])
def test_video(block, ports, arguments, sentence):
    for tile in (1, 2):
        film = {**FILM, "s_axis": video(tile=tile), "m_axis": stream(3, 8, False, tile)}
        assert elaborate(frame_repair, film, {"frame": FRAME})
    assert elaborate(pixels_of_bytes, BYTES, {"components": "gbr"})
    assert elaborate(mark_frames, ENDED, {})
    refused(sentence, block, ports, arguments)


@pytest.mark.parametrize("field", ["rows", "columns", "patience"])
def test_frames_of_nothing(field):
    with pytest.raises(ValueError, match=f"^a frame of video has {field} of 1 or more, not 0$"):
        replace(FRAME, **{field: 0})


@pytest.mark.parametrize("lanes_in, lanes_out, changed, sentence", [
    (2, 2, {}, "PE 3 and SIMD 2 takes 2 lanes and gives a number of lanes that divides 3"),
    (3, 3, {}, "PE 3 and SIMD 2 takes 2 lanes and gives"),
    (2, 3, {"shared": False}, "PE 3 and SIMD 2 takes 6 lanes"),
    (3, 3, {"simd": 3}, "reads rows of 9 weights"),
    (2, 3, {"beats": 3}, "a multiple of 3 of them: the ROM has 4 rows of 6")])
def test_mac(lanes_in, lanes_out, changed, sentence):
    assert elaborate(mac, ends(2, 3), SUMS)
    fold = replace(FOLD, **changed)
    refused(sentence, mac, ends(lanes_in, lanes_out), {"rom": ROM, "fold": fold})


TILES = {"s_axis": stream(2, 8, tile=2), "m_axis": stream(2, 8, tile=2, creep=0)}
CREEPING = {"s_axis": stream(2, 8, tile=2, creep=1), "m_axis": stream(2, 8, tile=2)}
PATCHES = {"geometry": TileGeometry(4, 2, 1, 3)}


@pytest.mark.parametrize("block, ports, arguments, sentence", [
    (tile_flush, {**TILES, "s_axis": TILES["m_axis"]}, {"frame": 4, "tail": 3},
     "^tile_flush has an input of 2 x 2 pixels of 2 x 8 bits signed, not .* creeping by 0$"),
    (tile_flush, {**TILES, "m_axis": CREEPING["s_axis"]}, {"frame": 4, "tail": 3},
     "^tile_flush has an output of .* creeping by 0, not .* creeping by 1$"),
    (tile_flush, {**TILES, "s_axis": stream(2, 8, tile=2, marks=MARKS)}, {"frame": 4, "tail": 3},
     "^tile_flush drops tlast and tuser"),
    (tile_patch, TILES, {**PATCHES, "patch": Patch(16 * 16)},
     "^tile_patch takes tiles of 2 x 2 pixels that creep by 1 and gives patches of 4 x 4: .* come"),
    (tile_patch, CREEPING, {**PATCHES, "patch": Patch(9 * 16)}, "come in, 144 bits go out$"),
    (tile_patch, {"s_axis": stream(2, 8, tile=2, creep=1, marks=MARKS)},
     {**PATCHES, "patch": Patch(16 * 16)}, "^tile_patch drops tlast and tuser"),
    (tile_move, TILES, {"geometry": TileGeometry(4, 2, 0, 2)},
     "^tile_move has an output of .* creeping by 1, not .* creeping by 0$")])
def test_tiles_that_creep(block, ports, arguments, sentence):
    assert elaborate(tile_flush, TILES, {"frame": 4, "tail": 3})
    assert elaborate(tile_patch, CREEPING, {**PATCHES, "patch": Patch(16 * 16)})
    assert elaborate(tile_move, CREEPING, {"geometry": TileGeometry(4, 2, 1, 2)})
    refused(sentence, block, ports, arguments)


@pytest.mark.parametrize("block", [residual_add, tile_add], ids=lambda block: block.func.__name__)
def test_sums_of_unsigned_numbers(block):
    refused(f"^{block.func.__name__} takes and gives signed numbers, not 2 x 8 bits unsigned",
            block, three(signed=False), {})


@pytest.mark.parametrize("ports, changed", [
    (ends(3, 3), {}), (ends(2, 2), {}), (ends(2, 3), {"beats": 3}), (ends(2, 3), {"simd": 5})])
def test_mac_loops(ports, changed):
    assert elaborate(mac_loops, ends(2, 3), IN_LOOPS)
    refused("^mac_loops with PE 3 and SIMD . takes .* come in, .* go out, there are 24 weights$",
            mac_loops, ports, {**IN_LOOPS, "fold": replace(FOLD, **changed)})


@pytest.mark.parametrize("ports", [
    ends(2, 1), ends(3, 3), {"s_axis": stream(2, 8, signed=False), "m_axis": stream(2, 8)}])
def test_requantize(ports):
    assert elaborate(requantize, ends(), SCALES)
    refused("^requantize takes signed accumulators and gives as many lanes", requantize, ports,
            SCALES)


@pytest.mark.parametrize("block, arguments, sentence", [
    (unpack, {"tdata": uint(8), "lanes": [sint(4)] * 3, "bits": 4, "signed": True},
     "^a word of 8 bits is not 3 fields of 4"),
    (pack, {"lanes": [uint(4)] * 3, "tdata": uint(8)},
     "^lanes of 12 bits together are not a word of 8"),
    (weight_rom, {"enable": flag(), "address": count(4), "lanes": (sint(4),) * 5, "rom": ROM,
                  "again": flag()},
     "^ROM rom has 4 rows of fields of"),
    (weight_rom, {"enable": flag(), "address": count(2), "lanes": (sint(4),) * 6, "rom": ROM,
                  "again": flag()},
     "not 2 addresses"),
    (ram, {"write": flag(), "write_address": count(4), "write_data": uint(8), "read": flag(),
           "read_address": count(4), "read_data": uint(7), "depth": 4},
     "^a memory of 8 bits a word does not give words of 7"),
    (ram, {"write": flag(), "write_address": count(4), "write_data": uint(8), "read": flag(),
           "read_address": count(2), "read_data": uint(8), "depth": 4},
     "^a memory of 4 words has addresses of 2 bits, not of 2 and 1")])
def test_leaves(block, arguments, sentence):
    refused(sentence, block, {}, arguments)


def test_replay():
    refused("^a memory of 2 beats does not hold a run of 3$", replay, ends(),
            {"words": 3, "passes": 2, "depth": 2})


def test_every_block_with_streams_is_here():
    """A new block takes or refuses tiles, and says which here."""
    found = set()
    for module in pkgutil.iter_modules(hdl.blocks.__path__):
        for name, value in vars(import_module(f"hdl.blocks.{module.name}")).items():
            function = getattr(value, "func", None)
            if function and {"s_axis", "m_axis"} & set(inspect.signature(function).parameters):
                found.add(name)
    covered = {block.func.__name__
               for block in (*TAKES, *REFUSES, tile_windows, tile_flush, tile_patch, tile_move,
                             from_bytes, to_bytes, frame_repair, pixels_of_bytes, mark_frames)}
    assert found == covered | PARTS


# Inner halves of blocks above, that are given streams which those have compared.
PARTS = {"add_control", "serialise", "register_chain", "mac_control", "requantize_control",
         "row_writer", "window_control", "tile_arrival", "cut_out", "hold_beat"}
