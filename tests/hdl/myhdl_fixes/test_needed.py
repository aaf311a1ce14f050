"""What reaches inside MyHDL is still needed: a test that fails here says which may go.

Those of VHDL are in test_vhdl.py, beside their cases.
"""
import copy
import os
import subprocess
import sys
from pathlib import Path

import myhdl
import pytest
from myhdl import Signal, _block, _intbv, _Signal, _util, intbv

from hdl.myhdl_fixes import elaborate
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from tests.support.blocks import many_registers, register_slice, stream_pair

ROOT = Path(__file__).resolve().parents[3]


def counted(monkeypatch, module, name):
    """A list that grows with every call of a module's function."""
    calls, function = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args: calls.append(name) or function(*args))
    return calls


def test_elaboration_asks_for_the_stack_again_and_again(monkeypatch):
    """elaborate._QuickInspect: inspect.stack() reads the source of every frame."""
    calls, frames = [], elaborate._QuickInspect.getouterframes
    monkeypatch.setattr(elaborate._QuickInspect, "getouterframes",
                        staticmethod(lambda frame: calls.append(frame) or frames(frame)))
    with fresh_elaboration():
        register_slice(*clock_and_reset(), *stream_pair().values())
    assert len(calls) > 2


def test_elaboration_dedents_the_same_source_again(monkeypatch):
    """elaborate._dedent."""
    calls = counted(monkeypatch, _util, "_dedent")
    monkeypatch.setattr(elaborate, "_dedent", _util._dedent)
    with fresh_elaboration():
        for _ in range(2):
            register_slice(*clock_and_reset(), *stream_pair().values())
    assert len(calls) == 2 * 3      # a block of three processes, twice


def test_signals_copy_their_value_deeply():
    """elaborate.fresh_elaboration: a flat copy does, as a value holds plain integers, and three for
    each word of each memory took a tenth of the time of elaboration."""
    assert _Signal.deepcopy is copy.deepcopy
    with fresh_elaboration():
        signal = Signal(intbv(5, min=-8, max=8))
        signal.next = 6
        signal.next[0] = 1
    assert _Signal.deepcopy is copy.deepcopy
    assert (signal.val, signal.next, signal._init) == (5, 7, 5)


def test_blocks_are_numbered_for_the_life_of_the_process():
    """elaborate.fresh_elaboration: names of instances would grow from run to run."""
    def name():
        return register_slice(*clock_and_reset(), *stream_pair().values()).name

    with fresh_elaboration():
        names = [name(), name()]
    with fresh_elaboration():
        assert name() == names[0] != names[1]


def test_signals_are_collected_for_the_life_of_the_process():
    """elaborate.fresh_elaboration: a long session would slow down."""
    known = myhdl._simulator._signals
    before = len(known)
    with fresh_elaboration():
        block = register_slice(*clock_and_reset(), *stream_pair().values())
        assert len(known) > before
    assert len(known) == before and _block._Block is type(block)


@pytest.mark.parametrize("ordered", [True, False])
def test_registers_would_come_in_the_order_of_a_set(tmp_path, ordered):
    """order.order_registers: the same text whatever PYTHONHASHSEED is."""
    script = ("import sys; from hdl.convert import block\n"
              "from hdl.sim.design import Design\n"
              "from tests.support.blocks import many_registers, stream_pair\n"
              f"if not {ordered}: block.order_registers = lambda block: None\n"
              "files, _ = Design(many_registers, stream_pair()).convert(sys.argv[1])\n"
              "sys.stdout.write(files[-1].read_text())")
    texts = set()
    for seed in range(3):
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True,
                              text=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": str(seed)})
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    assert many_registers.func.__name__ in texts.pop()
    assert (not texts) is ordered


def test_widths_are_counted_digit_by_digit(monkeypatch):
    """scheduler.quick_widths: myhdl.bin, which divides, is called for every new intbv."""
    calls = counted(monkeypatch, _intbv, "bin")
    myhdl.intbv(0, min=-8, max=8)
    assert calls
