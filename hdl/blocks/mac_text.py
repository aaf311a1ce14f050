"""Verilog and VHDL of a multiply-accumulate array in loops.

Names after a dollar are signals of the block, which MyHDL fills in.
"""
from dataclasses import dataclass

from hdl.blocks.constant_text import AT_ONCE, low_part_bits
from hdl.blocks.processing_element import Fold
from hdl.plan.rom import Constants
from hdl.shape import StreamShape


@dataclass(frozen=True, eq=False)
class LoopWork:
    """What an array in loops computes."""

    weights: Constants  # PE x SIMD for each row, SIMD minor
    fold: Fold
    shape: StreamShape  # of the operands
    bits: int           # of an accumulator


VERILOG = """
// {name}: read in step with the operands, a row of {per_row} weights at a time, and never written.
reg signed [{weight_high}:0] {name}_weight [0:{weight_last}];
initial $$readmemh("{name}.mem", {name}_weight);
reg signed [{x_high}:0] {name}_x [0:{x_last}];
reg signed [{high}:0] {name}_sum [0:{pe_last}];
reg signed [{high}:0] {name}_total [0:{pe_last}];
{memories}reg [{word_high}:0] {name}_totals;
reg [{word_high}:0] {name}_output;
assign $totals = {name}_output;
integer {name}_row;

function signed [63:0] {name}_dot (input integer first, input integer at_first);
    integer k, at;
    reg signed [63:0] total;
    begin
        total = 0;
        at = at_first;
        for (k = first; k < first + {simd}; k = k + 1) begin
            total = total + {name}_x[at] * {name}_weight[k];
            at = at + {operand_step};
        end
        {name}_dot = total;
    end
endfunction

always @(posedge $clk) begin : {name}_compute
    integer j;
    reg signed [63:0] latest;
{accumulate}
    if ($multiply) begin
        for (j = 0; j < {lanes}; j = j + 1)
            {name}_x[j] = {element};
        for (j = 0; j < {pe}; j = j + 1)
            {name}_sum[j] = {name}_dot(({name}_row * {pe} + j) * {simd}, {operand_first});
    end
    if ($step)
        {name}_row = $address;
end
"""
ACCUMULATE = """    if ($add) begin
        for (j = 0; j < {pe}; j = j + 1) begin
            latest = {name}_sum[j];{more}
            {name}_total[j] = latest;
            {name}_totals[j * {bits} +: {bits}] = latest[{high}:0];
        end
        {name}_output <= {name}_totals;
    end"""
MORE = """
            if (!$first)
                latest = latest + {name}_total[j];"""
MEMORIES = """reg signed [{high}:0] {name}_before [0:{pe_last}];
reg signed [{high}:0] {name}_memory [0:{memory_last}];
reg signed [{high}:0] {name}_result [0:{memory_last}];
"""
ACCUMULATE_GROUPS = """    if ($read) begin
        for (j = 0; j < {pe}; j = j + 1) begin
            latest = {name}_result[$tail * {pe} + j];
            {name}_totals[j * {bits} +: {bits}] = latest[{high}:0];
        end
        {name}_output <= {name}_totals;
    end
    if ($add)
        for (j = 0; j < {pe}; j = j + 1) begin
            latest = {name}_sum[j];
            if (!$first)
                latest = latest + {name}_before[j];
            {name}_memory[$group * {pe} + j] = latest;
            if ($write)
                {name}_result[$group * {pe} + j] = latest;
        end
    if ($multiply)
        for (j = 0; j < {pe}; j = j + 1)
            {name}_before[j] = {name}_memory[$ahead * {pe} + j];"""

VHDL = """
    type {name}_weights is array (0 to {weight_last}) of integer;

    impure function {name}_content return {name}_weights is
        file mem_file : text open read_mode is "{name}.mem";
        variable hex_line : line;
        variable word : std_logic_vector({weight_high} downto 0);
        variable content : {name}_weights;
    begin
        for n in content'range loop
            readline(mem_file, hex_line);
            hread(hex_line, word);
            content(n) := to_integer(signed(word));
        end loop;
        return content;
    end function;

    constant {name}_weight : {name}_weights := {name}_content;
    type {name}_elements is array (0 to {x_last}) of integer;
    type {name}_sums is array (natural range <>) of signed({high} downto 0);
begin
    process ($clk) is
        variable x_low, x_high : {name}_elements;
        variable sums, accumulators : {name}_sums(0 to {pe_last});
{memories}        variable word : unsigned({word_high} downto 0);
        variable latest : signed({high} downto 0);
        variable row, n, at : natural := 0;
        -- Sums of few enough products for an integer, of the low and the high parts of elements.
        variable low_sum, high_sum : integer;
    begin
        if rising_edge($clk) then
{accumulate}
            if $multiply = '1' then
                for j in 0 to {lanes} - 1 loop
                    x_low(j) := {element};
                    x_high(j) := {high_part};
                    x_low(j) := {low_part};
                end loop;
                n := row * {per_row};
                for j in 0 to {pe} - 1 loop
                    latest := (others => '0');
                    low_sum := 0;
                    high_sum := 0;
                    at := {operand_first};
                    for k in 1 to {simd} loop
                        low_sum := low_sum + x_low(at) * {name}_weight(n);{high_product}
                        at := at + {operand_step};
                        n := n + 1;
                        if k mod {at_once} = 0 or k = {simd} then
                            latest := latest + low_sum + shift_left(
                                to_signed(high_sum, {bits}), {part_bits});
                            low_sum := 0;
                            high_sum := 0;
                        end if;
                    end loop;
                    sums(j) := latest;
                end loop;
            end if;
            if $step = '1' then
                row := to_integer($address);
            end if;
        end if;
    end process;
"""
HIGH_PRODUCT = """
                        high_sum := high_sum + x_high(at) * {name}_weight(n);"""
