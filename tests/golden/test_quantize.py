"""The quantiser's arithmetic: scales, floors, multipliers, and what it refuses."""
import numpy as np
import pytest

from golden.errors import GoldenError
from golden.graph import Node
from golden.quantize import (HEADROOM, Ends, UnitParams, check_widths, choose_scales, fixed_point,
                             quantize_unit, smallest_dtype, snap_up)
from hdl import layers
from hdl.layers import PRECISIONS

ROWS = PRECISIONS.values()


@pytest.mark.parametrize("row", ROWS, ids=PRECISIONS.keys())
def test_dead_channels_and_large_biases_survive(row):
    """Trained networks have channels with max|w| 1e-20 and 0, and biases up to 32.3."""
    weights = np.array([[1e-20, 0.0, 56.4, 0.5, 1e-7], [-6e-21, 0.0, -3.0, -0.25, 0.0]])
    bias = np.array([32.3, -32.3, 0.1, 5.9, 3.0])
    scale_in, scale_out = 6 / row.limits("relu6")[1], 64 / row.limits("linear")[1]
    params = quantize_unit(weights, bias, Ends(scale_in, scale_out, "relu6", "linear"), row)
    check_widths("unit", params, row.limits("relu6"))
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
    params = quantize_unit(weights, np.zeros(50), Ends(1 / 255, 1 / 512, "input", "linear"), row)
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
    scales = choose_scales({node.name: node for node in nodes}, peaks, row, {})
    group = {scales[name] for name in ("first", "second", "add", "third", "last_add")}
    assert group == {snap_up(9.0 * HEADROOM) / 2047}
    assert scales["alone"] == snap_up(1.0 * HEADROOM) / 2047
    assert scales["expand"] == 6 / 255 and scales["input"] == 1 / 255


def test_a_silent_tensor_gets_a_scale_all_the_same():
    scales = choose_scales({"project": Node("project", ("input",))}, {"project": 0.0},
                           PRECISIONS["w16a16"], {"project": 0.1})
    assert scales["project"] > 0


@pytest.mark.parametrize("name", ["w16a16", "w8a8", "w4a4l18"])
def test_a_silent_tensor_of_large_weights_is_reached_by_its_requantizer(name):
    row = layers.precision(name)
    node = Node("project", ("depthwise",))
    scales = choose_scales({"project": node}, {"project": 0.0}, row, {"project": 1e6})
    weights = np.array([[1e6, 1e-3], [-3.0, 0.0]])
    params = quantize_unit(weights, np.zeros(2), Ends(
        6 / row.limits("relu6")[1], scales["project"], "relu6", "linear"), row)
    check_widths("project", params, row.limits("relu6"))
    assert params.shift.min() == 1


@pytest.mark.parametrize("change, words", [
    ({"bias": 1 << 54}, "needs sums of 55 bits, which the golden cannot compute exactly"),
    ({"multiplier": 1 << 30, "bias": 1 << 40}, "needs sums of 41 bits, which"),
    ({"shift": 0}, "one step of the sum is more than 32767.5 of the output's")])
def test_sums_and_products_beyond_exact_arithmetic_are_refused(change, words):
    values = {"bias": 1, "multiplier": 1 << 15, "shift": 20} | change
    params = UnitParams(np.full((4, 1), 127, np.int8), *(
        np.array([values[name]]) for name in ("bias", "multiplier", "shift")))
    with pytest.raises(GoldenError, match=f"unit block_1_expand .*{words}.*: give weights of"):
        check_widths("block_1_expand", params, (0, 255))


@pytest.mark.parametrize("kind_out", ["relu6", "linear"])
@pytest.mark.parametrize("row", ROWS, ids=PRECISIONS.keys())
def test_a_bias_is_clipped_where_no_output_can_tell(row, kind_out, rng):
    """Against Python's unbounded integers, at the ends of what the sums of products reach."""
    biases = np.array([1e4, -1e6, 3e8, -1e20, 2e38, 40.0, -0.3, 0.0])
    weights = rng.normal(size=(9, biases.size)) * 10.0 ** np.array([0, -3, -20, 1, 0, 1, 0, -20])
    weights[:, 2] = 0
    limits, inputs = row.limits(kind_out), row.limits("relu6")
    scale_in, scale_out = 6 / inputs[1], (6 if kind_out == "relu6" else 64) / limits[1]
    params = quantize_unit(weights, biases, Ends(scale_in, scale_out, "relu6", kind_out), row)
    check_widths("unit", params, inputs)
    step = np.maximum(np.abs(weights).max(axis=0) / row.weight_limit, 2.0 ** -(
        row.weight_bits + 6) * (scale_out / scale_in)) * scale_in
    clipped = 0
    for channel, bias in enumerate(biases):
        unclipped = int(np.rint(bias / step[channel]))
        kept, multiplier, shift = (int(values[channel]) for values in (
            params.bias, params.multiplier, params.shift))
        clipped += kept != unclipped
        reach = int(np.abs(params.weights[:, channel].astype(int)).sum()) * inputs[1]
        for total in (-reach, -reach // 2, 0, reach // 3, reach):
            expected, found = (min(max((total + one) * multiplier + 2 ** shift // 2 >> shift,
                                       limits[0]), limits[1]) for one in (unclipped, kept))
            assert expected == found, (bias, total)
    assert clipped >= 4


@pytest.mark.parametrize("limits, dtype", [
    ((0, 255), "uint8"), ((0, 256), "uint16"), ((-1, 1), "int8"), ((-2048, 2047), "int16"),
    ((-(1 << 17), (1 << 17) - 1), "int32")])
def test_smallest_dtype(limits, dtype):
    assert smallest_dtype(limits) == dtype
