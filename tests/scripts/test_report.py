"""scripts.report: the page's structure, what it shows of results and of a fault, and, where there
is a Chromium, that its charts are drawn and answer."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import html5lib
import numpy as np
import pytest
import vl_convert
from PIL import Image

from hdl.layers import layer_table, precision
from hdl.plan.network import plan_network
from hdl.plan.schedule import offers
from scripts import budget
from scripts.fit import __main__ as fit
from scripts.report import __main__ as report
from scripts.report import fills, make, page, results, runs, work
from scripts.report.sections import SECTIONS
from scripts.shared import recording
from scripts.shared.recording import INPUT, Recording
from tests.support.commands import invoked
from tests.support.json_page import check

ROOT = Path(__file__).parents[2]
SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
TABLE, PRECISION = layer_table(0.35, 32), precision("w8a8")
FRAMES = 2
FAULTY = "block_3_project"
MADE = {"by": "scripts.cosim", "command": "python -m scripts.cosim --record <run>.h5",
        "date": "2026-01-02T03:04:05+00:00", "commit": None, "versions": {"python": "3.11"}}
SILICON = {"alpha": 0.35, "resolution": 32, "precision": "w8a8", "cycles_per_frame": 16,
           "units": [{"name": name, "method": "constants", "adders": 5, "gates": 90,
                      "parts": {"adders": 60, "registers": 30}} for name in ("Conv1", "Conv_1")],
           "ladder": [{"cycles_per_frame": cycles, "adders": 5, "multipliers": 0,
                       "flip_flops": 9, "ram_bits": 8, "rom_bits": 0, "gates": 90,
                       "area_mm2": {"one": 0.5}} for cycles in (16, 64)]}
PHOTOS = {"folder": "cats", "precision": "w8a8", "weights": "seeded", "photos": 3, "views": 3,
          "top1_agreement": 1.0, "top5_agreement": None, "sqnr_db_aggregate": 20.5,
          "rtl_views": 1, "rtl_elements": 100, "rtl_mismatches": 0}


def recorded(cycles, wrong=False, seed=None):
    """A recording as a simulation leaves it whose beats move as scheduled.

    wrong -- channel 5 of FAULTY differs in the pixels of its first row, and all after it
    """
    plan = plan_network(TABLE, PRECISION, cycles, FRAMES)
    units, error, differs, channels, rng = [], {}, {}, {}, np.random.default_rng(1)
    for place, unit in enumerate(TABLE):
        side = unit.size_out
        error[unit.name] = rng.random((side, side), dtype=np.float32)
        differs[unit.name] = np.zeros((side, side), np.int32)
        channels[unit.name] = np.zeros(unit.channels_out, np.int32)
        if wrong and place >= [each.name for each in TABLE].index(FAULTY):
            differs[unit.name][0] = FRAMES
            channels[unit.name][5] = FRAMES * side
        units.append({"name": unit.name, "stage": unit.stage, "shape": [
            side, side, unit.channels_out], "elements": FRAMES * side ** 2 * unit.channels_out,
            "mismatches": int(differs[unit.name].sum()), "macs": unit.macs,
            "products": FRAMES * unit.macs, "sqnr_db": None if place == 3 else 20.0 + place})
    last = plan.leave[TABLE[-1].name]
    summary = {"made": MADE, "ok": not wrong, "units": units, "frames": FRAMES, "alpha": 0.35,
               "resolution": 32, "precision": "w8a8", "weights": "seeded", "first_difference":
               f"stage block_3, unit {FAULTY}, frame 0" if wrong else None,
               "cycles_per_frame": cycles, "initiation_interval": cycles,
               "latency_cycles": int(last[len(last) // 2 - 1]) + 1,
               "multipliers": plan.multipliers, "products_per_frame": 7}
    if seed is None:
        summary |= {"beats": plan.beats, "off_schedule": 0}
    arrive = {INPUT: offers(32 * 32 // plan.units[0].folding.tile_in ** 2, cycles, FRAMES)}
    return Recording(summary, rng.integers(0, 256, (32, 32, 3), np.uint8), arrive | plan.leave, {},
                     error, differs, channels)


def printed(command, module, *arguments):
    """What a command prints with --json when it is run as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "orig_argv", ["python", "-m", module, *arguments, "--json"])
        return invoked(command, *arguments, "--json").stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of every command, and two files that are none."""
    path = tmp_path_factory.mktemp("results")
    (path / "budget.json").write_text(printed(budget.main, "scripts.budget", *SMALL))
    (path / "budget-4.json").write_text(printed(budget.main, "scripts.budget", *SMALL,
                                                "--cycles-per-frame", "4"))
    (path / "fit.json").write_text(printed(fit.main, "scripts.fit", *SMALL))
    for name, fields in (("silicon", SILICON), ("validate", PHOTOS)):
        (path / f"{name}.json").write_text(json.dumps(
            {"schema": 1, "made": {**MADE, "by": f"scripts.{name}"}, **fields}))
    recording.write(path / "cosim-1024.h5", recorded(1024))
    recording.write(path / "cosim-4096.h5", recorded(4096, wrong=True))
    recording.write(path / "stalled.h5", recorded(2048, seed=1))
    (path / "other.json").write_text("{}")
    (path / "damaged.h5").write_bytes(b"damaged")
    return path


@pytest.fixture(scope="module")
def made(folder):
    """(the page of all results, its sections)."""
    return page.render(results.read(folder))


def parsed(text):
    """The tree of a page; html5lib.html5parser.ParseError for what no browser should mend."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def data(run):
    """The RunData of a recording."""
    return runs.RunData(0, results.RunFile(results.Made("run.h5", "", "", "", {}), run))


