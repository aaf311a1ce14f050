"""Stream helpers: every beat once, in order, whatever the stalls; latency and rate as stated."""
import numpy as np
import pytest

from hdl.blocks.fifo import fifo, replay
from hdl.blocks.stream import narrow, register_slice, widen, width_converter
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of
from tests.support.blocks import forked
from tests.support.streams import stream

BITS = 5


def pair(lanes_in, lanes_out, bits=BITS):
    return {"s_axis": stream(lanes_in, bits), "m_axis": stream(lanes_out, bits)}


def regroup(elements, lanes):
    """Elements in order, ``lanes`` a beat."""
    return [elements[i:i + lanes] for i in range(0, len(elements), lanes)]


@pytest.mark.parametrize("lanes, bits", [(1, 1), (3, 7), (5, 16)])
def test_register_slice(simulator, rng, lanes, bits):
    ports = pair(lanes, lanes, bits)
    bench = Bench(simulator, register_slice, ports)
    for stall in STALLS:
        values = integers(rng, bits, True, (80, lanes))
        done = bench.run({"s_axis": values}, {"m_axis": 80}, stall, seed_of(rng))
        assert beats(done, ports) == values.tolist(), stall
        if stall == "free":
            assert cycles(done, "s_axis") == list(range(80))
            assert cycles(done, "m_axis") == list(range(1, 81))


def test_register_slice_holds_two_beats(simulator):
    """A sink that sleeps: two beats enter, the next waits, and none of the three is lost."""
    ports = pair(1, 1)
    done = Bench(simulator, register_slice, ports).run(
        {"s_axis": [[1], [2], [3]]}, {"m_axis": 3}, {"m_axis": np.arange(80) < 12})
    assert cycles(done, "s_axis") == [0, 1, 13]
    assert beats(done, ports) == [[1], [2], [3]]
    assert cycles(done, "m_axis") == [12, 13, 14]


@pytest.mark.parametrize("block, lanes_in, lanes_out", [
    (widen, 1, 4), (narrow, 4, 1), (width_converter, 3, 3),
    (width_converter, 1, 1), (width_converter, 2, 6), (width_converter, 6, 2),
    (width_converter, 2, 3), (width_converter, 3, 2), (width_converter, 6, 4)])
