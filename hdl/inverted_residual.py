"""Inverted residual: expand, depthwise, project and, where the shapes allow, the shortcut's add."""
from myhdl import block, instances

from hdl.axis import AxiStream
from hdl.depthwise import depthwise
from hdl.pointwise import pointwise
from hdl.residual_add import residual_add
from hdl.stream import connect, fifo, fork, register_slice, width_converter


@block
def inverted_residual(clk, rst, s_axis, m_axis, configs):
    """One stage of the network; its inner streams carry the names of their units' roles.

    s_axis, m_axis -- AxiStream of the first unit's input and the last unit's output
    configs        -- UnitConfig of each unit of the stage, in order
    """
    role = {config.unit.role: config for config in configs}
    narrow, wide = role["depthwise"].stream_in(), role["depthwise"].stream_out()
    depthwise_axis = AxiStream(*wide)
    project_axis = AxiStream(*role["project"].stream_out())

    trunk = AxiStream(s_axis.lanes, s_axis.bits, s_axis.signed)
    if "add" in role:
        add = role["add"].folding
        shortcut = AxiStream(s_axis.lanes, s_axis.bits, s_axis.signed)
        matched, delayed = [AxiStream(add.lanes_in, s_axis.bits, s_axis.signed) for _ in range(2)]
        add_axis = AxiStream(add.lanes_out, m_axis.bits, m_axis.signed)
        split = fork(clk, rst, s_axis, trunk, shortcut)
        match = width_converter(clk, rst, shortcut, matched)
        delay = fifo(clk, rst, matched, delayed, add.fifo_depth)
        add_units = residual_add(clk, rst, project_axis, delayed, add_axis)
        output = register_slice(clk, rst, add_axis, m_axis)
    else:
        split = connect(s_axis, trunk)
        output = connect(project_axis, m_axis)

    if "expand" in role:
        expand_axis = AxiStream(*narrow)
        expand_unit = pointwise(clk, rst, trunk, expand_axis, role["expand"])
        depthwise_unit = depthwise(clk, rst, expand_axis, depthwise_axis, role["depthwise"])
    else:
        depthwise_unit = depthwise(clk, rst, trunk, depthwise_axis, role["depthwise"])
    project_unit = pointwise(clk, rst, depthwise_axis, project_axis, role["project"])
    return instances()
