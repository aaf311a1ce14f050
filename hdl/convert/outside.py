"""The outside of what people take home, around a module or entity that was converted by itself."""
from collections.abc import Sequence
from pathlib import Path

from myhdl import ResetSignal, SignalType, always, block

from hdl.axis import AxiStream
from hdl.convert.stage import convert_block
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.plan.config import UnitConfig
from hdl.units.outside import outside

ENDING = "_axis"    # of the outside's name, behind that of what is inside


def convert_outside(configs: Sequence[UnitConfig], name: str, directory: str | Path,
                    hdl: str = "Verilog") -> Path:
    """Write module or entity ``name``_axis, in which ``name`` is, into ``directory``; returns its
    file.

    configs -- UnitConfig of each unit inside, in order
    """
    shapes, last = (configs[0].stream_in(), configs[-1].stream_out()), configs[-1].unit
    with fresh_elaboration():
        made = outside(*clock_and_reset(), AxiStream(shapes[0].whole_bytes()),
                       AxiStream(shapes[1].whole_bytes("tlast")), shapes, converted, (name,),
                       last.pixels_out * last.channels_out // shapes[1].lanes)
        return convert_block(made, directory, name + ENDING, hdl)[-1]


@block
def converted(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
              name: str) -> object:
    """The instance of a module or entity ``name`` that has its text already.  Not simulated."""
    s_tdata, s_tvalid, s_tready = s_axis.tdata, s_axis.tvalid, s_axis.tready
    m_tdata, m_tvalid, m_tready = m_axis.tdata, m_axis.tvalid, m_axis.tready
    for signal in (clk, rst, s_tdata, s_tvalid, m_tready):
        signal.read = True
    for signal in (s_tready, m_tdata, m_tvalid):
        signal.driven = "wire"

    @always(clk.posedge)
    def run():
        raise NotImplementedError(f"{name} is text")

    converted.verilog_code = """
$name core (
    .clk($clk),
    .rst($rst),
    .s_axis_tdata($s_tdata),
    .s_axis_tvalid($s_tvalid),
    .s_axis_tready($s_tready),
    .m_axis_tdata($m_tdata),
    .m_axis_tvalid($m_tvalid),
    .m_axis_tready($m_tready)
);
"""
    converted.vhdl_code = """
core : entity work.$name port map (
    clk => $clk,
    rst => $rst,
    s_axis_tdata => $s_tdata,
    s_axis_tvalid => $s_tvalid,
    s_axis_tready => $s_tready,
    m_axis_tdata => $m_tdata,
    m_axis_tvalid => $m_tvalid,
    m_axis_tready => $m_tready);
"""
    return run
