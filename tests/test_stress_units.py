"""Units and stages under stalls and resets: a few runs, and that what goes wrong is told."""
import dataclasses
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from hdl.sim.design import compiled
from tests import stress_units
from tests.stress_units import run, stages, subject, units

CASES = "pointwise, serial", "depthwise, columns", "constant, stride_2_of_an_odd_creep"


def totals(one, model, seeds):
    """(Counter of all runs, what is wrong)."""
    runs = [run(one, seed, model) for seed in seeds]
    return sum((counts for counts, _ in runs), start=runs[0][0] - runs[0][0]), \
        [wrong for _, wrong in runs if wrong]


@pytest.mark.parametrize("name", CASES)
def test_units(verilator, name):
    one, model = subject(name, units()[name]())
    counts, wrong = totals(one, model, range(24))
    assert wrong == [] and counts["differences"] == 0 and counts["runs"] == 24
    assert counts["resets"] > 20 and counts["cut"] > 4 and counts["frames"] > 40


@pytest.mark.parametrize("name", ["block_3, 1024 cycles", "block_2, 64 cycles"])
def test_stages(verilator, name):
    """Pixels, and tiles that creep; with the add of both branches."""
    one, model = subject(name, stages()[name]())
    counts, wrong = totals(one, model, range(8))
    assert wrong == [] and counts["differences"] == 0 and counts["resets"] > 5


def test_simulators_agree_on_a_run(simulator):
    """The same seed is the same run everywhere."""
    one, model = subject(CASES[0], units()[CASES[0]](), simulator)
    other, its = subject(CASES[0], units()[CASES[0]]())
    for seed in (1, 2):
        counts, wrong = run(one, seed, model, simulator)
        assert (counts, wrong) == run(other, seed, its) and not wrong and counts["resets"]


def test_a_reset_that_misses_a_register_is_told(verilator):
    one, _ = subject(CASES[0], units()[CASES[0]]())

    def edited(directory, language):
        files, top = one.design.hdl(directory, language)
        file, = (file for file in files if re.fullmatch(r"mac_control(_\d+)*", file.stem))
        text, count = re.subn(r"beat <= 0;", "", file.read_text(), count=1)
        assert count
        file.write_text(text)
        return files, top

    design = dataclasses.replace(one.design, hdl=edited)
    _, wrong = totals(dataclasses.replace(one, design=design),
                      compiled(design, None, "verilator", ("s_axis",)), range(24))
    assert len(wrong) > 3 and all("elements differ after" in each for each in wrong)


def test_the_command(verilator, monkeypatch):
    """What fails is told with the command that does it again."""
    only = ["--only", "pointwise, single", "--runs", "3"]
    done = CliRunner().invoke(stress_units.main, [*only, "--json"])
    assert done.exit_code == 0
    told = json.loads(done.stdout[done.stdout.index("{"):])
    assert told["failures"] == [] and told["subjects"]["pointwise, single"]["runs"] == 3
    monkeypatch.setattr(stress_units, "naive_unit", lambda config, params, frame: np.ones(1, int))
    done = CliRunner().invoke(stress_units.main, only)
    assert done.exit_code == 1 and re.search(r"elements differ after \d resets", done.output)
    assert 'again with: python -m tests.stress_units --only "pointwise, single" --runs 1 --seed' \
        in done.output


def test_another_name_is_refused():
    done = CliRunner().invoke(stress_units.main, ["--only", "nothing"])
    assert done.exit_code == 2 and "no subject has a name that begins with nothing" in done.output
