"""Bitstreams and the script that talks to a board: what is written, what is said over a line."""
import json
import re
import socket
import threading
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from golden.network import Network
from golden.photo import load_photo
from hdl.board.protocol import FAULTS, SYNC
from hdl.convert.board import convert_board
from hdl.layers import precision
from scripts.fit import __main__ as fit
from scripts.fit import bitstream, host, route
from scripts.fit.bitstream import Job, SlowDesign, constraints, write
from scripts.fit.devices import boards
from scripts.fit.multiplier_registers import moved
from scripts.shared.yosys import yosys
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.serial_line import small

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8", "--cycles-per-frame",
         "4096", "--board", "ulx3s-85f", "--bitstream"]
SIZE = 32
FEATURES = (1, 2, 5)


def job(clock=50.0):
    """A small board's, on the smallest device."""
    return Job(Network(0.35, 32, precision("w8a8")), (), 0.5, boards()["ulx3s-25f"], clock,
               1_000_000, 1024, 1)


@pytest.fixture
def small_board(monkeypatch):
    """What a Job makes a bitstream of: a few registers in place of a network."""
    monkeypatch.setattr(Job, "top", lambda job: small())
    monkeypatch.setattr(bitstream, "cached", lambda configs, cache: Path("small"))


def test_a_bitstream(small_board, monkeypatch, tmp_path):
    """Synthesised, routed, packed; whole or not at all; the second time from the cache."""
    out, steps = tmp_path / "out", []
    fields = write(job(), out, steps.append)
    assert {file.name for file in out.iterdir()} == {"board.bit", "board.lpf", "host.py",
                                                     "summary.json"}
    assert b"LFE5U-25F" in (out / "board.bit").read_bytes()[:200]
    assert fields["fmax_mhz"] > 50 and fields["used"]["block_ram"] == 0 and fields["used"]["ff"]
    assert all(fields["slowest_path"])
    told = json.loads((out / "summary.json").read_text())
    assert told["bitstream"] == json.loads(json.dumps(fields["bitstream"]))
    steps.clear()
    assert write(job(), out, steps.append)["reused"] and steps == ["packing"]
    monkeypatch.setattr(bitstream, "routed", lambda *arguments: route.Routed(
        49.99, {}, {}, Path("none"), False, ("", "")))
    with pytest.raises(SlowDesign, match="^the routed design reaches 49.99 MHz, not 50: give "
                                         "--clock 49, or another --seed$"):
        write(job(), tmp_path / "other", steps.append)
    assert not (tmp_path / "other").exists()


def test_every_port_has_its_pins(tmp_path):
    """Of a board's Verilog, in the constraints of each board that has pins."""
    header = convert_board(small(), tmp_path)[-1].read_text().partition("module board ")[2]
    ports = set(re.findall(r"(\w+)[,)]", header.partition(";")[0]))
    for board in boards().values():
        text = constraints(board)
        placed = re.findall(r'LOCATE COMP "(\w+)(?:\[\d\])?" SITE "([A-Z]+\d+)"', text)
        if board.pins["clock"]:
            assert {name for name, _ in placed} == ports
            assert len({pin for _, pin in placed}) == len(placed)
            assert f'FREQUENCY PORT "clk_in" {board.clock_mhz:g} MHZ;' in text


@pytest.mark.parametrize("arguments, words", [
    (["--board", "orangecrab-85f"],
     "board orangecrab-85f has no clock_pin in scripts/fit/boards.csv: give another, such as"),
    (["--clock", "5"], "no settings of ECP5's PLL make 5 MHz of 25 MHz: give a clock of 10 to"),
    (["--baud", "24000000"], "a clock of 25 MHz has no 24,000,000 baud: a bit is 1.04 cycles")])
def test_refusals(tmp_path, arguments, words):
    out = tmp_path / "out"
    result = invoked(fit.main, *SMALL, *arguments, "--out", out, code=2)
    assert words in result.stderr and result.stderr.count("\n") == 1 and not out.exists()


