"""Video: whatever comes, whole frames leave, damage is told, a good frame is left as it is."""
import numpy as np
import pytest

from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.blocks.frame_repair import FAULTS, VERDICT, VideoFrame
from hdl.shape import MARKS, StreamShape
from hdl.sim.endpoints import Sink, Source, random_pattern
from hdl.sim.video import mended
from tests.support.bench import STALLS, Bench, seed_of
from tests.support.blocks import repaired
from tests.support.streams import stream

ROWS, COLUMNS, PATIENCE = 3, 4, 300


def ports(lanes=3, tile=1, bits=8):
    video = StreamShape(lanes, bits, False, tile)
    return {"s_axis": stream(lanes, bits, False, tile, MARKS), "m_axis": AxiStream(video),
            "m_verdict": AxiStream(VERDICT), "s_ask": stream(1, 1, False),
            "m_errors": stream(len(FAULTS), 1, False)}


def marks(rows=ROWS, columns=COLUMNS):
    """(first, last) of every beat of a good frame."""
    return [(place == 0, place % columns == columns - 1) for place in range(rows * columns)]


def run(bench, sent, rng, stall="free", idle=None):
    """(Run, faults) of beats (first, last), whose values are random bytes; all is as expected.

    stall -- of STALLS; idle -- pauses of the video in their place
    """
    shape, frame = bench.arguments["m_axis"].shape, bench.arguments["frame"]
    values = rng.integers(1, 256, (len(sent), shape.elements))
    frames, outside = mended(sent, frame.rows, frame.columns)
    faults = set().union(*(each.faults for each in frames), {"outside"} if outside else ())
    first, last = np.array(sent).T
    pauses = {name: random_pattern(seed_of(rng), share, 509) for name, share in zip(
        ("s_axis", "m_axis", "m_verdict"), (*STALLS[stall], STALLS[stall][1])) if share}
    beats = len(sent) + len(frames) * frame.rows * frame.columns
    late = np.arange(1 << 14) < PATIENCE + (2 if stall == "free" else 6) * beats + 40
    if idle is not None:
        pauses["s_axis"] = idle
    ends = {"s_axis": Source(payload(bench.arguments["s_axis"].shape, values, tlast=last,
                                     tuser=first), pauses.get("s_axis")),
            "s_ask": Source(np.ones((1, 1), np.uint32), late),
            "m_axis": Sink(len(frames) * frame.rows * frame.columns, pauses.get("m_axis")),
            "m_verdict": Sink(len(frames), pauses.get("m_verdict")), "m_errors": Sink(1)}
    done = bench.simulated(ends, timeout=1 << 14)
    zeros = [0] * shape.elements
    whole = [zeros if beat < 0 else values[beat].tolist() for one in frames for beat in one.beats]
    assert done["m_axis"].values(shape).tolist() == whole
    assert done["m_verdict"].values(VERDICT).ravel().tolist() == [
        each.damaged for each in frames]
    [told] = done["m_errors"].values(bench.arguments["m_errors"].shape)
    assert {name for name, bit in zip(FAULTS, told) if bit} == faults
    return done, faults


def bench_of(simulator, rows=ROWS, columns=COLUMNS, **shape):
    return Bench(simulator, repaired, {**ports(**shape),
                                       "frame": VideoFrame(rows, columns, PATIENCE)})


CASES = {   # (first, last) of the beats that come, the faults they have; a good frame follows
    "good": (marks(), set()),
    "two good": (marks() * 2, set()),
    "short line": (marks()[:6] + [(False, True)] + marks()[8:], {"short_line"}),
    "short last line": (marks()[:9] + [(False, True)], {"short_line"}),
    "line of one beat": (marks()[:4] + [(False, True)] + marks()[8:], {"short_line"}),
    "long line": (marks()[:7] + [(False, False)] * 5 + [(False, True)] + marks()[8:],
                  {"long_line"}),
    "two lines in one": (marks()[:3] + [(False, False)] + marks()[4:],
                         {"long_line", "early_start"}),
    "last line too long": (marks()[:11] + [(False, False)] * 2 + [(False, True)],
                           {"long_line", "outside"}),
    "no end of lines at all": ([(place == 0, False) for place in range(12)],
                               {"long_line", "early_start"}),
    "start is missing": (marks() + [(False, last) for _, last in marks()], {"outside"}),
    "start is doubled": ([(True, False)] + marks(), {"early_start"}),
    "start is early": (marks()[:7] + marks(), {"early_start"}),
    "start is late": (marks() + marks()[4:8], {"outside"}),
    "start after every beat": ([(True, False)] * 5, {"early_start"}),
    "start and end of line at once": ([(True, True)] + marks()[4:], {"short_line"}),
    "garbage first": ([(False, True), (False, False)] + marks(), {"outside"}),
    "start within a long line": (marks()[:3] + [(False, False)] * 3,
                                 {"long_line", "early_start"}),
}