def with_class(tree, name):
    """Elements of a class."""
    return [each for each in tree.iter() if name in each.get("class", "").split()]


def words(element):
    """Text of an element, white space as one."""
    return " ".join("".join(element.itertext()).split())


def check_page(text):
    """What holds for every page: sound HTML, nothing from elsewhere, links that lead somewhere,
    every section filled or explained, every chart with a title and a table, every figure with its
    command; returns the tree."""
    assert len(text.encode()) <= page.MOST_BYTES
    tree = parsed(text)
    names = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(names) == len(set(names))
    for element in tree.iter():
        for attribute in ("href", "src", "srcset", "action", "data"):
            address = element.get(attribute)
            if address is not None:
                assert address.startswith("data:") or address.removeprefix("#") in names, address
    assert not any(element.tag in ("link", "iframe", "object") and
                   element.get("rel") != "icon" for element in tree.iter())
    assert "@import" not in text and "url(" not in text[:text.index("<script")]
    for section in tree.iter("section"):
        figures, missing = list(section.iter("figure")), with_class(section, "missing")
        assert figures or missing, section.get("id")
        for figure in figures:
            if not figure.get("id"):
                continue
            assert words(figure.find("h3"))
            if section.get("id") != "provenance":
                assert all("python -m scripts." in words(line)
                           for line in with_class(figure, "made")) and with_class(figure, "made")
        for chart in with_class(section, "chart"):
            assert chart.get("aria-label") and chart.get("tabindex") == "0"
            owner = next(each for each in figures if chart in list(each.iter()))
            assert list(owner.iter("output"))
            assert list((owner if owner.get("id") else section).iter("table"))
    return tree


def test_all_results(made, folder):
    text, sections = made
    tree = check_page(text)
    shown = [section.name for section in sections]
    assert shown == [each.get("id") for each in tree.iter("section")]
    assert len(shown) == len(SECTIONS) and all(section.figures for section in sections)
    unread = words(next(each for each in tree.iter() if each.get("id") == "provenance-unread"))
    assert "other.json" in unread and "damaged.h5" in unread and "no HDF5 file" in unread
    # What a command was called with is text, whatever it has in it.
    assert "--record <run>.h5" in words(next(each for each in tree.iter("section")
                                             if each.get("id") == "gantt"))


