"""Dot products of two outputs with the same inputs, two products in each multiplier.

``hdl/plan/pairs.py`` has the formula and its source.  Words of both products are added in the
multipliers, from half a field on, which rounds the upper sum to what it is; then the two sums part,
and those of several words are added for themselves.
"""
from myhdl import SignalType, always, block, instances

from hdl.blocks.dot import dot, dot_bits, tree
from hdl.blocks.signals import Instances, sint
from hdl.plan.pairs import Pairs


def paired_bits(x: list[SignalType], weight: SignalType, pairs: Pairs) -> int:
    """Bits of the sums of ``paired_dot``: those of a single word are within the field."""
    bits = dot_bits(len(x), x[0], weight)
    return min(bits, pairs.field) if len(x) == pairs.products else bits


@block
def paired_dot(clk: SignalType, enable: SignalType, x: list[SignalType], weight: list[SignalType],
               total: list[SignalType], pairs: Pairs) -> Instances:
    """total[j] = sum of x_i * w_ji, with hdl.plan.folding.pipeline less READ cycles of latency, in
    each of which ``enable`` is high.

    weight -- the weights of output 0, as many as x, then those of output 1, which are one less
              where output 0's is negative; none is the least of its width
    total  -- two signed signals, no wider than paired_bits
    """
    count, field, each = len(x), pairs.field, pairs.products
    check(x, weight, pairs)
    low, high = weight[:count], weight[count:]
    words = count // each
    factor = [sint(field + len(high[0])) for _ in range(count)]
    joined = [join(low[i], high[i], factor[i]) for i in range(count)]
    bits = min(field, dot_bits(each, x[0], low[0]), len(total[0]))
    word = [sint(field + bits) for _ in range(words)]
    products = [dot(each, 1 << field - 1)(
        clk, enable, x[i * each:(i + 1) * each], factor[i * each:(i + 1) * each], word[i])
        for i in range(words)]
    if words > 1:
        lows, highs = [[sint(bits) for _ in range(words)] for _ in range(2)]
        apart = [part(word[i], lows[i], highs[i], field) for i in range(words)]
        low_sum = tree(words)(clk, enable, lows, total[0])
        high_sum = tree(words)(clk, enable, highs, total[1])
    else:
        apart = [part(word[0], total[0], total[1], field)]
    return instances()


@block
def lone_dot(clk: SignalType, enable: SignalType, x: list[SignalType], weight: list[SignalType],
             total: SignalType, pairs: Pairs) -> Instances:
    """total = sum of x_i * weight_i, with the latency of ``paired_dot``, of an output without a
    partner."""
    each = pairs.products
    words = len(x) // each
    if words > 1:
        bits = min(dot_bits(each, x[0], weight[0]), len(total))
        word = [sint(bits) for _ in range(words)]
        products = [dot(each)(clk, enable, x[i * each:(i + 1) * each],
                              weight[i * each:(i + 1) * each], word[i]) for i in range(words)]
        sums = tree(words)(clk, enable, word, total)
    else:
        products = [dot(each)(clk, enable, x, weight, total)]
    return instances()


def check(x: list[SignalType], weight: list[SignalType], pairs: Pairs) -> None:
    """ValueError where inputs and weights are not two outputs', or do not fit into the field."""
    most = (weight[0].max - 1) * max(-x[0].min, x[0].max - 1)
    if len(weight) != 2 * len(x) or len(x) % pairs.products \
            or pairs.products * most >= 1 << pairs.field - 1:
        raise ValueError(
            f"paired_dot takes twice as many weights as inputs, a multiple of {pairs.products}, so "
            f"many of whose products have a sum of {pairs.field} bits: there are {len(weight)} of "
            f"{len(weight[0])} bits and {len(x)} inputs from {x[0].min} to {x[0].max - 1}")


@block
def join(low: SignalType, high: SignalType, factor: SignalType) -> Instances:
    """factor = high, behind it low with copies of its sign; wires only."""
    top = len(low) - 1
    field = len(factor) - len(high)
    copies = field - len(low)

    @always(low, high)
    def take():
        factor.next = (int(high) << field) + (int(low) & (1 << field) - 1)

    join.verilog_code = "assign $factor = {$high, {$copies{$low[$top]}}, $low};"
    join.vhdl_code = "$factor <= $high & resize($low, $field);"
    return take


@block
def part(word: SignalType, low: SignalType, high: SignalType, field: int) -> Instances:
    """The two sums of a word that began at half a field.

    low, high -- signed signals of equally many bits, at most ``field``
    """
    bits = len(low)
    whole = bits == field
    top, before, above = bits - 1, bits - 2, field + bits - 1
    mask, sign = (1 << bits) - 1, 1 << bits - 1

    # Not before the first word: what stands there at the start began at nothing.
    @always(word)
    def take():
        low.next = ((int(word) - (1 << field - 1) & mask) ^ sign) - sign
        high.next = ((int(word) >> field & mask) ^ sign) - sign

    # Half a field is the highest bit of the lower sum, or above it.
    part.verilog_code = f"""
assign $low = {'{~$word[$top], $word[$before:0]}' if whole else '$word[$top:0]'};
assign $high = $word[$above:$field];
"""
    part.vhdl_code = f"""
$low <= {'(not $word($top)) & $word($before downto 0)' if whole else '$word($top downto 0)'};
$high <= $word($above downto $field);
"""
    return take


join.func.outputs = ("factor",)
part.func.outputs = ("low", "high")
