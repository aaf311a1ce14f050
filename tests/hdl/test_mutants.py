"""The machinery of mutants: tests tell them, or ABC clears them; the counts come from
``python -m tests.mutate``."""
import dataclasses

import pytest
from click.testing import CliRunner

from tests import mutate, proofs
from tests.support.mutants import Compared, Gates, Stage
from tests.support.simulators import available
from tests.support.subjects import SUBJECTS


@pytest.fixture(scope="module")
def stage():
    available("verilator")
    available("icarus")
    return Stage("fifo of 1", SUBJECTS["fifo of 1"])


def numbered(stage, *parts):
    """The number of the first mutant whose line has all ``parts``."""
    return next(number for number, line in enumerate(stage.netlist.mutants, 1)
                if all(part in line for part in parts))


def test_mutants_are_told_by_a_test_or_cleared_by_a_proof(stage):
    """Of a FIFO of one word: all but those that change nothing that can be seen."""
    told = {number: stage.failing(number) for number in range(1, len(stage.netlist.mutants) + 1)}
    left = [number for number, how in told.items() if how is None]
    assert len(told) == SUBJECTS["fifo of 1"].count and len(left) < 4
    assert {test for test, _ in filter(None, told.values())} <= set(SUBJECTS["fifo of 1"].tests)
    gates = Compared(stage.netlist)
    assert {gates.verdict(number) for number in left} <= {"equivalent"}


def test_a_mutant_that_is_told_is_not_cleared(stage):
    verdict = Compared(stage.netlist).verdict(numbered(stage, "-wire m_axis_tvalid"))
    assert verdict.startswith("differs after ")


@pytest.mark.full
def test_a_register_without_its_reset_is_told_by_unknown_bits():
    stage = Stage("narrow 4 to 1", SUBJECTS["narrow 4 to 1"])
    number = numbered(stage, "-mode const0", "-port SRST")
    assert stage.failing(number) is None
    assert stage.failing(number, "icarus")[0] == "test_widths"


@pytest.mark.full
def test_tests_of_another_block_are_a_mistake():
    subject = dataclasses.replace(SUBJECTS["fifo of 1"], tests={
        "test_fifo": {"depth": 1}, "test_fifo_holds_what_it_says": {"depth": 2}})
    with pytest.raises(AssertionError, match="AssertionError.*fails without a mutant"):
        Stage("fifo of 1", subject)


@pytest.mark.parametrize("command, words", [(mutate, "no subject has"), (proofs, "no claim has")])
def test_other_names_are_refused(command, words):
    done = CliRunner().invoke(command.main, ["--only", "nothing"])
    assert done.exit_code == 2 and f"{words} a name that begins with nothing" in done.output


def test_gates_are_copied():
    """A latch that a mutant keeps from counting: step by step and side by side it is seen, and a
    mutant of nothing is not."""
    #  latch 4 -> 4 xor not (mutant 2): gates 6 = 4 and 2', 8 = 4' and 2, next = not 6 and not 8
    gates = Gates({2: "mutant"}, [[4, 10]], [4], [], [[6, 5, 3], [8, 4, 2], [10, 7, 9]])
    for number, same in ((0, True), (1, False)):
        step, sides = gates.step(number), gates.side_by_side(number)
        assert (step.outputs == [0]) == same and len(sides.latches) == 2
        assert step.names == sides.names == {}
