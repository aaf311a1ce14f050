"""The shape of a stream: its figures, equality, and words for people."""
import pytest

from hdl.axis import AxiStream
from hdl.shape import MARKS, StreamShape


@pytest.mark.parametrize("shape, elements, width, payload_width", [
    (StreamShape(3, 9), 3, 27, 27), (StreamShape(3, 9, tile=2), 12, 108, 108),
    (StreamShape(1, 8, signed=False, marks=MARKS), 1, 8, 10),
    (StreamShape(2, 4, marks=("tlast",)), 2, 8, 9),
    (StreamShape(2, 4, tile=2, creep=0), 8, 33, 33)])
def test_figures(shape, elements, width, payload_width):
    assert (shape.elements, shape.width, shape.payload_width) == (elements, width, payload_width)
    stream = AxiStream(shape)
    assert list(stream.signals()) == list(shape.members) == [
        "tdata", "tvalid", "tready", *shape.marks]
    assert len(stream.tdata) == width


def test_any_field_makes_another_shape():
    shape = StreamShape(2, 8)
    assert shape == StreamShape(2, 8, True, 1, ()) and shape.with_lanes(4) == StreamShape(4, 8)
    for other in (StreamShape(1, 8), StreamShape(2, 7), StreamShape(2, 8, signed=False),
                  StreamShape(2, 8, tile=2), StreamShape(2, 8, marks=MARKS),
                  StreamShape(2, 8, creep=0)):
        assert shape != other


def test_words():
    assert str(StreamShape(3, 9)) == "3 x 9 bits signed"
    assert str(StreamShape(1, 8, False, 2, MARKS)) == \
        "2 x 2 pixels of 1 x 8 bits unsigned with tlast and tuser"
    assert str(StreamShape(3, 9, tile=4, creep=2)) == \
        "4 x 4 pixels of 3 x 9 bits signed creeping by 2"
