"""scripts.fit: its model against plans and Yosys, its tables, what it prints and refuses."""
import json
from collections import Counter
from dataclasses import asdict, replace

import pytest

from golden.network import Network
from hdl.layers import PRECISIONS, layer_table, precision
from hdl.plan.budget import folded_cost
from hdl.plan.config import configure, configure_network
from hdl.plan.network import plan_network
from scripts.fit import __main__ as fit
from scripts.fit import route
from scripts.fit.__main__ import needed
from scripts.fit.devices import Device, boards, devices, rows
from scripts.fit.families import FAMILIES, Resources
from scripts.fit.model import Parts, elaborated, parts_of, typical
from scripts.fit.soft_products import divided, narrowest
from scripts.fit.synthesis import jobs_of, synthesised
from tests.support.bench import unit_config
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.networks import configs as stored

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
pytestmark = pytest.mark.xdist_group("fit")     # one network, counted once
# kind, size, channels in and out, pe, simd, lanes in and out, stride
UNITS = {
    "pointwise": ("pointwise", 4, 128, 64, 2, 4, 4, 1, 1),
    "depthwise": ("depthwise", 40, 24, 24, 2, 3, 2, 1, 1),
    "stem": ("stem", 33, 3, 8, 2, 9, 3, 1, 2),
    "pairs": ("pointwise", 4, 128, 96, 6, 8, 4, 1, 1),
}


def configs_of(cycles, name="w8a8"):
    """UnitConfig of every unit of the small network, as wide as a trained one's."""
    row = precision(name)
    table = layer_table(0.35, 32)
    return configure_network(plan_network(table, row, cycles).units, {
        unit.name: typical(unit, row) for unit in table if unit.weights})


def test_the_model_counts_what_is_planned():
    """Every multiplier, every requantizer and every bit of a ROM of the elaborated network."""
    configs = configs_of(4096, "w6a8,head=w4")
    parts = parts_of(configs)
    assert list(parts) == [unit.name for unit in layer_table(0.35, 32)]
    for config in configs:
        found, folding = parts[config.name], config.folding
        wide = [widths for widths in found.products.elements()
                if widths[1] == PRECISIONS["w8a8"].multiplier_bits + 1]
        assert found.products.total() == folding.multipliers + folding.requantizers
        assert wide == [(config.biased_bits, 17)] * folding.requantizers
        kept = sum(depth * width * number for (depth, width, written), number
                   in found.memories.items() if not written)
        assert kept == sum(rom.bits for rom in (config.weights, config.scales) if rom)
        read = kept
        kept = sum(depth * width * number for (depth, width, written), number
                   in found.memories.items() if written)
        bits = folded_cost(config.plan).bits
        assert kept >= bits["line_buffers"] + bits["residual_fifos"]
        assert found.memory_bits == read + kept
        assert found.registers > 0
    assert parts_of(configs) == parts       # as kept


def test_units_of_tiles_are_counted_by_their_folding():
    configs = configs_of(1)
    parts = parts_of(configs)
    assert sum(each.products.total() for each in parts.values()) == sum(
        config.folding.multipliers + config.folding.requantizers for config in configs)


@pytest.mark.parametrize("case, family", [
    ("pointwise", "xcup"), ("pairs", "xcup"), ("depthwise", "ecp5"),
    pytest.param("stem", "xc7", marks=pytest.mark.full),
    pytest.param("pointwise", "gw5a", marks=pytest.mark.full)])
def test_the_model_is_near_to_yosys(rng, case, family):
    """Multipliers and block RAM within a tenth, flip-flops within a third, but those that AMD's
    multipliers take in."""
    config, _ = unit_config(rng, *UNITS[case], precision=PRECISIONS["w8a8"],
                            activation_in="input" if case == "stem" else "relu6",
                            factor=27 if case == "pairs" else None)
    told = []
    made = synthesised([config], FAMILIES[family], lambda *each: told.append(each))["dut"]
    model = elaborated([config])["dut"].of(FAMILIES[family])
    assert abs(model.dsp - made.dsp) <= made.dsp / 10
    assert abs(model.block_ram - made.block_ram) <= made.block_ram / 10
    assert made.block_ram or case == "stem"
    assert (made.dsp > 0) == (family != "gw5a")
    if case == "pairs":
        assert made.dsp == 3 * 8 + config.folding.requantizers
        assert model.lut / 2 < made.lut < 2 * model.lut
    if family in ("xc7", "xcup"):
        assert made.ff < model.ff
    else:
        assert abs(model.ff - made.ff) <= made.ff / 3
    again = synthesised([config], FAMILIES[family], lambda *each: told.append(each))["dut"]
    assert again == made and told[1] == ("dut", True)
    array = synthesised([config], FAMILIES[family], lambda *each: None, arrays=True)["dut"]
    assert array.block_ram == 0 and array.lut < made.lut and array.ff < made.ff
    if made.dsp:
        assert array.dsp == config.folding.multipliers


