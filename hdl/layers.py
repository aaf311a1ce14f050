"""The layer table: MobileNetV2 as frozen rows, one for each hardware unit.

Golden code and hardware share this table and the stored integers, nothing else.  A row is one
convolution or one residual add of ``keras.applications.MobileNetV2(include_top=False)`` and
carries the name of its Keras layer.  Source: Sandler et al., "MobileNetV2: Inverted Residuals and
Linear Bottlenecks" (2018), Table 2, with Keras's rounding of channels and its padding.
"""
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
MIN_RESOLUTION = 32

# Table 2 of the paper: expansion t, channels c, repeats n, stride s of the first repeat.
BOTTLENECKS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@dataclass(frozen=True)
class Precision:
    """Widths in bits of every kind of integer in the network.

    What works on one unit takes ``of(unit)``, whose ``weight_bits`` are that unit's.
    """

    name: str                 # of the whole network's widths
    weight_bits: int          # signed, symmetric
    relu6_bits: int           # unsigned, after ReLU6; full scale is 6
    linear_bits: int          # signed, after a project convolution or a residual add
    input_bits: int = 9       # signed pixel 2p - 255
    multiplier_bits: int = 16  # unsigned requantize mantissa, top bit set
    by_unit: tuple[tuple[str, int], ...] = ()   # (unit, bits of its weights) where others

    def of(self, unit: str) -> "Precision":
        """The row of one unit, by its name."""
        return replace(self, weight_bits=dict(self.by_unit).get(unit, self.weight_bits),
                       by_unit=())

    @property
    def weight_limit(self) -> int:
        """The largest weight; the least is its negative."""
        return (1 << self.weight_bits - 1) - 1

    def signed(self, activation: str) -> bool:
        """Whether a tensor of this activation ('input', 'relu6', 'linear') has a sign."""
        return activation != "relu6"

    def bits(self, activation: str) -> int:
        """Bits of one element of a tensor of this activation."""
        return {"input": self.input_bits, "relu6": self.relu6_bits,
                "linear": self.linear_bits}[activation]

    def limits(self, activation: str) -> tuple[int, int]:
        """(least, greatest) integer of a tensor of this activation."""
        bits = self.bits(activation)
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if self.signed(activation) \
            else (0, (1 << bits) - 1)


WEIGHT_BITS, RELU6_BITS, LINEAR_BITS = range(4, 17), range(4, 17), range(6, 19)


@dataclass(frozen=True)
class Kind:
    """What all units of one kind have in common.

    ``hdl.plan.schedule.TIMINGS`` has the timing of each kind and ``hdl.units.by_kind.BLOCKS`` its
    block.
    """

    name: str
    convolves: bool     # multiplies by weights and requantizes; else it adds its stage's input
    windowed: bool      # works on 3x3 windows; else on single pixels
    shared: bool        # every output is of all input channels; else each of its own channel
    tiled: bool = False     # can take tiles of pixels, where more than one comes per clock


KINDS = {kind.name: kind for kind in (
    Kind("stem", convolves=True, windowed=True, shared=True, tiled=True),
    Kind("pointwise", convolves=True, windowed=False, shared=True),
    Kind("depthwise", convolves=True, windowed=True, shared=False),
    Kind("residual_add", convolves=False, windowed=False, shared=False),
)}


