"""Weight ROM: a registered-read memory initialised from a ``.mem`` file, word unpacked to lanes.

Hand-written HDL, in the form that every vendor's tool maps to block RAM, or to LUTs where its
depth and width say so (``hdl/plan/memory.py``).
Latency 2 cycles: the memory's own register, which holds while ``enable`` is low, and a second one,
which holds while ``again`` is low; 1 word per cycle.
"""
from myhdl import SignalType, always, block

from hdl.axis import Bundle
from hdl.blocks.lanes import kind_of
from hdl.blocks.signals import Instances, count, flag
from hdl.plan.memory import in_blocks
from hdl.plan.rom import Rom

# {whether it lies in block RAM: attributes in Verilog}; Yosys knows no distributed ROM and goes by
# the first, others by the second.
STYLES = {True: 'rom_style = "block"', False: 'ram_style = "registers", rom_style = "distributed"'}

# The memory, read from its file: declarations of VHDL.
VHDL_MEMORY = """
    type memory is array (0 to $last) of std_logic_vector($high downto 0);

    impure function content return memory is
        file mem_file : text open read_mode is "$name.mem";
        variable hex_line : line;
        variable words : memory;
    begin
        for n in memory'range loop
            readline(mem_file, hex_line);
            hread(hex_line, words(n));
        end loop;
        return words;
    end function;

    constant rom : memory := content;
"""


class Fetch(Bundle):
    """The read port of a ROM."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.step = flag()              # read a row
        self.address = count(rows)


@block
def weight_rom(clk: SignalType, enable: SignalType, address: SignalType,
               lanes: tuple[SignalType, ...], rom: Rom, again: SignalType) -> Instances:
    """lanes[i] = field i of rom[address], two cycles after ``address``.

    lanes -- tuple of signals, as wide as rom.widths
    rom   -- Rom
    again -- when the second register takes what the memory's own holds
    """
    widths = tuple(len(lane) for lane in lanes)
    if widths != rom.widths or 2 ** len(address) < len(rom.rows):
        raise ValueError(f"ROM {rom.name} has {len(rom.rows)} rows of fields of {rom.widths} bits, "
                         f"not {2 ** len(address)} addresses and lanes of {widths}")
    name, rows = rom.name, rom.rows
    high, last = rom.width - 1, len(rows) - 1
    kind = kind_of(lanes)
    block_ram = in_blocks(len(rows), rom.width, written=False)
    style, vhdl_style = STYLES[block_ram], "block" if block_ram else "distributed"

    row = [0]

    @always(clk.posedge)
    def read():
        if again:
            for lane, value in zip(lanes, rows[row[0]]):
                lane.next = value
        if enable:
            row[0] = int(address)

    weight_rom.verilog_code = """
(* $style *)
reg [$high:0] rom [0:$last];
reg [$high:0] word, held;
initial $$readmemh("$name.mem", rom);
always @(posedge $clk) begin
    if ($again) held <= word;
    if ($enable) word <= rom[$address];
end
assign $lanes = held;
"""
    weight_rom.vhdl_code = VHDL_MEMORY + """
    attribute rom_style : string;
    attribute rom_style of rom : constant is "$vhdl_style";
    signal word : std_logic_vector($high downto 0);
begin
    process ($clk) is
    begin
        if rising_edge($clk) then
            if $again = '1' then
                $lanes <= $kind(word);
            end if;
            if $enable = '1' then
                word <= rom(to_integer($address));
            end if;
        end if;
    end process;
"""
    return read


weight_rom.func.outputs = ("lanes",)
weight_rom.func.module_name = lambda rom, **others: f"{rom.name}_rom"
