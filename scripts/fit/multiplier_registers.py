"""Registers of operands moved into ECP5's multipliers, in the netlist that Yosys has made.

A MULT18X18D has a register at each of its inputs, which Yosys leaves unused.  Where all bits of
an input come from flip-flops, this register takes their place, so that no way through the device
is left between a flip-flop and the multiplier.  The clock cycle in which each value is there stays
the same.  What is not moved: flip-flops that are reset or begin with 1, inputs whose flip-flops
differ in their clock or enable, and flip-flops behind several block RAMs among whose words LUTs
choose: a block RAM is slow, and the flip-flop parts the way from there to the multiplier in two.
"""
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

MULTIPLIER, FLIP_FLOP, BLOCK_RAM = "MULT18X18D", "TRELLIS_FF", "DP16KD"
LUTS = ("LUT4", "PFUMX", "L6MUX21")
FACTORS = ("A", "B")
BITS = 18
Cell = dict[str, Any]   # as Yosys's JSON has it; a bit is a net's number, or a constant's text


class Control(NamedTuple):
    """What a register is clocked by."""

    clock: int
    enable: int | str


def moved(module: dict[str, Any]) -> int:
    """Move flip-flops into the multipliers of a flat module of Yosys's JSON; returns the number of
    multipliers that have taken some in."""
    cells: dict[str, Cell] = module["cells"]
    chosen = chosen_words(cells.values())
    flip_flops = {cell["connections"]["Q"][0]: cell for cell in cells.values()
                  if cell["type"] == FLIP_FLOP and cell["connections"]["DI"][0] not in chosen}
    taken = [cell for cell in cells.values()
             if cell["type"] == MULTIPLIER and take_in(cell, flip_flops)]
    loads = Counter(bits_read(module))
    module["cells"] = {name: cell for name, cell in cells.items() if cell["type"] != FLIP_FLOP
                       or loads[cell["connections"]["Q"][0]]}
    return len(taken)


def chosen_words(cells: Iterable[Cell]) -> set[int | str]:
    """The bits that LUTs make of what block RAMs give, with LUTs alone between."""
    read_by: dict[int | str, list[int | str]] = defaultdict(list)   # {bit: what LUTs make of it}
    found: list[int | str] = []
    for cell in cells:
        if cell["type"] in LUTS:
            for bit in bits_of(cell, "input"):
                read_by[bit].extend(bits_of(cell, "output"))
        elif cell["type"] == BLOCK_RAM:
            found.extend(bits_of(cell, "output"))
    chosen: set[int | str] = set()
    while found:
        new = [bit for bit in read_by[found.pop()] if bit not in chosen]
        chosen.update(new)
        found.extend(new)
    return chosen


def take_in(multiplier: Cell, flip_flops: Mapping[int, Cell]) -> bool:
    """Whether a multiplier takes in the flip-flops, {Q: cell}, before one of its inputs or both."""
    ports = multiplier["connections"]
    inputs = {factor: [ports[f"{factor}{place}"] for place in range(BITS)] for factor in FACTORS}
    controls: dict[str, Control] = {}
    for factor, bits in inputs.items():
        found = {control_of(flip_flops.get(bit)) for (bit,) in bits if not isinstance(bit, str)}
        if len(found) == 1:
            controls |= {factor: control for control in found if control}
    if len({control.clock for control in controls.values()}) != 1:
        return False
    enables = sorted({control.enable for control in controls.values()}, key=str)
    set_port(multiplier, "CLK0", next(iter(controls.values())).clock)
    set_port(multiplier, "RST0", "0")
    for place, enable in enumerate(enables):
        set_port(multiplier, f"CE{place}", enable)
    for factor, control in controls.items():
        multiplier["parameters"] |= {
            f"REG_INPUT{factor}_CLK": "CLK0", f"REG_INPUT{factor}_RST": "RST0",
            f"REG_INPUT{factor}_CE": f"CE{enables.index(control.enable)}"}
        for place, (bit,) in enumerate(inputs[factor]):
            if not isinstance(bit, str):
                ports[f"{factor}{place}"] = flip_flops[bit]["connections"]["DI"]
    return True


def control_of(flip_flop: Cell | None) -> Control | None:
    """The Control of a flip-flop that a multiplier's register can be; None for another, and where
    there is none."""
    if flip_flop is None:
        return None
    ports, options = flip_flop["connections"], flip_flop["parameters"]
    plain = (options.get("CLKMUX", "CLK") == "CLK" and options.get("CEMUX", "CE") in ("CE", "1")
             and options.get("REGSET", "RESET") == "RESET" and ports.get("LSR", ["0"]) == ["0"])
    if not plain:
        return None
    (clock,), (enable,) = ports["CLK"], ports["CE"] if options.get("CEMUX") == "CE" else ["1"]
    return Control(clock, enable)


def set_port(cell: Cell, name: str, bit: int | str) -> None:
    """Connect an input of a cell."""
    cell["connections"][name] = [bit]
    cell["port_directions"][name] = "input"


def bits_of(cell: Cell, direction: str) -> Iterator[int | str]:
    """The bits at a cell's inputs or outputs."""
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == direction:
            yield from bits


def bits_read(module: dict[str, Any]) -> Iterator[int | str]:
    """The bits that cells and outputs of a module read, each as often as it is read."""
    for cell in module["cells"].values():
        yield from bits_of(cell, "input")
    for port in module["ports"].values():
        yield from port["bits"]