def test_nothing_yet(tmp_path, monkeypatch):
    """Every section says which command makes its results, and these commands are there."""
    monkeypatch.setattr(results, "STORED_BENCH", tmp_path / "none.json")
    text, sections = page.render(results.read(tmp_path))
    check_page(text)
    commands = [command for section in sections for command in section.missing]
    assert [section.name for section in sections if not section.missing] == ["provenance"]
    for command in commands:
        module = re.match(r"python -m (scripts\.\w+)", command).group(1)
        assert importlib.util.find_spec(module)
        assert str(tmp_path) in command


def test_commands_for_what_is_missing_are_of_the_network_that_is_there(tmp_path):
    """The other rates as the run was made, the other results of the same widths."""
    run = recorded(1024)
    run.summary["made"] = {**MADE, "command": "python -m scripts.cosim 'my cat.png' --alpha 0.35 "
                           "--cycles-per-frame 1024 --record x.h5 --frames 2"}
    recording.write(tmp_path / "run.h5", run)
    found = {section.name: section.missing
             for section in page.render(results.read(tmp_path))[1]}
    assert len(found["gantt"]) == 8 and found["gantt"][0] == (
        "python -m scripts.cosim 'my cat.png' --alpha 0.35 --frames 2 --cycles-per-frame 1 "
        f"--record {tmp_path / 'cosim-1.h5'}")
    network = "--alpha 0.35 --resolution 32 --precision w8a8"
    assert found["fit"] == [f"python -m scripts.fit {network} --json > {tmp_path / 'fit.json'}"]
    assert found["silicon"][0].startswith(f"python -m scripts.silicon {network} --weights seeded ")
    assert found["origin"][1].endswith(
        f"{network} --cycles-per-frame 1 --json > {tmp_path / 'budget-1.json'}")


def test_the_chain_is_to_scale(made):
    figure = next(figure for section in made[1] for figure in section.figures
                  if figure.name == "chain-0")
    slabs = figure.spec["data"]["values"]
    assert [slab["high"] - slab["low"] for slab in slabs] == [
        32, *(unit.size_out for unit in TABLE)]
    assert [slab["to"] - slab["from"] for slab in slabs] == pytest.approx([
        3, *(unit.channels_out for unit in TABLE)])
    assert all(one["to"] < next_one["from"] for one, next_one in zip(slabs, slabs[1:]))


def test_the_origin_and_the_ladder(made):
    """52 lines beside ours at both rates, as the origin adds them up; every rung."""
    figures = {figure.name: figure for section in made[1] for figure in section.figures}
    lines = figures["origin-lines"].table
    assert len(lines.rows) == 53 and lines.rows[-1][0] == "all" and lines.rows[-1][5] == "6,112,128"
    assert lines.rows[0][1:6] == ("Conv2d s2", "Conv1", "16x16", "9x3x32", "221,184")
    for place, cycles in ((6, 4), (7, 1024)):
        folded = plan_network(TABLE, PRECISION, cycles)
        assert lines.rows[-1][place] == f"{folded.multipliers:,}"
        assert [row[place] for row in lines.rows[:-1]] == [
            f"{planned.folding.multipliers:,}" for planned in folded.units if planned.unit.weights]
    assert [row[0] for row in figures["ladder-multipliers"].table.rows] == [
        "1", "4", "16", "64", "256", "1,024", "4,096", "16,384", "65,536"]


def test_charts_are_what_vega_lite_takes(made):
    for section in made[1]:
        for figure in section.figures:
            if figure.spec:
                rows = {each["row"] for each in figure.spec["data"]["values"]}
                assert rows <= set(range(len(figure.table.rows)))
                assert vl_convert.vegalite_to_vega(figure.spec)["marks"]


def test_what_equals_float_is_in_the_chart(made):
    figure = next(figure for section in made[1] for figure in section.figures
                  if figure.name == "exactness-0")
    assert figure.table.rows[3][-1] == "infinite"
    assert figure.spec["layer"][0]["mark"]["type"] == "bar"
    assert [(bar["name"], bar["decibels"]) for bar in figure.spec["data"]["values"]][2:5] == [
        ("expanded_conv_project", 22.0), ("block_1_expand: equal", 81.0),
        ("block_1_depthwise", 24.0)]


