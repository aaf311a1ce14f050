"""Streams of a shape, in one call."""
from hdl.axis import AxiStream
from hdl.shape import StreamShape


def stream(lanes, bits, signed=True, tile=1, marks=(), creep=None):
    """An AxiStream of the StreamShape with these fields."""
    return AxiStream(StreamShape(lanes, bits, signed, tile, marks, creep))
