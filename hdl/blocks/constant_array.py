"""Constant array: windows times constants, requantized, all outputs of a tile in every cycle.

The one block besides ``weight_rom`` whose Verilog and VHDL are written by hand: weights, biases,
multipliers and shifts are arrays that nothing writes, and every one of them works in every cycle.
The text is loops, so that it is as long for six million products as for six.  MyHDL simulates it
with arrays of integers.
"""
import numpy as np
from myhdl import SignalType, always, block

from hdl.axis import Bundle
from hdl.beats import pack, unpack, words_of
from hdl.blocks.constant_text import verilog_text, vhdl_text
from hdl.blocks.signals import Instances, flag
from hdl.blocks.tile_patch import Patch
from hdl.plan.arrays import ArrayWork

LATENCY = 3     # cycles


class ArraySteps(Bundle):
    """Which steps of the pipeline move in a cycle."""

    def __init__(self) -> None:
        self.multiply = flag()      # sums of products
        self.scale = flag()         # bias, multiplier and shift but for the half
        self.saturate = flag()      # round and clip


@block
def constant_array(clk: SignalType, steps: ArraySteps, patch: Patch, tile: SignalType,
                   work: ArrayWork) -> Instances:
    """tile = every output of the windows of ``patch``, three cycles later.

    steps -- ArraySteps: each step takes what the one before it left
    patch -- Patch, of which data and edges are used
    tile  -- the word of work.shape_out
    work  -- ArrayWork
    """
    refuse_unfit(patch, tile, work)
    model = ArrayModel(work)
    name = work.name
    multiply, scale, saturate = steps.multiply, steps.scale, steps.saturate
    data, edges = patch.tdata, patch.edges

    @always(clk.posedge)
    def compute():
        if saturate:
            tile.next = model.saturate()
        if scale:
            model.scale()
        if multiply:
            model.multiply(int(data), int(edges))

    constant_array.verilog_code = verilog_text(work)
    constant_array.vhdl_code = vhdl_text(work)
    return compute


constant_array.func.outputs = ("tile",)


def refuse_unfit(patch: Patch, tile: SignalType, work: ArrayWork) -> None:
    """ValueError where a word is not what the work takes or gives."""
    wide = work.patch_bits
    if len(patch.tdata) != wide or len(tile) != work.shape_out.width:
        raise ValueError(f"constant array {work.name} takes patches of {wide} bits and gives "
                         f"{work.shape_out}, not {len(patch.tdata)} and {len(tile)} bits")


class ArrayModel:
    """The array as MyHDL simulates it: what its registers hold, and what each step makes of it."""

    def __init__(self, work: ArrayWork) -> None:
        outputs = work.shape_out.lanes
        self.work = work
        self.weights = work.weights.values.reshape(outputs, -1)
        self.biases, self.multipliers, self.shifts = (
            array.values for array in (work.biases, work.multipliers, work.shifts))
        self.sums = self.scaled = np.zeros((work.geometry.tile_out ** 2, outputs), np.int64)

    def multiply(self, word: int, edges: int) -> None:
        """The sums of a patch."""
        windows = self.windows(word, edges)
        if self.work.shared:
            self.sums = windows.reshape(len(windows), -1) @ self.weights.T
        else:
            self.sums = (windows * self.weights.T).sum(axis=1)

    def windows(self, word: int, edges: int) -> np.ndarray:
        """(places, taps, channels) of a patch; taps outside the frame are zero."""
        work, geometry = self.work, self.work.geometry
        side, stride, shape = geometry.tile_out, geometry.stride, work.shape_in
        lanes = geometry.patch ** 2 * shape.lanes
        words = np.frombuffer(word.to_bytes(4 * words_of(work.patch_bits), "little"), "<u4")
        pixels = unpack(words, lanes, shape.bits, shape.signed).reshape(
            geometry.patch, geometry.patch, -1)
        windows = np.empty((side, side, work.taps, shape.lanes), np.int64)
        for tap in range(work.taps):
            row, column = divmod(tap, geometry.kernel)
            rows, columns = (geometry.first + at + stride * np.arange(side)
                             for at in (row, column))
            windows[:, :, tap] = pixels[np.ix_(rows, columns)]
            for edge in work.edges:
                if edges >> edge.bit & 1 and (row, column)[edge.axis] == edge.tap:
                    along = slice(geometry.behind) if edge.before else slice(geometry.behind, None)
                    windows[(edge.place, along) if edge.axis == 0 else (along, edge.place)][
                        ..., tap, :] = 0
        return windows.reshape(side * side, work.taps, -1)

    def scale(self) -> None:
        """Of the sums, but for the half that is rounded."""
        products = (self.sums + self.biases) * self.multipliers
        self.scaled = products >> (self.shifts + self.work.shift_base - 1)

    def saturate(self) -> int:
        """The word of the tile that leaves."""
        values = np.clip(self.scaled + 1 >> 1, *self.work.limits)
        return int.from_bytes(pack(values.reshape(1, -1), self.work.shape_out.bits).tobytes(),
                              "little")
