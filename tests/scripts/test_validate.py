"""scripts.validate: photo by photo, resumed, on a cluster that loses a worker, and refusals."""
import contextlib
import copy
import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from golden import build, photo, views
from golden.errors import GoldenError
from golden.metrics import sqnr_db
from golden.network import Network
from hdl.layers import PRECISIONS
from scripts.validate import __main__ as validate
from scripts.validate import jobs as validate_jobs
from scripts.validate import results as validate_results
from scripts.validate import workers as validate_workers
from tests.support.commands import invoked
from tests.support.json_page import check
from tests.support.reference import reference

SMALL = ["--alpha", "0.35", "--resolution", "32", "--precision", "w8a8"]
NETWORK = Network(0.35, 32, PRECISIONS["w8a8"])      # the same
TABLE = NETWORK.table
ELEMENTS = sum(unit.pixels_out * unit.channels_out for unit in TABLE)
ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("validate")     # one network, one cache of goldens


def run(*arguments, code=0):
    """The command's result; its exit status must be as expected."""
    return invoked(validate.main, *arguments, code=code)


def rows(out):
    """The rows of the results file."""
    with h5py.File(out / "results.h5") as file:
        return file["rows"][()]


def make_photos(folder, count, seed=3):
    """Photos of coloured noise, of no square size, some of them in a folder below."""
    rng = np.random.default_rng(seed)
    (folder / "below").mkdir(parents=True)
    for number in range(count):
        low = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        image = Image.fromarray(low).resize((60, 44), Image.Resampling.BICUBIC)
        image.save(folder / ("below" if number % 3 == 2 else "") / f"{number:03d}.png")
    return folder


@pytest.fixture(autouse=True, scope="module")
def golden_cache(tmp_path_factory):
    """A golden cache of this file's own, with the tests' network."""
    original = build.Reference
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(build, "Reference", lambda network, *rest: reference(
            network.precision.name, network.alpha, network.resolution)
            if network.weights == "seeded" else original(network, *rest))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five photos."""
    return make_photos(tmp_path_factory.mktemp("photos") / "all", 5)


def test_results_are_the_references(folder, tmp_path):
    """Every column of every view, from the Reference that one photo is computed with."""
    summary = json.loads(run(folder, *SMALL, "--views", 2, "--rtl", 0, "--workers", 1, "--out",
                             tmp_path, "--json").stdout)
    table = rows(tmp_path)
    names = ["000.png", "001.png", "003.png", "004.png", "below/002.png"]
    assert [(row["file"].decode(), row["view"]) for row in table] == [
        (name, view) for name in names for view in (0, 1)]
    network = reference("w8a8", 0.35, 32)
    limits = (-2048, 2047)
    signal_all = noise_all = 0
    for row in table:
        with Image.open(folder / row["file"].decode()) as image:
            pixels = views.view(image.convert("RGB"), row["view"], 32)
        fixed, floats = network.fixed(pixels), network.float(pixels)["Conv_1"]
        assert row["sqnr_db"] == pytest.approx(
            sqnr_db(floats, fixed["Conv_1"], network.scales["Conv_1"]), abs=1e-3)
        signal_all += (floats.astype(float) ** 2).sum()
        noise_all += ((floats - fixed["Conv_1"] * network.scales["Conv_1"]) ** 2).sum()
        assert row["saturated"] == sum(int(np.isin(fixed[unit.name], limits).sum())
                                       for unit in TABLE if unit.activation == "linear")
        assert list(row["float_top5"]) == list(row["fixed_top5"]) == [-1] * 5
        assert row["rtl_elements"] == row["rtl_mismatches"] == row["label"] == -1
    assert summary["ok"] and summary["photos"] == 5 and summary["views"] == 10
    assert summary["reused"] == 0 and summary["rtl_views"] == 0
    assert summary["top1_agreement"] is None and summary["top5_agreement"] is None
    assert summary["sqnr_db_aggregate"] == pytest.approx(
        10 * np.log10(signal_all / noise_all), abs=1e-3)
    assert summary["sqnr_db"]["median"] == pytest.approx(np.median(table["sqnr_db"]))
    with open(tmp_path / "results.csv", newline="") as file:
        assert [(row["file"], int(row["view"]), float(row["sqnr_db"]))
                for row in csv.DictReader(file)] == [
            (row["file"].decode(), row["view"], row["sqnr_db"]) for row in table]
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    check("scripts.validate", summary)


def test_integers_are_the_references(folder):
    """The models of a worker give every unit's integers."""
    network = reference("w8a8", 0.35, 32)
    worker = validate_jobs.models(small_task())
    for number in range(3):
        with Image.open(folder / "000.png") as image:
            pixels = views.view(image.convert("RGB"), number, 32)
        expected, got = network.fixed(pixels), worker.fixed(pixels)
        assert set(got) == set(expected) - {"input"}
        for name, values in got.items():
            assert values.dtype == expected[name].dtype
            assert np.array_equal(values, expected[name]), name
        for name, values in worker.brief(pixels).items():
            assert np.array_equal(values, expected[name]), name
        assert np.allclose(worker.float(pixels), network.float(pixels)["Conv_1"], atol=1e-4)


