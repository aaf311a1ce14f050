"""Weight ROM: a registered-read memory initialised from a ``.mem`` file, word unpacked to lanes.

The one leaf with hand-written HDL, in the form that every vendor's tool maps to block RAM.
Latency 1 cycle, 1 word per cycle, holds while ``enable`` is low.
"""
from collections.abc import Callable

from myhdl import SignalType, always, block

from hdl.axis import Bundle
from hdl.blocks.signals import Instances, count, flag
from hdl.plan.rom import Rom

# A block with the memory ``name``_rom, read from its file, as far as its ``begin``.
VHDL_MEMORY = """
${name}_block: block is
    type ${name}_memory is array (0 to $last) of std_logic_vector($high downto 0);

    impure function ${name}_content return ${name}_memory is
        file mem_file : text open read_mode is "$name.mem";
        variable hex_line : line;
        variable content : ${name}_memory;
    begin
        for n in ${name}_memory'range loop
            readline(mem_file, hex_line);
            hread(hex_line, content(n));
        end loop;
        return content;
    end function;

    constant ${name}_rom : ${name}_memory := ${name}_content;
"""


class Fetch(Bundle):
    """The read port of a ROM."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.step = flag()              # read a row
        self.address = count(rows)


class _Slices:
    """Continuous assignments of a word's fields to lanes, written when the names are known."""

    def __init__(self, lanes: tuple[SignalType, ...], word: str,
                 assign: Callable[[SignalType, str, int, int], str]) -> None:
        self.lanes, self.word, self.assign = lanes, word, assign

    def __str__(self) -> str:
        lines, low = [], 0
        for lane in self.lanes:
            high = low + len(lane) - 1
            lines.append(self.assign(lane, self.word, high, low))
            low = high + 1
        return "\n".join(lines)


def _verilog(lane: SignalType, word: str, high: int, low: int) -> str:
    field = f"[{high}:{low}]" if high > low else f"[{low}]"
    return f"assign {lane._name} = {word}{field};"


def _vhdl(lane: SignalType, word: str, high: int, low: int) -> str:
    kind = "signed" if lane.min < 0 else "unsigned"
    return f"            {lane._name} <= {kind}({word}({high} downto {low}));"


@block
def weight_rom(clk: SignalType, enable: SignalType, address: SignalType,
               lanes: tuple[SignalType, ...], rom: Rom) -> Instances:
    """lanes[i] = field i of rom[address], one cycle after ``address``.

    lanes -- tuple of signals, as wide as rom.widths
    rom   -- Rom
    """
    widths = tuple(len(lane) for lane in lanes)
    if widths != rom.widths or 2 ** len(address) < len(rom.rows):
        raise ValueError(f"ROM {rom.name} has {len(rom.rows)} rows of fields of {rom.widths} bits, "
                         f"not {2 ** len(address)} addresses and lanes of {widths}")
    name, rows = rom.name, rom.rows
    high, last = rom.width - 1, len(rows) - 1
    assignments = _Slices(lanes, f"{name}_word", _verilog)
    registers = _Slices(lanes, f"{name}_word", _vhdl)
    clk.read = enable.read = address.read = True
    for lane in lanes:
        lane.driven = "wire"

    @always(clk.posedge)
    def read():
        if enable:
            for lane, value in zip(lanes, rows[int(address)]):
                lane.next = value

    weight_rom.verilog_code = """
(* rom_style = "block" *)
reg [$high:0] ${name}_rom [0:$last];
reg [$high:0] ${name}_word;
initial $$readmemh("$name.mem", ${name}_rom);
always @(posedge $clk) begin
    if ($enable) ${name}_word <= ${name}_rom[$address];
end
$assignments
"""
    weight_rom.vhdl_code = VHDL_MEMORY + """    attribute rom_style : string;
    attribute rom_style of ${name}_rom : constant is "block";
begin
    process ($clk) is
        variable ${name}_word : std_logic_vector($high downto 0);
    begin
        if rising_edge($clk) and $enable = '1' then
            ${name}_word := ${name}_rom(to_integer($address));
$registers
        end if;
    end process;
end block;
"""
    return read