@dataclass(frozen=True)
class Unit:
    """One hardware unit: a convolution with its requantizer, or a residual add.

    Sizes are square: ``size_in`` x ``size_in`` pixels of ``channels_in`` channels come in,
    ``size_out`` x ``size_out`` pixels of ``channels_out`` go out.
    """

    name: str            # the Keras layer: Conv1, block_1_expand, block_2_add, Conv_1 ...
    kind: str            # the name of one of KINDS
    role: str            # stem, expand, depthwise, project, add, head
    stage: str           # stem, expanded_conv, block_1 ... block_16, head
    size_in: int
    size_out: int
    channels_in: int
    channels_out: int
    kernel: int = 1
    stride: int = 1
    pad: tuple[int, int] = (0, 0)   # zero rows above (columns left), below (right)
    activation_in: str = "relu6"    # input, relu6, linear
    activation: str = "relu6"       # of the output: relu6, linear

    @property
    def facts(self) -> Kind:
        """The row of its kind."""
        return KINDS[self.kind]

    @property
    def pixels_in(self) -> int:
        """Input pixels of a frame."""
        return self.size_in ** 2

    @property
    def pixels_out(self) -> int:
        """Output pixels of a frame."""
        return self.size_out ** 2

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights: (inputs of an output, outputs); () for an add.

        Inputs are taps times channels, channels minor, as Keras orders its kernel; depthwise, the
        taps of one channel.
        """
        if not self.facts.convolves:
            return ()
        channels = self.channels_in if self.facts.shared else 1
        return self.kernel ** 2 * channels, self.channels_out

    @property
    def weights(self) -> int:
        """Weights, bias apart."""
        return self.weight_shape[0] * self.weight_shape[1] if self.weight_shape else 0

    @property
    def parameters(self) -> int:
        """Keras's parameters: the weights and four batch-norm vectors."""
        return self.weights + 4 * self.channels_out if self.weight_shape else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a frame."""
        return self.weights * self.pixels_out


def divisible(channels: float, divisor: int = 8) -> int:
    """Keras's ``_make_divisible``: the nearest multiple of 8, at least 0.9 of ``channels``."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def padding(size: int, stride: int) -> tuple[int, int]:
    """Zero rows (before, after) of a 3x3 convolution over ``size`` rows, as Keras pads.

    Stride 1 is 'same'; stride 2 pads the far side only when the size is even (``correct_pad``).
    """
    return (0, 1) if stride == 2 and size % 2 == 0 else (1, 1)


