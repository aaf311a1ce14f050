"""AXI4-Stream links: the signals of a shape."""
from myhdl import Signal, SignalType, intbv

from hdl.shape import StreamShape


class Bundle:
    """Signals that go together, as attributes; a port ``name`` converts to ``name_attribute``."""

    def signals(self) -> dict[str, SignalType]:
        """{attribute: Signal}, in the order in which they were set."""
        return {name: value for name, value in vars(self).items()
                if isinstance(value, SignalType)}


class Handshake(Bundle):
    """``tvalid`` and ``tready`` of something that has no word of its own."""

    def __init__(self) -> None:
        self.tvalid = Signal(bool(0))
        self.tready = Signal(bool(0))


class AxiStream(Bundle):
    """One AXI4-Stream link: ``tdata tvalid tready`` and the marks of its shape."""

    tvalid: SignalType
    tready: SignalType

    def __init__(self, shape: StreamShape) -> None:
        self.shape = shape
        self.tdata = Signal(intbv(0)[shape.width:])
        for name in shape.members[1:]:
            setattr(self, name, Signal(bool(0)))
