"""Waves, read back by other libraries: every cycle of every stream, and golden numbers."""
from itertools import groupby

import numpy as np
import pylibfst
import pytest
import pywellen

from hdl.sim.network import run_frames
from hdl.sim.waves.files import check_wave_file, window, write_wave
from hdl.sim.waves.signals import UNSIGNED, Signal, expected_signals, signals_of, streams
from tests.support.networks import golden, stage

STAGE = "block_7"       # maps of 2 x 2 pixels, and an add


def changes(path):
    """{name of a signal: [(time, value), ...]} of a wave's file; an unknown value is None."""
    return {var.full_name: [(time, None if "x" in str(value) else int(value))
                            for time, value in var.tv]
            for var in pywellen.Waveform(str(path)).all_vars()}


def gtkwaves(path):
    """What GTKWave's own reader finds in an FST file, as of ``changes``; a time at which nothing
    changes is left out."""
    file = pylibfst.lib.fstReaderOpen(str(path).encode())
    found = {}

    def changed(_, time, handle, value):
        text = pylibfst.string(value)
        found.setdefault(handle, []).append((time, None if "x" in text else int(text, 2)))

    try:
        names = pylibfst.get_scopes_signals2(file)[1].by_name
        pylibfst.lib.fstReaderSetFacProcessMaskAll(file)
        assert pylibfst.fstReaderIterBlocks(file, changed)
        assert pylibfst.lib.fstReaderGetTimescale(file) == -9
    finally:
        pylibfst.lib.fstReaderClose(file)
    return {name: [next(same) for _, same in groupby(found[signal.handle], lambda item: item[1])]
            for name, signal in names.items()}


def in_cycles(changed, cycles):
    """The value in each of some cycles; None where it is not known."""
    times = [time for time, _ in changed]
    assert times == sorted(set(times)) and times[0] <= cycles[0] and times[-1] < cycles[-1] + 1
    at = np.searchsorted(times, cycles, side="right") - 1
    return [changed[place][1] for place in at]


@pytest.fixture(scope="module")
def stalled():
    """(UnitConfig of every unit, golden integers, Run) of two frames with stalls on both sides."""
    units, fixed = stage(STAGE, "w8a8", 256), golden("w8a8").fixed
    before = fixed["block_6_project"]
    run, _ = run_frames("myhdl", units, np.stack([before, before]), seed=3)
    return units, fixed, run


@pytest.mark.parametrize("kind", ["vcd", "fst"])
def test_every_beat_is_the_goldens(stalled, tmp_path, kind):
    """A beat moves where tvalid and tready are high, and there its place and its number are a
    golden's; between the beats tready is what it was, and nothing is offered."""
    units, fixed, run = stalled
    write_wave(tmp_path / f"w.{kind}", signals_of(run, streams(units)), range(run.cycles))
    found = changes(tmp_path / f"w.{kind}")
    cycles, waited = range(run.cycles), 0
    for name, scope in {"s_axis": "", **{config.unit.name: f".{STAGE}.{config.unit.name}"
                                         for config in units}}.items():
        port = f"mobilenet_v2{scope}.{'m' if scope else 's'}_axis_"
        valid, ready = (in_cycles(found[port + member], cycles) for member in ("tvalid", "tready"))
        moved = [cycle for cycle in cycles if valid[cycle] and ready[cycle]]
        assert moved == run[name].cycles.tolist()
        waited += sum(up and not taken for up, taken in zip(valid, ready))
        place = [in_cycles(found[port + axis], moved)
                 for axis in ("frame", "row", "column", "channel")]
        expected = np.stack([fixed["block_6_project" if name == "s_axis" else name]] * 2)
        width = 12 if expected.min() < 0 else 8
        for lane, key in enumerate(sorted(key for key in found if key.startswith(f"{port}value"))):
            got = in_cycles(found[key], moved)
            frame, row, column, channel = place
            assert [value - (value >> width - 1 << width) if width == 12 else value
                    for value in got] == expected[
                        frame, row, column, np.add(channel, lane)].tolist()
        assert sorted(zip(*place)) == list(zip(*place))
    assert waited > 100


@pytest.mark.full
def test_every_simulator_gives_the_same_wave(simulators, stalled, tmp_path):
    """To the byte."""
    units, fixed, run = stalled
    write_wave(tmp_path / "myhdl.vcd", signals_of(run, streams(units)), range(run.cycles))
    before = fixed["block_6_project"]
    for name in simulators:
        run, _ = run_frames(name, units, np.stack([before, before]), seed=3)
        write_wave(tmp_path / "w.vcd", signals_of(run, streams(units)), range(run.cycles))
        assert (tmp_path / "w.vcd").read_bytes() == (tmp_path / "myhdl.vcd").read_bytes(), name


@pytest.mark.parametrize("kind", ["vcd", "fst"])
def test_a_window_has_what_the_whole_has_there(stalled, tmp_path, kind):
    units, _, run = stalled
    signals = signals_of(run, streams(units))
    first, last = run.cycles // 3, run.cycles // 2
    for name, cycles in (("whole", range(run.cycles)), ("part", range(first, last))):
        write_wave(tmp_path / f"{name}.{kind}", signals, cycles)
    whole, part = changes(tmp_path / f"whole.{kind}"), changes(tmp_path / f"part.{kind}")
    assert whole.keys() == part.keys()
    for name, changed in part.items():
        assert changed[0][0] == first
        assert in_cycles(changed, range(first, last)) == in_cycles(whole[name], range(run.cycles))[
            first:last], name
    assert (tmp_path / f"part.{kind}").stat().st_size < (tmp_path / f"whole.{kind}").stat().st_size


