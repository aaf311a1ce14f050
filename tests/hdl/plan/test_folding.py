"""The folding solver: every unit meets the rate, with the fewest multipliers that do."""
from itertools import pairwise

import pytest

from hdl.layers import ALPHAS, PRECISIONS, layer_table
from hdl.plan.folding import divisors, fold, fold_convolution
from tests.support.networks import RATES

W8A8 = PRECISIONS["w8a8"]


@pytest.mark.parametrize("resolution, cycles", RATES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_every_unit_meets_the_rate(alpha, resolution, cycles):
    foldings = fold(layer_table(alpha, resolution), W8A8, cycles)
    for row in foldings:
        unit = row.unit
        assert row.steps * unit.pixels_out <= cycles, unit.name
        assert unit.channels_out // row.lanes_out * unit.pixels_out <= cycles, unit.name
        if unit.kind == "depthwise":
            assert unit.channels_in // row.pe * unit.pixels_in <= cycles, unit.name
    for before, after in pairwise(foldings):
        assert after.lanes_in == before.lanes_out, after.unit.name


@pytest.mark.parametrize("resolution, cycles", RATES)
def test_lanes_divide_channels(resolution, cycles):
    for row in fold(layer_table(1.0, resolution), W8A8, cycles):
        unit = row.unit
        assert unit.channels_in % row.lanes_in == 0 and unit.channels_out % row.lanes_out == 0
        if unit.weights:
            inputs, outputs = unit.weight_shape
            assert inputs % row.simd == 0 and outputs % row.pe == 0 and row.pe % row.lanes_out == 0
        if unit.kind == "depthwise":
            assert row.simd in (1, 3, 9)


@pytest.mark.parametrize("name", [
    "Conv1", "expanded_conv_depthwise", "expanded_conv_project", "block_1_expand",
    "block_2_depthwise", "block_3_depthwise", "block_3_project", "block_12_depthwise", "Conv_1"])
@pytest.mark.parametrize("resolution, cycles", [(224, 50_176), (224, 802_816), (32, 1024)])
def test_fewest_multipliers(name, resolution, cycles):
    """Against every pair of numbers there is."""
    unit = next(unit for unit in layer_table(1.0, resolution) if unit.name == name)
    inputs, outputs = (9, unit.channels_out) if unit.kind == "depthwise" else unit.weight_shape
    pixel = cycles // unit.pixels_out
    least = None
    for pe in range(1, outputs + 1):
        for simd in range(1, inputs + 1):
            if outputs % pe or inputs % simd or inputs // simd * (outputs // pe) > pixel:
                continue
            if unit.kind == "depthwise" and unit.size_in ** 2 * (outputs // pe) > cycles:
                continue
            least = pe * simd if least is None else min(least, pe * simd)
    assert fold_convolution(unit, W8A8, cycles, 1).multipliers == least


@pytest.mark.parametrize("cycles, most", [(12_544, 1.01), (50_176, 1.01), (200_704, 1.03),
                                          (802_816, 1.12)])
def test_multipliers_of_the_ladder(cycles, most):
    """Against the multiplications that the rate asks for, as if they could be divided at will."""
    table = layer_table(1.0, 224)
    multipliers = sum(row.multipliers for row in fold(table, W8A8, cycles))
    ideal = sum(unit.macs for unit in table) / cycles
    assert 1 <= multipliers / ideal <= most


@pytest.mark.parametrize("resolution, cycles, tile", [(32, 256, 2), (32, 1023, 2), (32, 1024, 1),
                                                      (33, 289, 2), (33, 1089, 1)])
def test_tiles_come_in_where_there_are_fewer_cycles_than_pixels(resolution, cycles, tile):
    first, *others = fold(layer_table(1.0, resolution), W8A8, cycles)
    assert first.tile_in == tile and all(row.tile_in == 1 for row in others)


@pytest.mark.parametrize("resolution, cycles, words", [
    (32, 255, "256, or one of 1, 4, 16, 64"), (33, 64, "289"), (96, 1, "2304, or one of 9, .*576"),
    (32, 0, "256, or one of .*"), (32, -4, "256, or one of .*")])
def test_fewer_cycles_than_output_pixels_are_refused(resolution, cycles, words):
    """But for the rates at which tiles creep, which a size that is no multiple of 32 has not."""
    with pytest.raises(ValueError, match=f"^{cycles} cycles .* fewer than the .* pixels of the "
                                         f"first unit's output.*: give at least {words}$"):
        fold(layer_table(1.0, resolution), W8A8, cycles)


def test_a_unit_that_no_folding_makes_quick_enough_is_refused():
    unit = layer_table(1.0, 32)[0]
    with pytest.raises(ValueError, match="^Conv1 has 0 cycles for each of its 256 pixels at 255 "
                                         "cycles a frame, .*: give more cycles$"):
        fold_convolution(unit, W8A8, 255, 3)


def test_divisors():
    assert divisors(12) == [1, 2, 3, 4, 6, 12] and divisors(1) == [1]
