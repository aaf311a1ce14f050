"""The stored goldens hold: their files are untouched and today's code still makes them."""
import hashlib
import json
from pathlib import Path

import pytest

from golden import photo, store
from golden.quantize import UnitParams
from hdl.layers import PRECISIONS
from tests.support.reference import reference

FOLDER = Path(__file__).parents[1] / "goldens"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())


def test_manifest_names_every_file():
    assert set(MANIFEST["files"]) == {path.name for path in FOLDER.glob("*.h5")} \
        == {f"{name}.h5" for name in PRECISIONS}


@pytest.mark.parametrize("name", MANIFEST["files"])
def test_manifest_digests(name):
    content = (FOLDER / name).read_bytes()
    assert MANIFEST["files"][name] == {"bytes": len(content),
                                       "sha256": hashlib.sha256(content).hexdigest()}


def test_size_of_the_repository():
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) <= 10e6


@pytest.mark.parametrize("precision", PRECISIONS)
def test_recomputed_integers_are_the_stored_ones(precision):
    """Everything but the floats, whose last bits depend on the processor."""
    stored = store.read(FOLDER / f"{precision}.h5")
    network = reference(precision)
    assert (stored.alpha, stored.resolution, stored.precision) == (1.0, 32, precision)
    assert (stored.image == photo.load_photo(None, 32)).all()
    assert stored.attributes["weights_sha256"] == network.attributes["weights_sha256"]
    assert all(isinstance(unit, UnitParams) for unit in stored.params.values())
    recomputed = network.golden(stored.image)
    assert [name for name in store.differences(stored, recomputed)
            if not name.startswith("float/")] == []
