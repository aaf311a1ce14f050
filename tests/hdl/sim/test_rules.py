"""Marks and ends of recorded streams: right ones pass, each wrong one is told by its rule."""
import numpy as np
import pytest

from hdl.beats import payload
from hdl.errors import RULES, ProtocolError
from hdl.shape import MARKS, StreamShape
from hdl.sim.rules import check_marks
from hdl.sim.trace import Trace

SHAPE = StreamShape(1, 8, False, marks=MARKS)
LINE, FRAME = 3, 6


def trace(last, first, beats=12):
    """A Trace of so many beats, 10 cycles apart, with tlast and tuser at these."""
    numbers = np.arange(beats)
    words = payload(SHAPE, numbers[:, None], tlast=np.isin(numbers, last),
                    tuser=np.isin(numbers, first))
    return Trace(words, 10 * numbers)


def test_whole_frames_pass():
    check_marks("s", trace([2, 5, 8, 11], [0, 6]), SHAPE, FRAME, LINE, first=True)
    check_marks("m", trace([5, 11], [3]), SHAPE, FRAME)


@pytest.mark.parametrize("last, first, beats, rule, cycle, words", [
    ([2, 5, 8], [0, 6], 12, "marked", 110, "tlast is 0 with beat 11"),
    ([2, 4, 5, 8, 11], [0, 6], 12, "marked", 40, "tlast is 1 with beat 4"),
    ([2, 5, 8, 11], [0], 12, "marked", 60, "tuser is 0 with beat 6"),
    ([2, 5, 8, 11], [0, 1, 6], 12, "marked", 10, "tuser is 1 with beat 1"),
    ([2, 5, 8], [0, 6], 10, "ended", 90, "4 beats of 6 came")])
def test_what_is_wrong_is_told(last, first, beats, rule, cycle, words):
    with pytest.raises(ProtocolError, match=words) as told:
        check_marks("s", trace(last, first, beats), SHAPE, FRAME, LINE, first=True)
    assert (told.value.stream, told.value.rule, told.value.cycle) == ("s", rule, cycle)


def test_every_rule_is_broken_by_a_test():
    """Held, stable, taken in tests/hdl/sim/test_design.py, known in
    tests/hdl/sim/backends/test_icarus_and_ghdl.py, the others here."""
    assert set(RULES) == {"held", "stable", "known", "taken", "marked", "ended"}
