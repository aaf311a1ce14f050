"""Window mux: the taps of a window out of the words of all memories, zeros beyond the border."""
from myhdl import SignalType, always, block

from hdl.axis import Bundle
from hdl.blocks.signals import Instances, count, flag
from hdl.plan.geometry import KERNEL, WindowGeometry


class Place(Bundle):
    """Where the taps lie whose words the memories give."""

    def __init__(self, geometry: WindowGeometry) -> None:
        self.row_top = count(geometry.rows)     # memory of the window's top row
        self.phase = count(KERNEL)              # column bank of its left column
        self.row_step = count(KERNEL)           # row of the window of the first tap
        self.column_step = count(KERNEL)        # column of the window of the first tap
        self.top = flag()                       # the window's top row lies outside the frame
        self.bottom = flag()
        self.left = flag()
        self.right = flag()


@block
def window_mux(clk: SignalType, give: SignalType, word: list[SignalType], place: Place,
               tap: list[SignalType], geometry: WindowGeometry) -> Instances:
    """tap[i] = its word, or zero where it lies outside the frame, a cycle later, when ``give``.

    word -- of each row memory and bank
    tap  -- the taps that leave at once, row by row
    """
    rows, banks = geometry.rows, geometry.banks
    rows_at_once, columns_at_once = geometry.rows_at_once, geometry.columns_at_once

    @always(clk.posedge)
    def assemble():
        if give:
            for i in range(rows_at_once):
                for j in range(columns_at_once):
                    row = place.row_top + place.row_step + i
                    if row >= rows:
                        row = row - rows
                    bank = place.phase + j
                    if bank >= banks:
                        bank = bank - banks
                    if ((place.top and place.row_step + i == 0)
                            or (place.bottom and place.row_step + i == KERNEL - 1)
                            or (place.left and place.column_step + j == 0)
                            or (place.right and place.column_step + j == KERNEL - 1)):
                        tap[i * columns_at_once + j].next = 0
                    else:
                        tap[i * columns_at_once + j].next = word[row * banks + bank]

    return assemble
