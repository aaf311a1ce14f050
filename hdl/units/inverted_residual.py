"""Inverted residual: expand, depthwise, project and, where the shapes allow, the shortcut's add."""
from collections.abc import Mapping, Sequence

from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import link
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import Instances
from hdl.blocks.stream import fork, register_slice
from hdl.plan.config import UnitConfig
from hdl.units.depthwise import depthwise
from hdl.units.pointwise import pointwise


@block
def inverted_residual(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                      configs: Sequence[UnitConfig], inner: Mapping[str, AxiStream]) -> Instances:
    """One stage of the network.

    s_axis, m_axis -- AxiStream of the first unit's input and the last unit's output
    configs        -- UnitConfig of each unit of the stage, in order
    inner          -- {unit: AxiStream}, the output of every unit but the last
    """
    role = {config.unit.role: config for config in configs}
    outputs = {**inner, configs[-1].unit.name: m_axis}
    depthwise_axis = outputs[role["depthwise"].unit.name]
    project_axis = outputs[role["project"].unit.name]

    if "add" in role:
        trunk_axis, shortcut_axis = [AxiStream(role["expand"].stream_in()) for _ in range(2)]
        delayed_axis, sum_axis = [AxiStream(role["add"].stream_out()) for _ in range(2)]
        split = fork(clk, rst, s_axis, trunk_axis, shortcut_axis)
        delay = link(clk, rst, shortcut_axis, delayed_axis, role["add"].buffers.fifo_depth)
        join = residual_add(clk, rst, project_axis, delayed_axis, sum_axis)
        output = register_slice(clk, rst, sum_axis, m_axis)
    else:
        trunk_axis = s_axis

    if "expand" in role:
        expand_axis = outputs[role["expand"].unit.name]
        expand = pointwise(clk, rst, trunk_axis, expand_axis, role["expand"])
        filter_ = depthwise(clk, rst, expand_axis, depthwise_axis, role["depthwise"])
    else:
        filter_ = depthwise(clk, rst, trunk_axis, depthwise_axis, role["depthwise"])
    project = pointwise(clk, rst, depthwise_axis, project_axis, role["project"])
    return instances()