def test_each_unit_is_synthesised_by_itself(tmp_path):
    """A convolution is its own module of its stage; an add is the stage without them."""
    network = configs_of(1024)
    tops = {job.unit: (job.top, len(job.others)) for job in jobs_of(network, tmp_path)}
    assert tops["Conv1"] == ("stem", 0) and tops["block_2_add"] == ("block_2", 3)
    modules = [top for unit, (top, _) in tops.items() if unit.startswith("block_2_")]
    assert len(set(modules)) == 4 and all(name.startswith("block_2") for name in modules)
    assert {others for unit, (_, others) in tops.items() if not unit.endswith("add")} == {0}


def test_the_files_of_a_unit(tmp_path):
    """Its modules and what they read, not those of its stage's other units."""
    jobs = {job.unit: job for job in jobs_of(configs_of(1024), tmp_path)}
    stems = {unit: {file.stem for file in job.needed()} for unit, job in jobs.items()}
    stage = {file.stem for file in jobs["block_2_add"].files}
    expand, add = stems["block_2_expand"], stems["block_2_add"]
    assert jobs["block_2_expand"].top in expand and "block_2_expand_weights" in stage & expand
    assert "block_2" not in expand and not any("depthwise" in stem for stem in expand)
    assert set(jobs["block_2_add"].others) < add and "block_2_expand_weights" not in add
    assert stems["Conv1"] <= {file.stem for file in jobs["Conv1"].files}


@pytest.mark.parametrize("family, a, b, number", [
    ("xcup", 9, 8, 1), ("xcup", 27, 17, 1), ("xcup", 28, 17, 2), ("xcup", 17, 27, 1),
    ("xc7", 25, 17, 1), ("xc7", 26, 17, 2), ("ecp5", 18, 18, 1), ("ecp5", 19, 17, 1),
    ("ecp5", 20, 17, 2), ("ecp5", 36, 17, 2),
    ("xcup", 4, 4, 0), ("ecp5", 1, 18, 0), ("gw5a", 9, 8, 0)])
def test_multipliers_of_a_product(family, a, b, number):
    assert FAMILIES[family].multipliers(a, b) == number


def test_cells():
    """Cells of netlists as the fields of Resources; unknown ones, such as carries, are none."""
    assert FAMILIES["xcup"].counted({
        "DSP48E2": 3, "RAMB36E2": 2, "RAMB18E2": 1, "LUT6": 5, "LUT1": 1, "RAM64M": 1, "FDRE": 7,
        "CARRY8": 9}) == Resources(3, 5, 10, 7)
    assert FAMILIES["ecp5"].counted({
        "MULT18X18D": 2, "DP16KD": 3, "LUT4": 4, "CCU2C": 5, "TRELLIS_FF": 6, "PFUMX": 7}) \
        == Resources(2, 3, 14, 6)


def test_tables_of_devices_and_boards():
    """Each row is complete and says where its figures are from."""
    known = devices()
    assert {each.family.name for each in known.values()} == set(FAMILIES)
    assert {"ZU9EG", "ZU7EV", "K26", "U250", "XC7K325T", "XC7A200T", "ECP5-85F",
            "GW5AST-138"} <= set(known)
    for each in known.values():
        assert each.source and min(asdict(each.has).values()) > 0
    assert asdict(known["ECP5-85F"].has) == {"dsp": 156, "block_ram": 208, "lut": 83640,
                                             "ff": 83640}
    for each in boards().values():
        assert each.source and each.clock_mhz > 0
        assert bool(each.package and each.speed) == (each.device.name in route.SIZES)
    for table in ("devices.csv", "boards.csv"):
        names = [row["name"] for row in rows(table)]
        assert len(names) == len(set(names))


def test_what_limits_a_device():
    device = Device("tiny", FAMILIES["xcup"], Resources(10, 10, 100, 1000), "")
    assert device.limit(Resources(10, 5, 0, 0)) == ("dsp", 1.0)
    assert device.limit(Resources(9, 5, 100, 0)) == ("lut", 1.25)      # a fifth is to be free


PRODUCTS = Counter([(9, 4), (9, 6), (9, 6), (17, 24), (17, 18)] * 10)


def test_products_that_are_worth_a_multiplier():
    """As many as there are; the narrowest, and the narrow parts of wide ones, are made of LUTs."""
    assert narrowest(PRODUCTS, 64) == 2
    assert narrowest(PRODUCTS, 60) == narrowest(PRODUCTS, 53) == 5      # 57 of 60 are used
    assert narrowest(PRODUCTS, 52) == narrowest(PRODUCTS, 22) == 7
    assert narrowest(PRODUCTS, 0) == 18