def test_a_folder_of_something_else_is_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    result = invoked(fit.main, *SMALL, "--out", tmp_path, code=2)
    assert f"{tmp_path} is there and was not made by this command: remove it" in result.stderr
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_what_the_command_prints(monkeypatch, tmp_path):
    """Everything that the page of JSON has, and a table; slow designs end with status 1."""
    def placed(files, top, board, lpf, seed, clock, report):
        assert top == "board" and seed == 1 and clock == 25 and "clk_in" in lpf
        assert any(file.suffix == ".mem" for file in files)
        return route.Routed(found, dict.fromkeys(route.KINDS, 1), dict.fromkeys(route.KINDS, 2),
                            tmp_path / "config", False, ("here", "there"))

    monkeypatch.setattr(fit, "reference", lambda network: (fit.typical_of(network), 0.25))
    monkeypatch.setattr(fit.Ladder, "fastest", lambda ladder, device: 4096)
    monkeypatch.setattr(bitstream, "convert_board", lambda top, folder: None)
    monkeypatch.setattr(bitstream, "routed", placed)
    monkeypatch.setattr(bitstream, "packed", lambda done, target: target.write_bytes(b"bits"))
    found, out = 26.0, tmp_path / "out"
    summary = json.loads(invoked(fit.main, *SMALL, "--out", out, "--json").stdout)
    check("scripts.fit", summary)
    assert summary["bitstream"]["features"] == [1, 1, 1280]
    assert summary["bitstream"]["feature_scale"] == 0.25
    assert host.read_summary(out).reply_bytes == 1280 + 5
    output = invoked(fit.main, *SMALL, "--out", out).stdout
    assert f"are in {out}" in output and "from here to there" in output
    found = 24.0
    result = invoked(fit.main, *SMALL, "--out", out, code=1)
    assert "the routed design reaches 24.00 MHz, not 25" in result.stderr
    assert "from here to there" in result.stdout and str(out) not in result.stdout
    slow = json.loads(invoked(fit.main, *SMALL, "--out", out, "--json", code=1).stdout)
    check("scripts.fit", slow)
    assert slow["fmax_mhz"] == 24 and slow["slow"] in result.stderr and "bitstream" not in slow


CLOCK, ENABLE, OTHER, RESET = range(2, 6)      # nets
IN, HELD, SUM = 10, 50, 100                    # of the first bits


def registered(changes=None, read=(), constant=(), before=None):
    """(multipliers that took registers in, flip-flops that are left, the multiplier) of a product
    of two factors in flip-flops.

    changes  -- {place of a flip-flop: (its options, its ports)}
    read     -- places of flip-flops that something else reads, too
    constant -- factors that are constant
    before   -- further cells
    """
    cells = dict(before or {})
    for place in range(36):
        options, ports = (changes or {}).get(place, ({}, {}))
        cells[f"held{place}"] = {
            "type": "TRELLIS_FF", "parameters": {"CEMUX": "CE", "REGSET": "RESET"} | options,
            "connections": {"CLK": [CLOCK], "CE": [ENABLE], "LSR": ["0"], "DI": [IN + place],
                            "Q": [HELD + place]} | ports,
            "port_directions": dict.fromkeys(("CLK", "CE", "LSR", "DI"), "input")
            | {"Q": "output"}}
    factors = {f"{factor}{bit}": ["1" if factor in constant else HELD + 18 * number + bit]
               for number, factor in enumerate("AB") for bit in range(18)}
    product = {f"P{bit}": [SUM + bit] for bit in range(36)}
    cells["product"] = {"type": "MULT18X18D", "parameters": {}, "connections": factors | product,
                        "port_directions": dict.fromkeys(factors, "input")
                        | dict.fromkeys(product, "output")}
    module = {"cells": cells, "ports": {"out": {"bits": [HELD + place for place in read]}}}
    number = moved(module)
    return (number, sorted(name for name in module["cells"] if name.startswith("held")),
            module["cells"]["product"])


