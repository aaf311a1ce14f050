"""Adder array: a constant array whose products are adder graphs, one for each place of a tile.

Takes the place of ``constant_array`` in a unit, with the same steps and in the same three cycles.
"""
from myhdl import SignalType, always, block, instance, instances, intbv

from hdl.blocks.adder_graph import adder_graph
from hdl.blocks.constant_array import ArraySteps, refuse_unfit
from hdl.blocks.lanes import kind_of, pack, unpack
from hdl.blocks.requantize import round_and_clip
from hdl.blocks.signals import WIDE, Instances, sint, uint
from hdl.blocks.tile_patch import Patch
from hdl.plan.adders import AdderGraph
from hdl.plan.arrays import ArrayWork


@block
def adder_array(clk: SignalType, steps: ArraySteps, patch: Patch, tile: SignalType,
                work: ArrayWork, graph: AdderGraph) -> Instances:
    """tile = every output of the windows of ``patch``, three cycles later.

    steps -- ArraySteps: each step takes what the one before it left
    patch -- Patch, of which data and edges are used
    tile  -- the word of work.shape_out
    work  -- ArrayWork
    graph -- AdderGraph of its weights
    """
    refuse_unfit(patch, tile, work)
    outputs, places = work.shape_out.lanes, range(work.places)
    window = [uint(work.taps * work.shape_in.width) for _ in places]
    sums = [uint(outputs * work.sum_bits) for _ in places]
    result = [uint(outputs * work.shape_out.bits) for _ in places]
    bias = [sint(work.biases.bits) for _ in range(outputs)]
    multiplier = [sint(work.multipliers.bits + 1) for _ in range(outputs)]
    shift = [uint(work.shifts.bits) for _ in range(outputs)]

    factors = [constants(lanes, tuple(array.values.tolist())) for lanes, array in (
        (bias, work.biases), (multiplier, work.multipliers), (shift, work.shifts))]
    windows = [cut_window(patch.tdata, patch.edges, window[p], work, p) for p in places]
    graphs = [adder_graph(window[p], sums[p], graph, f"{work.name}_adders") for p in places]
    pixels = [scale_pixel(clk, steps, sums[p], result[p], bias, multiplier, shift, work)
              for p in places]
    give = pack(result, tile)
    return instances()


@block
def constants(lanes: list[SignalType], values: tuple[int, ...]) -> Instances:
    """lanes[i] = values[i], always."""
    bits = len(lanes[0])
    word = sum((value & (1 << bits) - 1) << n * bits for n, value in enumerate(values))
    digits, kind = f"{word:0{bits * len(lanes)}b}", kind_of(lanes)

    @instance
    def give():
        for lane, value in zip(lanes, values):
            lane.next = value
        yield lanes[0]

    constants.verilog_code = f"assign $lanes = {len(digits)}'b{digits};"
    constants.vhdl_code = f'$lanes <= $kind\'("{digits}");'
    return give


constants.func.outputs, constants.func.in_place = ("lanes",), True


@block
def cut_window(data: SignalType, edges: SignalType, window: SignalType, work: ArrayWork,
               place: int) -> Instances:
    """window = the taps of a place of the tile, tap by tap; zero where they lie outside the frame.

    data, edges -- of the Patch
    place       -- number of the output pixel in its tile
    """
    bits = work.shape_in.width
    taps = [(corner(work, place, tap), edges_of(work, place, tap)) for tap in range(work.taps)]
    masks = [sum(1 << bit for bit in outside) for _, outside in taps]

    @always(data, edges)
    def cut():
        word, borders, found = int(data), int(edges), 0
        for number, (low, _) in enumerate(taps):
            if not borders & masks[number]:
                found |= (word >> low & (1 << bits) - 1) << number * bits
        window.next = found

    fields = [(low + bits - 1, low, outside) for low, outside in reversed(taps)]
    verilog = ", ".join(verilog_tap(*each) for each in fields)
    vhdl = " & ".join(vhdl_tap(*each) for each in fields)
    cut_window.verilog_code = f"assign $window = {{{verilog}}};"
    cut_window.vhdl_code = f"$window <= {vhdl};"
    return cut


cut_window.func.outputs, cut_window.func.in_place = ("window",), True


def corner(work: ArrayWork, place: int, tap: int) -> int:
    """The lowest bit of a tap's pixel in the patch."""
    geometry = work.geometry
    (i, j), (row, column) = divmod(place, geometry.tile_out), divmod(tap, geometry.kernel)
    return work.shape_in.width * (
        (geometry.first + geometry.stride * i + row) * geometry.patch
        + geometry.first + geometry.stride * j + column)


def edges_of(work: ArrayWork, place: int, tap: int) -> tuple[int, ...]:
    """Bits of ``Patch.edges`` of which any says that a tap of a place lies outside the frame."""
    geometry = work.geometry
    at, taps = divmod(place, geometry.tile_out), divmod(tap, geometry.kernel)
    return tuple(edge.bit for edge in work.edges
                 if taps[edge.axis] == edge.tap and at[edge.axis] == edge.place
                 and (at[1 - edge.axis] < geometry.behind) == edge.before)


def verilog_tap(high: int, low: int, outside: tuple[int, ...]) -> str:
    """A tap's pixel in Verilog."""
    pixel = f"$data[{high}:{low}]"
    borders = " | ".join(f"$edges[{bit}]" for bit in outside)
    return f"({{{high - low + 1}{{~({borders})}}}} & {pixel})" if outside else pixel


def vhdl_tap(high: int, low: int, outside: tuple[int, ...]) -> str:
    """A tap's pixel in VHDL."""
    pixel = f"$data({high} downto {low})"
    borders = " or ".join(f"$edges({bit})" for bit in outside)
    return f"({pixel} and ({high} downto {low} => not ({borders})))" if outside else pixel


@block
def scale_pixel(clk: SignalType, steps: ArraySteps, sums: SignalType, result: SignalType,
                bias: list[SignalType], multiplier: list[SignalType], shift: list[SignalType],
                work: ArrayWork) -> Instances:
    """result = the outputs of a pixel, of its sums, three cycles later.

    bias, multiplier, shift -- of each output; constants
    """
    outputs = range(work.shape_out.lanes)
    total = [sint(work.sum_bits) for _ in outputs]
    activation = [uint(work.shape_out.bits) for _ in outputs]
    totals = unpack(sums, total)
    scalers = [scale_constant(clk, steps, total[c], activation[c], bias[c], multiplier[c],
                              shift[c], work) for c in outputs]
    activations = pack(activation, result)
    return instances()


@block
def scale_constant(clk: SignalType, steps: ArraySteps, total: SignalType, activation: SignalType,
                   bias: SignalType, multiplier: SignalType, shift: SignalType,
                   work: ArrayWork) -> Instances:
    """One output's three steps: keep the sum, scale it but for the half, round and clip."""
    multiply, scale, saturate = steps.multiply, steps.scale, steps.saturate
    most = work.shift_base - 1
    held, scaled = sint(work.sum_bits), sint(work.scaled_bits)
    clip = round_and_clip(clk, saturate, scaled, activation, *work.limits)

    @always(clk.posedge)
    def pipeline():
        if multiply:
            held.next = total
        if scale:
            wide = intbv(0, min=-WIDE, max=WIDE)
            wide[:] = held + bias
            wide[:] = wide * multiplier
            wide[:] = wide >> (shift + most)
            scaled.next = wide

    return instances()
