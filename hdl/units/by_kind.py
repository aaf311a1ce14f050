"""The block of each kind of unit."""
from collections.abc import Callable

from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import Instances
from hdl.plan.config import UnitConfig
from hdl.units.constant import constant_pointwise, constant_stem, constant_windows
from hdl.units.depthwise import depthwise
from hdl.units.pointwise import pointwise
from hdl.units.stem import stem

# {kind: its block}, each called as block(clk, rst, s_axis, m_axis, config); an add, which has no
# weights, as residual_add(clk, rst, s_axis, s_axis_shortcut, m_axis).
BLOCKS: dict[str, Callable[..., Instances]] = {
    "stem": stem, "pointwise": pointwise, "depthwise": depthwise, "residual_add": residual_add}

# The same of units whose weights are constants.
CONSTANT_BLOCKS: dict[str, Callable[..., Instances]] = {
    "stem": constant_stem, "pointwise": constant_pointwise, "depthwise": constant_windows}


def block_of(config: UnitConfig) -> Callable[..., Instances]:
    """The block of a convolution."""
    return (CONSTANT_BLOCKS if config.folding.constant else BLOCKS)[config.unit.kind]
