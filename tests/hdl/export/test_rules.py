"""The rules of streams in exported benches: each, broken in the text, is told by its name."""
import re

import pytest

from tests.support.exported import LANGUAGE, check, exported, run, small
from tests.support.simulators import available

# A bit that turns in every cycle, in either language: a declaration, then statements.
FLIP = {"icarus": ("reg flip = 0;\nalways @(posedge clk) flip <= !flip;\n", ""),
        "ghdl": ("signal flip : std_logic := '0';\n", "flip <= not flip when rising_edge(clk);\n")}
# {rule: (assignment in the outermost module, its right side in Verilog, in VHDL; stream)}
BROKEN = {
    "held": ("m_axis_tvalid", "{0} && flip", "{0} and flip", "m_axis"),
    "stable": ("m_axis_tlast", "flip", "flip", "m_axis"),
    "known": ("m_axis_tlast", "1'bx", "'X'", "m_axis"),
    "marked": ("m_axis_tlast", "1'b0", "'0'", "m_axis"),
    "taken": ("s_axis_tready", "1'b0", "'0'", "s_axis")}


def spoil(directory, tool, signal, verilog, vhdl, part=""):
    """Assign something else to a signal of whole_bytes' parts."""
    part = part or ("from_bytes" if signal.startswith("s_axis") else "to_bytes")
    file = next(directory.glob(f"rtl/{part}_*"))
    text, (declared, stated) = file.read_text(), FLIP[tool]
    if tool == "icarus":
        text, count = re.subn(rf"assign {signal} = (.*);",
                              lambda at: f"assign {signal} = {verilog.format(at[1])};", text)
        text = text.replace(");\n", f");\n{declared}", 1) if "flip" in verilog else text
    else:
        text, count = re.subn(rf"^( *{signal} <= )(.*);",
                              lambda at: f"{at[1]}{vhdl.format(at[2])};", text, flags=re.M)
        if "flip" in vhdl:
            text = text.replace("\nbegin\n", f"\n{declared}begin\n{stated}", 1)
    assert count == 1, text
    file.write_text(text)


@pytest.mark.parametrize("rule", BROKEN)
@pytest.mark.parametrize("tool", ["icarus", "ghdl"])
def test_a_broken_rule_is_told_by_name(tmp_path, rng, tool, rule):
    directory = exported(tmp_path, small(rng)[0], LANGUAGE[tool])
    signal, verilog, vhdl, stream = BROKEN[rule]
    spoil(directory, tool, signal, verilog, vhdl)
    if rule == "taken":     # nor goes anything in
        spoil(directory, tool, "m_axis_tvalid", verilog, vhdl, "from_bytes")
    status, said = check(tool, directory)
    assert status != 0 and re.search(rf"FAIL: cycle \d+: rule {rule} of {stream}: ", said), said


OWN = {"icarus": ("own.sv", """\
module own;
reg clk = 0, rst = 0, finished = 0;
integer beats = 0;
dut_rules #(.NAME("mine"), .WIDTH(4), .BEATS(5)) rules (.clk(clk), .rst(rst), .payload(4'd3),
    .tvalid(beats < 8), .tready(1'b1), .tlast(beats == 4), .counts(1'b1), .finished(finished));
always #5 clk = !clk;
always @(posedge clk) begin
    beats <= beats + 1;
    finished <= beats > 9;
end
initial #1000 $finish;
endmodule
""", "iverilog -g2012 -s own -o own dut_bench.sv own.sv && vvp -n own"),
       "ghdl": ("own.vhd", """\
library ieee;
use ieee.std_logic_1164.all;
entity own is end entity;
architecture tb of own is
    signal clk, rst, tvalid, tlast : std_logic := '0';
    signal finished : boolean := false;
    signal beats : natural := 0;
begin
    tvalid <= '1' when beats < 8 else '0';
    tlast <= '1' when beats = 4 else '0';
    clk <= not clk after 5 ns when beats < 99;
    rules : entity work.dut_rules generic map (NAME => "mine", LONGEST => 9, BEATS => 5) port map (
        clk => clk, rst => rst, payload => "0011", tvalid => tvalid, tready => '1', tlast => tlast,
        finished => finished);
    process (clk) is begin
        if rising_edge(clk) then
            beats <= beats + 1;
            finished <= beats > 9;
        end if;
    end process;
end architecture;
""", "ghdl -a --std=08 $(cat files.f) dut_bench.vhd own.vhd && ghdl --elab-run --std=08 own")}


@pytest.mark.parametrize("tool", OWN)
def test_in_a_simulation_of_ones_own(tmp_path, rng, tool):
    """The rules beside a stream that has nothing to do with the block; it stops inside a frame."""
    available(tool)
    directory = exported(tmp_path, small(rng)[0], LANGUAGE[tool])
    name, text, command = OWN[tool]
    (directory / name).write_text(text)
    status, said = run(tool, command, directory)
    assert status != 0 and "rule ended of mine: 3 beats of the 5 of a frame came" in said, said
