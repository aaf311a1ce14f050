"""The rule for memories, and that synthesis does with each what the rule says."""
import re
from pathlib import Path

import pytest

from hdl.blocks.fifo import fifo
from hdl.layers import PRECISIONS, layer_table
from hdl.plan.memory import blocks, in_blocks, luts
from hdl.plan.network import plan_network
from hdl.plan.rom import Rom
from hdl.sim.design import Design
from scripts.shared.yosys import yosys
from tests.support.bench import integers
from tests.support.blocks import rom_reader
from tests.support.streams import stream

SYNTHESIS = {"UltraScale+": "synth_xilinx -family xcup -flatten -top {} -run begin:fine",
             "7-series": "synth_xilinx -family xc7 -flatten -top {} -run begin:fine",
             "ECP5": "synth_ecp5 -top {} -run begin:map_gates"}
CASES = {"few": (100, 36), "many": (600, 36), "wide": (40, 60), "narrow": (1200, 9),
         "uneven": (2100, 12), "parts": (1025, 10)}     # words, bits


@pytest.mark.parametrize("depth, width, written, rom", [
    (512, 36, 1, 1), (512, 37, 2, 2), (513, 36, 2, 2), (1, 73, 3, 3), (1024, 18, 1, 1),
    (1025, 9, 1, 1), (1025, 10, 2, 1), (16384, 1, 1, 1), (20000, 4, 5, 5), (2100, 12, 3, 2),
    (11_947, 48, 36, 32)])
def test_blocks(depth, width, written, rom):
    """Of a memory that is written, and of a ROM, whose last blocks hold bits of several parts."""
    assert blocks(depth, width, written=True) == written
    assert blocks(depth, width, written=False) == rom


@pytest.mark.parametrize("depth, width, written, expected", [
    (64, 36, False, 36), (65, 36, False, 72), (64, 36, True, 72), (3, 1, False, 1)])
def test_luts(depth, width, written, expected):
    assert luts(depth, width, written) == expected


def test_rule():
    """A block is worth 100 LUTs: 128 words of 36 bits in 72 are none, 129 in 108 are."""
    assert [in_blocks(depth, 36, False) for depth in (1, 64, 128, 129)] == [False] * 3 + [True]
    assert [in_blocks(depth, 36, True) for depth in (1, 64, 65)] == [False] * 2 + [True]
    assert [in_blocks(4, 1728, False), in_blocks(1024, 4, False)] == [False, False]


def memories(planned):
    """(words, bits of each, whether they are written, how many) of a unit's memories but scales."""
    unit, folding, buffers = planned.unit, planned.folding, planned.buffers
    bits = folding.bits_in
    if unit.weights:
        yield (unit.weights // folding.multipliers,
               folding.multipliers * folding.precision.weight_bits, False, 1)
    yield buffers.fifo_depth, buffers.fifo_lanes * bits, True, 1
    yield buffers.words_held, folding.simd * bits, True, 1
    if unit.kernel == 3:
        windows = planned.windows
        yield windows.depth, unit.channels_in // windows.groups * bits, True, windows.banks


def test_blocks_of_a_network():
    """A quarter of a pixel per clock: at most 1.2 times the blocks that its bits would fill; a tap
    at a time is one memory."""
    made = plan_network(layer_table(), PRECISIONS["w8a8"], 200_704)
    found = [memory for planned in made.units for memory in memories(planned)
             if in_blocks(*memory[:3])]
    ideal = sum(depth * width * count for depth, width, _, count in found) / 18_432
    assert ideal < sum(blocks(*memory[:3]) * memory[3] for memory in found) <= 1.2 * ideal
    assert all(planned.windows.banks == 1 for planned in made.units
               if planned.unit.kind == "depthwise" and planned.folding.simd == 1)


def memory(rng, directory, depth, width, written):
    """The Verilog files and the top of a block with one memory."""
    if written:
        ports = {name: stream(1, width, False) for name in ("s_axis", "m_axis")}
        design = Design(fifo, {**ports, "depth": depth})
    else:
        content = integers(rng, width, True, (depth, 1))
        rom = Rom("content", tuple(map(tuple, content.tolist())), (width,))
        Path(directory, "content.mem").write_text(rom.mem())
        ports = {"s_axis": stream(1, (depth - 1).bit_length(), False),
                 "m_axis": stream(1, width, False)}
        design = Design(rom_reader, {**ports, "rom": rom})
    return design.convert(directory, "Verilog")


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("family", [
    "ECP5", *(pytest.param(name, marks=pytest.mark.full) for name in ("UltraScale+", "7-series"))])
def test_synthesis_does_it(rng, tmp_path, family, written):
    """As many blocks as the rule says and no more, or none."""
    passes = []
    for case, size in CASES.items():
        (tmp_path / case).mkdir()
        files, top = memory(rng, tmp_path / case, *size, written)
        passes += ["design -reset", f"read_verilog {' '.join(map(str, files))}",
                   SYNTHESIS[family].format(top), f"tee -o {case}.txt stat"]
    yosys(tmp_path, *passes)
    for case, (depth, width) in CASES.items():
        found = re.findall(r"^ +(\d+) .*(RAMB18E|RAMB36E|DP16KD)", (tmp_path / f"{case}.txt")
                           .read_text(), re.M)
        halves = sum(int(number) * (1 + (kind == "RAMB36E")) for number, kind in found)
        assert halves == (blocks(depth, width, written)
                          if in_blocks(depth, width, written) else 0), case
