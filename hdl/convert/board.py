"""Verilog of a whole board: the network, and all that is between it and the pins."""
from pathlib import Path

from myhdl import Signal

from hdl.blocks.signals import flag, uint
from hdl.board.top import LEDS, BoardTop, board
from hdl.convert.block import convert_block
from hdl.myhdl_fixes.elaborate import fresh_elaboration

TOP = "board"


def convert_board(top: BoardTop, directory: str | Path) -> list[Path]:
    """Write the Verilog of a board; returns its files, a module after those that it needs, the
    module TOP last."""
    with fresh_elaboration():
        made = board(flag(), flag(), Signal(bool(1)), uint(LEDS), flag(), top)
        return convert_block(made, directory, TOP)
