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


# Where each block has its multiply-accumulate array: the names of instances, from the unit inwards;
# and the bits there that are all high in as many cycles as every multiplier makes products: a
# folded array adds each beat's, once.
MULTIPLY: dict[str, tuple[str, ...]] = {
    "stem": ("sums", "array", "array"), "pointwise": ("sums", "array", "array"),
    "depthwise": ("array", "array")}
MULTIPLY_BITS = ("steps_add",)
CONSTANT_MULTIPLY: dict[str, tuple[str, ...]] = {
    "stem": ("windows", "convolve"), "pointwise": ("convolve",), "depthwise": ("convolve",)}
# The products of a beat without a tile of its own are of no frame, but for those of what is left
# over of a tile, which are counted with the beat that brings the tile.
CONSTANT_MULTIPLY_BITS = ("steps_multiply", "patch_own")


def multiply_step(config: UnitConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where a convolution multiplies: (names of instances from the unit inwards, bits there)."""
    if config.folding.constant:
        return CONSTANT_MULTIPLY[config.unit.kind], CONSTANT_MULTIPLY_BITS
    return MULTIPLY[config.unit.kind], MULTIPLY_BITS


def block_of(config: UnitConfig) -> Callable[..., Instances]:
    """The block of a convolution."""
    return (CONSTANT_BLOCKS if config.folding.constant else BLOCKS)[config.unit.kind]
