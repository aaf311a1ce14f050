"""Configuration: weights found again in ROM rows, widths that just suffice."""
from types import SimpleNamespace

import numpy as np
import pytest

from hdl.layers import Precision, Unit
from hdl.plan.config import configure
from hdl.plan.folding import Folding
from hdl.plan.network import UnitPlan
from hdl.plan.schedule import NO_BUFFERS
from hdl.shape import StreamShape
from tests.support.bench import NARROW, unit_config
from tests.support.naive import read_back

# kind, channels in and out, pe, simd, lanes out
MATRIX = [("pointwise", 6, 8, 4, 3, 2), ("pointwise", 5, 7, 7, 1, 1), ("pointwise", 1, 1, 1, 1, 1),
          ("pointwise", 8, 8, 2, 2, 2), ("stem", 3, 4, 2, 9, 1)]
# inputs, outputs, pe, simd, lanes out
ACCUMULATED = [(8, 6, 2, 2, 1), (6, 4, 1, 6, 1), (5, 3, 3, 1, 1)]
DEPTHWISE = [(6, 2, 9), (6, 3, 3), (4, 4, 1), (1, 1, 3)]    # channels, pe, simd


@pytest.mark.parametrize("kind, inputs, outputs, pe, simd, lanes_out", MATRIX)
def test_rows_of_a_matrix(rng, kind, inputs, outputs, pe, simd, lanes_out):
    """Row after row, a group of outputs goes through all inputs; then the next group."""
    config, params = unit_config(rng, kind, 3, inputs, outputs, pe, simd, inputs, lanes_out)
    taken = params.weights.shape[0]
    rows = iter(config.weights.rows)
    for group in range(0, outputs, pe):
        for first in range(0, taken, simd):
            row = next(rows)
            for j in range(pe):
                for i in range(simd):
                    assert row[j * simd + i] == params.weights[first + i, group + j]
    assert not list(rows)
    assert config.beats == taken // simd


@pytest.mark.parametrize("inputs, outputs, pe, simd, lanes_out", ACCUMULATED)
def test_rows_of_fewer_outputs_than_inputs(rng, inputs, outputs, pe, simd, lanes_out):
    """Row after row, a word of inputs goes to all groups of outputs; then the next word."""
    config, params = unit_config(rng, "pointwise", 3, inputs, outputs, pe, simd, inputs, lanes_out)
    rows = iter(config.weights.rows)
    for first in range(0, inputs, simd):
        for group in range(0, outputs, pe):
            row = next(rows)
            for j in range(pe):
                for i in range(simd):
                    assert row[j * simd + i] == params.weights[first + i, group + j]
    assert not list(rows)


@pytest.mark.parametrize("channels, pe, simd", DEPTHWISE)
def test_rows_of_a_depthwise_unit(rng, channels, pe, simd):
    """All taps row by row, or one column of the window after the other, from the top."""
    config, params = unit_config(rng, "depthwise", 3, channels, channels, pe, simd, 1, 1)
    kernel = params.weights.reshape(3, 3, channels)
    places = [(y, x) for y in range(3) for x in range(3)] if simd == 9 \
        else [(y, x) for x in range(3) for y in range(3)]
    rows = iter(config.weights.rows)
    for group in range(0, channels, pe):
        for first in range(0, 9, simd):
            row = next(rows)
            for j in range(pe):
                for i in range(simd):
                    assert row[j * simd + i] == kernel[places[first + i]][group + j]
    assert not list(rows)


def test_rows_of_the_scales(rng):
    config, params = unit_config(rng, "pointwise", 3, 6, 8, 4, 3, 2, 2)
    for number, row in enumerate(config.scales.rows):
        channels = [2 * number, 2 * number + 1]
        assert row == (*params.bias[channels], *params.multiplier[channels],
                       *(params.shift[channels] - config.shift_base))
    assert len(config.scales.rows) == 4 and config.shift_base == params.shift.min()


