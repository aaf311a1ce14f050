"""Golden files: what goes in comes out, and a file that is not right is refused in a sentence."""
import collections
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from golden import store
from golden.errors import GoldenError
from tests.support.disk import full_disk

STORED = Path(__file__).parents[1] / "goldens" / "w8a8.h5"


@pytest.fixture(scope="module")
def golden():
    """The smaller stored golden."""
    return store.read(STORED)


@pytest.fixture
def copy(tmp_path):
    """A copy of the stored file, to be spoilt."""
    return shutil.copy(STORED, tmp_path / "copy.h5")


def refusal(path, **options):
    """The sentence a file is refused with: one line that names it and says what to do."""
    with pytest.raises(GoldenError) as refused:
        store.read(path, **options)
    sentence = str(refused.value)
    assert "\n" not in sentence and str(path) in sentence
    assert sentence.endswith("make it again with python -m scripts.dump_goldens --out FILE")
    return sentence


def test_round_trip(golden, tmp_path):
    store.write(tmp_path / "golden.h5", golden)
    again = store.read(tmp_path / "golden.h5")
    assert store.differences(golden, again) == []
    assert [path.name for path in tmp_path.iterdir()] == ["golden.h5"]
    for name in ("alpha", "resolution", "precision", "scales", "attributes"):
        assert getattr(again, name) == getattr(golden, name)
        assert type(getattr(again, name)) is type(getattr(golden, name))
    assert list(again.fixed) == list(golden.fixed) and list(again.params) == list(golden.params)
    for path, array in store.datasets(golden).items():
        assert store.datasets(again)[path].dtype == array.dtype


def test_floats_can_be_left_out(golden):
    light = store.read(STORED, float=False)
    assert light.float == {} and light.fixed.keys() == golden.fixed.keys()


def test_datasets_are_chunked_compressed_and_checksummed():
    with h5py.File(STORED) as file:
        kinds = []
        file.visititems(lambda name, item: kinds.append(
            (item.chunks is not None, item.compression, item.shuffle, item.fletcher32))
            if isinstance(item, h5py.Dataset) else None)
    assert set(kinds) == {(True, "gzip", True, True)}


def test_differences_are_named(golden, tmp_path):
    other = store.read(STORED)
    other.fixed["Conv1"][0, 0, 0] ^= 1
    other.scales["Conv1"] *= 2
    del other.float["Conv_1"]
    assert store.differences(golden, other) == ["float/Conv_1", "fixed/Conv1", "scales"]


def test_missing_file():
    assert "there is no golden /nowhere.h5" in refusal("/nowhere.h5")


@pytest.mark.parametrize("kept", [0, 7, 100, 4096, 0.5, 0.999])
def test_truncated_file(copy, kept):
    content = STORED.read_bytes()
    Path(copy).write_bytes(content[:kept if kept == int(kept) else int(kept * len(content))])
    assert "is damaged or no HDF5 file" in refusal(copy)


def test_a_flipped_bit_is_refused_or_harmless(copy, golden):
    """Anywhere in the file: in headers, in chunks, in the padding that nothing reads."""
    content = STORED.read_bytes()
    rng = np.random.default_rng(1)
    places = [*range(0, 200, 8), *rng.integers(0, 8000, 20), *rng.integers(0, len(content), 40)]
    refused = 0
    for place in places:
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << int(rng.integers(8))
        Path(copy).write_bytes(spoilt)
        try:
            read = store.read(copy)
        except GoldenError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert store.differences(golden, read) == [], place
            assert read.attributes == golden.attributes, place
    assert refused > len(places) / 2


def places_of(path):
    """[(first byte, last byte + 1, dataset)] of the chunks in a file."""
    found = []
    with h5py.File(path) as file:
        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                for number in range(item.id.get_num_chunks()):
                    chunk = item.id.get_chunk_info(number)
                    found.append((chunk.byte_offset, chunk.byte_offset + chunk.size, name))
        file.visititems(visit)
    return found