def test_what_comes_and_what_becomes_of_it(simulator, rng):
    """Every fault alone, and after it a good frame, which is left as it is; then all of them one
    after the other, in every mixture of stalls."""
    bench = bench_of(simulator)
    for name, (sent, faults) in CASES.items():
        assert run(bench, sent + marks(), rng)[1] == faults, name
    sent = sum((sent + marks() for sent, _ in CASES.values()), [])
    for stall in STALLS:
        run(bench, sent, rng, stall)


@pytest.mark.parametrize("rows, columns, lanes, tile", [(3, 4, 3, 1), (1, 5, 1, 1), (4, 1, 3, 2),
                                                        (1, 1, 3, 2), (2, 2, 3, 1)])
def test_any_marks_whatever(simulator, rng, rows, columns, lanes, tile):
    """Random marks, rare and frequent, in every mixture of stalls."""
    bench = bench_of(simulator, rows, columns, lanes=lanes, tile=tile)
    found = set()
    for turn in range(6):
        share = 0.05 + 0.5 * rng.random(2)
        stall = list(STALLS)[turn % len(STALLS)]
        sent = [tuple(bool(bit) for bit in rng.random(2) < share)
                for _ in range(rng.integers(1, 40))] + marks(rows, columns)
        if turn % 2:    # good frames with a beat lost, doubled or changed
            sent = marks(rows, columns) * 4
            place = int(rng.integers(len(sent)))
            sent[place:place + 1] = [[], [sent[place]] * 2, [(True, True)]][turn % 3]
            sent = sent or marks(rows, columns)
        found |= run(bench, sent, rng, stall)[1]
    assert rows * columns == 1 or len(found) > 2


def test_patience(simulator, rng):
    """A gap inside a frame may last so long and no longer; one between frames as long as it
    likes.  All that is missing leaves in a row."""
    bench, quiet = bench_of(simulator), np.zeros(1000, bool)
    for gap, silent in ((PATIENCE, False), (PATIENCE + 1, True)):
        idle = quiet.copy()
        idle[5:5 + gap] = True
        sent = marks() if not silent else marks()[:5]
        done, found = run(bench, sent, rng, idle=idle)
        assert found == ({"silence"} if silent else set())
        if silent:
            assert np.diff(done["m_axis"].cycles).tolist() == [1] * 4 + [PATIENCE + 2] + [1] * 6
    idle = quiet.copy()
    idle[12:12 + 2 * PATIENCE] = idle[13 + 2 * PATIENCE:20 + 2 * PATIENCE] = True
    assert run(bench, marks() * 2, rng, idle=idle)[1] == set()


def test_cycles(simulator, rng):
    """A beat a cycle, two cycles later, also where frames meet; what is missing costs its own
    cycles and one to find out."""
    bench = bench_of(simulator)
    done, _ = run(bench, marks() * 3, rng)
    assert done["s_axis"].cycles.tolist() == list(range(36))
    assert done["m_axis"].cycles.tolist() == list(range(2, 38))
    sent = marks()[:6] + [(False, True)] + marks()[8:] + marks()[:7] + marks()
    done, found = run(bench, sent, rng)
    assert found == {"short_line", "early_start"}
    # One beat fills up the line, five the frame whose end does not come.
    assert done["m_axis"].cycles.tolist() == [*range(2, 21), *range(22, 39)]