@pytest.mark.parametrize("has, dsp, lut", [
    (64, 60, 0), (60, 50, 18 * 9 * 4), (52, 20, 18 * (9 * 4 + 2 * 9 * 6 + 17 * 6))])
def test_products_of_luts_are_counted(has, dsp, lut):
    """1.8 LUTs for a bit of one factor and a bit of the other: 10 of each product here."""
    assert divided(PRODUCTS, has) == Resources(dsp=dsp, lut=lut)


def test_products_go_into_luts_where_the_flow_does_so():
    """And only where there are too few multipliers."""
    parts = [Parts(products=Counter({widths: 10})) for widths in sorted(set(PRODUCTS))]
    ecp5 = Device("some", FAMILIES["ecp5"], Resources(30, 1, 1, 1), "")
    alone = sum((part.of(ecp5.family) for part in parts), Resources())
    assert needed(replace(ecp5, has=Resources(50, 1, 1, 1)), parts) == alone
    assert needed(ecp5, parts) == Resources(20, 0, alone.lut + 18 * (9 * 4 + 9 * 6 + 17 * 6), 0)
    assert needed(replace(ecp5, family=FAMILIES["gw5a"]), parts).dsp == 0
    assert needed(replace(ecp5, family=FAMILIES["xc7"]), parts).dsp == 40