@pytest.mark.full
def test_a_thousand_flipped_bits(copy, golden):
    """Each is refused, or nobody can tell that it was there; -rP shows in what they lie."""
    content, rng, chunks = bytearray(STORED.read_bytes()), np.random.default_rng(19), \
        places_of(STORED)
    counts = collections.Counter()
    for _ in range(1000):
        bit = int(rng.integers(8 * len(content)))
        content[bit // 8] ^= 1 << bit % 8
        Path(copy).write_bytes(content)
        content[bit // 8] ^= 1 << bit % 8
        field = next((name.partition("/")[0] for first, last, name in chunks
                      if first <= bit // 8 < last), "headers, attributes, room between")
        try:
            read = store.read(copy)
        except GoldenError:
            counts[field, "refused"] += 1
        else:
            assert store.differences(golden, read) == [], bit
            assert read.attributes == golden.attributes, bit
            counts[field, "harmless"] += 1
    for (field, verdict), count in sorted(counts.items()):
        print(f"{field}: {count} {verdict}")
    assert all(verdict == "refused" for field, verdict in counts if not field.startswith("head"))


def test_data_written_over_in_place(copy):
    """Sound HDF5, other numbers."""
    with h5py.File(copy, "a") as file:
        file["fixed/Conv1"][0, 0, 0] ^= 1
    assert "dataset fixed/Conv1 is not what was written" in refusal(copy)
    assert "dataset fixed/Conv1 is not what was written" in refusal(copy, float=False)


@pytest.mark.parametrize("attribute, value, words", [
    ("schema", 99, "is of schema 99 and this program reads schema 1"),
    ("schema", None, "is of schema None"),
    ("alpha", 0.35, "was made for another layer table"),
    ("alpha", 0.36, "alpha 0.36, resolution 32 and precision w8a8, which the layer table does not"),
    ("resolution", 64, "was made for another layer table"),
    ("resolution", 8, "which the layer table does not have"),
    ("precision", "w16a16", "was made for another layer table"),
    ("precision", "w4a3", "precision w4a3, which the layer table does not have"),
    ("scales", "{", "is damaged"),
    ("digests", None, "is damaged")])
def test_wrong_attributes(copy, attribute, value, words):
    with h5py.File(copy, "a") as file:
        del file.attrs[attribute]
        if value is not None:
            file.attrs[attribute] = value
    assert words in refusal(copy)


@pytest.mark.parametrize("spoil, words", [
    (lambda file: file.__delitem__("fixed/block_2_add"), "dataset fixed/block_2_add is missing"),
    (lambda file: file.move("params/Conv1", "params/Conv9"), "dataset params/Conv1/bias is miss"),
    (lambda file: file.create_dataset("fixed/block_99_add", data=[1]), "fixed/block_99_add is int"),
])
def test_wrong_units(copy, spoil, words):
    with h5py.File(copy, "a") as file:
        spoil(file)
    assert words in refusal(copy)


def test_a_digest_that_was_taken_away(copy):
    with h5py.File(copy, "a") as file:
        digests = json.loads(file.attrs["digests"])
        del digests["fixed/Conv1"]
        file.attrs["digests"] = json.dumps(digests)
    refusal(copy)


def test_no_hdf5_at_all(copy):
    Path(copy).write_text("a text")
    assert "is damaged or no HDF5 file" in refusal(copy)


@pytest.mark.parametrize("room", [0, 100, 5000, 1_000_000])
def test_a_full_disk_leaves_what_was_there(golden, tmp_path, room):
    """Wherever it is full: one sentence, and the older golden of that name."""
    path = tmp_path / "golden.h5"
    shutil.copy(STORED, path)
    with full_disk(room), pytest.raises(
            GoldenError, match=r"^golden .*golden.h5 cannot be written \(File too large\): give"):
        store.write(path, golden)
    assert path.read_bytes() == STORED.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["golden.h5"]


@pytest.mark.parametrize("place", ["", "missing/golden.h5"])
def test_places_no_file_can_have(golden, tmp_path, place):
    with pytest.raises(GoldenError, match="give the path of a file with --out"):
        store.write(tmp_path / place, golden)
