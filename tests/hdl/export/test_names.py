"""Prefixes and the folder of memories, on small texts written by hand, three levels deep."""
import pytest
from myhdl.conversion._VHDLNameValidation import _vhdl_keywords

from hdl.export.names import RESERVED, check_prefix, prefixed, settle

VERILOG = {
    "leaf.v": """\
module leaf #(
    parameter DEPTH = 4
) (
    clk
);
// A leaf whose signal top is no module.
input clk;
reg [7:0] top;
initial $readmemh("weights.mem", words);
endmodule
""",
    "top.v": """\
module middle (input clk);
leaf #(.DEPTH(8)) leaf (
    .clk(clk)
);
leaf other (.clk(clk));
endmodule
module plain (input clk);
endmodule

module top (
    input clk
);
    middle middle_stage (
        .clk(clk)
    );
plain #(.N(1)) plain_stage (.clk(clk));
endmodule
"""}
SETTLED_VERILOG = {
    "net_leaf.v": """\
module net_leaf #(
    parameter MEMORY_FOLDER = ".", parameter DEPTH = 4
) (
    clk
);
// A leaf whose signal top is no module.
input clk;
reg [7:0] top;
initial $readmemh({MEMORY_FOLDER, "/net_weights.mem"}, words);
endmodule
""",
    "net_top.v": """\
module net_middle #(
    parameter MEMORY_FOLDER = "."
) (input clk);
net_leaf #(.MEMORY_FOLDER(MEMORY_FOLDER), .DEPTH(8)) leaf (
    .clk(clk)
);
net_leaf #(.MEMORY_FOLDER(MEMORY_FOLDER)) other (.clk(clk));
endmodule
module net_plain (input clk);
endmodule

module net_top #(
    parameter MEMORY_FOLDER = "."
) (
    input clk
);
    net_middle #(.MEMORY_FOLDER(MEMORY_FOLDER)) middle_stage (
        .clk(clk)
    );
net_plain #(.N(1)) plain_stage (.clk(clk));
endmodule
"""}
VHDL = {
    "kit.vhd": """\
package kit is
end kit;
package body kit is
end kit;
""",
    "leaf.vhd": """\
use work.kit.all;

entity leaf is
    generic (
        DEPTH : natural := 4
    );
    port (clk : in std_logic);
end entity leaf;
architecture MyHDL of leaf is
    signal top : std_logic;
    file words : text open read_mode is "weights.mem";
begin
end architecture MyHDL;
""",
    "top.vhd": """\
entity middle is
    port (clk : in std_logic);
end entity;
architecture structure of middle is
begin
leaf : entity work.leaf generic map (
    DEPTH => 8) port map (clk => clk);
end architecture;
entity plain is
end entity plain;
architecture structure of plain is
begin
end architecture;
entity top is
    port (clk : in std_logic);
end entity;
architecture structure of top is
begin
    m : entity work.middle port map (clk => clk);
    plain_stage : entity work.plain;
end architecture;
"""}
SETTLED_VHDL = {
    "net_kit.vhd": """\
package net_kit is
end net_kit;
package body net_kit is
end net_kit;
""",
    "net_leaf.vhd": """\
use work.net_kit.all;

entity net_leaf is
    generic (
        MEMORY_FOLDER : string := "."; DEPTH : natural := 4
    );
    port (clk : in std_logic);
end entity net_leaf;
architecture MyHDL of net_leaf is
    signal top : std_logic;
    file words : text open read_mode is MEMORY_FOLDER & "/net_weights.mem";
begin
end architecture MyHDL;
""",
    "net_top.vhd": """\
entity net_middle is
    generic (
        MEMORY_FOLDER : string := "."
    );
    port (clk : in std_logic);
end entity;
architecture structure of net_middle is
begin
leaf : entity work.net_leaf generic map (
    MEMORY_FOLDER => MEMORY_FOLDER, DEPTH => 8) port map (clk => clk);
end architecture;
entity net_plain is
end entity net_plain;
architecture structure of net_plain is
begin
end architecture;
entity net_top is
    generic (
        MEMORY_FOLDER : string := "."
    );
    port (clk : in std_logic);
end entity;
architecture structure of net_top is
begin
    m : entity work.net_middle generic map (MEMORY_FOLDER => MEMORY_FOLDER) port map (clk => clk);
    plain_stage : entity work.net_plain;
end architecture;
"""}


@pytest.mark.parametrize("hdl, texts, settled", [
    ("Verilog", VERILOG, SETTLED_VERILOG), ("VHDL", VHDL, SETTLED_VHDL)], ids=["Verilog", "VHDL"])
def test_names_and_memories_of_any_depth(hdl, texts, settled):
    assert settle(texts, "net", hdl) == settled
    plain = {file.removeprefix("net_"): text.replace("net_", "") for file, text in settled.items()}
    assert settle(texts, "", hdl) == plain


@pytest.mark.parametrize("hdl, text", [
    ("Verilog", "module plain (input clk);\nendmodule\n"),
    ("VHDL", "entity plain is\nend;\narchitecture a of plain is\nbegin\nend architecture;\n")])
def test_a_design_without_memories_has_no_folder_of_them(hdl, text):
    assert settle({"plain": text}, "", hdl) == {"plain": text}


@pytest.mark.parametrize("prefix", ["net", "a", "Net_1", "cat_vs_dog2"])
def test_prefixes(prefix):
    check_prefix(prefix)
    assert prefixed(prefix, "stem") == f"{prefix}_stem" and prefixed("", "stem") == "stem"


@pytest.mark.parametrize("prefix", ["", "1st", "_net", "net_", "a__b", "a-b", "a b", "a.b", "a/b",
                                    "né", "a$", "net\n", "${HOME}"])
def test_what_is_no_name_is_refused(prefix):
    with pytest.raises(ValueError, match="is no name in Verilog and VHDL: give letters, digits"):
        check_prefix(prefix)


@pytest.mark.parametrize("prefix", ["signal", "Entity", "fork", "logic", "wire", "BLOCK"])
def test_reserved_words_are_refused(prefix):
    with pytest.raises(ValueError, match=f"'{prefix}' is a reserved word of Verilog or VHDL: give "
                                         f"another, such as {prefix}_net$"):
        check_prefix(prefix)


def test_words_that_myhdl_knows_are_among_them():
    assert {*_vhdl_keywords} - {"elseif"} <= RESERVED     # which is none