def test_mem_text_of_a_unit_reads_back(rng):
    config, params = unit_config(rng, "pointwise", 3, 6, 8, 4, 3, 2, 2)
    assert params.weights.min() < 0 and params.bias.min() < 0
    assert read_back(config.weights.mem(), config.weights.widths) == config.weights.rows
    text = config.scales.mem().split()
    for line, row in zip(text, config.scales.rows):
        word = int(line, 16)
        for value, bits in zip(row, config.scales.widths):
            assert word % 2 ** bits == value % 2 ** bits
            word //= 2 ** bits
        assert word == 0


def plan_of(inputs, outputs, activation_in="relu6", precision=NARROW):
    """UnitPlan of a pointwise unit."""
    unit = Unit("dut", "pointwise", "head", "dut", 1, 1, inputs, outputs,
                activation_in=activation_in)
    return UnitPlan(Folding(unit, precision, 1, 1, 1, 1), NO_BUFFERS)


def config_of(weights, bias, activation_in="relu6", precision=NARROW):
    """UnitConfig of a pointwise unit with these weights (inputs, outputs) and biases."""
    weights = np.array(weights)
    inputs, outputs = weights.shape
    return configure(plan_of(inputs, outputs, activation_in, precision), SimpleNamespace(
        weights=weights, bias=bias, multiplier=[128] * outputs, shift=[9] * outputs))


def test_a_convolution_has_integers():
    with pytest.raises(ValueError, match="^unit dut has weights: give its integers$"):
        configure(plan_of(2, 3))


def fits(value, bits):
    return -2 ** (bits - 1) <= value < 2 ** (bits - 1)


@pytest.mark.parametrize("activation_in", ["relu6", "linear"])
def test_accumulators_are_just_wide_enough(rng, activation_in):
    """The worst inputs for the worst channel fit, and would not in a bit less."""
    for _ in range(40):
        inputs, outputs = rng.integers(1, 9, 2)
        weights = rng.integers(-15, 16, (inputs, outputs))
        weights[0, 0] = weights[0, 0] or 1
        bias = rng.integers(-400, 400, outputs)
        config = config_of(weights, bias, activation_in)
        low, high = (0, 63) if activation_in == "relu6" else (-64, 63)
        totals, biased = [], []
        for c in range(outputs):
            most = sum(max(w * low, w * high) for w in weights[:, c].tolist())
            least = sum(min(w * low, w * high) for w in weights[:, c].tolist())
            totals += [most, least]
            biased += [most + int(bias[c]), least + int(bias[c])]
        assert all(fits(total, config.accumulator_bits) for total in totals)
        assert all(fits(total, config.biased_bits) for total in biased)
        reach = max(np.abs(weights).sum(axis=0)) * max(-low, high)
        assert not fits(int(reach), config.accumulator_bits - 1)


def test_accumulator_of_all_positive_weights():
    """63 times 15 + 15 is 1890: eleven bits and a sign."""
    assert config_of([[15], [15]], [0]).accumulator_bits == 12
    assert config_of([[15], [15]], [157]).biased_bits == 12     # 2047
    assert config_of([[15], [15]], [158]).biased_bits == 13     # 2048


def test_structure_is_without_content(rng):
    """Two units that differ in weights alone share their HDL."""
    one, other = (unit_config(rng, "pointwise", 3, 6, 8, 4, 3, 2, 2)[0] for _ in range(2))
    assert one.weights.rows != other.weights.rows
    same = config_of([[3], [4]], [1]), config_of([[4], [3]], [1])
    assert same[0].structure() == same[1].structure()
    assert same[0].weights.rows != same[1].weights.rows
    wider = config_of([[15], [15]], [1])
    assert wider.structure() != same[0].structure()


def test_widths_are_the_precisions():
    precision = Precision("odd", weight_bits=11, relu6_bits=7, linear_bits=13, multiplier_bits=9)
    config = config_of([[3], [4]], [1], "linear", precision)
    assert config.weights.widths == (11,) and config.scales.widths[1] == 9
    assert config.stream_in() == StreamShape(1, 13)
    assert config.stream_out() == StreamShape(1, 7, signed=False)
