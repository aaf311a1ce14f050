"""The shape of a stream: what one of its beats holds.  Two blocks fit where their shapes are equal.

Plain numbers, without MyHDL: planner, blocks, benches and exports all speak of streams in them.
"""
from dataclasses import dataclass, replace

HANDSHAKE = ("tdata", "tvalid", "tready")
# Of AXI4-Stream Video: last pixel of a line, first of a frame.  At the outside of what is exported,
# tlast is with the last beat of a frame, and of creeping tiles tuser is the bit above the elements.
MARKS = ("tlast", "tuser")


@dataclass(frozen=True)
class StreamShape:
    """One beat: a tile of ``tile`` x ``tile`` pixels by ``lanes`` channels of ``bits`` bits each.

    Lane 0 is the lowest; channels are minor, pixels of a tile in raster order.  Beats of creeping
    tiles, whatever their creep, have a bit above the elements: it is high where the beat brings a
    tile of its own, low where it holds nothing but what is left over of the tiles before.
    """

    lanes: int
    bits: int
    signed: bool = True     # elements are two's complement
    tile: int = 1           # pixels a side
    marks: tuple[str, ...] = ()     # of MARKS, one bit each beside tdata
    creep: int | None = None    # rows and columns that tiles lie behind; None: they do not creep

    @property
    def elements(self) -> int:
        """Elements of a beat: pixels of the tile times lanes."""
        return self.tile * self.tile * self.lanes

    @property
    def width(self) -> int:
        """Bits of tdata."""
        return self.elements * self.bits + (self.creep is not None)

    @property
    def payload_width(self) -> int:
        """Bits of tdata and of the marks."""
        return self.width + len(self.marks)

    @property
    def members(self) -> tuple[str, ...]:
        """Names of the stream's signals, in the order in which ports are written."""
        return (*HANDSHAKE, *self.marks)

    def with_lanes(self, lanes: int) -> 'StreamShape':
        """The same elements in beats of so many lanes."""
        return replace(self, lanes=lanes)

    def whole_bytes(self, *marks: str) -> 'StreamShape':
        """The same elements, each filled up to whole bytes, as AXI4-Stream has them; with marks,
        and the bit of creeping tiles as tuser."""
        own = () if self.creep is None else ("tuser",)
        return replace(self, bits=-(-self.bits // 8) * 8, marks=(*marks, *own), creep=None)

    def video(self, *marks: str) -> 'StreamShape':
        """The same pixels as unsigned bytes, as video has them, with marks."""
        return replace(self, bits=8, signed=False, marks=marks)

    def __str__(self) -> str:
        sign = "signed" if self.signed else "unsigned"
        pixels = f"{self.tile} x {self.tile} pixels of " if self.tile > 1 else ""
        marks = f" with {' and '.join(self.marks)}" if self.marks else ""
        creep = "" if self.creep is None else f" creeping by {self.creep}"
        return f"{pixels}{self.lanes} x {self.bits} bits {sign}{creep}{marks}"
