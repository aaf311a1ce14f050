"""Waves, read back by another library: every cycle of every stream, and golden numbers."""
import numpy as np
import pytest
import pywellen

from hdl.errors import ToolError
from hdl.sim.network import run_frames
from hdl.sim.waves import fst
from hdl.sim.waves.files import check_wave_file, window, write_wave
from hdl.sim.waves.signals import expected_signals, signals_of, streams
from tests.support.networks import golden, stage

STAGE = "block_7"       # maps of 2 x 2 pixels, and an add


def changes(path):
    """{name of a signal: [(time, value), ...]} of a wave's file; an unknown value is None."""
    return {var.full_name: [(time, None if "x" in str(value) else int(value))
                            for time, value in var.tv]
            for var in pywellen.Waveform(str(path)).all_vars()}


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


def test_what_cannot_be_written_is_refused(stalled, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="a wave is a .vcd or an .fst file: .*w.txt is neither"):
        check_wave_file(tmp_path / "w.txt")
    with pytest.raises(ValueError, match="the folder of .*no.w.vcd is not there: make it first"):
        check_wave_file(tmp_path / "no" / "w.vcd")
    assert window(range(5, 90), 40) == range(5, 40)
    with pytest.raises(ValueError, match="begin at 1,000, where the run, which has 1,000, is over"):
        window(range(1000, 2000), 1000)
    monkeypatch.setattr(fst, "pylibfst", None)
    with pytest.raises(ToolError, match="an FST file needs pylibfst: pip install pylibfst"):
        check_wave_file(tmp_path / "w.fst")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_half_written(stalled, tmp_path, monkeypatch):
    units, _, run = stalled

    def fails(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("hdl.sim.waves.vcd.laid_out", fails)
    with pytest.raises(KeyboardInterrupt):
        write_wave(tmp_path / "w.vcd", signals_of(run, streams(units)), range(run.cycles))
    assert list(tmp_path.iterdir()) == []
