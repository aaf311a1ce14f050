"""Content of read-only memories: rows of integers, and the ``.mem`` text that HDL reads."""
from dataclasses import dataclass

import numpy as np


def signed_width(low: int, high: int) -> int:
    """Bits of the narrowest signed integer that holds both ``low`` and ``high``."""
    return max(int(high).bit_length(), (-int(low) - 1).bit_length() if low < 0 else 0) + 1


@dataclass(frozen=True)
class Rom:
    """Content of a ROM: one row of ints for each address, one int for each lane."""

    name: str       # of the file, without .mem, and of the memory in the HDL
    rows: tuple[tuple[int, ...], ...]
    widths: tuple[int, ...]     # bits of each lane

    @property
    def unit(self) -> str:
        """The unit whose numbers these are: the name without its last word."""
        return self.name.rpartition("_")[0] or self.name

    @property
    def width(self) -> int:
        """Bits of a word."""
        return sum(self.widths)

    @property
    def bits(self) -> int:
        """Bits of the whole memory."""
        return self.width * len(self.rows)

    def mem(self) -> str:
        """Text of the ``.mem`` file: a hexadecimal word a line, lane 0 lowest."""
        digits = -(-self.width // 4)
        lines = []
        for row in self.rows:
            word, offset = 0, 0
            for value, bits in zip(row, self.widths):
                word |= (value & (1 << bits) - 1) << offset
                offset += bits
            lines.append(f"{word:0{digits}x}\n")
        return "".join(lines)


@dataclass(frozen=True, eq=False)
class Constants:
    """An array of integers that all work in every cycle: no address, and nothing that reads it."""

    name: str           # of the file, without .mem, and of the array in the HDL
    values: np.ndarray  # (n,) integers
    bits: int           # of each
    signed: bool = True

    def mem(self) -> str:
        """Text of the ``.mem`` file: a hexadecimal number a line."""
        digits = -(-self.bits // 4)
        fields = self.values & (1 << self.bits) - 1
        return "".join(f"{field:0{digits}x}\n" for field in fields.tolist())
