"""Weight ROM: every row at its address, lanes of mixed width and sign, and the .mem text."""
import numpy as np
import pytest

from hdl.plan.rom import Rom
from tests.support.bench import STALLS, Bench, integers, seed_of
from tests.support.blocks import rom_reader
from tests.support.naive import read_back
from tests.support.streams import stream

WIDTHS = {"one": (1,), "even": (8, 8, 8, 8), "mixed": (3, 17, 1, 40, 9), "wide": (16,) * 9}


def rom_of(rng, name, widths, depth):
    return Rom(name, tuple(tuple(int(integers(rng, bits, True, ())) for bits in widths)
                           for _ in range(depth)), widths)


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("depth", [1, 11])
def test_words(simulator, rng, widths, depth):
    rom = rom_of(rng, "content", WIDTHS[widths], depth)
    ports = {"s_axis": stream(1, 4, signed=False), "m_axis": stream(1, rom.width, False)}
    dut = Bench(simulator, rom_reader, {**ports, "rom": rom}, {"content.mem": rom.mem()})
    for stall in STALLS:
        addresses = [*range(depth), *rng.integers(0, depth, 40).tolist()]
        done = dut.run({"s_axis": np.array(addresses)[:, None]}, {"m_axis": len(addresses)}, stall,
                       seed_of(rng))
        words = ["".join(f"{word:08x}" for word in beat[::-1]) for beat in done["m_axis"].words]
        assert read_back("\n".join(words), rom.widths) == tuple(rom.rows[a] for a in addresses)
        if stall == "free":
            assert (done["m_axis"].cycles == done["s_axis"].cycles + 2).all()


@pytest.mark.parametrize("widths", WIDTHS.values(), ids=WIDTHS)
def test_mem_text_reads_back(rng, widths):
    corners = [tuple(f(bits) for bits in widths) for f in (
        lambda bits: -(1 << bits - 1), lambda bits: (1 << bits - 1) - 1, lambda bits: 0,
        lambda bits: -1)]
    rows = (*corners, *rom_of(rng, "", widths, 20).rows)
    rom = Rom("content", rows, widths)
    assert read_back(rom.mem(), widths) == rows
    assert {len(line) for line in rom.mem().split("\n")[:-1]} == {-(-sum(widths) // 4)}


def test_mem_text():
    assert Rom("r", ((-1, 2), (0, -8)), (3, 4)).mem() == "17\n40\n"


def test_sizes():
    rom = Rom("r", ((-1, 2), (0, -8), (1, 1)), (3, 4))
    assert (rom.width, rom.bits) == (7, 21)
