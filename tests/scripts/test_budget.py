"""The budget: the origin's list line by line, the ladder's figures, and what the command says."""
import csv
import functools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hdl.layers import ALPHAS, PRECISIONS, layer_table
from hdl.plan import budget
from hdl.plan.budget import ideal_cost, ladder_rates
from hdl.plan.origin import origin_lines, origin_totals
from scripts.budget import main
from tests.support.json_page import check

ORIGIN = Path(__file__).with_name("origin.csv")
LADDER = {49: 6_112_128, 196: 1_528_032, 784: 382_008, 3_136: 95_502, 12_544: 23_876,
          50_176: 5_969, 200_704: 1_492, 802_816: 373, 3_211_264: 93}
FOLDED = [rate for rate in LADDER if rate >= 112 ** 2]
W16A16 = PRECISIONS["w16a16"]

rung = functools.cache(budget.rung)


def run(*arguments):
    return CliRunner().invoke(main, arguments)


def run_json(*arguments):
    result = run("--json", *arguments)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    check("scripts.budget", document)
    return document


def test_origin_line_by_line():
    """All 52 lines agree but for one word: line 41 leaves out that it has a stride of 2."""
    with ORIGIN.open(newline="") as file:
        published = [tuple(row.values()) for row in csv.DictReader(file)]
    assert len(published) == 52
    assert published[40] == ("DW", "1x1", "9x576", "5184")
    published[40] = ("DW s2", *published[40][1:])
    assert [(line.layer, line.points, line.weights_per_point, str(line.product))
            for line in origin_lines()] == published


def test_origin_totals():
    full, quarter, folded = origin_totals()
    assert full == sum(line.product for line in origin_lines()) == 6_112_128
    assert quarter == 4_504_064 // 4 + 1_608_064 == 2_734_080
    assert folded == 1_528_032
    assert full * 49 == sum(unit.macs for unit in layer_table()) == 299_494_272


def test_ladder_ideal():
    assert ladder_rates(224) == tuple(LADDER)
    rungs = [rung(layer_table(), W16A16, rate) for rate in LADDER]
    assert {row.cycles_per_frame: round(row.ideal_multipliers) for row in rungs} == LADDER


@pytest.mark.parametrize("resolution, fastest", [(32, 1), (96, 9), (100, 625), (97, 97 ** 2)])
def test_ladder_of_other_sizes(resolution, fastest):
    rates = ladder_rates(resolution)
    assert rates[0] == fastest and rates[-1] == 64 * resolution ** 2
    assert resolution ** 2 in rates
    assert all(after == 4 * before for before, after in zip(rates, rates[1:]))


def test_one_point_per_clock_is_the_origin():
    """At 49 cycles a frame every unit has the origin's product in multipliers and in words."""
    products = {line.unit: line.product for line in origin_lines()}
    for unit in layer_table():
        cost = ideal_cost(unit, W16A16, 49)
        assert cost.multipliers == cost.weight_words == products.get(unit.name, 0)


def test_quarter_rate_holds_as_many_words_as_the_origin_multiplies():
    """The 7x7 layers hold each weight once whether or not their multipliers are folded."""
    row = rung(layer_table(), W16A16, 196)
    assert (round(row.ideal_multipliers), row.weight_words) == (1_528_032, 2_734_080)
    assert row.multipliers == 1_528_464     # two depthwise units take three cycles of four


def test_ideal_memory():
    """Of block_2 at 224: two rows of 56 x 144 at 16 bits, 57 pixels of 24 channels at 18."""
    costs = {unit.name: ideal_cost(unit, W16A16, 50_176) for unit in layer_table()}
    depthwise, add = costs["block_2_depthwise"], costs["block_2_add"]
    assert depthwise.line_buffer_bits == 2 * 56 * 144 * 16
    assert depthwise.weight_bits == 9 * 144 * 16
    assert depthwise.fifo_bits == 0
    assert add.fifo_bits == 57 * 24 * 18
    assert add.multipliers == add.weight_bits == add.line_buffer_bits == 0


@pytest.mark.parametrize("rate", FOLDED)
@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
def test_folded_is_no_better_than_ideal(rate, precision):
    row = rung(layer_table(), precision, rate)
    assert row.folded
    for cost in row.costs:
        ideal = ideal_cost(cost.unit, precision, rate)
        assert cost.multipliers >= ideal.multipliers
        assert cost.weight_bits >= ideal.weight_bits
        assert cost.fifo_bits >= ideal.fifo_bits
        assert cost.steps * cost.unit.pixels_out <= rate
    assert row.weight_words == sum(unit.weights for unit in layer_table())