def test_both_formats_hold_the_same(stalled, tmp_path):
    """To Surfer's reader and to GTKWave's, the whole and a window."""
    units, _, run = stalled
    signals = signals_of(run, streams(units))
    for cycles in (range(run.cycles), range(run.cycles // 3, run.cycles // 2), range(7, 8)):
        for kind in ("vcd", "fst"):
            write_wave(tmp_path / f"w.{kind}", signals, cycles)
        expected = changes(tmp_path / "w.vcd")
        assert changes(tmp_path / "w.fst") == gtkwaves(tmp_path / "w.fst") == expected
        assert len(expected) == sum(len(signal.names) for signal in signals)
    one = (tmp_path / "w.fst").read_bytes()
    write_wave(tmp_path / "w.fst", signals, range(7, 8))
    assert (tmp_path / "w.fst").read_bytes() == one


def test_signals_of_any_width_that_change_at_any_time(tmp_path):
    """Steps of one byte to four, chains too short to be compressed, values unknown for ever."""
    random, last = np.random.default_rng(20), 1 << 24
    signals = []
    for place, bits in enumerate((1, 1, 1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 1280)):
        count = (0, 1, 5, 200, 30_000)[place % 5]
        steps = 2 ** random.integers(0, 2 + place % 3 * 3, count)
        digits = random.integers(2, size=(count, bits), dtype=np.uint8)
        if bits == 1:
            digits[:, 0] = np.arange(count) % 2
        signals.append(Signal(("top", f"scope{place // 2}"), {
            f"s{place}": UNSIGNED, f"other{place}": UNSIGNED}, np.cumsum(steps) + 3, digits,
            "0" if place == 1 else "x"))
    far = np.array([5, last - 9, last - 1])
    signals.append(Signal(("top",), {"far": UNSIGNED}, far, np.eye(3, dtype=np.uint8)))
    write_wave(tmp_path / "w.fst", signals, range(2, last))
    found, again = changes(tmp_path / "w.fst"), gtkwaves(tmp_path / "w.fst")
    assert found == again and len(found) == 2 * len(signals) - 1
    for signal in signals:
        values = [int("".join(map(str, row)), 2) for row in signal.digits]
        begins = 0 if signal.begins == "0" else None
        expected = [next(same) for _, same in groupby(
            [(2, begins), *zip(signal.times.tolist(), values)], lambda item: item[1])]
        for name in signal.names:
            assert found[".".join((*signal.scope, name))] == expected, name


def test_what_was_expected_is_beside_what_came(stalled, tmp_path):
    units, _, run = stalled
    last = units[-1]
    name = last.unit.name
    stream = streams(units)[name]
    words = run[name].words.copy()
    words[5, 0] ^= 1 << 3
    write_wave(tmp_path / "w.vcd", [
        *signals_of(run, {name: stream}),
        *expected_signals(stream, words, run[name], run.handshakes[name])], range(run.cycles))
    found = changes(tmp_path / "w.vcd")
    port = f"mobilenet_v2.{STAGE}.{name}.m_axis_"
    moved = run[name].cycles
    differs = in_cycles(found[f"{port}differs"], moved)
    assert np.flatnonzero(differs).tolist() == [5]
    got, expected = (in_cycles(found[port + key], moved) for key in ("tdata", "expected_tdata"))
    assert [a ^ b for a, b in zip(got, expected)] == [8 * (beat == 5) for beat in range(len(moved))]


def test_views_name_what_the_wave_has(stalled, tmp_path):
    units, _, run = stalled
    write_wave(tmp_path / "w.vcd", signals_of(run, streams(units)), range(10, 90), {"block_7_add"},
               40)
    names = set(changes(tmp_path / "w.vcd"))
    traced = {line.split()[1].partition("[")[0]
              for line in (tmp_path / "w.gtkw").read_text().splitlines() if line[0] == "+"}
    surfer = (tmp_path / "w.sucl").read_text().splitlines()
    added = {line.partition(" ")[2] for line in surfer if line.startswith("variable_add ")}
    assert traced == added == names
    assert surfer[0] == "load_file w.vcd" and "cursor_set 40" in surfer


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a wave is a .vcd or an .fst file: .*w.txt is neither"):
        check_wave_file(tmp_path / "w.txt")
    with pytest.raises(ValueError, match="the folder of .*no.w.vcd is not there: make it first"):
        check_wave_file(tmp_path / "no" / "w.vcd")
    assert window(range(5, 90), 40) == range(5, 40)
    with pytest.raises(ValueError, match="begin at 1,000, where the run, which has 1,000, is over"):
        window(range(1000, 2000), 1000)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_half_written(stalled, tmp_path, monkeypatch):
    units, _, run = stalled

    def fails(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("hdl.sim.waves.vcd.laid_out", fails)
    with pytest.raises(KeyboardInterrupt):
        write_wave(tmp_path / "w.vcd", signals_of(run, streams(units)), range(run.cycles))
    assert list(tmp_path.iterdir()) == []