def test_saturated_elements_are_counted():
    """Those at either limit of projects and adds, no others."""
    worker = validate_jobs.models(small_task())
    integers = {unit.name: np.zeros((unit.size_out, unit.size_out, unit.channels_out), int)
                for unit in TABLE}
    assert worker.saturated(integers) == 0
    integers["block_2_add"][0, 1, :3] = 2047, -2048, -2047
    integers["block_2_project"][0, 1, :2] = -2048, 2046
    integers["block_2_expand"][:] = 255
    integers["Conv_1"][:] = 2047
    assert worker.saturated(integers) == 3


def small_task(top=None):
    """The Task of the tests' network, with a top if one is given."""
    made = validate.task(NETWORK, 1024, build.quiet)
    return made if top is None else replace(made, top=top, key="with a top")


def test_what_is_left_out_of_a_model_is_told(monkeypatch):
    made, notes = copy.copy(reference("w8a8", 0.35, 32)), []
    made.attributes = {**made.attributes, "left_out": "layer resize (Resizing) is left out"}
    monkeypatch.setattr(build, "Reference", lambda *arguments: made)
    validate.task(NETWORK, 1024, build.quiet, notes.append)
    assert notes == ["layer resize (Resizing) is left out"]


def test_labels_and_agreement(folder, tmp_path, monkeypatch):
    """Accuracy of what has a label, agreement of all; with a top, here a made one."""
    rng = np.random.default_rng(1)
    top = rng.normal(size=(1280, 1000)), rng.normal(size=1000)
    made = small_task(top)
    monkeypatch.setattr(validate, "task", lambda *args: made)
    network = reference("w8a8", 0.35, 32)
    best = {}
    for name in views.photo_names(folder):
        pixels = photo.load_photo(folder / name, 32)
        best[name] = [np.argsort(-(values.mean(axis=(0, 1)) @ top[0] + top[1]))[:5] for values in (
            network.float(pixels)["Conv_1"].astype(float),
            network.fixed(pixels)["Conv_1"] * network.scales["Conv_1"])]
    # The first is right, the second's label is the fixed network's third, the third is wrong.
    names = list(best)
    wrong = next(index for index in range(1000)
                 if not any(index in each for each in best[names[2]]))
    labels = {names[0]: best[names[0]][1][0], names[1]: best[names[1]][1][2], names[2]: wrong}
    (tmp_path / "labels.csv").write_text(
        "file,label\n" + "".join(f"{name},{label}\n" for name, label in labels.items()))
    arguments = [folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path / "out",
                 "--labels", tmp_path / "labels.csv"]
    summary = json.loads(run(*arguments, "--json").stdout)
    table = rows(tmp_path / "out")
    for row in table:
        for values, kind in zip(best[row["file"].decode()], ("float_top5", "fixed_top5")):
            assert list(row[kind]) == list(values)
        assert row["label"] == labels.get(row["file"].decode(), -1)
    assert summary["labelled"] == 3
    assert summary["fixed_top1_accuracy"] == pytest.approx(1 / 3)
    assert summary["fixed_top5_accuracy"] == pytest.approx(2 / 3)
    assert summary["top1_agreement"] == np.mean(
        [floats[0] == fixed[0] for floats, fixed in best.values()])
    assert summary["top5_agreement"] == np.mean(
        [floats[0] in fixed for floats, fixed in best.values()])
    text = " ".join(run(*arguments).stdout.split())
    assert "accuracy, top 1 and top 5" in text and "33.33%, 66.67%" in text
    assert "5 views were there already" in text


