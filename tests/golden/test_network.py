"""The row that names a network."""
from dataclasses import replace

import pytest

from golden.errors import GoldenError
from golden.network import Network
from hdl.layers import PRECISIONS, layer_table

NETWORK = Network(0.35, 33, PRECISIONS["w8a8"])


def test_what_follows_from_it():
    assert NETWORK.table == layer_table(0.35, 33)
    assert NETWORK.pixels == 33 ** 2
    assert not NETWORK.from_file and not replace(NETWORK, weights="imagenet").from_file
    assert replace(NETWORK, weights="mine.h5").from_file
    assert replace(NETWORK, alpha=0.5).table == layer_table(0.5, 33)


@pytest.mark.parametrize("change, words", [
    ({"alpha": 0.6}, "^alpha 0.6 is not one of Keras's"),
    ({"resolution": 16}, "^resolution 16 is too small or not whole")])
def test_refuses_what_has_no_layer_table(change, words):
    with pytest.raises(GoldenError, match=words):
        replace(NETWORK, **change)
