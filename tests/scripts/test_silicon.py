"""What constants cost: graphs against plain products, counts against naive ones, the command."""
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from hdl.blocks.adder_graph import adder_graph, input_bits
from hdl.blocks.signals import uint
from hdl.convert.block import convert_block
from hdl.layers import PRECISIONS, layer_table
from hdl.plan.adders import AdderGraph
from scripts.cosim import main as cosim
from scripts.shared.yosys import yosys
from scripts.silicon import graphs
from scripts.silicon.__main__ import main
from scripts.silicon.costs import LIBRARIES, Cells, signed_digits
from scripts.silicon.graphs import Matrix, graph_of, kept_counts, matrix_of, solve
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.networks import TABLE, golden
from tests.support.simulators import available

LIBERTY = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
SMALL = ("--alpha", "0.35", "--resolution", "32", "--precision", "w4a8", "--tile", "8", "--json")
CHAIN = (*SMALL[:6], "--cycles-per-frame", "1", "--json")
# inputs, outputs, bits of a weight, (least, greatest) input, every output of all inputs, tile
MATRICES = {
    "stem": (27, 16, 8, (-255, 255), True, 32),
    "tiles": (40, 21, 8, (0, 255), True, 16),
    "wide": (12, 7, 16, (-2 ** 17, 2 ** 17 - 1), True, 5),
    "depthwise": (9, 11, 8, (0, 255), False, 32),
    "one": (1, 1, 8, (0, 255), True, 32),
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Graphs are kept where no other test finds them."""
    monkeypatch.setenv("MNV2_BUILD_DIR", str(tmp_path))


def drawn(rng, case):
    """A Matrix, with an output of zeros, a negative one and one weight of each extreme."""
    inputs, outputs, bits, limits, shared, tile = MATRICES[case]
    most = 2 ** (bits - 1) - 1
    weights = np.clip(np.round(rng.laplace(size=(inputs, outputs)) * most / 5), -most, most)
    weights[0, 0], weights[-1, -1] = -most, most
    if outputs > 3:
        weights[:, 1], weights[:, 2] = 0, -np.abs(weights[:, 2])
    return Matrix(case, weights.astype(int), limits, shared, tile)


def products(weights, shared, values):
    """The sums of products in plain integers."""
    totals = []
    for row in values.tolist():
        outputs = len(weights[0])
        totals.append([sum(row[k if shared else k * outputs + c] * int(weights[k][c])
                           for k in range(len(weights))) for c in range(outputs)])
    return totals


def extremes(rng, graph, count=20):
    """Inputs: the corners that all share, then random ones."""
    low, high = np.array(graph.inputs).T
    return np.stack([low, high, *(rng.integers(low, high + 1) for _ in range(count))])


@pytest.mark.parametrize("case", MATRICES)
def test_graphs_are_the_matrix(rng, case):
    matrix = drawn(rng, case)
    graph = solve(matrix)
    values = extremes(rng, graph)
    assert graph(values).tolist() == products(matrix.weights, matrix.shared, values)


@pytest.mark.parametrize("case", MATRICES)
def test_adders_counted_again(rng, case):
    """Every addition of da4ml's and one for each tile more that an output has, none of them idle;
    full adders from intervals, bit by bit."""
    from da4ml._binary import solve as solve_tile
    matrix = drawn(rng, case)
    graph = solve(matrix)
    ops, parts = 0, {}
    for rows, columns, weights in matrix.tiles():
        found = solve_tile(weights.astype(np.float32), search_all_decompose_dc=False,
                           qintervals=[(*map(float, matrix.limits), 1.0)] * len(rows))
        ops += sum(op.opcode in (0, 1) for stage in found.solutions for op in stage.ops)
        for column, some in zip(columns, weights.any(axis=0)):
            parts[column] = parts.get(column, 0) + some
    assert len(graph.adds) == ops + sum(max(count - 1, 0) for count in parts.values())
    used = {node for add in graph.adds for node in add[:2]} | {o.node for o in graph.outputs}
    assert used >= set(range(len(graph.inputs), len(graph.inputs) + len(graph.adds)))
    assert (graph.adders, graph.adder_bits) == naive_counts(graph)


def naive_counts(graph):
    """(adders, full adders) of a graph, each as wide as the integers between its least and its
    greatest, without the low places where one operand has nothing to add or to take away."""
    reach = [list(limits) for limits in graph.inputs]
    adders = bits = 0
    for left, right, up_left, up_right, subtract in graph.adds:
        ends = [a * 2 ** up_left + (-b if subtract else b) * 2 ** up_right
                for a in reach[left] for b in reach[right]]
        reach.append([min(ends), max(ends)])
        places = range(up_left if up_left and not subtract else up_right, naive_width(ends))
        adders, bits = adders + 1, bits + len(places)
    for node, _, negative in graph.outputs:
        if negative:
            adders, bits = adders + 1, bits + naive_width(reach[node])
    return adders, bits


def naive_width(ends):
    """The least bits that hold all of some integers."""
    bits = 0
    while not all((-2 ** bits // 2 if min(ends) < 0 else 0) <= end
                  < 2 ** bits // (2 if min(ends) < 0 else 1) for end in ends):
        bits += 1
    return bits


def test_kept_graphs_are_the_same(rng):
    """And other weights, inputs or tiles are another matrix."""
    matrix = drawn(rng, "tiles")
    assert kept_counts(matrix) is None
    graph = graph_of(matrix)
    assert graph == graph_of(matrix) == solve(matrix)
    assert kept_counts(matrix) == (graph.adders, graph.adder_bits, graph.depth)
    other = matrix.weights.copy()
    other[3, 3] += 1
    others = [Matrix("a", other, matrix.limits, True, 16),
              Matrix("a", matrix.weights, (0, 9), True, 16),
              Matrix("a", matrix.weights, matrix.limits, False, 16),
              Matrix("a", matrix.weights, matrix.limits, True, 8)]
    assert len({matrix.key, *(each.key for each in others)}) == 5
    assert matrix.key == Matrix("b", matrix.weights, matrix.limits, True, 16).key


def test_a_unit_of_the_network(rng):
    """A stored golden's integers, with the inputs that its precision gives it."""
    unit = next(unit for unit in TABLE if unit.name == "block_1_depthwise")
    weights = golden("w8a8").params[unit.name].weights
    graph = graph_of(matrix_of(unit, weights, PRECISIONS["w8a8"]))
    values = extremes(rng, graph, 5)
    assert graph(values).tolist() == products(weights, False, values)
    assert set(graph.inputs) == {(0, 255)} and len(graph.inputs) == 9 * 96


@pytest.mark.parametrize("runs", [
    "myhdl", *(pytest.param(name, marks=pytest.mark.full)
               for name in ("verilator", "icarus", "ghdl"))])
def test_a_frame_through_the_chain(runs):
    """A unit's products as additions: every unit equals its golden, in the cycles of before."""
    found = json.loads(invoked(cosim, *CHAIN, "--adders", "block_13_depthwise", "--simulator",
                               available(runs)).stdout)
    assert found["ok"] and found["first_difference"] is None and found["off_schedule"] == 0
    assert len(found["units"]) == 62 and found["initiation_interval"] == 1


def test_a_frame_with_another_graph(monkeypatch):
    """Additions become subtractions: the comparison tells it at its unit."""
    monkeypatch.setattr(graphs, "solve", lambda matrix, right=solve: broken(right(matrix)))
    found = json.loads(invoked(cosim, *CHAIN, "--adders", "block_13_depthwise", "--simulator",
                               "myhdl", code=1).stdout)
    assert "unit block_13_depthwise" in found["first_difference"]


def broken(graph):
    """The graph with every addition the other way."""
    return AdderGraph(graph.inputs, tuple(add._replace(subtract=not add.subtract)
                                          for add in graph.adds), graph.outputs)


@pytest.mark.parametrize("options, words", [
    (("--adders", "Conv2"), "Error: Conv2 is no unit whose weights are constants at this rate, "
                            "which additions could take the place of: give one of Conv1, "),
    (("--adders", "Conv1", "--cycles-per-frame", "1024"), ": give fewer cycles for a frame")])
def test_units_without_constants(options, words):
    assert words in invoked(cosim, *CHAIN, *options, code=2).stderr


def command(*options):
    """What the command prints."""
    found = json.loads(invoked(main, *SMALL, *options).stdout)
    check("scripts.silicon", found)
    return found


def test_command():
    """The small network at every rate; a second run finds every graph."""
    found = command()
    table = layer_table(0.35, 32)
    assert found["cycles_per_frame"] == 1 and found["reused"] == 0 < found["matrices"]
    assert found["weights"] == sum(unit.weights for unit in table)
    assert found["uses"] == sum(unit.macs for unit in table)    # each product at once
    units = {unit["name"]: unit for unit in found["units"]}
    for unit in table:
        row = units[unit.name]
        assert row["uses"] == row["weights"] * unit.pixels_out == unit.macs
        assert row["method"] == ("constants" if unit.weights else "none")
        assert row["adders"] % unit.pixels_out == 0
        assert abs(sum(row["parts"].values()) - row["gates"]) < len(row["parts"])
    assert found["adders"] == sum(unit["adders"] for unit in found["units"])
    assert found["adder_bits"] == sum(unit["adder_bits"] for unit in found["units"])
    assert found["multipliers"] == found["rom_bits"] == 0
    again = command("--cycles-per-frame", "16")
    assert again["reused"] == again["matrices"] == found["matrices"]
    assert [row["cycles_per_frame"] for row in again["ladder"]] == [
        4 ** k for k in range(len(again["ladder"]))]
    # Constants where a unit puts out a pixel or more in every cycle, and nowhere else.
    assert {unit["name"] for unit in again["units"] if unit["method"] == "constants"} == {
        unit.name for unit in table if unit.weights and unit.pixels_out >= 16}
    assert again["ladder"][0] == {name: found[name] for name in again["ladder"][0]}
    assert "were kept" in invoked(main, *SMALL[:-1]).stdout


def test_without_da4ml(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "da4ml, which finds the additions, is not installed: pip install -e '.[silicon]'" \
        in invoked(main, *SMALL, code=2).stderr


def test_a_rate_that_there_is_not():
    assert "Error: 3 cycles for a frame are fewer" in invoked(
        main, *SMALL, "--cycles-per-frame", "3", code=2).stderr


def test_signed_digits():
    """Against the digits themselves."""
    for value in [*range(1, 300), 40_000, 2 ** 16 - 1, 43_691]:
        digits, rest = 0, value
        while rest:
            if rest % 2:
                digits += 1
                rest -= 1 if rest % 4 == 1 else -1
            rest //= 2
        assert signed_digits([value]) == digits


def test_area():
    """By hand, of a chip of which 70 % are cells."""
    cells = Cells(full_adders=10, flip_flops=20, choices=30, ram_bits=40, rom_bits=80)
    assert cells.gates == 50 + 80 + 60 + 60 + 20
    assert LIBRARIES["osu018"].area_mm2(cells) == pytest.approx(
        (10 * 120 + 20 * 96 + 140 * 24) / 0.7 / 1e6)
    assert LIBRARIES["n7"].area_mm2(cells) == pytest.approx(270 * 4 / 91.2e6 / 0.7)


def test_cells_of_the_library():
    """Areas as the file of Debian's package has them."""
    if not LIBERTY.is_file():
        pytest.skip("no osu018: apt-get install qflow-tech-osu018")
    text = LIBERTY.read_text()
    areas = [float(re.search(rf"cell \({name}\) {{.*?area : ([\d.]+);", text, re.S)[1])
             for name in ("NAND2X1", "FAX1", "DFFPOSX1")]
    library = LIBRARIES["osu018"]
    assert areas == [library.nand2, library.full_adder, library.flip_flop]


# Additions and subtractions as rows of full adders.
FULL_ADDERS = r"""
(* techmap_celltype = "$add $sub" *)
module full_adders (A, B, Y);
parameter A_SIGNED = 0, B_SIGNED = 0, A_WIDTH = 1, B_WIDTH = 1, Y_WIDTH = 1;
parameter _TECHMAP_CELLTYPE_ = "";
localparam SUBTRACT = _TECHMAP_CELLTYPE_ == "$sub";
input [A_WIDTH-1:0] A;
input [B_WIDTH-1:0] B;
output [Y_WIDTH-1:0] Y;
wire [Y_WIDTH-1:0] a, b;
wire [Y_WIDTH:0] carry;
\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) left (.A(A), .Y(a));
\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) right (.A(B), .Y(b));
assign carry[0] = SUBTRACT;
genvar i;
generate for (i = 0; i < Y_WIDTH; i = i + 1) begin: bits
    FAX1 adder (.A(a[i]), .B(SUBTRACT ? ~b[i] : b[i]), .C(carry[i]), .YC(carry[i+1]), .YS(Y[i]));
end endgenerate
endmodule
"""


@pytest.mark.parametrize("name", ["Conv1", "expanded_conv_depthwise", "expanded_conv_project"])
def test_area_after_synthesis(tmp_path, name):
    """All products of a unit in osu018's cells: more than is counted, for the low bits that pass
    and for inverted subtrahends, but by a fifth at most."""
    if not LIBERTY.is_file():
        pytest.skip("no osu018: apt-get install qflow-tech-osu018")
    unit = next(unit for unit in TABLE if unit.name == name)
    graph = graph_of(matrix_of(unit, golden("w8a8").params[name].weights, PRECISIONS["w8a8"]))
    ports = (uint(len(graph.inputs) * input_bits(graph)), uint(len(graph.outputs) * 22))
    convert_block(adder_graph(*ports, graph, "dut"), tmp_path, "dut")
    (tmp_path / "full_adders.v").write_text(FULL_ADDERS)
    said = yosys(tmp_path, "read_verilog dut.v", "hierarchy -top dut", "proc", "opt_expr",
                 "wreduce", "opt_clean", "techmap -map full_adders.v", "techmap", "opt_expr",
                 "opt_clean",
                 f"abc -liberty {LIBERTY} -script +strash;map", "opt_clean -purge",
                 f"stat -liberty {LIBERTY}")
    adders = int(re.findall(r"(\d+) +[\d.e+]+ +FAX1", said)[-1])
    area = float(re.findall(r"Chip area for module .*: ([\d.]+)", said)[-1])
    counted = LIBRARIES["osu018"].full_adder * graph.adder_bits
    assert graph.adder_bits < adders < 1.15 * graph.adder_bits
    assert counted < area < 1.2 * counted
