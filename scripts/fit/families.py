"""Families of devices: how Yosys synthesises for them, and what their cells hold."""
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import ceil

from hdl.plan.memory import blocks, in_blocks, luts

LEAST_PRODUCT = 9   # bits: Yosys makes smaller products of LUTs


@dataclass(frozen=True)
class Resources:
    """What some hardware takes of a device, or what a device has."""

    dsp: int = 0        # multipliers
    block_ram: int = 0  # blocks of 18 kbit
    lut: int = 0
    ff: int = 0         # flip-flops

    def __add__(self, other: "Resources") -> "Resources":
        return Resources(*(getattr(self, part.name) + getattr(other, part.name)
                           for part in fields(Resources)))


@dataclass(frozen=True)
class Logic:
    """LUTs of the model for each of what a unit has, fitted to Yosys's netlists."""

    register: float     # a bit of a register
    # A bit of a product, with the adders behind it; below zero where multipliers take in registers.
    product: float
    unit: float         # what each has besides


@dataclass(frozen=True)
class Family:
    """Devices of one kind."""

    name: str
    title: str
    passes: tuple[str, ...]     # of Yosys, {top} the module
    # Widths of the two signed factors of a multiplier; None where Yosys infers none.
    multiplier: tuple[int, int] | None
    only_signed: bool           # parts of a wider factor lose a bit for a sign that they have not
    lut_of_memory: int          # LUTs in place of one with six inputs where they hold words
    logic: Logic
    cells: Mapping[str, tuple[str, int]]    # {pattern of cells: (field of Resources, how many)}
    soft: bool = False  # where there are too few multipliers, soft_products.py has a part in LUTs

    def counted(self, cells: Mapping[str, int]) -> Resources:
        """Resources of a netlist, {type of cell: how many}."""
        found: Counter[str] = Counter()
        for cell, number in cells.items():
            for pattern, (kind, each) in self.cells.items():
                if re.fullmatch(pattern, cell):
                    found[kind] += each * number
                    break
        return Resources(**found)

    def multipliers(self, a: int, b: int) -> int:
        """Multipliers that a product of signed numbers of ``a`` and ``b`` bits takes."""
        if self.multiplier is None or min(a, b) < 2 or a + b < LEAST_PRODUCT:
            return 0
        high, low = self.multiplier
        return min(self._parts(a, high) * self._parts(b, low),
                   self._parts(a, low) * self._parts(b, high))

    def _parts(self, bits: int, most: int) -> int:
        """Parts that a signed factor is cut into, if a multiplier takes ``most`` bits; a single
        bit that is left over goes into LUTs."""
        return 1 if bits <= most else ceil((bits - 1) / (most - self.only_signed))

    def memory(self, depth: int, width: int, written: bool) -> Resources:
        """What a memory takes; ``written``: it is no ROM."""
        if in_blocks(depth, width, written):
            return Resources(block_ram=blocks(depth, width, written))
        return Resources(lut=luts(depth, width, written) * self.lut_of_memory)


XILINX = {r"DSP48E[12]": ("dsp", 1), r"RAMB18E[12]": ("block_ram", 1),
          r"RAMB36E[12]": ("block_ram", 2), r"LUT[1-6]|INV|SRL16E|SRLC32E": ("lut", 1),
          r"RAM(32|64)X1S": ("lut", 1), r"RAM(32|64)X1D": ("lut", 2), r"RAM128X1S": ("lut", 2),
          r"RAM128X1D|RAM256X1S|RAM(32|64)M": ("lut", 4), r"RAM32M16|RAM64M8|RAM512X1S": ("lut", 8),
          r"RAM256X1D": ("lut", 8), r"FD[RSCP]E(_1)?": ("ff", 1)}
LATTICE = {r"MULT18X18D": ("dsp", 1), r"DP16KD|PDPW16KD": ("block_ram", 1), r"LUT4": ("lut", 1),
           r"CCU2C": ("lut", 2), r"TRELLIS_DPR16X4": ("lut", 6), r"TRELLIS_FF": ("ff", 1)}
GOWIN = {r"MULT\w+": ("dsp", 1), r"(SDPB|SDPX9B|DPB|DPX9B|SP|SPX9|pROM|pROMX9)": ("block_ram", 1),
         r"LUT[1-4]|ALU": ("lut", 1), r"RAM16S\w+": ("lut", 6), r"DFF\w*": ("ff", 1)}
OWN = "synth_xilinx -flatten -noiopad -noclkbuf -top {top}"
# Yosys moves no register and no adder into a DSP48E2.  What its rules for DSP48E1 find, a DSP48E2
# has as well: multipliers 27 bits wide are DSP48E1 while these rules are at work.
ULTRASCALE = (
    f"{OWN} -family xcup -run begin:map_dsp", "memory_dff", "alumacc -macc-only", "maccmap -unmap",
    "opt_clean",
    "techmap -map +/mul2dsp.v -D DSP_A_MAXWIDTH=27 -D DSP_A_MAXWIDTH_PARTIAL=18 "
    "-D DSP_B_MAXWIDTH=18 -D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=9 "
    "-D DSP_SIGNEDONLY=1 -D DSP_NAME=$__MUL27X18 -map +/xilinx/xcu_dsp_map.v",
    "select a:mul2dsp", "setattr -unset mul2dsp", "opt_expr -fine", "wreduce", "select -clear",
    "chtype -set DSP48E1 t:DSP48E2", "setparam -unset AMULTSEL -unset BMULTSEL t:DSP48E1",
    "xilinx_dsp -family xc7", "chtype -set $mul t:$__soft_mul", f"{OWN} -family xcup -run coarse:")
FAMILIES = {family.name: family for family in (
    Family("xcup", "UltraScale+", ULTRASCALE, (27, 18), True, 1, Logic(0.7, -0.9, 20), XILINX),
    Family("xc7", "7-series", (f"{OWN} -family xc7",), (25, 18), True, 1, Logic(0.7, -0.9, 20),
           XILINX),
    Family("ecp5", "ECP5", ("synth_ecp5 -top {top}",), (18, 18), False, 4, Logic(1.0, 0.5, 20),
           LATTICE, soft=True),
    Family("gw5a", "Gowin GW5A", ("synth_gowin -family gw5a -top {top}",), None, True, 4,
           Logic(1.0, 9.0, 20), GOWIN))}
# Reasons not to take a family's figures for a device's.
UNFIT = {"gw5a": "Yosys makes products for GW5A of LUTs: its multipliers are not inferred"}