def test_registers_of_operands_are_moved_into_a_multiplier():
    """Each with its enable; a flip-flop that something else reads stays, too, and a constant needs
    none."""
    number, left, product = registered({place: ({}, {"CE": [OTHER]}) for place in range(18, 36)},
                                       read=[3])
    assert number == 1 and left == ["held3"]
    ports, options = product["connections"], product["parameters"]
    assert [ports[f"{factor}{bit}"][0] - IN for factor in "AB" for bit in range(18)] == [*range(36)]
    assert [ports[name] for name in ("CLK0", "CE0", "CE1", "RST0")] == [
        [CLOCK], [ENABLE], [OTHER], ["0"]]
    assert options == {"REG_INPUTA_CLK": "CLK0", "REG_INPUTA_CE": "CE0", "REG_INPUTA_RST": "RST0",
                       "REG_INPUTB_CLK": "CLK0", "REG_INPUTB_CE": "CE1", "REG_INPUTB_RST": "RST0"}
    number, left, product = registered(constant="B")
    assert number == 1 and len(left) == 0
    assert product["connections"]["B17"] == ["1"]
    assert all(name.startswith("REG_INPUTA") for name in product["parameters"])
    always = {place: ({"CEMUX": "1"}, {}) for place in range(36)}
    assert registered(always)[2]["connections"]["CE0"] == ["1"]


@pytest.mark.parametrize("place", [0, 35])
@pytest.mark.parametrize("options, ports", [
    ({"REGSET": "SET"}, {}), ({"CLKMUX": "INV"}, {}), ({"CEMUX": "INV"}, {}),
    ({}, {"LSR": [RESET]}), ({}, {"CE": [OTHER]}), ({}, {"CLK": [OTHER]}), ({}, {"Q": [SUM + 40]})],
    ids=["begins_with_1", "falling_edge", "low_enable", "reset", "another_enable", "another_clock",
         "no_flip_flop"])
