"""scripts.bench: its tables, JSON, page and plots, a tiny run of its own, and what ends a run."""
import json
import sys
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from rich.console import Console

from hdl.sim.trace import Trace
from scripts.bench import jobs as bench_jobs
from scripts.bench import sections
from scripts.bench.__main__ import WIDTH, main
from scripts.bench.report import COLUMNS, cells, fill, spread, tell
from scripts.bench.runner import Bench, Job
from scripts.bench.sections import Runner, compared, goals
from scripts.shared.checkout import ROOT
from tests.support.json_page import check
from tests.support.networks import TABLE, golden

RUNS = {"seconds": [2.0, 1.0, 4.0], "cycles": 100, "elements": 7, "mismatches": 0,
        "peak_mb": 50.4, "build_seconds": 3.0}
STEP = {"seconds": [1.0], "peak_mb": 9.0}
ROWS = {
    "simulators": compared("network, 224 × 224", {
        "verilator": RUNS, "cocotb + Verilator": RUNS | {"seconds": [9.0]},
        "cocotb + Icarus": {"error": "cocotb is not installed: pip install cocotb"}}, RUNS),
    "frame": compared("224 × 224", {"verilator": RUNS, "hls4ml, C model": RUNS}, RUNS),
    "scaling": [{"axis": axis, "alpha": 1.0, "resolution": size, "cycles": size ** 2,
                 **dict.fromkeys(("golden", "conversion", "build"), STEP),
                 "simulation": {"error": "did not end in 5 s"}}
                for axis in ("resolution", "alpha", "cycles") for size in (32, 64)],
    "rates": [{"alpha": 1.0, "resolution": 224, "cycles": 49, "multipliers": 6_112_128,
               "busy": 1.0, "memory": 1.003, "latency": 7.49,
               **dict.fromkeys(("golden", "conversion", "build"), STEP), "simulation": RUNS}],
    "throughput": [{"name": "1 process", "frames": 4, "seconds": [2.0], "peak_mb": 5.0}],
}


@pytest.fixture
def document():
    """What a run writes."""
    measured = {name: {"date": "2020-01-01", "machine": "an abacus", "repeats": 3, "rows": rows}
                for name, rows in ROWS.items()}
    return {"sections": measured, "goals": goals(measured)}


@pytest.mark.parametrize("seconds, words", [
    ([1.0, 3.0, 2.0], "2.00 s (1.00 to 3.00)"), ([0.0213], "21.3 ms"), ([180e-6], "0.180 ms"),
    ([4e-6], "4.00 µs"), ([1234.5, 999.9], "1,117 s (1,000 to 1,234)"),
])
def test_spread(seconds, words):
    assert spread(seconds) == words


def test_rows_are_divided_by_ours():
    ours, cocotb, missing = ROWS["simulators"]
    assert (ours["times_ours"], cocotb["times_ours"]) == (1.0, 4.5)
    assert "times_ours" not in missing


def test_goals(document):
    found = {(goal["case"], goal["than"]): (goal["times"], goal["met"])
             for goal in document["goals"]}
    assert found["network, 224 × 224", "cocotb + Verilator"] == (4.5, True)
    assert found["224 × 224", "hls4ml, C model"] == (1.0, False)
    assert found["block_2_expand", "cocotb + Verilator"] == (None, None)


@pytest.mark.parametrize("section", COLUMNS)
def test_cells(section):
    for row in ROWS[section]:
        shown, error = cells(section, row)
        assert error == row.get("error", "")
        assert error or len(shown) == len(COLUMNS[section])


def test_what_is_missing_is_named(capsys, document):
    """The terminal's table has the row, and under it the command that installs what it lacks."""
    tell(Console(width=WIDTH), document)
    said = capsys.readouterr().out
    assert "cocotb + Icarus: cocotb is not installed: pip install cocotb" in said
    assert "4 times as fast as cocotb + Verilator: 4.5 times: met" in said
    assert "did not end in 5 s" in said and "…" not in said


def test_page(document):
    """Tables go between their marks, nothing else changes, and a second time changes nothing."""
    page = (ROOT / "docs" / "bench.md").read_text(encoding="utf-8")
    filled = fill(page, document)
    assert "| network, 224 × 224 | cocotb + Verilator | 9.00 s | 11 |" in filled
    assert filled.count("an abacus") == len(ROWS)
    assert fill(filled, document) == filled
    assert page.split("<!--")[0] == filled.split("<!--")[0]


def test_stored_figures():
    check("scripts.bench", json.loads((ROOT / "docs" / "bench.json").read_text(encoding="utf-8")))


