"""Window mux: the taps of a window out of the words of all banks, zeros beyond the border."""
from myhdl import SignalType, always, always_comb, block

from hdl.axis import Bundle
from hdl.blocks.signals import Instances, count, flag, uint
from hdl.plan.geometry import KERNEL, WindowGeometry


class Place(Bundle):
    """Where the taps lie whose words the banks give."""

    def __init__(self, geometry: WindowGeometry) -> None:
        self.bank = count(KERNEL)       # of the first tap: its place among three
        self.three = count(KERNEL + 1)  # ... and which three
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

    word -- of each bank
    tap  -- the taps that leave at once, row by row
    """
    banks, pitch = geometry.banks, geometry.pitch
    rows_at_once, columns_at_once = geometry.rows_at_once, geometry.columns_at_once
    bank, top, bottom, left, right = place.bank, place.top, place.bottom, place.left, place.right
    row_step, column_step = place.row_step, place.column_step
    if banks > KERNEL:
        turned = [uint(len(tap[0])) for _ in range(banks)]
        turn = turn_threes(word, place.three, turned)
    else:
        turned = word

    @always(clk.posedge)
    def mask():
        if give:
            if ((top and row_step == 0) or (bottom and row_step == KERNEL - 1)
                    or (left and column_step == 0) or (right and column_step == KERNEL - 1)):
                tap[0].next = 0
            else:
                tap[0].next = word[0]

    @always(clk.posedge)
    def assemble():
        if give:
            for i in range(rows_at_once):
                for j in range(columns_at_once):
                    if ((top and row_step + i == 0) or (bottom and row_step + i == KERNEL - 1)
                            or (left and column_step + j == 0)
                            or (right and column_step + j == KERNEL - 1)):
                        tap[i * columns_at_once + j].next = 0
                    elif bank == 0:
                        tap[i * columns_at_once + j].next = turned[(i * pitch + j) % banks]
                    elif bank == 1:
                        tap[i * columns_at_once + j].next = turned[(i * pitch + j + 1) % banks]
                    else:
                        tap[i * columns_at_once + j].next = turned[(i * pitch + j + 2) % banks]

    if banks == 1:
        return mask
    return (turn, assemble) if banks > KERNEL else assemble


@block
def turn_threes(word: list[SignalType], three: SignalType, turned: list[SignalType]) -> Instances:
    """turned = the words from the first, the fourth, the seventh or the tenth on."""
    banks = len(word)

    @always_comb
    def turn():
        for i in range(banks):
            if three == 0:
                turned[i].next = word[i]
            elif three == 1:
                turned[i].next = word[(i + 3) % banks]
            elif three == 2 or banks <= 9:
                turned[i].next = word[(i + 6) % banks]
            else:
                turned[i].next = word[(i + 9) % banks]

    return turn
