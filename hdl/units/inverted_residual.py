"""Inverted residual: expand, depthwise, project and, where the shapes allow, the shortcut's add."""
from collections.abc import Mapping, Sequence

from myhdl import ResetSignal, SignalType, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import fifo, link
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import Instances
from hdl.blocks.stream import fork, register_slice
from hdl.blocks.tile_add import tile_add
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.tile_move import tile_move
from hdl.plan.config import UnitConfig
from hdl.units.by_kind import block_of

# {role: name of the instance of its unit}
INSTANCES = {"expand": "expand", "depthwise": "filter_", "project": "project"}


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

    if configs[0].folding.flushes:
        tiles = configs[0].folding.tiles
        source_axis = AxiStream(configs[0].stream_flushed())
        flush = tile_flush(clk, rst, s_axis, source_axis, tiles.tiles ** 2, tiles.tail)
    else:
        source_axis = s_axis

    if "add" in role:
        trunk_axis, shortcut_axis = [AxiStream(source_axis.shape) for _ in range(2)]
        delayed_axis, sum_axis = [AxiStream(role["add"].stream_out()) for _ in range(2)]
        split = fork(clk, rst, source_axis, trunk_axis, shortcut_axis)
        if role["add"].folding.constant:
            delay = tile_shortcut(clk, rst, shortcut_axis, delayed_axis, role["add"])
            join = tile_add(clk, rst, project_axis, delayed_axis, sum_axis)
        else:
            delay = link(clk, rst, shortcut_axis, delayed_axis, role["add"].buffers.fifo_depth)
            join = residual_add(clk, rst, project_axis, delayed_axis, sum_axis)
        output = register_slice(clk, rst, sum_axis, m_axis)
    else:
        trunk_axis = source_axis

    if "expand" in role:
        expand_axis = outputs[role["expand"].unit.name]
        expand = block_of(role["expand"])(clk, rst, trunk_axis, expand_axis, role["expand"])
        filter_ = block_of(role["depthwise"])(clk, rst, expand_axis, depthwise_axis,
                                              role["depthwise"])
    else:
        filter_ = block_of(role["depthwise"])(clk, rst, trunk_axis, depthwise_axis,
                                              role["depthwise"])
    project = block_of(role["project"])(clk, rst, depthwise_axis, project_axis, role["project"])
    return instances()


@block
def tile_shortcut(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                  config: UnitConfig) -> Instances:
    """Tiles that a residual add adds: as they lie a row and a column before, while the other branch
    works.

    s_axis -- the beats of the other branch
    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of the add
    """
    moved = AxiStream(m_axis.shape)
    move = tile_move(clk, rst, s_axis, moved, config.folding.tiles)
    delay = fifo(clk, rst, moved, m_axis, config.buffers.fifo_depth)
    return instances()