def test_a_fault_is_shown_where_it_begins(made):
    tree = parsed(made[0])
    exact = next(each for each in tree.iter() if each.get("id") == "exactness-2")
    wrong = [words(row[0]) for row in with_class(exact, "wrong")]
    assert wrong == [unit.name for unit in TABLE][[unit.name for unit in TABLE].index(FAULTY):]
    assert f"It begins here: stage block_3, unit {FAULTY}, frame 0." in words(exact)
    drawn = data(recorded(4096, wrong=True)).drawn()
    assert drawn["units"][drawn["first"]] == FAULTY
    assert np.flatnonzero(drawn["maps"]["channels"][str(drawn["first"])]).tolist() == [5]


@pytest.mark.parametrize("cycles", [1024, 4096, 65536])
def test_work(cycles):
    """Busy cycles are those that the products take, inside the time with a frame."""
    run = recorded(cycles)
    plan = work.plan_of(run)
    for planned, found in zip(plan.units, work.works(run, plan), strict=True):
        unit, folding = planned.unit, planned.folding
        beats = len(run.cycles[unit.name])
        assert found.busy_cycles == (FRAMES * unit.macs // folding.multipliers if unit.weights
                                     else beats)
        assert found.busy[-1, 1] == found.held[-1, 1] == run.cycles[unit.name][-1] + 1
        assert found.waiting_cycles >= 0 and (found.busy[:, 0] < found.busy[:, 1]).all()
        assert (found.busy[1:, 0] > found.busy[:-1, 1]).all()
        for start, end in found.busy:
            assert any(begin <= start and end <= stop for begin, stop in found.held)
    # The first unit has its first frame from the first pixel to the last beat of it.
    first = plan.leave["Conv1"]
    assert work.works(run, plan)[0].held[0, 0] == 0
    assert first[len(first) // 2 - 1] < work.works(run, plan)[0].held[0, 1]


def test_merged():
    found = work.merged(np.array([0, 4, 9, 10, 20]), np.array([4, 6, 15, 12, 21]))
    assert found.tolist() == [[0, 6], [9, 15], [20, 21]] and work.total(found) == 13


def test_packed_is_undone_as_the_page_does():
    busy = [np.array([[3, 5], [9, 12]]), np.array([[0, 7]])]
    steps, counts = work.packed([work.Work("a", each, each) for each in busy])
    assert counts == [2, 1]
    assert np.split(steps, [4])[0].cumsum().tolist() == [3, 5, 9, 12]
    assert np.split(steps, [4])[1].cumsum().tolist() == [0, 7]


@pytest.mark.parametrize("cycles", [1024, 4096, 65536])
def test_fills(cycles):
    """A FIFO is full once, or its depth would not be the least; nothing is left at the end."""
    run = recorded(cycles)
    plan = work.plan_of(run)
    found = {fill.name: fill for fill in fills.fills(run, plan)}
    for planned in plan.units:
        name, buffers = planned.unit.name, planned.buffers
        if buffers.fifo_depth:
            fill = found[f"{name}: FIFO" if planned.unit.weights else f"{name}: shortcut"]
            assert fill.room == fill.peak == buffers.fifo_depth
        if planned.unit.kernel == 3:
            fill = found[f"{name}: lines"]
            geometry = planned.windows
            # Two rows and three pixels less one, or what of these a small map has.
            rows = min(2, geometry.size - 1)
            assert rows * geometry.size * geometry.groups < fill.peak <= fill.room
    for fill in found.values():
        assert fill.levels.min() >= 0 and fill.levels[-1] == 0


def test_levels_and_bins():
    cycles, levels = fills.levels(np.array([1, 2, 2, 8]), np.array([3, 8, 9, 20]))
    assert dict(zip(cycles.tolist(), levels.tolist())) == {1: 1, 2: 3, 3: 2, 8: 2, 9: 1, 20: 0}
    fill = fills.Fill("memory", "FIFO", "1 channel", 4, cycles, levels)
    assert fill.peak == 3
    naive = [max([0, *(level for cycle, level in zip(cycles, levels) if cycle <= begin)][-1:] + [
        level for cycle, level in zip(cycles, levels) if begin < cycle <= end])
        for begin, end in ((0, 1), (1, 2), (2, 7), (7, 10), (10, 30))]
    assert fill.binned(np.array([0, 1, 2, 7, 10, 30])).tolist() == naive == [1, 3, 3, 2, 1]


def test_words_that_find_no_room_wait():
    """A FIFO of two words whose third is offered too early."""
    fill = fills.fifo_fill("memory", "FIFO", 1, 2, np.array([0, 1, 2]), np.array([5, 9, 12]))
    assert fill.room == fill.peak == 2 and fill.levels[-1] == 0


@pytest.mark.parametrize("side, cells", [(7, 7), (56, 56), (112, 56), (60, 30)])
def test_maps_are_pooled(side, cells):
    values = np.arange(side ** 2).reshape(side, side)
    found = runs.pooled(values, "sum")
    assert found.shape == (cells, cells) and found.sum() == values.sum()
    factor = side // cells
    assert found[1, 2] == values[factor:2 * factor, 2 * factor:3 * factor].sum()


@pytest.mark.parametrize("side", [7, 56, 112, 113, 57])
def test_the_mean_of_a_square_at_the_edge_is_of_the_map_alone(side):
    assert np.all(runs.pooled(np.full((side, side), 3.0), "mean") == 3)


def test_a_run_with_stalls_has_no_fills(made):
    assert not data(recorded(2048, seed=1)).fills
    assert "record a run without --seed" in made[0]


def test_command(folder, tmp_path):
    out = tmp_path / "page.html"
    told = json.loads(invoked(report.main, "--results", folder, "--out", out, "--json").stdout)
    check("scripts.report", told)
    assert told["bytes"] == len(out.read_bytes()) and len(told["sections"]) == len(SECTIONS)
    shown = " ".join(invoked(report.main, "--results", folder, "--out", out).stdout.split())
    assert "The ladder of rates 2" in shown and "yes: the page" not in shown


@pytest.mark.parametrize("arguments, sentence", [
    (["--results", "no"], "there is no folder of results no: add --run"),
    (["--out", "."], "the report . is a folder: give the path of a file with --out"),
    (["--out", "no/page.html"], "the report no/page.html is in no folder that exists"),
    (["--run", "--alpha", "0.4"], "alpha 0.4 is not one of Keras's"),
    (["--run", "--cycles-per-frame", "100"], "give at least 12544"),
])
def test_bad_input_is_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoked(report.main, *arguments, code=2)
    assert sentence in result.stderr and result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_recording_of_another_plan(tmp_path):
    run = recorded(1024)
    run.cycles["block_2_add"] = np.arange(10)
    recording.write(tmp_path / "run.h5", run)
    result = invoked(report.main, "--results", tmp_path, "--out", tmp_path / "page.html", code=2)
    assert "the recording of block_2_add has 10 beats and not 1,024" in result.stderr
    assert result.stderr.endswith(f"record it again with {MADE['command']}\n")
    assert not (tmp_path / "page.html").exists()


def test_the_page_is_opened(folder, tmp_path, monkeypatch):
    opened, place = [], tmp_path / "page.html"
    monkeypatch.setattr(page, "render", lambda found: ("<p>", []))
    for browser, words in ((True, ""), (False, f"no browser was found: open {place.as_uri()} in")):
        monkeypatch.setattr("webbrowser.open", lambda uri: opened.append(uri) or browser)
        result = invoked(report.main, "--results", folder, "--out", place, "--open")
        assert result.stderr.startswith(words) and bool(result.stderr) is not browser
    assert opened == [place.as_uri()] * 2


def test_a_page_that_is_too_large(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "MOST_BYTES", 1000)
    result = invoked(report.main, "--results", folder, "--out", tmp_path / "page.html", code=2)
    assert "more than 1,000: take some recordings (.h5) out" in result.stderr
    assert not (tmp_path / "page.html").exists()


def test_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scripts.report.page", None)
    result = invoked(report.main, "--results", tmp_path, code=2)
    assert "pip install -e '.[report]'" in result.stderr


class Commands:
    """Commands that are not run, but end with a status and print a text."""

    def __init__(self, **told):
        self.told, self.said = told, []

    def __call__(self, command, **options):
        self.said.append(command[2:])
        status, text = self.told.get(command[2].removeprefix("scripts."), (0, '{"ok": true}'))
        return subprocess.CompletedProcess(command, status, text)


def test_run_makes_results(tmp_path, monkeypatch):
    commands = Commands(fit=(2, ""), cosim=(1, ""))
    monkeypatch.setattr(make.subprocess, "run", commands)
    asked = make.Asked(None, 0.35, 32, "w8a8", "top.h5", True, 1024, tmp_path / "results")
    failed = make.make(asked, ["silicon"])
    assert [command[0] for command in commands.said] == [
        "scripts.budget", "scripts.budget", "scripts.fit", "scripts.cosim", "scripts.silicon"]
    assert [command.split()[2] for command in failed] == ["scripts.fit", "scripts.cosim"]
    assert sorted(file.name for file in (tmp_path / "results").iterdir()) == [
        "budget-1.json", "budget-1024.json", "silicon.json"]
    cosim = commands.said[3]
    assert cosim[cosim.index("--weights") + 1] == "top.h5" and "--classify" in cosim
    assert cosim[cosim.index("--record") + 1] == str(tmp_path / "results" / "cosim-1024.h5")


def test_rates_are_those_that_have_a_folding():
    def rates(side):
        return make.Asked(None, 0.35, side, "w8a8", "seeded", False, side ** 2, Path()).rates

    assert rates(32) == [1, 4, 16, 64, 256, 4096, 16384, 65536]
    assert min(rates(40)) == 400


# In a browser.

def chromium():
    """The path of a Chromium; skips the test without one, or fails where it is required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                                 "google-chrome"))), None)
    if found and all(map(importlib.util.find_spec, ("playwright", "axe_playwright_python"))):
        return found
    missing = "needs Chromium, playwright and axe: apt-get install chromium, then tox -e report"
    if os.environ.get("REQUIRE_CHROMIUM"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture
def browser():
    """A headless Chromium."""
    path = chromium()
    from playwright.sync_api import sync_playwright
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser, file, **options):
    """A page that is drawn, and what it said on the console or asked of a network, so far and from
    now on."""
    tab, noise = browser.new_context(**options).new_page(), []
    tab.on("console", lambda message: noise.append(message.text))
    tab.on("pageerror", lambda error: noise.append(str(error)))
    tab.on("request", lambda request: noise.append(request.url) if not request.url.startswith(
        ("file:", "data:", "blob:")) else None)
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready]", state="attached")
    return tab, noise


def check_accessible(tab):
    """What axe finds: names, roles, contrast, structure."""
    from axe_playwright_python.sync_playwright import Axe
    assert [(each["id"], each["nodes"][0]["html"]) for each in
            Axe().run(tab).response["violations"]] == []


def said(tab, own):
    """What a figure of the page's own says."""
    return tab.locator(f'[data-own="{own}"] > output').inner_text()


def check_charts(tab):
    """Every chart that is to be seen is drawn, and answers keys and a click."""
    for name in tab.eval_on_selector_all("figure[id]:not([hidden]) .chart",
                                         "all => all.map(each => each.dataset.chart)"):
        figure = tab.locator(f'figure:has([data-chart="{name}"])')
        chart = tab.locator(f'[data-chart="{name}"]')
        marks = chart.locator("[aria-roledescription=bar], [aria-roledescription=point], "
                              "[aria-roledescription='rect mark']")
        assert marks.count() > 1, name
        chart.focus()
        answers = [answer(tab, figure, lambda: tab.keyboard.press(key), "")
                   for key in ("ArrowDown", "End")]
        assert answers[0] != answers[1]
        assert answer(tab, figure, lambda: marks.first.dispatch_event("click"), answers[1])
        assert figure.locator("tr.chosen").count() == 1


def answer(tab, figure, act, before):
    """What a figure says after something was done, which is not what it said before."""
    act()
    tab.wait_for_function(
        "([figure, before]) => figure.querySelector('output').textContent !== before",
        arg=[figure.element_handle(), before])
    return figure.locator("output").inner_text()


def check_gantt(tab):
    """The Gantt chart zooms, moves and names a unit's cycles."""
    chart = tab.locator('[data-chart="gantt"]')
    everything = said(tab, "gantt")
    chart.focus()
    tab.keyboard.press("+")
    assert said(tab, "gantt") != everything
    tab.keyboard.press("ArrowDown")
    assert re.search(r"Conv1: [\d,]+ busy, [\d,]+ waiting, [\d,]+ idle", said(tab, "gantt"))
    tab.keyboard.press("0")
    assert said(tab, "gantt").startswith(everything)
    box = chart.locator("svg").bounding_box()
    tab.evaluate("scrollTo(0, 0)")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.5, max(box["y"], 0) + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.7, max(box["y"], 0) + 60)
    tab.mouse.up()
    assert not said(tab, "gantt").startswith(everything)
    tab.locator("#gantt-controls button", has_text="All").click()
    assert said(tab, "gantt").startswith(everything)


