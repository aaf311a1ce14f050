"""A module as Verilog."""
import re
import string
import textwrap
from collections.abc import Callable
from io import StringIO

from myhdl import SignalType
from myhdl.conversion import _toVerilog
from myhdl.conversion._misc import _kind

from hdl.hierarchy.families import Grammar
from hdl.hierarchy.module import Bits, Instance, Module, Net, Process, Text, is_signed
from hdl.hierarchy.processes import Converted, converted
from hdl.hierarchy.text import COLUMNS, instantiated, joined, tidy, wrapped

VISITORS = {
    _kind.SIMPLE_ALWAYS_COMB: _toVerilog._ConvertSimpleAlwaysCombVisitor,
    _kind.ALWAYS_COMB: _toVerilog._ConvertAlwaysCombVisitor,
    _kind.ALWAYS_DECO: _toVerilog._ConvertAlwaysDecoVisitor,
    _kind.ALWAYS_SEQ: _toVerilog._ConvertAlwaysSeqVisitor,
}
MARK = "//"     # of a comment
GRAMMAR = Grammar(
    last=r"(?<=\[0:)\d+(?=\];)|(?<=\[)\d+(?=:)", plain=r"(?<=:)\d+(?=\])|(?<=\[)\d+(?=-1:)",
    head="module {name} ", number="parameter {name} = {value}", word="parameter {name} = {value}",
    between=",\n    ", declared="#(\n    {}\n) ",
    give=".{name}({value})", given=" #({})")


def module_text(module: Module, reference: Callable[[Module], str]) -> str:
    """The module's Verilog; ``reference`` says what stands for the module of an instance."""
    with converted(module, "{}[{}]") as processes:
        _toVerilog._annotateTypes(list(processes.trees.values()))
        return tidy([_header(module, processes), _declarations(module, processes), _wires(module),
                     *joined(module.body, [_item(item, processes, reference)
                                           for item in module.body]), "endmodule"])


def _header(module: Module, processes: Converted) -> str:
    ports = []
    for port in module.ports:
        kind = processes.kinds.get(port.net.name) or "wire"
        way = f"output {kind}" if port.output else "input wire"
        ports.append((port.net.group, f"{way} {_type(port.net)}{port.net.name},"))
    return f"{instantiated(f'module {module.name} (', ports)[:-1]});"


def _type(net: Net) -> str:
    """Sign and range of a net, or of the words of an array."""
    if net.bit:
        return ""
    width = len(net.signals[0]) if net.array else net.width
    signed = is_signed(net.signals[0]) and not net.packed
    return f"{'signed ' if signed else ''}[{width - 1}:0] "


def _declarations(module: Module, processes: Converted) -> str:
    nets: dict[str, list[str]] = {}     # {kind: names}
    for net in module.nets:
        kind = f"{processes.kinds.get(net.name) or 'wire'} {_type(net)}"
        depth = f" [0:{len(net.signals) - 1}]" if net.array else ""
        nets.setdefault(kind, []).append(net.name + depth)
    lines = [wrapped(kind, names) for kind, names in nets.items()]
    for name, bits in module.aliases.items():
        if name in module.drivers:
            lines.append(f"{processes.kinds[name]} {_type(_word(bits))}{name};")
        else:
            lines.append(f"wire {_type(_word(bits))}{name} = {expression((bits,))};")
    for name, net in module.arrays.items():
        kind = (processes.kinds[name] if name in module.drivers else None) or "wire"
        word = Net(name, net.signals, array=True)
        lines.append(f"{kind} {_type(word)}{name} [0:{len(net.signals) - 1}];")
    return "\n".join(lines)


def _word(bits: Bits) -> Net:
    """The signal of a packed net that lies at some bits, as a net of its own."""
    return Net("", (_signal(bits),))


def _signal(bits: Bits) -> SignalType:
    low = 0
    for signal in bits.net.signals:
        if low == bits.low:
            return signal
        low += len(signal)
    raise AssertionError("bits of no signal")