VHDL_ACCUMULATE = """            if $add = '1' then
                for j in 0 to {pe} - 1 loop
                    latest := sums(j);{more}
                    accumulators(j) := latest;
                    word((j + 1) * {bits} - 1 downto j * {bits}) := unsigned(latest);
                end loop;
                $totals <= word;
            end if;"""
VHDL_MORE = """
                    if $first = '0' then
                        latest := latest + accumulators(j);
                    end if;"""
VHDL_MEMORIES = """        variable before_sums : {name}_sums(0 to {pe_last});
        variable memory, result : {name}_sums(0 to {memory_last});
"""
VHDL_ACCUMULATE_GROUPS = """            if $read = '1' then
                for j in 0 to {pe} - 1 loop
                    word((j + 1) * {bits} - 1 downto j * {bits}) :=
                        unsigned(result(to_integer($tail) * {pe} + j));
                end loop;
                $totals <= word;
            end if;
            if $add = '1' then
                for j in 0 to {pe} - 1 loop
                    latest := sums(j);
                    if $first = '0' then
                        latest := latest + before_sums(j);
                    end if;
                    memory(to_integer($group) * {pe} + j) := latest;
                    if $write = '1' then
                        result(to_integer($group) * {pe} + j) := latest;
                    end if;
                end loop;
            end if;
            if $multiply = '1' then
                for j in 0 to {pe} - 1 loop
                    before_sums(j) := memory(to_integer($ahead) * {pe} + j);
                end loop;
            end if;"""


def numbers(work: LoopWork) -> dict[str, str | int]:
    """What both texts have in common."""
    fold, shape = work.fold, work.shape
    return {
        "name": work.weights.name, "weight_high": work.weights.bits - 1,
        "weight_last": len(work.weights.values) - 1, "per_row": fold.pe * fold.simd,
        "x_high": shape.bits - 1 + (not shape.signed), "x_last": shape.lanes - 1,
        "lanes": shape.lanes, "bits": work.bits, "high": work.bits - 1, "pe": fold.pe,
        "pe_last": fold.pe - 1, "simd": fold.simd, "word_high": fold.pe * work.bits - 1,
        "memory_last": fold.groups * fold.pe - 1, "operand_step": 1 if fold.shared else fold.pe,
        "operand_first": "0" if fold.shared else "j"}


def verilog_text(work: LoopWork) -> str:
    """The Verilog of an array."""
    common, bits = numbers(work), work.shape.bits
    field_ = f"$operand[j * {bits} +: {bits}]"
    accumulate = ACCUMULATE_GROUPS if work.fold.queued else ACCUMULATE
    return VERILOG.format(
        **common, element=field_ if work.shape.signed else f"{{1'b0, {field_}}}",
        memories=MEMORIES.format(**common) if work.fold.queued else "",
        accumulate=accumulate.format(
            **common, more=MORE.format(**common) if work.fold.beats > 1 else ""))


def vhdl_text(work: LoopWork) -> str:
    """The VHDL of an array."""
    common, bits, signed = numbers(work), work.shape.bits, work.shape.signed
    part = low_part_bits(bits + (not signed), work.weights.bits)
    field_ = f"$operand((j + 1) * {bits} - 1 downto j * {bits})"
    accumulate = VHDL_ACCUMULATE_GROUPS if work.fold.queued else VHDL_ACCUMULATE
    return VHDL.format(
        **common, element=f"to_integer({'signed' if signed else 'unsigned'}({field_}))",
        at_once=AT_ONCE, part_bits=part,
        low_part=f"x_low(j) mod {1 << part}" if part else "x_low(j)",
        high_part=f"(x_low(j) - x_low(j) mod {1 << part}) / {1 << part}" if part else "0",
        high_product=HIGH_PRODUCT.format(**common) if part else "",
        memories=VHDL_MEMORIES.format(**common) if work.fold.queued else "",
        accumulate=accumulate.format(
            **common, more=VHDL_MORE if work.fold.beats > 1 else ""))
