"""A whole board behind the model of a serial line: a photo in, features out, against the golden."""
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest

from hdl.board.protocol import CHECKSUM, FRAMING, SILENCE, SYNC
from hdl.board.top import bytes_of_elements, network_top
from hdl.convert.board import convert_board
from hdl.plan.config import memory_files
from hdl.sim.endpoints import Sink, Source
from scripts.shared.yosys import yosys
from tests.support.networks import configs, golden
from tests.support.serial_line import (CYCLES, LIGHTS, PATIENCE, PIXELS, RUNS, SETTINGS, changes,
                                       levels, pause, received, small, wired_bench, words)
from tests.support.streams import stream

SLOW = 16_384       # cycles for a frame of the whole network


def sent(data):
    """A photo as it goes over the line."""
    return SYNC + data + zlib.crc32(data).to_bytes(4, "little")


def reply(features, status=0):
    """What comes back: features as little-endian bytes."""
    told = features + bytes([status])
    return SYNC + told + zlib.crc32(told).to_bytes(4, "little")


def exchange(bench, runs, expected, drain=20 * CYCLES, timeout=30_000):
    """(bytes that come back for what is played, what the LEDs show, one after the other): until
    as many as ``expected`` are here, and in ``drain`` cycles more."""
    done = bench.simulated({"s_axis": Source(words(runs)), "m_axis": Sink(changes(expected)),
                            "m_led": Sink(0)}, drain, timeout)
    return (received(done["m_axis"].values(RUNS).ravel(), CYCLES),
            done["m_led"].values(LIGHTS).ravel().tolist())


def features(data):
    """What it gives: q = 2p - 255 of every second pixel's bytes, as two little-endian bytes."""
    chosen = [byte for place, byte in enumerate(data) if place % 6 < 3]
    return b"".join((2 * byte - 255).to_bytes(2, "little", signed=True) for byte in chosen)


def needs_verilog(simulator):
    """Skip where the PLL has no text."""
    if simulator == "ghdl":
        pytest.skip("the PLL has no VHDL")


def test_photos_and_their_features(simulator, rng):
    """Of three photos the second has lost a byte: its reply says so, after a pause, and the
    third is as it should be.  LEDs: locked is 1, a photo comes 2, the last one was damaged 4."""
    needs_verilog(simulator)
    first, second, third = [bytes(rng.integers(0, 256, 18).tolist()) for _ in range(3)]
    damaged = sent(second)[:9] + sent(second)[10:]
    expected = (reply(features(first)) + reply(features(damaged[4:22]), SILENCE | CHECKSUM)
                + reply(features(third)))
    runs = (pause(60) + levels(sent(first), CYCLES) + pause(2000) + levels(damaged, CYCLES)
            + pause(4000) + levels(sent(third), CYCLES))
    assert exchange(wired_bench(simulator, small()), runs, expected) == (
        expected, [1, 3, 1, 3, 5, 7, 1])


def test_a_line_that_is_off_and_noisy(simulator, rng):
    """Bits longer by a thirtieth, glitches before the photo, a byte without its stop bit in it."""
    needs_verilog(simulator)
    data = bytes(rng.integers(0, 256, 18).tolist())
    whole = sent(data)
    long = CYCLES * 31 / 30
    runs = (pause(60) + [(0, 1)] + pause(50) + levels(whole[:9], long)
            + levels(whole[9:10], long, stop=0) + pause(9) + levels(whole[10:], long))
    expected = reply(features(data), FRAMING)
    assert exchange(wired_bench(simulator, small()), runs, expected)[0] == expected


def test_its_text(tmp_path):
    """A module of its pins, in one file, and Yosys's check finds nothing."""
    files = convert_board(small(), tmp_path)
    assert files[-1].name == "board.v"
    header = files[-1].read_text().partition("module board ")[2].partition(";")[0]
    assert re.findall(r"(\w+)[,)]", header) == ["clk_in", "rx", "tx", "led", "high"]
    yosys(tmp_path, f"read_verilog {' '.join(file.name for file in files)}",
          "read_verilog -lib +/ecp5/cells_bb.v", "hierarchy -check -top board", "proc",
          "check -assert")


@pytest.mark.full
def test_the_whole_network(verilator):
    """The stored golden, bit for bit, of a photo and, after one that has lost a byte, once more."""
    data, members = golden("w8a8"), configs("w8a8", SLOW)
    top = network_top(members, SETTINGS, CYCLES, PATIENCE, SLOW)
    photo = pause(20 * SLOW) + levels(sent(data.image.tobytes()), CYCLES)
    expected = reply(data.fixed["Conv_1"].astype(np.uint8).tobytes())
    size, lost = len(expected), photo[:-1000]
    got, _ = exchange(wired_bench("verilator", top, memory_files(members)),
                      photo + lost + photo, 2 * expected, 40 * SLOW, 40 * SLOW)
    assert len(got) == 3 * size and got[:size] == got[2 * size:] == expected
    assert got[size:2 * size - 5] != expected[:-5] and got[2 * size - 5] == SILENCE | CHECKSUM


@pytest.mark.parametrize("fields, sentence", [
    ({"shapes": (replace(PIXELS, tile=2), PIXELS)},
     "a serial port brings a photo pixel by pixel, not in beats of 2 x 2 pixels of 3 x 9 bits "
     "signed: give --cycles-per-frame of 6 or more"),
    ({"features": (1, 4, 3)},
     "a photo's 18 bytes come in sooner than the 24 of its features leave: give fewer bits of ")])
def test_refusals(fields, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        replace(small(), **fields)


def test_a_row_of_features_may_wait():
    top = network_top(configs("w8a8"), SETTINGS, CYCLES, PATIENCE, 1024)
    assert (top.photo, top.reply, top.waiting) == (3072, 1280, 1280)
    assert replace(top, features=(7, 7, 60)).waiting == 420


def test_a_line_that_is_too_fast():
    with pytest.raises(ValueError, match="^a photo comes in 122,880 cycles over the serial port, "
                                         "but the network takes one every 200,000: give a lower "):
        network_top(configs("w8a8"), SETTINGS, CYCLES, PATIENCE, 200_000)


def test_bytes_of_other_streams():
    with pytest.raises(ValueError, match="^bytes_of_elements has an output of 4 x 8 bits unsigned"):
        bytes_of_elements(stream(2, 16, marks=("tlast",)), stream(3, 8, False))
