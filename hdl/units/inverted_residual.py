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
        delay = shortcut(clk, rst, shortcut_axis, delayed_axis, role["add"])
        add = tile_add if role["add"].folding.constant else residual_add
        join = add(clk, rst, project_axis, delayed_axis, sum_axis)
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
def shortcut(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
             config: UnitConfig) -> Instances:
    """What a residual add adds, when its stage's other branch has it: a FIFO; before it, of tiles
    that creep, those at a row and a column before.

    m_axis -- AxiStream of config.stream_out()
    config -- UnitConfig of the add
    """
    depth = config.buffers.fifo_depth
    if config.folding.constant:
        moved = AxiStream(config.stream_out())
        move = tile_move(clk, rst, s_axis, moved, config.folding.tiles)
        delay = fifo(clk, rst, moved, m_axis, depth)
    else:
        delay = link(clk, rst, s_axis, m_axis, depth)
    return instances()
