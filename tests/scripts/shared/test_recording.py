"""Recordings: read as written, refused in one sentence; elements that differ are counted."""
import h5py
import numpy as np
import pytest

from scripts.shared.options import UserError
from scripts.shared.recording import INPUT, Recording, check_place, differing, read, write

RECORDING = Recording(
    {"schema": 1, "ok": True}, np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
    {INPUT: np.array([0, 1, 5]), "Conv1": np.array([7, 9])}, {"Conv1": np.array([True, False])},
    {"Conv1": np.array([[0.5]], dtype=np.float32)}, {"Conv1": np.array([[3]], dtype=np.int32)},
    {"Conv1": np.array([3, 0], dtype=np.int32)})


@pytest.fixture
def file(tmp_path):
    """A recording's file."""
    write(tmp_path / "run.h5", RECORDING)
    return tmp_path / "run.h5"


def test_read_as_written(file):
    found = read(file)
    assert found.summary == RECORDING.summary and (found.image == RECORDING.image).all()
    for kind in ("cycles", "tiles", "error", "wrong", "wrong_channels"):
        ours, theirs = getattr(RECORDING, kind), getattr(found, kind)
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(theirs[name], ours[name])
            assert theirs[name].dtype == ours[name].dtype
    assert [path.name for path in file.parent.iterdir()] == ["run.h5"]


def test_what_differs():
    golden = np.arange(8).reshape(2, 2, 2)
    values = np.concatenate([golden.ravel(), golden.ravel()])
    assert not differing(golden, values, 2).any()
    values[[3, 8 + 3, 8 + 4]] += 1
    assert differing(golden, values, 2).ravel().tolist() == [0, 0, 0, 2, 1, 0, 0, 0]
    # What is missing differs; what is more is not looked at.
    assert differing(golden, values[:14], 2).ravel().tolist() == [0, 0, 0, 2, 1, 0, 1, 1]
    assert not differing(golden, np.append(golden.ravel(), 9), 1).any()


def test_a_damaged_file_is_one_sentence(file):
    raw = bytearray(file.read_bytes())
    file.write_bytes(raw[:len(raw) // 2])
    with pytest.raises(UserError, match="is damaged or no HDF5 file .*make the file again"):
        read(file)
    file.write_bytes(b"no HDF5")
    with pytest.raises(UserError, match="is damaged or no HDF5 file"):
        read(file)


def test_another_schema_is_one_sentence(file):
    with h5py.File(file, "a") as opened:
        opened.attrs["schema"] = 0
    with pytest.raises(UserError, match="run.h5 is no recording of schema 1: make the file again"):
        read(file)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no.h5 is damaged or no HDF5 file"):
        read(tmp_path / "no.h5")


def test_places(tmp_path):
    check_place(tmp_path / "run.h5")
    with pytest.raises(UserError, match="is a folder: give the path of a file with --record"):
        check_place(tmp_path)
    with pytest.raises(UserError, match="is in no folder that exists"):
        check_place(tmp_path / "no" / "run.h5")