def test_registers_that_no_multiplier_has(place, options, ports):
    """One such bit, and its factor is not moved; the other is."""
    number, left, product = registered({place: (options, ports)})
    kept = range(18 * (place // 18), 18 * (place // 18) + 18)
    assert number == 1
    assert {name[9] for name in product["parameters"]} == {"BA"[place // 18]}
    assert left == sorted(f"held{each}" for each in kept if not (each == place and "Q" in ports))


def test_two_clocks_are_too_many():
    """A multiplier's registers have one here."""
    number, left, product = registered({place: ({}, {"CLK": [OTHER]}) for place in range(18, 36)})
    assert number == 0 and product["parameters"] == {} and "CLK0" not in product["connections"]
    assert len(left) == 36


def lut(inputs, output, kind="LUT4"):
    """A cell of that kind."""
    ports = dict(zip("ABCD", ([bit] for bit in inputs)))
    return {"type": kind, "parameters": {}, "connections": ports | {"Z": [output]},
            "port_directions": dict.fromkeys(ports, "input") | {"Z": "output"}}


@pytest.mark.parametrize("chosen, factors", [(0, "B"), (17, "B"), (18, "A"), (35, "A")])
def test_registers_behind_several_block_rams_stay(chosen, factors):
    """The other factor's go; so do those that one block RAM gives, and those of LUTs without."""
    word, between = 900, 901
    memory = {"type": "DP16KD", "parameters": {}, "connections": {"DOA0": [word], "ADA0": [902]},
              "port_directions": {"DOA0": "output", "ADA0": "input"}}
    choice = {"memory": memory, "first": lut([word, 903], between),
              "second": lut([904, between], IN + chosen, "PFUMX")}
    number, left, product = registered(before=choice)
    assert number == 1 and {name[9] for name in product["parameters"]} == set(factors)
    assert len(left) == 18 and f"held{chosen}" in left
    straight = {"memory": memory | {"connections": {"DOA0": [IN + chosen], "ADA0": [902]}}}
    assert registered(before=straight)[1] == []
    assert registered(before={name: choice[name] for name in ("first", "second")})[1] == []


@pytest.mark.parametrize("has, used", [(5, 4), (4, 2)])
def test_a_device_has_enough_multipliers(tmp_path, has, used):
    """Yosys's netlist has those parts of three products of 22 x 17, 18 x 6 and 20 x 4 bits that are
    of three bits and more, or of five and more."""
    (tmp_path / "three.v").write_text("""module three (
    input wire clk, input wire signed [21:0] a, input wire signed [16:0] b,
    input wire signed [19:0] c, input wire signed [5:0] d, input wire signed [3:0] e,
    output reg signed [38:0] p, output reg signed [25:0] q, output reg signed [23:0] r);
always @(posedge clk) begin
    p <= a * b;
    q <= c[17:0] * d;
    r <= c * e;
end
endmodule
""")
    device = boards()["ulx3s-25f"].device
    few = type(device)(device.name, device.family, type(device.has)(dsp=has), "")
    folder = route.synthesised([tmp_path / "three.v"], "three", few, route.silent)
    cells = re.findall(r'"type": "(\w+)"', (folder / route.NETLIST).read_text())
    assert cells.count("MULT18X18D") == used


@pytest.mark.parametrize("a, b, signed_a, signed_b, bits", [
    (5, 3, True, True, 9), (4, 6, False, True, 10), (6, 4, True, False, 9)])
def test_products_of_luts(tmp_path, a, b, signed_a, signed_b, bits):
    """Yosys proves that they are products, of any signs, wider and narrower than both factors."""
    def number(name, width, signed):
        """A factor as a number with a sign and one bit more."""
        sign = f"{name}[{width - 1}]" if signed else "1'b0"
        return f"$signed({{{sign}, {name}}})"

    ports = f"(input [{a - 1}:0] a, input [{b - 1}:0] b, output [{bits - 1}:0] p)"
    (tmp_path / "expected.v").write_text(
        f"module expected {ports}; wire signed [{a}:0] x = {number('a', a, signed_a)}; "
        f"wire signed [{b}:0] y = {number('b', b, signed_b)}; "
        f"wire signed [{a + b + 1}:0] z = x * y; assign p = z; endmodule\n")
    (tmp_path / "made.v").write_text(
        f"module made {ports}; \\$__soft_mul #(.A_SIGNED({int(signed_a)}), "
        f".B_SIGNED({int(signed_b)}), .A_WIDTH({a}), .B_WIDTH({b}), .Y_WIDTH({bits})) product "
        "(.A(a), .B(b), .Y(p)); endmodule\n")
    told = yosys(tmp_path, "read_verilog expected.v", "read_verilog -icells made.v", "proc",
                 f"techmap -map {route.SOFT}", "select -assert-none t:$__soft_mul",
                 "miter -equiv -flatten expected made both", "sat -verify -prove trigger 0 both")
    assert "SUCCESS" in told


def summary(folder, **other):
    """Write a bitstream's summary into a folder."""
    fields = {"alpha": 1.0, "resolution": SIZE, "baud": 1_000_000, "sync": SYNC.hex(),
              "faults": list(FAULTS), "patience_seconds": 0.01, "features": list(FEATURES),
              "feature_bytes": 1, "feature_scale": 0.5}
    (folder / "summary.json").write_text(json.dumps({"bitstream": fields | other}))


@contextmanager
def serving(answer):
    """A port, as a URL, behind which answer(photo, number) gives what comes back."""
    def serve():
        connection, _ = server.accept()
        with connection:
            connection.settimeout(20)
            for number in range(10):
                photo = b""
                while len(photo) < len(SYNC) + 3 * SIZE ** 2 + 4:
                    part = connection.recv(1 << 16)
                    if not part:
                        return
                    photo += part
                connection.sendall(answer(photo, number))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"


def framed(features, status=0):
    told = bytes(features) + bytes([status])
    return SYNC + told + zlib.crc32(told).to_bytes(4, "little")


@pytest.fixture
def photo(tmp_path, rng):
    file = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(file)
    summary(tmp_path)
    return file


def asked(photo, port, *arguments, code=0):
    return invoked(host.main, photo, "--folder", photo.parent, "--port", port, *arguments,
                   code=code)


def test_a_photo_goes_out_and_features_come_back(photo, tmp_path):
    """As the golden's photo; noise before the reply; the largest features of the average."""
    seen = []

    def answer(sent, number):
        seen.append(sent)
        return b"noise" + framed([0, 10, 20, 30, 40, 50, 0, 20, 30, 40])

    with serving(answer) as port:
        told = json.loads(asked(photo, port, "--json", "--save", tmp_path / "f.npy").stdout)
    pixels = load_photo(photo, SIZE).tobytes()
    assert seen == [SYNC + pixels + zlib.crc32(pixels).to_bytes(4, "little")]
    check("scripts.fit.host", told)
    assert [(row["feature"], row["value"]) for row in told["findings"]] == [
        (4, 20.0), (3, 15.0), (0, 12.5), (2, 10.0), (1, 2.5)]
    kept = np.load(tmp_path / "f.npy", allow_pickle=False)
    assert kept.tolist() == [[[0, 10, 20, 30, 40], [50, 0, 20, 30, 40]]]


def test_classes(photo, monkeypatch):
    monkeypatch.setattr("golden.model.classifier", lambda weights, alpha: (
        np.eye(5, 1000), np.zeros(1000)))
    with serving(lambda sent, number: framed([0, 10, 20, 30, 40] * 2)) as port:
        output = asked(photo, port, "--weights", "some.h5").stdout
    assert re.findall(r"^ +(\d+) ", output, re.M) == ["4", "3", "2", "1", "0"]
    monkeypatch.setattr("golden.model.classifier", lambda weights, alpha: None)
    result = asked(photo, port, "--weights", "some.h5", code=2)
    assert "weights some.h5 have no 1000-class top: leave --weights away" in result.stderr


def test_damage_is_asked_again(photo):
    """A status that tells of it, a checksum that is wrong: at most three times."""
    good, bad = framed([7] * 10), framed([7] * 10, status=3)
    broken = good[:-1] + bytes([good[-1] ^ 1])
    with serving(lambda sent, number: (bad, broken, good)[number]) as port:
        assert "feature" in asked(photo, port).stdout
    with serving(lambda sent, number: bad) as port:
        result = asked(photo, port, code=2)
    assert ("the line damaged 3 photos or replies, the last by silence and framing: give a "
            "bitstream with a lower --baud") in result.stderr


def test_what_does_not_come(photo, tmp_path, monkeypatch):
    """No port, no reply, a reply of another length, no summary: a sentence each."""
    monkeypatch.setattr(host, "SPARE", 0.2)
    with serving(lambda sent, number: b"") as port:
        assert "no reply came in 0." in asked(photo, port, code=2).stderr
    with serving(lambda sent, number: framed([7] * 9)) as port:
        told = asked(photo, port, code=2).stderr
    assert "a reply of 18 bytes came in 0." in told and "not of 19: the board has another" in told
    result = asked(photo, "/dev/none", code=2)
    assert "port /dev/none cannot be opened (" in result.stderr
    assert result.stderr.count("\n") == 1
    (tmp_path / "summary.json").unlink()
    assert "is no summary of a bitstream: give --folder" in asked(photo, port, code=2).stderr


def test_without_pyserial(photo, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    assert "pyserial is not installed: pip install -e '.[fit]'" in asked(photo, "x", code=2).stderr