@pytest.mark.parametrize("precision", PRECISIONS.values(), ids=PRECISIONS)
@pytest.mark.parametrize("rate", [rate for rate in LADDER if rate not in FOLDED])
def test_next_to_no_buffer_where_tiles_creep(rate, precision):
    """Of units that take a pixel or more in every cycle: two rows of each 3x3, a row and a pixel of
    each shortcut and what passes meanwhile; of the others as of any rate."""
    row = rung(layer_table(), precision, rate)
    assert row.folded and row.memory <= 1.1
    for cost in row.costs:
        unit = cost.unit
        if unit.pixels_out >= rate:
            assert cost.weight_bits == cost.buffer_bits == 0
            pixel = unit.channels_in * precision.bits(unit.activation_in)
            assert cost.line_buffer_bits == (2 * unit.size_in * pixel if unit.kernel == 3 else 0)
            if not unit.weights:
                passing = cost.fifo_bits / pixel - unit.size_in
                side = (unit.pixels_in / rate) ** 0.5
                assert passing == side + 12 * side ** 2     # a column, and twelve tiles
    assert sum(cost.weight_bits for cost in row.costs) == precision.weight_bits * sum(
        unit.weights for unit in layer_table() if unit.pixels_out < rate)


@pytest.mark.parametrize("resolution, rate", [(224, 7), (100, 625)])
def test_rates_without_folding_say_why(resolution, rate):
    row = rung(layer_table(1.0, resolution), W16A16, rate)
    assert not row.folded and len(row.refusal.split()) > 5
    assert all(cost.pe == cost.simd == 0 for cost in row.costs)


def test_json():
    found = run_json()
    assert found["weights"] == 2_189_760
    assert found["parameters"] == 2_257_984
    assert found["macs_per_frame"] == 299_494_272
    assert found["origin_full_rate"] == 6_112_128
    assert found["origin_quarter_rate"] == 2_734_080
    assert found["origin_quarter_rate_folded"] == 1_528_032
    assert found["cycles_per_frame"] == 50_176 and found["folded"]
    assert found["multipliers"] == sum(unit["multipliers"] for unit in found["units"]) >= 5_969
    assert set(found["bits"]) == {"weights", "line_buffers", "residual_fifos", "pixel_buffers"}
    assert [(unit["name"], unit["kind"], unit["weights"], unit["macs"])
            for unit in found["units"]] == [
        (unit.name, unit.kind, unit.weights, unit.macs) for unit in layer_table()]


def test_json_of_a_rate_without_folding():
    found = run_json("--cycles-per-frame", "7")
    assert not found["folded"] and found["refusal"]
    assert found["multipliers"] >= 299_494_272 / 7


def test_json_of_a_point_a_clock():
    found = run_json("--cycles-per-frame", "49")
    assert found["folded"] and found["bits"]["weights"] == 0
    assert found["multipliers"] == found["weight_words"] == 6_112_128


@pytest.mark.parametrize("alpha", ALPHAS)
def test_any_alpha_and_resolution(alpha):
    found = run_json("--alpha", str(alpha), "--resolution", "97", "--precision", "w8a8")
    table = layer_table(alpha, 97)
    assert found["weights"] == sum(unit.weights for unit in table)
    assert found["cycles_per_frame"] == 97 ** 2
    assert found["origin_full_rate"] == 6_112_128


def test_tables():
    result = run()
    assert result.exit_code == 0
    lines = result.output.splitlines()
    for line in origin_lines():
        assert any(line.unit in text and f"{line.product:,}" in text for text in lines)
    text = " ".join(result.output.split())
    for figure in ("6,112,128", "2,734,080", "1,528,032", "12.22 MB", "5.47 MB", "4.38 MB"):
        assert figure in text
    assert "it counts multipliers" in text and "Unique weights are 2,189,760" in text


@pytest.mark.parametrize("arguments", [
    (), ("--alpha", "1.4", "--resolution", "320"), ("--cycles-per-frame", "60000"),
    ("--cycles-per-frame", "7", "--precision", "w8a8"),
])
def test_tables_fit_in_100_columns(arguments):
    """No line is wider, and no figure or head is cut short."""
    output = run(*arguments).output
    assert max(map(len, output.splitlines())) <= 100
    assert "…" not in output
