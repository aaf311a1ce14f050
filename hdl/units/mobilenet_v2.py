"""The whole network: stem, 17 inverted residuals and head, each a stage of the layer table."""
from collections.abc import Callable, Mapping, Sequence

from myhdl import ResetSignal, SignalType, block

from hdl.axis import AxiStream
from hdl.blocks.signals import Instances
from hdl.plan.config import UnitConfig, by_stage
from hdl.units.by_kind import block_of
from hdl.units.inverted_residual import inverted_residual


def inner_streams(configs: Sequence[UnitConfig]) -> dict[str, AxiStream]:
    """{unit: AxiStream}, a fresh stream for the output of every unit but the last."""
    return {config.unit.name: AxiStream(config.stream_out()) for config in configs[:-1]}


def stage_block(configs: Sequence[UnitConfig], inner: Mapping[str, AxiStream]
                ) -> tuple[Callable[..., Instances], tuple[object, ...]]:
    """The block of a stage and its arguments after clk, rst, s_axis and m_axis.

    configs -- UnitConfig of each unit of the stage, in order
    inner   -- {unit: AxiStream}, the output of every unit but the last
    """
    if len(configs) == 1:   # stem and head
        return block_of(configs[0]), (configs[0],)
    return inverted_residual, (configs, inner)


def network_block(configs: Sequence[UnitConfig], inner: Mapping[str, AxiStream]
                  ) -> tuple[Callable[..., Instances], tuple[object, ...]]:
    """The block of consecutive units, the whole network or one stage, and its arguments after clk,
    rst, s_axis and m_axis; as ``stage_block``."""
    if len(by_stage(configs)) > 1:
        return mobilenet_v2, (configs, inner)
    return stage_block(configs, inner)


@block
def mobilenet_v2(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                 configs: Sequence[UnitConfig], inner: Mapping[str, AxiStream]) -> Instances:
    """Pixels in, features out, every unit at work at the same time.

    s_axis  -- AxiStream of configs[0].stream_in(): q = 2p - 255 of a pixel's three bytes a beat
    m_axis  -- AxiStream of configs[-1].stream_out()
    configs -- UnitConfig of every unit, in order
    inner   -- {unit: AxiStream}, the output of every unit but the last
    """
    axis = {"image": s_axis, **inner, configs[-1].unit.name: m_axis}
    stages, before = {}, "image"
    for stage, members in by_stage(configs).items():
        after = members[-1].unit.name
        function, arguments = stage_block(members, inner)
        stages[f"{stage}_stage"] = function(clk, rst, axis[before], axis[after], *arguments)
        before = after
    return list(stages.values())