def check_drawn(browser, file):
    """A page on a desktop: all of it is drawn, answers, and is silent."""
    tab, noise = opened(browser, file)
    check_charts(tab)
    check_gantt(tab)
    for own in ("fills", "maps"):
        before = said(tab, own)
        tab.locator(f'[data-own="{own}"] .chart').first.focus()
        tab.keyboard.press("ArrowDown")
        tab.wait_for_function(
            "([own, before]) => document.querySelector(`[data-own=${own}] > output`).textContent "
            "!== before", arg=[own, before])
    for link in tab.locator("nav a").all():
        link.click()
        assert tab.locator(tab.evaluate("location.hash")).count() == 1
    assert noise == []
    check_accessible(tab)
    return tab


def test_in_a_browser(browser, made, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(made[0], encoding="utf-8")
    tab = check_drawn(browser, file)
    # The run with the fault: the unit in which it begins is chosen, and its channel shown.
    tab.select_option("#run", index=2)
    tab.wait_for_function(f"document.querySelector('[data-own=maps] > output').textContent"
                          f".startsWith('{FAULTY}')")
    assert tab.locator("#map-kind").input_value() == "wrong"
    assert tab.locator("#map-channels").is_visible()
    assert said(tab, "maps") == f"{FAULTY}: {FRAMES * 4} elements differ"


@pytest.mark.full
@pytest.mark.parametrize("arguments", [
    [], ["--cycles-per-frame", "49"], ["own.png", "--alpha", "0.35", "--precision", "w8a8"]],
    ids=["the default", "49 cycles a frame", "an own photo"])
def test_real_runs_in_a_browser(browser, tmp_path, arguments):
    pixels = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "own.png")
    subprocess.run([sys.executable, "-m", "scripts.report", *arguments, "--run"], cwd=tmp_path,
                   check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    check_drawn(browser, tmp_path / "report.html")


@pytest.mark.parametrize("options", [
    {"viewport": {"width": 390, "height": 844}}, {"color_scheme": "dark"}],
    ids=["on a phone", "in the dark"])
def test_in_other_browsers(browser, made, tmp_path, options):
    file = tmp_path / "page.html"
    file.write_text(made[0], encoding="utf-8")
    tab, noise = opened(browser, file, **options)
    width = options.get("viewport", {"width": 1280})["width"]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    dark = "color_scheme" in options
    paper = "getComputedStyle(document.body).backgroundColor"
    assert (tab.evaluate(paper) == "rgb(20, 23, 26)") == dark
    tab.select_option("#theme", "light" if dark else "dark")
    assert (tab.evaluate(paper) == "rgb(20, 23, 26)") != dark
    tab.select_option("#theme", "")
    check_accessible(tab)
    tab.emulate_media(media="print")
    assert tab.evaluate(paper) == "rgb(255, 255, 255)"
    assert noise == []


def test_nothing_yet_in_a_browser(browser, tmp_path):
    (tmp_path / "results").mkdir()
    file = tmp_path / "page.html"
    file.write_text(page.render(results.read(tmp_path / "results"))[0], encoding="utf-8")
    tab, noise = opened(browser, file)
    assert tab.locator("section:visible").count() == len(SECTIONS) and noise == []
