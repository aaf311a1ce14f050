"""Traces for Perfetto, read back: every unit, its spans, and each frame's way through them."""
import json
from itertools import pairwise

import numpy as np
import pytest

from hdl.sim.network import run_frames
from hdl.sim.waves.perfetto import write_trace
from tests.support.networks import golden, stage

STAGE = "block_7"


@pytest.fixture(scope="module", params=[(16, None), (16, 3), (4, None)],
                ids=["free", "stalled", "creeping"])
def traced(request, tmp_path_factory):
    """(UnitConfig of every unit, the Run of two frames, events, whether it stalled)."""
    cycles, seed = request.param
    units = stage(STAGE, "w8a8", cycles)
    before = golden("w8a8").fixed["block_6_project"]
    run, _ = run_frames("myhdl", units, np.stack([before, before]), seed, cycles)
    path = tmp_path_factory.mktemp("trace") / "trace.json"
    write_trace(path, run, units, 2)
    return units, run, json.loads(path.read_text())["traceEvents"], seed is not None


def threads(events):
    """{thread: its name}, each named once."""
    names = [(event["tid"], event["args"]["name"]) for event in events
             if event["name"] == "thread_name"]
    assert len(dict(names)) == len(names) and 0 not in dict(names)
    return dict(names)


def slices(events, names):
    """{name of a thread: its slices in order}, none of which overlaps another."""
    found = {name: [] for name in names.values()}
    for event in events:
        if event["ph"] == "X":
            found[names[event["tid"]]].append(event)
    for each in found.values():
        assert all(one["ts"] + one["dur"] <= other["ts"] for one, other in pairwise(each))
        assert all(event["dur"] > 0 and event["ts"] >= 0 for event in each)
    return found


def total(events, name):
    """Cycles of the slices of a name."""
    return sum(event["dur"] for event in events if event["name"] == name)


def test_what_units_do(traced):
    """As many cycles busy as a counter inside the simulation saw the multipliers at work, where
    nothing stalls; and as many waiting as the bench counted at the input."""
    units, run, events, stalled = traced
    found = slices(events, threads(events))
    assert list(found) == ["input", "frame 0", "frame 1", *(each.unit.name for each in units)]
    assert total(found["input"], "waiting") == run.input_stalls["s_axis"]
    for config in units:
        here = found[config.unit.name]
        waits = run.handshakes[config.unit.name].offers[:len(run[config.unit.name])]
        assert total(here, "waiting") == (run[config.unit.name].cycles - waits).sum()
        assert (total(here, "waiting") > 0) <= stalled
        if config.unit.weights and not stalled:
            assert total(here, "busy") == run.counts[config.unit.name]
        if config.stream_out().creep is None and not stalled:
            working = np.zeros(run.cycles, bool)
            for each in here:
                working[each["ts"]:each["ts"] + each["dur"]] = True
            assert working[run[config.unit.name].cycles].all()
    assert stalled == any(total(each, "waiting") for each in found.values())
    first, second = found["frame 0"], found["frame 1"]
    assert first[0]["ts"] == run.first("s_axis") and second[0]["ts"] > first[0]["ts"]
    assert second[0]["ts"] + second[0]["dur"] - 1 <= run.last(units[-1].unit.name)


def test_frames_go_from_unit_to_unit(traced):
    """A flow of each frame begins at the first unit and ends at the last, in slices of them."""
    units, _, events, _ = traced
    names = threads(events)
    found = slices(events, names)
    for frame in range(2):
        flow = [event for event in events if event.get("id") == 1 + frame]
        assert [names[event["tid"]] for event in flow] == [each.unit.name for each in units]
        assert "".join(event["ph"] for event in flow) == f"s{'t' * (len(units) - 2)}f"
        for event in flow:
            assert any(each["ts"] <= event["ts"] < each["ts"] + each["dur"]
                       for each in found[names[event["tid"]]])
