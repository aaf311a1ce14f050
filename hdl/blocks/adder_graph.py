"""Adder graph: products with a constant matrix as additions, subtractions and shifts; no register.

Hand-written Verilog and VHDL, a line for each addition, from the list that the graph is: nodes are
as wide as their integers.  What found the graph is of no matter here.
"""
import numpy as np
from myhdl import SignalType, always, block

from hdl.beats import pack, unpack, words_of
from hdl.blocks.signals import Instances
from hdl.plan.adders import NOTHING, AdderGraph
from hdl.plan.rom import signed_width


@block
def adder_graph(word: SignalType, sums: SignalType, graph: AdderGraph, name: str) -> Instances:
    """sums = the outputs of ``graph`` of the inputs in ``word``, in the same cycle.

    word  -- all inputs, input 0 lowest, each as wide as the widest of them
    sums  -- all outputs, output 0 lowest, each a signed number of equally many bits
    graph -- AdderGraph
    name  -- of the module
    """
    bits, signed = input_bits(graph), any(low < 0 for low, _ in graph.inputs)
    count, outputs = len(graph.inputs), len(graph.outputs)
    if len(word) != count * bits or len(sums) % outputs:
        raise ValueError(f"adder graph {name} takes {count} numbers of {bits} bits and gives "
                         f"{outputs} of equally many, not {len(word)} and {len(sums)} bits")
    sum_bits = len(sums) // outputs

    @always(word)
    def add():
        raw = int(word).to_bytes(4 * words_of(len(word)), "little")
        values = unpack(np.frombuffer(raw, "<u4"), count, bits, signed)
        sums.next = int.from_bytes(pack(graph(values.reshape(1, -1)), sum_bits).tobytes(), "little")

    adder_graph.verilog_code = verilog_text(graph, bits, sum_bits)
    adder_graph.vhdl_code = vhdl_text(graph, bits, sum_bits)
    return add


adder_graph.func.outputs = ("sums",)
adder_graph.func.module_name = lambda name, **others: name


def input_bits(graph: AdderGraph) -> int:
    """Bits of an input: enough for any of them, with a sign where one has a sign."""
    low, high = (min(low for low, _ in graph.inputs), max(high for _, high in graph.inputs))
    return signed_width(low, high) - (low >= 0)


def verilog_text(graph: AdderGraph, bits: int, sum_bits: int) -> str:
    """The Verilog of a graph whose inputs and outputs are so wide."""
    widths = [signed_width(*limits) for limits in graph.limits]
    lines = []
    for n, (low, _) in enumerate(graph.inputs):
        field_ = f"$word[{(n + 1) * bits - 1}:{n * bits}]"
        value = field_ if low < 0 else f"{{1'b0, {field_}}}"
        lines.append(f"wire signed [{widths[n] - 1}:0] n{n} = $$signed({value});")
    for n, add in enumerate(graph.adds, len(graph.inputs)):
        left, right = (f"(n{node} <<< {shift})" if shift else f"n{node}" for node, shift in
                       ((add.left, add.left_shift), (add.right, add.right_shift)))
        lines.append(f"wire signed [{widths[n] - 1}:0] n{n} = {left} {'+-'[add.subtract]} {right};")
    for n, (node, shift, negative) in enumerate(graph.outputs):
        value = "0" if node == NOTHING else f"{'-' * negative}(n{node} <<< {shift})"
        lines.append(f"assign $sums[{(n + 1) * sum_bits - 1}:{n * sum_bits}] = {value};")
    return "\n".join(lines)


def vhdl_text(graph: AdderGraph, bits: int, sum_bits: int) -> str:
    """The VHDL of a graph whose inputs and outputs are so wide."""
    widths = [signed_width(*limits) for limits in graph.limits]
    signals = [f"    signal n{n} : signed({width - 1} downto 0);" for n, width in enumerate(widths)]
    lines = []
    for n, (low, _) in enumerate(graph.inputs):
        field_ = f"$word({(n + 1) * bits - 1} downto {n * bits})"
        value = f"signed({field_})" if low < 0 else f"signed('0' & {field_})"
        lines.append(f"    n{n} <= resize({value}, {widths[n]});")
    for n, add in enumerate(graph.adds, len(graph.inputs)):
        left, right = (f"shift_left(resize(n{node}, {widths[n]}), {shift})" for node, shift in
                       ((add.left, add.left_shift), (add.right, add.right_shift)))
        lines.append(f"    n{n} <= {left} {'+-'[add.subtract]} {right};")
    for n, (node, shift, negative) in enumerate(graph.outputs):
        value = f"to_signed(0, {sum_bits})" if node == NOTHING else \
            f"{'-' * negative}shift_left(resize(n{node}, {sum_bits}), {shift})"
        lines.append(f"    $sums({(n + 1) * sum_bits - 1} downto {n * sum_bits}) <= "
                     f"unsigned({value});")
    return "\n".join(["", *signals, "begin", *lines, ""])
