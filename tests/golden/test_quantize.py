"""The quantiser's arithmetic: scales, floors, multipliers, and what it refuses."""
import numpy as np
import pytest

from golden.errors import GoldenError
from golden.graph import Node
from golden.quantize import (HEADROOM, UnitParams, check_widths, choose_scales, fixed_point,
                             quantize_unit, smallest_dtype, snap_up)
from hdl.layers import PRECISIONS

ROWS = PRECISIONS.values()


@pytest.mark.parametrize("row", ROWS, ids=PRECISIONS.keys())
def test_dead_channels_and_large_biases_survive(row):
    """Trained networks have channels with max|w| 1e-20 and 0, and biases up to 32.3."""
    weights = np.array([[1e-20, 0.0, 56.4, 0.5, 1e-7], [-6e-21, 0.0, -3.0, -0.25, 0.0]])
    bias = np.array([32.3, -32.3, 0.1, 5.9, 3.0])
    scale_in, scale_out = 6 / row.limits("relu6")[1], 64 / row.limits("linear")[1]
    params = quantize_unit(weights, bias, scale_in, scale_out, row)
    check_widths("unit", params, row.limits("relu6")[1])
    inputs = np.array([3.0, 1.5])
    integers = np.rint(inputs / scale_in)
    gain = params.multiplier / 2.0 ** params.shift
    output = np.rint((integers @ params.weights + params.bias) * gain) * scale_out
    assert abs(output - (inputs @ weights + bias)).max() < 2 * scale_out + 3 * 56.4 * scale_in
    assert (np.abs(output - (inputs @ weights + bias))[[0, 1, 4]] <= scale_out).all()
    assert ((1 << 15 <= params.multiplier) & (params.multiplier < 1 << 16)).all()
    assert (params.shift >= 1).all()


@pytest.mark.parametrize("row", ROWS, ids=PRECISIONS.keys())
def test_weights_use_the_whole_range_of_each_channel(row, rng):
    weights = rng.normal(size=(9, 50)) * 10.0 ** rng.uniform(-1, 1, 50)
    params = quantize_unit(weights, np.zeros(50), 1 / 255, 1 / 512, row)
    limit = 2 ** (row.weight_bits - 1) - 1
    assert params.weights.dtype == {8: np.int8, 16: np.int16}[row.weight_bits]
    assert (np.abs(params.weights.astype(int)).max(axis=0) == limit).all()
    steps = np.abs(weights).max(axis=0) / limit
    assert (np.abs(params.weights * steps - weights) <= steps * 0.5000001).all()


def test_multiplier_and_shift_are_the_nearest_to_every_ratio(rng):
    """Ratios just below a power of two round up to it: the mantissa must carry, not reach 2^16."""
    ratios = np.concatenate([2.0 ** rng.uniform(-22, 4, 2000), 2.0 ** np.arange(-22, 5),
                             np.nextafter(2.0 ** np.arange(-22, 5), 0), [1 - 2.0 ** -17]])
    multiplier, shift = fixed_point(ratios)
    assert multiplier.min() >= 1 << 15 and multiplier.max() < 1 << 16
    error = np.abs(multiplier * 2.0 ** -shift - ratios)
    assert (error <= 0.5 * 2.0 ** -shift.astype(float)).all()


def test_snap_up_is_the_next_quarter_octave(rng):
    for value in [*2.0 ** rng.uniform(-20, 20, 500), 1.0, 2.0, 0.25, np.nextafter(1, 2)]:
        snapped = snap_up(value)
        quarters = np.log2(snapped) * 4
        assert quarters == pytest.approx(round(quarters), abs=1e-9)
        assert value <= snapped < value * 2 ** 0.25 * (1 + 1e-12)


def test_tensors_that_meet_in_adds_share_one_scale():
    """Two adds in a row make one group of five; a project without add keeps its own."""
    nodes = [Node("expand", ("input",), activation="relu6"), Node("alone", ("expand",)),
             Node("first", ("alone",)), Node("second", ("first",)),
             Node("add", ("first", "second")), Node("third", ("add",)),
             Node("last_add", ("add", "third"))]
    peaks = {"alone": 1.0, "first": 3.0, "second": 0.5, "add": 7.9, "third": 9.0, "last_add": 2.0}
    row = PRECISIONS["w8a8"]
    scales = choose_scales({node.name: node for node in nodes}, peaks, row)
    group = {scales[name] for name in ("first", "second", "add", "third", "last_add")}
    assert group == {snap_up(9.0 * HEADROOM) / 2047}
    assert scales["alone"] == snap_up(1.0 * HEADROOM) / 2047
    assert scales["expand"] == 6 / 255 and scales["input"] == 1 / 255


def test_a_silent_tensor_gets_a_scale_all_the_same():
    scales = choose_scales({"project": Node("project", ("input",))}, {"project": 0.0},
                           PRECISIONS["w16a16"])
    assert scales["project"] > 0


@pytest.mark.parametrize("change, bits", [
    ({"bias": 1 << 54}, 55), ({"multiplier": 1 << 30, "bias": 1 << 40}, 41), ({"shift": 0}, 17)])
def test_sums_and_products_beyond_exact_arithmetic_are_refused(change, bits):
    values = {"bias": 1, "multiplier": 1 << 15, "shift": 20} | change
    params = UnitParams(np.full((4, 1), 127, np.int8), *(
        np.array([values[name]]) for name in ("bias", "multiplier", "shift")))
    with pytest.raises(GoldenError, match=f"unit block_1_expand .* sums of {bits} bits.*"):
        check_widths("block_1_expand", params, 255)


@pytest.mark.parametrize("limits, dtype", [
    ((0, 255), "uint8"), ((0, 256), "uint16"), ((-1, 1), "int8"), ((-2048, 2047), "int16"),
    ((-(1 << 17), (1 << 17) - 1), "int32")])
def test_smallest_dtype(limits, dtype):
    assert smallest_dtype(limits) == dtype