def _wires(module: Module) -> str:
    """Continuous assignments between packed nets and their signals under other names."""
    lines = []
    for bits, value in module.constants:
        lines.append(f"assign {expression((bits,))} = {bits.width}'d{value % (1 << bits.width)};")
    for name, bits in module.aliases.items():
        if name in module.drivers:
            lines.append(f"assign {expression((bits,))} = {name};")
    for name, net in module.arrays.items():
        words = [f"{name}[{index}]" for index in range(len(net.signals))]
        if name in module.drivers:
            lines.append(f"assign {net.name} = {{{', '.join(reversed(words))}}};")
        else:
            low = 0
            for word, signal in zip(words, net.signals):
                lines.append(f"assign {word} = {expression((Bits(net, low, len(signal)),))};")
                low += len(signal)
    return "\n".join(lines)


def _item(item: Process | Instance | Text, processes: Converted,
          reference: Callable[[Module], str]) -> str:
    if isinstance(item, Process):
        tree, buffer = processes.trees[id(item)], StringIO()
        VISITORS[tree.kind](tree, buffer, StringIO()).visit(tree)
        return values_together(compact(re.sub(r"end\n +else", "end else",
                                              buffer.getvalue().strip())))
    if isinstance(item, Text):
        names = {**item.block.symdict,
                 **{name: expression(bits) for name, bits in item.names.items()}}
        return string.Template(item.block.verilog_code.code).substitute(names).strip()
    return _instance(item, reference(item.module))


def compact(text: str) -> str:
    """A process with what depends on a condition on the condition's line, where that is one
    statement and fits."""
    left, lines = text.splitlines(), []
    while left:
        line = left.pop(0).rstrip()
        if line.endswith(" begin") and len(left) > 1 and left[0].endswith(";") \
                and left[1].split()[:1] == ["end"]:
            together = f"{line[:-len(' begin')]} {left[0].strip()}"
            # An else belongs to the nearest if.
            last = left[1].strip() == "end"
            if len(together) <= COLUMNS and (last or not left[0].lstrip().startswith("if ")):
                line, left[:2] = together, [] if last else [left[1].replace("end else", "else")]
        lines.append(line)
    shorter = "\n".join(lines)
    return shorter if shorter == text else compact(shorter)


def values_together(text: str) -> str:
    """A process with registers that get a number, such as those of a reset, several on a line."""
    def filled(run: re.Match[str]) -> str:
        return textwrap.fill(" ".join(run[0].split()), COLUMNS, initial_indent=run[1],
                             subsequent_indent=run[1], break_on_hyphens=False) + "\n"

    number = r"\w+ <= -?\d+;\n"
    return re.sub(rf"^( +){number}(?: +{number})+", filled, text, flags=re.M)


def _instance(item: Instance, module: str) -> str:
    if item.count is None:
        return _instantiation(item, module, item.name, "")
    index = f"{item.name}_index"
    body = textwrap.indent(_instantiation(item, module, "each", index), "    ")
    return (f"genvar {index};\n"
            f"for ({index} = 0; {index} < {item.count}; {index} = {index} + 1) "
            f"begin: {item.name}\n{body}\nend")


def _instantiation(item: Instance, module: str, name: str, index: str) -> str:
    ports = [(port.net.group, f".{port.net.name}({expression(bits, index)}),")
             for port, bits in zip(item.module.ports, item.connections)]
    room = COLUMNS - 4 * bool(index)
    line = f"{module} {name} ({' '.join(text for _, text in ports)[:-1]});"
    if len(line) <= room:
        return line
    return f"{instantiated(f'{module} {name} (', ports, room=room)[:-1]});"


def expression(places: tuple[Bits, ...], index: str = "") -> str:
    """Bits of one or more nets, lowest first; ``index`` counts the instances of a row."""
    parts = [_select(bits, index) for bits in reversed(places)]
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"


def _select(bits: Bits, index: str) -> str:
    net, high = bits.net, bits.low + bits.width - 1
    if net.bit or bits.whole and not bits.stride:
        return net.name
    if bits.stride:
        step = index if bits.stride == 1 else f"{index} * {bits.stride}"
        place = f"{bits.low} + {step}" if bits.low else step
        return f"{net.name}[{place}]" if bits.width == 1 else f"{net.name}[{place} +: {bits.width}]"
    return f"{net.name}[{high}]" if bits.width == 1 else f"{net.name}[{high}:{bits.low}]"