def layer_table(alpha: float = 1.0, resolution: int = 224) -> tuple[Unit, ...]:
    """Every unit of the network in order of data flow, as a tuple of ``Unit``.

    Raises ValueError for an alpha or a resolution that Keras has no network for.
    """
    if alpha not in ALPHAS:
        raise ValueError(f"alpha {alpha} is not one of Keras's "
                         f"{', '.join(map(str, ALPHAS))}: choose one of them")
    if resolution != int(resolution) or resolution < MIN_RESOLUTION:
        raise ValueError(f"resolution {resolution} is too small or not whole: MobileNetV2 "
                         f"takes {MIN_RESOLUTION} pixels and more")
    units: list[Unit] = []

    def convolve(name, kind, role, stage, channels_out, kernel=1, stride=1, activation="relu6"):
        """Append a convolution that follows the last unit."""
        last = units[-1] if units else None
        size_in = last.size_out if last else int(resolution)
        units.append(Unit(
            name, kind, role, stage, size_in, -(-size_in // stride),
            last.channels_out if last else 3, channels_out, kernel, stride,
            padding(size_in, stride) if kernel == 3 else (0, 0),
            last.activation if last else "input", activation))

    convolve("Conv1", "stem", "stem", "stem", divisible(32 * alpha), kernel=3, stride=2)
    number = 0
    for expansion, channels, repeats, first_stride in BOTTLENECKS:
        for repeat in range(repeats):
            stage = f"block_{number}" if number else "expanded_conv"
            stride = 1 if repeat else first_stride
            channels_in, size_in = units[-1].channels_out, units[-1].size_out
            expanded = channels_in * (expansion if number else 1)
            channels_out = divisible(int(channels * alpha))
            if number:
                convolve(f"{stage}_expand", "pointwise", "expand", stage, expanded)
            convolve(f"{stage}_depthwise", "depthwise", "depthwise", stage, expanded, 3, stride)
            convolve(f"{stage}_project", "pointwise", "project", stage, channels_out,
                     activation="linear")
            if stride == 1 and channels_in == channels_out:
                units.append(Unit(f"{stage}_add", "residual_add", "add", stage, size_in, size_in,
                                  channels_out, channels_out, activation_in="linear",
                                  activation="linear"))
            number += 1
    convolve("Conv_1", "pointwise", "head", "head",
             divisible(1280 * alpha) if alpha > 1 else 1280)
    return tuple(units)


def stages(table: Iterable[Unit]) -> dict[str, tuple[Unit, ...]]:
    """The table's units by stage, in order: {stage: (unit, ...)}; 19 stages."""
    return by(table, "stage")


def by(table: Iterable[Unit], column: str) -> dict[str, tuple[Unit, ...]]:
    """The table's units by what they have in a column of words, in order: {word: (unit, ...)}."""
    grouped: dict[str, list[Unit]] = {}
    for unit in table:
        grouped.setdefault(getattr(unit, column), []).append(unit)
    return {word: tuple(units) for word, units in grouped.items()}


def precision(name: str) -> Precision:
    """The row of a name such as 'w8a8', 'w8a10l14' or 'w6a8,depthwise=w8,block_3_expand=w4'.

    First come bits of weights, of ReLU6 activations and of linear ones, which without a number of
    their own have four more than the others, 18 at most.  Then may come, in any order, the width of
    the weights of a kind, a role or a single unit; of several that hold for a unit, a role's counts
    before a kind's and the unit's own before both.  Equal widths have one name.

    Raises ValueError for a name of another form, a width that no unit is made for, and a unit that
    is not there.
    """
    general, *parts = name.split(",")
    match = re.fullmatch(r"w(\d+)a(\d+)(?:l(\d+))?", general, re.ASCII)
    weight, relu6, linear = map(int, match.groups(default=-1)) if match else (0, 0, 0)
    usual = min(relu6 + 4, LINEAR_BITS[-1])
    linear = usual if linear < 0 else linear
    for bits, widths in ((weight, WEIGHT_BITS), (relu6, RELU6_BITS), (linear, LINEAR_BITS)):
        if bits not in widths:
            raise ValueError(
                f"precision {general} is not one of w{WEIGHT_BITS[0]}..{WEIGHT_BITS[-1]} "
                f"a{RELU6_BITS[0]}..{RELU6_BITS[-1]} l{LINEAR_BITS[0]}..{LINEAR_BITS[-1]}, bits of "
                "weights, ReLU6 and linear activations: give one such as w8a8 or w8a10l14")
    row = Precision(f"w{weight}a{relu6}" + f"l{linear}" * (linear != usual), weight, relu6, linear)
    return with_weights(row, named_widths(parts)) if parts else row


def named_widths(parts: Iterable[str]) -> dict[str, int]:
    """{unit: bits of its weights} of parts of a precision's name such as 'head=w4'."""
    units = [unit for unit in layer_table() if unit.weights]
    found: dict[str, int] = {}
    for part in parts:
        match = re.fullmatch(r"(\w+)=w(\d+)", part, re.ASCII)
        if not match or int(match[2]) not in WEIGHT_BITS:
            raise ValueError(
                f"width {part} is no UNIT=wW with W of {WEIGHT_BITS[0]} to {WEIGHT_BITS[-1]} bits, "
                "for weights alone: give one such as depthwise=w8")
        if match[1] in found:
            raise ValueError(f"{match[1]} has more than one width: give it one")
        found[match[1]] = int(match[2])
    groups = list(dict.fromkeys(word for unit in units for word in (unit.kind, unit.role)))
    for name in found:
        if name not in groups and name not in {unit.name for unit in units}:
            raise ValueError(f"{name} is no unit with weights: give one of {', '.join(groups)}, or "
                             "a single unit such as block_3_expand")
    return {unit.name: found[name] for unit in units
            for name in (unit.kind, unit.role, unit.name) if name in found}


def with_weights(general: Precision, widths: Mapping[str, int]) -> Precision:
    """A row with other widths of weights, {unit: bits}; units without one have the general width.

    Its name tells for each role the width of most of its units, then the other units'.
    """
    units = [unit for unit in layer_table() if unit.weights]
    bits = {unit.name: widths.get(unit.name, general.weight_bits) for unit in units}
    parts, singles = [general.name], []
    for role, members in by(units, "role").items():
        counts = Counter(bits[unit.name] for unit in members)
        usual = max(counts, key=lambda width: (counts[width], width == general.weight_bits, width))
        parts += [f"{role}=w{usual}"] * (usual != general.weight_bits)
        singles += [f"{unit.name}=w{bits[unit.name]}" for unit in members
                    if bits[unit.name] != usual]
    return replace(general, name=",".join(parts + singles), by_unit=tuple(
        (name, width) for name, width in bits.items() if width != general.weight_bits))


PRECISIONS = {name: precision(name) for name in ("w16a16", "w8a8")}


def weight_bits(table: Iterable[Unit], row: Precision) -> int:
    """Bits of all weights of a table, each once."""
    return sum(unit.weights * row.of(unit.name).weight_bits for unit in table)