def test_widths(simulator, rng, block, lanes_in, lanes_out):
    ports = pair(lanes_in, lanes_out)
    bench = Bench(simulator, block, ports)
    for stall in STALLS:
        elements = integers(rng, BITS, True, 60).tolist()
        done = bench.run({"s_axis": regroup(elements, lanes_in)}, {"m_axis": 60 // lanes_out},
                         stall, seed_of(rng))
        assert beats(done, ports) == regroup(elements, lanes_out), stall


@pytest.mark.parametrize("lanes_in, lanes_out, gathered, latency", [
    (3, 3, 1, 0), (2, 6, 3, 1), (6, 2, 1, 1), (2, 3, 3, 2), (3, 2, 2, 2)])
def test_widths_take_one_beat_a_cycle(simulator, rng, lanes_in, lanes_out, gathered, latency):
    """The narrower side never waits; the first beat leaves when the beats it is gathered from
    have come and the latency stated is over."""
    ports = pair(lanes_in, lanes_out)
    values = integers(rng, BITS, True, (60 // lanes_in, lanes_in))
    done = Bench(simulator, width_converter, ports).run({"s_axis": values},
                                                        {"m_axis": 60 // lanes_out})
    assert beats(done, ports) == regroup(values.ravel().tolist(), lanes_out)
    narrower = "s_axis" if lanes_in <= lanes_out else "m_axis"
    first = done.first(narrower)
    assert cycles(done, narrower) == list(range(first, first + len(done[narrower])))
    assert done.first("m_axis") == done["s_axis"].cycles[gathered - 1] + latency


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_fifo(simulator, rng, depth):
    ports = pair(2, 2)
    bench = Bench(simulator, fifo, {**ports, "depth": depth})
    for stall in STALLS:
        values = integers(rng, BITS, True, (90, 2))
        done = bench.run({"s_axis": values}, {"m_axis": 90}, stall, seed_of(rng))
        assert beats(done, ports) == values.tolist(), stall
        if stall == "free":
            rate = 1 if depth > 1 else 2    # a single word is written or read
            assert cycles(done, "s_axis") == list(range(0, 90 * rate, rate))
            assert cycles(done, "m_axis") == list(range(2, 2 + 90 * rate, rate))


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_fifo_holds_what_it_says(simulator, depth):
    """``depth`` beats in memory and one in the output register, no more and no less."""
    ports, values = pair(2, 2), [[i, -i] for i in range(depth + 4)]
    done = Bench(simulator, fifo, {**ports, "depth": depth}).run(
        {"s_axis": values}, {"m_axis": len(values)}, {"m_axis": np.arange(100) < 50})
    assert int((done["s_axis"].cycles < 50).sum()) == depth + 1
    assert beats(done, ports) == values


@pytest.mark.parametrize("words, passes", [(1, 1), (1, 4), (3, 1), (3, 2), (4, 5)])
def test_replay(simulator, rng, words, passes):
    ports = pair(2, 2)
    bench = Bench(simulator, replay, {**ports, "words": words, "passes": passes,
                                      "depth": 2 * words})
    for stall in STALLS:
        runs = integers(rng, BITS, True, (12, words, 2)).tolist()
        expected = [word for one in runs for _ in range(passes) for word in one]
        done = bench.run({"s_axis": [word for one in runs for word in one]},
                         {"m_axis": len(expected)}, stall, seed_of(rng))
        assert beats(done, ports) == expected, stall
        if stall == "free":
            assert cycles(done, "m_axis") == list(range(2, 2 + len(expected)))


def test_fork(simulator, rng):
    ports = {name: stream(2, BITS) for name in ("s_axis", "m_axis_a", "m_axis_b")}
    bench = Bench(simulator, forked, ports)
    for stall in STALLS:
        values = integers(rng, BITS, True, (90, 2))
        done = bench.run({"s_axis": values}, {"m_axis_a": 90, "m_axis_b": 90}, stall, seed_of(rng))
        for name in ("m_axis_a", "m_axis_b"):
            assert beats(done, ports, name) == values.tolist(), stall
        if stall == "free":
            assert cycles(done, "m_axis_a") == cycles(done, "m_axis_b") == list(range(90))


@pytest.mark.parametrize("slow", ["m_axis_a", "m_axis_b"])
def test_fork_waits_for_the_slower(simulator, slow):
    """One output takes its beat long before the other: it gets it once, and no beat early."""
    ports = {name: stream(2, BITS) for name in ("s_axis", "m_axis_a", "m_axis_b")}
    values = [[i, -i] for i in range(10)]
    done = Bench(simulator, forked, ports).run(
        {"s_axis": values}, {"m_axis_a": 10, "m_axis_b": 10}, {slow: np.arange(4) != 3})
    assert beats(done, ports, "m_axis_a") == beats(done, ports, "m_axis_b") == values
    assert cycles(done, slow) == list(range(3, 43, 4))


def refused(block, sentence, *parameters, **ports):
    with pytest.raises(ValueError, match=sentence), fresh_elaboration():
        block(*clock_and_reset(), *ports.values(), *parameters)


def test_widths_that_do_not_divide_are_refused():
    for lanes in ((2, 3), (2, 2), (4, 2)):
        refused(widen, "are not gathered from two or more whole beats", **pair(*lanes))
    for lanes in ((3, 2), (2, 2), (2, 4)):
        refused(narrow, "are not split in two or more whole beats", **pair(*lanes))


def test_a_fifo_of_nothing_is_refused():
    refused(fifo, "a FIFO holds one beat or more, not 0", 0, **pair(1, 1))