def test_plots(document, tmp_path):
    from scripts.bench.plots import plot
    files = plot(document["sections"], tmp_path)
    drawn = [file for file in files if file.suffix == ".svg"]
    assert [file.name for file in drawn] == ["bench-simulators.svg", "bench-frame.svg",
                                             "bench-scaling.svg"]
    for file in drawn:
        ElementTree.parse(file)
    before = drawn[1].read_bytes()
    plot({"frame": document["sections"]["frame"]}, tmp_path)
    assert drawn[1].read_bytes() == before


def bench_in(folder, limit=60):
    """A Bench of one run each."""
    return Bench(folder, 1, limit)


def test_a_run_past_the_limit_is_ended(tmp_path):
    job = Job("simulate", {"simulator": "myhdl", "unit": "register_slice", "resolution": 224})
    late = bench_in(tmp_path, 0.1).run(job, "")
    assert late == {"error": "did not end in 0.1 s", "seconds_more_than": 0.1}


def test_what_is_not_there_is_an_error(tmp_path):
    job = Job("simulate", {"simulator": "spice", "unit": "register_slice", "resolution": 32})
    assert "'spice' is not one of" in bench_in(tmp_path).run(job, "")["error"]


def test_a_slow_row_is_left_out(tmp_path):
    rows = bench_in(tmp_path, 5).repeat({"slow": Job("none", {})}, "", lambda name, rows: 60)
    assert rows == {"slow": {"error": "not run: about 60 s at its speed in the case above, "
                                      "limit 5 s"}}


def test_wrong_output_never_counts(tmp_path):
    row = {"seconds": [1.0]}
    bench_in(tmp_path).merge(row, {"error": "1 of 2 integers are not the golden's"}, "")
    assert row == {"error": "1 of 2 integers are not the golden's"}


def test_case_compares_every_integer():
    """One integer changed on its way is one mismatch, a beat too few is all."""
    todo = bench_jobs.case(unit="register_slice", resolution=32)
    run = bench_jobs.run_design("myhdl", todo.design, todo.ends())
    assert todo.compare(run) == {"elements": 32 * 32 * 3, "mismatches": 0}
    run["m_axis"].words[5, 0] ^= 1
    assert todo.compare(run)["mismatches"] == 1
    cut = Trace(run["m_axis"].words[1:], run["m_axis"].cycles[1:])
    assert todo.compare({"m_axis": cut})["mismatches"] == 32 * 32 * 3


def test_tiny_run(tmp_path, monkeypatch):
    """The command, on a register slice in MyHDL and with a Python that is not there."""
    monkeypatch.setattr(sections, "CASES", {"slice": {"unit": "register_slice", "resolution": 32}})
    monkeypatch.setattr(sections, "OURS", "myhdl")
    monkeypatch.setattr(sections, "RUNNERS", {
        "myhdl": Runner("simulate", "myhdl", sys.executable),
        "nobody": Runner("cocotb", "icarus", "no-such-python", "install it"),
        "not for units": Runner("simulate", "myhdl")})
    out = tmp_path / "out"
    out.mkdir()
    result = CliRunner().invoke(main, ["--only", "simulators", "--repeats", "2", "--json", "--out",
                                       str(out), "--work", str(tmp_path / "work")])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    check("scripts.bench", document)
    assert document == json.loads((out / "bench.json").read_text())
    ours, nobody = document["sections"]["simulators"]["rows"]
    assert len(ours["seconds"]) == 2 and ours["peak_mb"] > 10
    assert ours["cycles"] == 32 * 32 + 1 and ours["mismatches"] == 0
    assert nobody["error"] == "install it"


def test_refuses_a_missing_folder(tmp_path):
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "no")])
    assert result.exit_code == 2 and "does not exist" in result.stderr


def test_without_a_checkout_it_asks_for_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("scripts.shared.checkout.ROOT", tmp_path)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2 and result.stderr == (
        "Error: this command writes to docs/ of a checkout of its source, and runs from none: give "
        "a place with --out\n")


@pytest.mark.slow
def test_a_rate_at_which_tiles_creep(monkeypatch):
    """Every unit's output is compared, whatever the tiles that it comes in; one integer that is
    changed on its way is one mismatch."""
    monkeypatch.setattr(bench_jobs, "read_golden", lambda network: golden("w16a16"))
    todo = bench_jobs.case(resolution=32, cycles=4)
    run = bench_jobs.run_design("myhdl", todo.design, todo.ends(), todo.timeout)
    elements = sum(unit.pixels_out * unit.channels_out for unit in TABLE)
    assert todo.compare(run) == {"elements": elements, "mismatches": 0}
    run["Conv1"].words[0, -2] ^= 1      # the last pixel of the first tile, below the bit of tiles
    assert todo.compare(run)["mismatches"] == 1