def test_json_and_the_fastest_rate():
    result = invoked(fit.main, *SMALL, "--device", "zu9eg", "--json", "--clock", 250)
    summary = json.loads(result.stdout)
    check("scripts.fit", summary)
    assert [unit["name"] for unit in summary["units"]] == [
        unit.name for unit in layer_table(0.35, 32)]
    for kind in ("dsp", "block_ram", "lut", "ff"):
        assert summary["total"][kind] == sum(unit[kind] for unit in summary["units"])
    (device,) = summary["devices"]
    assert device["name"] == "ZU9EG" and device["fits"] and device["share"] <= 1
    cycles = device["cycles_per_frame"]
    assert summary["cycles_per_frame"] == cycles
    assert device["frames_per_second"] == 250e6 / cycles
    faster = json.loads(invoked(fit.main, *SMALL, "--device", "zu9eg", "--json",
                                "--cycles-per-frame", cycles // 4).stdout)["devices"][0]
    assert not faster["fits"] and faster["share"] > 1 and faster["cycles_per_frame"] == cycles


def test_tables_for_people(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    output = invoked(fit.main, *SMALL, "--cycles-per-frame", 4096).stdout
    assert "block_16_depthwise" in output and "GW5AST-138" in output and "…" not in output


def test_yosys_is_beside_the_model(monkeypatch, golden_cache):
    """All units of all stages, here by a synthesis that tells what it was given."""
    def made(configs, family, report, arrays=False):
        for config in configs:
            report(config.name, config.unit.role == "add")
        return {config.name: Resources(1, 2, 3, 4) for config in configs}

    monkeypatch.setattr(fit, "synthesised", made)
    monkeypatch.setattr(fit, "reference", lambda network: (fit.typical_of(network), 1.0))
    arguments = [*SMALL, "--cycles-per-frame", 4096, "--synthesise"]
    summary = json.loads(invoked(fit.main, *arguments, "--json").stdout)
    check("scripts.fit", summary)
    assert summary["synthesised"] == asdict(Resources(62, 124, 186, 248))
    assert summary["netlists_reused"] == 10
    output = invoked(fit.main, *arguments).stdout
    assert "Yosys:" in output and "10 of 62 netlists cached" in output


def test_pairs_are_beside_what_is_alone(monkeypatch):
    """Of one stage: with and without, by the model and by a synthesis that tells what it got."""
    def made(configs, family, report, arrays=False):
        return {config.name: Resources(config.folding.multipliers) for config in configs
                if config.weights or not arrays}

    monkeypatch.setattr(fit, "synthesised", made)
    monkeypatch.setattr(fit, "reference", lambda network: (fit.typical_of(network), 1.0))
    arguments = [*SMALL, "--cycles-per-frame", 1024, "--stage", "block_7", "--pairs", 27,
                 "--synthesise", "--arrays"]
    summary = json.loads(invoked(fit.main, *arguments, "--json").stdout)
    check("scripts.fit", summary)
    assert [row["name"] for row in summary["units"]] == [
        f"block_7_{role}" for role in ("expand", "depthwise", "project", "add")]
    for row in summary["units"]:
        alone = row["unpaired"]
        halved = row["name"] in ("block_7_expand", "block_7_project")
        assert row["synthesised"]["dsp"] * (1 + halved) == alone["synthesised"]["dsp"]
        assert (row["dsp"] < alone["dsp"]) == halved
    for kind in ("dsp", "lut"):
        assert summary["unpaired"][kind] == sum(
            row["unpaired"][kind] for row in summary["units"])
    assert summary["pairs"] == 27
    assert summary["units"][0]["array"]["products"] == 2 * summary["units"][0]["array"]["dsp"]
    monkeypatch.setenv("COLUMNS", "150")
    assert invoked(fit.main, *arguments).stdout.count("unpaired") >= 4


def small_design(folder):
    """Verilog of a product between registers."""
    file = folder / "small.v"
    file.write_text("""module small (input wire clk, input wire [7:0] a, output reg [15:0] p);
reg [7:0] x;
always @(posedge clk) begin
    x <= a;
    p <= x * x;
end
endmodule
""")
    return file


def test_a_design_is_routed(tmp_path):
    """And kept: the second time it is there."""
    file, board = small_design(tmp_path), boards()["ulx3s-25f"]
    lpf = 'LOCATE COMP "clk" SITE "G2";\n'
    done = route.routed([file], "small", board, lpf)
    assert done.fmax_mhz > 25 and done.used["dsp"] == 1 and done.used["ff"] == 24
    assert done.available == asdict(board.device.has)
    assert "LFE5U-25F" in done.config.read_text()
    again = route.routed([file], "small", board, lpf)
    assert again.reused and again.fmax_mhz == done.fmax_mhz


@pytest.mark.parametrize("name, arguments", [("mobilenet_v2", []), ("head", ["--stage", "head"])])
def test_the_chain_goes_to_the_router(monkeypatch, name, arguments):
    """Or a stage: with the board, its clock and all that its memories read."""
    def placed(files, top, board, lpf="", seed=1, target_mhz=None, report=None):
        assert top == name and seed == 3 and target_mhz is None
        assert all(file.is_file() for file in files)
        names = {file.name for file in files}
        assert {f"{name}.v", "Conv_1_weights.mem"} <= names
        assert ("Conv1_weights.mem" in names) == (name != "head")
        return route.Routed(71.5, dict.fromkeys(route.KINDS, 1), dict.fromkeys(route.KINDS, 2),
                            files[0], False, ("here", "there"))

    monkeypatch.setattr(fit, "routed", placed)
    monkeypatch.setattr(fit, "reference", lambda network: (fit.typical_of(network), 1.0))
    summary = json.loads(invoked(fit.main, *SMALL, "--board", "ULX3S-85F", "--route", "--seed", 3,
                                 *arguments, "--cycles-per-frame", 4096, "--json").stdout)
    check("scripts.fit", summary)
    assert (summary["fmax_mhz"], summary["board"]) == (71.5, "ulx3s-85f")


@pytest.mark.parametrize("arguments, words", [
    (["--device", "zu99"], "device zu99 is not in scripts/fit/devices.csv: give one of ZU9EG, "),
    (["--board", "zu99"], "board zu99 is not in scripts/fit/boards.csv: give one of ulx3s-85f, "),
    (["--route"], "--route needs the package and the speed grade of a device: give a board "),
    (["--stage", "neck"], "there is no stage neck: give one of stem, expanded_conv, block_1, "),
    (["--route", "--board", "zcu102"], "board zcu102 has a ZU9EG, which no open flow places and"),
    (["--arrays"], "--arrays has arrays synthesised beside their units: give --synthesise, too"),
    (["--pairs", "20"], "no two products of these widths fit into a multiplier whose wider "),
    (["--cycles-per-frame", "7"], "7 cycles for a frame are fewer than")])
def test_refusals(arguments, words):
    result = invoked(fit.main, *SMALL, *arguments, code=2)
    assert words in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments, words", [
    (["--synthesise"], "Yosys is not installed: pip install -e '.[fit]'"),
    (["--route", "--board", "ulx3s-85f"],
     "nextpnr-ecp5 is not installed: pip install -e '.[fit]'")])
def test_missing_tools(monkeypatch, arguments, words):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = invoked(fit.main, *SMALL, *arguments, code=2)
    assert words in result.stderr and result.stderr.count("\n") == 1


def test_a_network_that_fits_nowhere(monkeypatch):
    monkeypatch.setattr(fit.Ladder, "fastest", lambda ladder, device: None)
    result = invoked(fit.main, *SMALL, "--device", "ECP5-25F", code=1)
    assert "no rate of the ladder fits ECP5-25F: give a larger device" in result.stderr


def test_integers_are_as_wide_as_a_trained_networks():
    """The model's, against those of the stored golden: sums within two bits, scales a sixth."""
    made = fit.typical_of(Network(1.0, 32, PRECISIONS["w8a8"]))
    for config in stored("w8a8"):
        if config.unit.weights:
            guess = configure(config.plan, made[config.name])
            assert abs(guess.accumulator_bits - config.accumulator_bits) <= 2
            assert abs(guess.scales.width / config.scales.width - 1) < 1 / 6