def test_an_unreadable_photo(tmp_path):
    """Named, counted, status 1; the others go on, and a rerun tries it again."""
    folder = make_photos(tmp_path / "photos", 3)
    (folder / "bad.jpg").write_bytes(b"this is no image")
    (folder / "notes.txt").write_text("no photo by its name")
    whole = (folder / "000.png").read_bytes()
    (folder / "half.png").write_bytes(whole[:len(whole) // 2])
    arguments = [folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path / "out"]
    summary = json.loads(run(*arguments, "--json", code=1).stdout)
    assert [each["file"] for each in summary["failed"]] == ["bad.jpg", "half.png"]
    assert summary["photos"] == 3 and not summary["ok"] and len(rows(tmp_path / "out")) == 3
    text = " ".join(run(*arguments, code=1).stdout.split())
    assert "failed: bad.jpg (Pillow knows no such image)" in text and "NOT all is well" in text
    (folder / "bad.jpg").unlink()
    (folder / "half.png").write_bytes(whole)
    summary = json.loads(run(*arguments, "--json").stdout)
    assert summary["reused"] == 3 and summary["views"] == 4 and summary["failed"] == []


def test_hidden_odd_and_unread_files(tmp_path):
    """macOS's shadow of a photo is none, a name that is no text is shown escaped, in a folder of
    such a name too, and a HEIC is named."""
    folder = make_photos(tmp_path / os.fsdecode(b"d\xe9j\xe0"), 1)
    (folder / "000.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    (folder / "._000.png").write_bytes(b"\0\5\x16\7")
    arguments = [folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path / "out"]
    summary = json.loads(run(*arguments, "--json").stdout)
    assert summary["ok"] and summary["photos"] == 1
    assert summary["folder"].endswith("d\\udce9j\\udce0")
    assert rows(tmp_path / "out")["file"].tolist() == [b"caf\\udce9.png"]
    assert "caf\\udce9.png" in (tmp_path / "out" / "results.csv").read_text()
    (folder / "photo.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    text = " ".join(run(*arguments, code=1).stdout.split())
    assert "failed: photo.HEIC (Pillow knows no such image)" in text


def test_a_changed_photo_is_computed_anew(tmp_path):
    folder = make_photos(tmp_path / "photos", 3)
    arguments = [folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path / "out", "--json"]
    run(*arguments)
    before = rows(tmp_path / "out")
    (folder / "001.png").write_bytes((folder / "000.png").read_bytes())
    assert json.loads(run(*arguments).stdout)["reused"] == 2
    after = rows(tmp_path / "out")
    assert list(before["sqnr_db"] == after["sqnr_db"]) == [True, False, True]
    assert after["pixels_sha256"][0] == after["pixels_sha256"][1]


@pytest.mark.slow
def test_the_verilog_is_exact_and_a_difference_is_told(verilator, folder, tmp_path, monkeypatch):
    arguments = [folder, *SMALL, "--workers", 1, "--json"]
    summary = json.loads(run(*arguments, "--rtl", 2, "--out", tmp_path / "out").stdout)
    assert summary["ok"] and summary["rtl_views"] == 2 and summary["rtl_mismatches"] == 0
    assert summary["rtl_elements"] == 2 * ELEMENTS
    assert list(rows(tmp_path / "out")["rtl_elements"]) == [ELEMENTS, -1, ELEMENTS, -1, -1]
    summary = json.loads(run(*arguments, "--rtl", "all", "--out", tmp_path / "out").stdout)
    assert summary["rtl_elements"] == 5 * ELEMENTS and summary["rtl_reused"] == 2

    original, calls = validate_jobs.Models.fixed, []

    def corrupted(self, image):
        integers = original(self, image)
        calls.append(image)
        if len(calls) == 3:
            integers["block_3_depthwise"][1, 0, 4] ^= 1
        return integers

    monkeypatch.setattr(validate_jobs.Models, "fixed", corrupted)
    arguments = [*arguments, "--rtl", "all", "--out", tmp_path / "other"]
    summary = json.loads(run(*arguments, code=1).stdout)
    check("scripts.validate", summary)
    assert summary["rtl_mismatches"] == 1 and summary["rtl_elements"] == 5 * ELEMENTS
    difference, = summary["rtl_differences"]
    assert difference["file"] == "003.png" and difference["mismatches"] == 1
    assert "unit block_3_depthwise, frame 0, pixel (1, 0), channel 4: expected" \
        in difference["first"]
    assert list(rows(tmp_path / "other")["rtl_mismatches"]) == [0, 0, 1, 0, 0]
    text = " ".join(run(*arguments[:-4], "--rtl", "all", "--out", tmp_path / "other",
                        code=1).stdout.split())
    assert '"rtl_mismatches": 1' in text and "003.png" in text      # it is not forgotten


def command(*arguments):
    """The command in a process group of its own."""
    return subprocess.Popen([sys.executable, "-m", "scripts.validate", *map(str, arguments)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def wait_for(condition, process=None, seconds=180):
    """Wait until ``condition()`` is true, as long as a process runs."""
    ended = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.returncode
        assert time.monotonic() < ended
        time.sleep(0.02)


def wait_for_rows(out, count, process=None):
    """Wait until the results file has so many rows."""
    wait_for(lambda: (out / "results.h5").exists() and len(rows(out)) >= count, process)


@pytest.mark.slow
def test_killed_and_given_again(tmp_path):
    """Killed without warning in the middle, its workers end too; the next run does the rest."""
    folder = make_photos(tmp_path / "photos", 400)
    arguments = [folder, *SMALL, "--rtl", 0, "--out", tmp_path / "out"]
    process = command(*arguments, "--workers", 2)
    try:
        wait_for_rows(tmp_path / "out", 16, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept = len(rows(tmp_path / "out"))
        assert 16 <= kept < 400
        deadline = time.monotonic() + 20
        while group(process.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not group(process.pid)
    finally:
        if group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    summary = json.loads(run(*arguments, "--workers", 1, "--json").stdout)
    assert summary["reused"] == kept and summary["views"] == summary["photos"] == 400
    names = [name.decode() for name in rows(tmp_path / "out")["file"]]
    assert names == views.photo_names(folder)


def group(number):
    """Whether a process of the group lives."""
    try:
        os.killpg(number, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def dask(*arguments, cache):
    """A command of Dask's with an empty cache, as somebody gives it on another machine; yields its
    process, which is killed in the end with all that it has started."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("dask")), *map(str, arguments)], cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "MNV2_BUILD_DIR": "",
             "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        if group(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning",
                            "ignore::pytest.PytestUnraisableExceptionWarning")  # in distributed
def test_a_cluster_that_loses_a_worker(verilator, tmp_path):
    """The commands that people start one with: of two workers one is killed in the middle; no photo
    is lost, none done twice, and the one that is left converts and compiles the chain."""
    pytest.importorskip("distributed")
    folder = make_photos(tmp_path / "photos", 300)
    out, place, added, killed = tmp_path / "out", tmp_path / "scheduler.json", [], []
    original = validate_results.Results.add

    def counted(self, row):
        if "sqnr_db" in row:
            added.append((row["file"], row["view"]))
        original(self, row)

    def kill():
        wait_for_rows(out, 16)
        os.killpg(first.pid, signal.SIGKILL)
        killed.append(len(rows(out)))

    with contextlib.ExitStack() as stack:
        cache, patch = tmp_path / "cache", stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(dask("scheduler", "--host", "127.0.0.1", "--port", 0, "--no-dashboard",
                                 "--scheduler-file", place, cache=cache))
        wait_for(lambda: place.exists() and place.read_text().endswith("}"))
        address = json.loads(place.read_text())["address"]
        first, _ = (stack.enter_context(dask(
            "worker", address, "--nthreads", 1, "--no-dashboard", "--local-directory", tmp_path,
            cache=cache)) for _ in range(2))
        patch.setattr(validate_results.Results, "add", counted)
        patch.setattr(validate_workers, "CONNECT_SECONDS", 60)
        killer = threading.Thread(target=kill)
        killer.start()
        summary = json.loads(run(folder, *SMALL, "--rtl", 3, "--scheduler", address, "--out", out,
                                 "--json").stdout)
        killer.join()
    assert killed and killed[0] < 300
    assert summary["ok"] and summary["views"] == 300 and summary["reused"] == 0
    assert summary["rtl_elements"] == 3 * ELEMENTS
    assert len(added) == len(set(added)) == 300
    assert [name.decode() for name in rows(out)["file"]] == views.photo_names(folder)
    assert len(list(cache.rglob("model.so"))) == 1


def test_a_local_worker_that_dies(folder, tmp_path, monkeypatch):
    """Its jobs are done by new processes; those of one that dies again and again are not."""
    class Pool:
        """A pool whose next jobs die."""

        def __init__(self, *options):
            self.broken = False
            pools.append(self)

        def submit(self, function, network, job):
            if self.broken:
                raise BrokenProcessPool
            future = Future()
            if deaths:
                self.broken = deaths.pop()
                future.set_exception(BrokenProcessPool())
            else:
                future.set_result(function(made, job))
            return future

        def end(self):
            pass

    made, pools = small_task(), []
    monkeypatch.setattr(validate_workers, "Processes", Pool)
    monkeypatch.setattr(validate, "BATCH", 1)
    arguments = [folder, *SMALL, "--rtl", 0, "--workers", 2, "--json", "--out"]
    deaths = [True, True]
    summary = json.loads(run(*arguments, tmp_path / "out").stdout)
    assert summary["views"] == 5 and len(pools) == 3 and len(rows(tmp_path / "out")) == 5
    deaths = [True] * 4
    assert "worker processes died 4 times" in run(*arguments, tmp_path / "b", code=2).stderr


def test_a_cluster_that_is_gone(folder, tmp_path, monkeypatch):
    """Told in a sentence; what was computed is kept."""
    original, futures = validate_workers.Inline.submit, []

    def submit(self, function, job):
        future = original(self, function, job) if not futures else Future()
        if futures:
            future.set_exception(CancelledError("lost dependencies"))
        futures.append(future)
        return future

    monkeypatch.setattr(validate_workers.Inline, "submit", submit)
    monkeypatch.setattr(validate, "BATCH", 2)
    result = run(folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path, code=2)
    assert "the cluster lost its scheduler" in result.stderr
    assert [row["file"] for row in rows(tmp_path)] == [b"000.png", b"001.png"]


def test_other_parameters_are_refused(folder, tmp_path):
    """A results file is of one network; so is the directory that is taken without --out."""
    run(folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path)
    before = (tmp_path / "results.h5").read_bytes()
    result = run(folder, *SMALL[:-1], "w16a16", "--rtl", 0, "--workers", 1, "--out", tmp_path,
                 code=2)
    assert "are of other photos, weights, precision, rate or code" in result.stderr
    assert (tmp_path / "results.h5").read_bytes() == before
    (tmp_path / "results.h5").write_bytes(before[:len(before) // 2])
    result = run(folder, *SMALL, "--rtl", 0, "--workers", 1, "--out", tmp_path, code=2)
    assert "are damaged" in result.stderr and result.stderr.count("\n") == 1
    keys = {validate.digest(folder, 1024, NETWORK), validate.digest(None, 1024, NETWORK),
            validate.digest(folder, 4096, NETWORK),
            validate.digest(folder / "below", 1024, NETWORK),
            validate.digest(folder, 1024, replace(NETWORK, precision=PRECISIONS["w16a16"]))}
    assert len(keys) == 5


@pytest.mark.parametrize("width, bar", [(40, False), (100, True)])
def test_progress_fits_the_terminal(width, bar):
    """Which phase it is can be told, and how many of how many are done."""
    console = Console(width=width, force_terminal=True, color_system=None, file=io.StringIO())
    with Progress(*validate.progress_columns(width), console=console) as progress:
        for phase in validate.PHASES.values():
            progress.advance(progress.add_task(phase, total=5000), 1234)
    golden, rtl = [line.rpartition("\x1b[2K")[2] for line in console.file.getvalue().splitlines()
                   if "5000" in line][-2:]
    assert "Keras and golden" in golden and "1234/5000" in golden and "Verilog" in rtl
    assert ("\u2501" in golden) is bar and max(len(golden), len(rtl)) <= width


def test_one_writer(folder, tmp_path):
    from filelock import FileLock
    with FileLock(tmp_path / ".lock"):
        result = run(folder, *SMALL, "--rtl", 0, "--out", tmp_path, code=2)
    assert "another process is writing" in result.stderr


@pytest.mark.parametrize("arguments, words", [
    (["no/such/folder"], "there is no folder no/such/folder"),
    (["EMPTY"], "holds no photo"),
    (["FOLDER", "--rtl", "some"], "'some' is neither a number nor 'all'"),
    (["FOLDER", "--labels", "no/such.csv"], "no/such.csv: No such file"),
    (["FOLDER", "--weights", "no/such/weights.h5"], "no/such/weights.h5"),
    (["FOLDER", "--resolution", "16"], "resolution 16 is too small"),
    (["FOLDER", "--cycles-per-frame", "100"], "cycles"),
    (["FOLDER", "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "give one of them"),
])
def test_bad_input_is_one_sentence(arguments, words, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": str(tmp_path / "empty"), "FOLDER": str(folder)}
    result = run(*[places.get(argument, argument) for argument in arguments], "--out",
                 tmp_path / "out", code=2)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ") and words in " ".join(result.stderr.split())
    assert result.stderr.count("Error") == 1 and not list(tmp_path.rglob("*.h5"))


@pytest.mark.parametrize("text, words", [
    ("name,class\n000.png,1\n", "line 1: the columns must be file,label"),
    ("", "line 1: the columns must be file,label"),
    ("file,label\n000.png,1\n001.png,1000\n", "line 3: label '1000' is no class from 0 to 999"),
    ("file,label\n000.png,cat\n", "line 2: label 'cat' is no class"),
    ("file,label\n000.png\n", "line 2: label '' is no class"),
    ("file,label\nabsent.png,3\n", "line 2: there is no photo 'absent.png'"),
    ("file,label\n000.png,3\n000.png,4\n", "line 3: photo '000.png' has another label above"),
    ("file,label\n\xff\xfe,3\n", "are no CSV text"),
])
def test_bad_labels(text, words, folder, tmp_path):
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    result = run(folder, *SMALL, "--rtl", 0, "--labels", tmp_path / "labels.csv", "--out",
                 tmp_path / "out", code=2)
    assert words in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.filterwarnings("ignore")       # distributed's, of connections that end
def test_a_scheduler_that_is_not_there(folder, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(validate_workers, "CONNECT_SECONDS", 1)
    arguments = [folder, *SMALL, "--rtl", 0, "--out", tmp_path / "out", "--scheduler"]
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        result = run(*arguments, address, code=2)
        assert f"no Dask scheduler answers at {address}" in result.stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run(*arguments, "tcp://127.0.0.1:9", code=2)
    assert "--scheduler needs Dask: pip install -e '.[cluster]'" in result.stderr


def test_another_source_on_a_worker_is_refused(monkeypatch):
    made = small_task()
    monkeypatch.setattr(validate_jobs, "source", lambda: "other")
    with pytest.raises(GoldenError, match="a worker has another version of this project's source"):
        validate_jobs.Models(made)
