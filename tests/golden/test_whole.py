"""Files are whole: killed writers, writers at the same time, and what killed ones leave."""
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest

from golden.whole import write_whole
from tests.support.disk import full_disk

ROOT = Path(__file__).parents[2]
KINDS = {bytes([letter]) * (1 << 20) for letter in b"ab"}
# Writes one content and the other for as long as it lives.
WRITER = """
import sys
from pathlib import Path
from golden.whole import write_whole
print("begun", flush=True)
while True:
    for letter in b"ab":
        write_whole(Path(sys.argv[1]), bytes([letter]) * (1 << 20))
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_kill_at_any_moment(tmp_path, rng):
    """The file is whole, and the next writer removes what the killed one had begun."""
    path, left = tmp_path / "file", 0
    for _ in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=ROOT,
                              stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(0.02 + 0.03 * rng.random())
            writer.kill()
        assert path.read_bytes() in KINDS
        left += len(names(tmp_path)) > 1
    assert left, "no kill came while a file was being written"
    write_whole(path, b"the last")
    assert names(tmp_path) == ["file"] and path.read_bytes() == b"the last"


def write_often(path, letter):
    """Write a content fifty times."""
    for _ in range(50):
        write_whole(path, letter * (1 << 20))


def test_two_writers_at_a_time(tmp_path):
    """Whoever reads, reads one of their files; nothing else is left."""
    path = tmp_path / "file"
    write_whole(path, b"a" * (1 << 20))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_often, args=(path, letter)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in KINDS
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert names(tmp_path) == ["file"]


def test_a_full_disk(tmp_path):
    path = tmp_path / "file"
    write_whole(path, b"old")
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"n" * 1001)
    assert names(tmp_path) == ["file"] and path.read_bytes() == b"old"


def test_what_others_are_writing_is_left_alone(tmp_path):
    """And files of other names."""
    path = tmp_path / "file"
    other = tmp_path / "file2.7.part"
    other.write_bytes(b"of another file")
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=write_often, args=(path, b"a"))
    writer.start()
    while writer.is_alive():
        write_whole(path, b"b" * (1 << 20))
    assert writer.exitcode == 0
    assert names(tmp_path) == ["file", "file2.7.part"]
