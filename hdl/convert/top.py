"""The top that instantiates the stages by name, as Verilog and as VHDL."""
from collections.abc import Callable, Mapping, Sequence

from hdl.plan.config import UnitConfig

TOP = "mobilenet_v2"
ABOUT_TOP = "MobileNetV2: pixels in, features out, every stage at work at the same time."


def top_links(grouped: Mapping[str, Sequence[UnitConfig]]) -> list[tuple[str, int]]:
    """Streams of the top: (name, width) of each stage's input, then the last stage's output."""
    stages = list(grouped)
    return [("s_axis", grouped[stages[0]][0].stream_in().width),
            *((f"{stage}_axis", grouped[stage][-1].stream_out().width)
              for stage in stages[:-1]),
            ("m_axis", grouped[stages[-1]][-1].stream_out().width)]


def stage_ports(source: str, sink: str, connect: Callable[[str, str], str]) -> str:
    """A stage's connections to the streams of those names; ``connect`` formats port and signal."""
    return ",\n".join("    " + connect(f"{side}_{member}", f"{link}_{member}")
                      for side, link in (("s_axis", source), ("m_axis", sink))
                      for member in ("tdata", "tvalid", "tready"))


def top_verilog(grouped: Mapping[str, Sequence[UnitConfig]]) -> str:
    """Verilog of the module that joins the stages."""
    links = top_links(grouped)
    lines = [
        f"// {ABOUT_TOP}", "", "`timescale 1ns/10ps", "",
        f"module {TOP} (",
        "    input wire clk,",
        "    input wire rst,",
        f"    input wire [{links[0][1] - 1}:0] s_axis_tdata,",
        "    input wire s_axis_tvalid,",
        "    output wire s_axis_tready,",
        f"    output wire [{links[-1][1] - 1}:0] m_axis_tdata,",
        "    output wire m_axis_tvalid,",
        "    input wire m_axis_tready",
        ");", ""]
    for link, width in links[1:-1]:
        lines += [f"wire [{width - 1}:0] {link}_tdata;", f"wire {link}_tvalid, {link}_tready;"]
    for stage, (source, _), (sink, _) in zip(grouped, links, links[1:]):
        lines += ["", f"{stage} {stage}_stage (", "    .clk(clk),", "    .rst(rst),",
                  stage_ports(source, sink, ".{}({})".format), ");"]
    return "\n".join([*lines, "", "endmodule", ""])


def top_vhdl(grouped: Mapping[str, Sequence[UnitConfig]]) -> str:
    """VHDL of the entity that joins the stages."""
    links = top_links(grouped)
    lines = [
        f"-- {ABOUT_TOP}", "",
        "library ieee;",
        "use ieee.std_logic_1164.all;",
        "use ieee.numeric_std.all;", "",
        f"entity {TOP} is",
        "    port (",
        "        clk : in std_logic;",
        "        rst : in std_logic;",
        f"        s_axis_tdata : in unsigned({links[0][1] - 1} downto 0);",
        "        s_axis_tvalid : in std_logic;",
        "        s_axis_tready : out std_logic;",
        f"        m_axis_tdata : out unsigned({links[-1][1] - 1} downto 0);",
        "        m_axis_tvalid : out std_logic;",
        "        m_axis_tready : in std_logic",
        "    );",
        "end entity;", "",
        f"architecture structure of {TOP} is"]
    for link, width in links[1:-1]:
        lines += [f"    signal {link}_tdata : unsigned({width - 1} downto 0);",
                  f"    signal {link}_tvalid, {link}_tready : std_logic;"]
    lines.append("begin")
    for stage, (source, _), (sink, _) in zip(grouped, links, links[1:]):
        lines += ["", f"{stage}_stage : entity work.{stage} port map (", "    clk => clk,",
                  "    rst => rst,", stage_ports(source, sink, "{} => {}".format) + ");"]
    return "\n".join([*lines, "", "end architecture;", ""])
