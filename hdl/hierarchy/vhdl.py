"""A module as VHDL: an entity and its architecture."""
import string
import textwrap
from collections.abc import Callable, Iterator
from io import StringIO

from myhdl import SignalType
from myhdl.conversion import _toVHDL
from myhdl.conversion._misc import _kind

from hdl.hierarchy.families import Grammar
from hdl.hierarchy.module import Bits, Instance, Module, Net, Process, Text
from hdl.hierarchy.processes import Converted, converted
from hdl.hierarchy.text import COLUMNS, grouped, instantiated, joined, tidy, wrapped
from hdl.myhdl_fixes.vhdl import exact_vhdl

VISITORS = {
    _kind.SIMPLE_ALWAYS_COMB: _toVHDL._ConvertSimpleAlwaysCombVisitor,
    _kind.ALWAYS_COMB: _toVHDL._ConvertAlwaysCombVisitor,
    _kind.ALWAYS_DECO: _toVHDL._ConvertAlwaysDecoVisitor,
    _kind.ALWAYS_SEQ: _toVHDL._ConvertAlwaysSeqVisitor,
}
BIT = "std_logic"
MARK = "--"     # of a comment
GRAMMAR = Grammar(
    last=r"(?<=\(0 to )\d+(?=\))|(?<=\()\d+(?= downto)",
    plain=r"(?<=downto )\d+(?=\))|(?<=\()\d+(?=-1 downto)|(?<=, )\d+(?=\))",
    head="entity {name} is\n",
    number="{name} : natural := {value}", word="{name} : string := {value}",
    between=";\n        ", declared="    generic (\n        {});\n",
    give="{name} => {value}", given=" generic map ({})")


def module_text(module: Module, reference: Callable[[Module], str]) -> str:
    """The module's VHDL; ``reference`` says what stands for the module of an instance."""
    with exact_vhdl(), converted(module, "{}({})") as processes:
        _toVHDL._annotateTypes(list(processes.trees.values()))
        parts = [_item(item, processes, reference) for item in module.body]
        declarations = [_declarations(module, processes), *(before for before, _ in parts)]
        statements = [_wires(module), *joined(module.body, [text for _, text in parts])]
    sections = [_context(module), _entity(module, processes),
                f"architecture rtl of {module.name} is", *declarations, "begin", *statements,
                "end architecture;"]
    return tidy(sections)


def _context(module: Module) -> str:
    lines = ["library ieee;", "use ieee.std_logic_1164.all;", "use ieee.numeric_std.all;"]
    if any(isinstance(item, Text) and item.block is module.block for item in module.body):
        lines.append("use std.textio.all;")
    if any(isinstance(item, Process) for item in module.body):
        lines.append(f"use work.pck_myhdl_{_toVHDL._shortversion}.all;")
    return "\n".join(lines)


def _entity(module: Module, processes: Converted) -> str:
    ports = []
    for port in module.ports:
        first = _first_value(port.net, processes) if port.output else ""
        way = "out" if port.output else "in"
        ports.append((port.net.group, f"{port.net.name} : {way} {_type(port.net)}{first};"))
    return (f"entity {module.name} is\n    port (\n{grouped(ports, 8 * ' ')[:-1]});\n"
            f"end entity;")


def _kind_of(net: Net) -> str:
    """What a net, or a word of an array, is: std_logic, signed or unsigned."""
    if net.bit:
        return BIT
    return "signed" if net.signed else "unsigned"


def _type(net: Net) -> str:
    """Type of a net, or of the words of an array."""
    width = len(net.signals[0]) if net.array else net.width
    return BIT if net.bit else f"{_kind_of(net)}({width - 1} downto 0)"


def _first_value(net: Net, processes: Converted) -> str:
    """`` := value`` of what a process drives."""
    if not processes.kinds.get(net.name):
        return ""
    values = {int(signal._init) for signal in net.signals}
    if len(values) > 1:
        words = ", ".join(_literal(s, int(s._init)) for s in net.signals)
        return f" := ({words})"
    word = _literal(net.signals[0], values.pop())
    return f" := (others => {word})" if net.array else f" := {word}"


def _literal(signal: SignalType, value: int) -> str:
    if signal._type is bool:
        return f"'{value}'"
    bits = len(signal)
    return "(others => '0')" if value == 0 else f'"{value % (1 << bits):0{bits}b}"'


def _declarations(module: Module, processes: Converted) -> str:
    nets: dict[str, list[str]] = {}     # {kind: names}
    lines = []
    for net in module.nets:
        if net.array:
            lines += _array(net.name, net, processes)
        else:
            kind = f" : {_type(net)}{_first_value(net, processes)}"
            nets.setdefault(kind, []).append(net.name)
    lines += [wrapped("signal ", names, kind) for kind, names in nets.items()]
    for name, bits in module.aliases.items():
        word = _word(name, bits)
        if name in module.drivers or _kind_of(word) not in (BIT, _kind_of(bits.net)):
            lines.append(f"signal {name} : {_type(word)}{_first_value(word, processes)};")
        else:
            lines.append(f"alias {name} : {_type(word)} is {_select(bits, not word.bit)};")
    for name, net in module.arrays.items():
        lines += _array(name, net, processes)
    return textwrap.indent("\n".join(lines), "    ")


def _array(name: str, net: Net, processes: Converted) -> list[str]:
    word = Net(name, net.signals, array=True)
    kind = f"{name}_words"
    return [f"type {kind} is array (0 to {len(net.signals) - 1}) of {_type(word)};",
            f"signal {name} : {kind}{_first_value(word, processes)};"]


def _word(name: str, bits: Bits) -> Net:
    """The signal of a packed net that lies at some bits, as a net of its own."""
    low = 0
    for signal in bits.net.signals:
        if low == bits.low:
            return Net(name, (signal,))
        low += len(signal)
    raise AssertionError("bits of no signal")


def _wires(module: Module) -> str:
    """Assignments between packed nets and their signals under other names."""
    lines = []
    for bits, value in module.constants:
        if bits.net.bit:
            lines.append(f"{bits.net.name} <= '{value}';")
        else:
            digits = f"{value % (1 << bits.width):0{bits.width}b}"
            lines.append(f'{_select(bits, True)} <= "{digits}";')
    for name, bits in module.aliases.items():
        word = _word(name, bits)
        if name in module.drivers:
            lines.append(f"{_select(bits, not word.bit)} <= {_cast(bits.net, word, name)};")
        elif _kind_of(word) not in (BIT, _kind_of(bits.net)):
            lines.append(f"{name} <= {_cast(word, bits.net, _select(bits, True))};")
    for name, net in module.arrays.items():
        low = 0
        for index, signal in enumerate(net.signals):
            word, bits = Net("", (signal,)), Bits(net, low, len(signal))
            place, item = _select(bits, not word.bit), f"{name}({index})"
            if name in module.drivers:
                lines.append(f"{place} <= {_cast(net, word, item)};")
            else:
                lines.append(f"{item} <= {_cast(word, net, place)};")
            low += len(signal)
    return textwrap.indent("\n".join(lines), "    ")


def _cast(to: Net, of: Net, expression: str) -> str:
    """An expression of the kind of net ``of`` as one of the kind of ``to``."""
    kinds = _kind_of(to), _kind_of(of)
    return expression if kinds[0] == kinds[1] or BIT in kinds else f"{kinds[0]}({expression})"


def _item(item: Process | Instance | Text, processes: Converted,
          reference: Callable[[Module], str]) -> tuple[str, str]:
    """Declarations and statements of a part of the body."""
    if isinstance(item, Process):
        tree, buffer = processes.trees[id(item)], StringIO()
        VISITORS[tree.kind](tree, buffer, StringIO()).visit(tree)
        return "", textwrap.indent(buffer.getvalue().strip(), "    ")
    if isinstance(item, Text):
        names = {**item.block.symdict,
                 **{name: _expression(bits) for name, bits in item.names.items()}}
        if not item.block.vhdl_code:
            raise ValueError(f"the text of block {item.block.func.__name__} is Verilog: convert "
                             "what it is in to Verilog")
        text = string.Template(item.block.vhdl_code.code).substitute(names).strip("\n")
        before, begin, after = text.partition("\nbegin\n")
        return (before, after) if begin else ("", textwrap.indent(text, "    "))
    return _instance(item, reference(item.module))


def _instance(item: Instance, module: str) -> tuple[str, str]:
    declarations, statements = [], []
    index = f"{item.name}_index" if item.count else ""
    name = "each" if item.count else item.name
    ports = []
    for port, places in zip(item.module.ports, item.connections):
        if port.output and len({_kind_of(part.net) for part in places} | {_kind_of(port.net)}
                               - {BIT}) > 1 and not port.net.bit:
            through = Net(f"{item.name}_{port.net.name}", port.net.signals, packed=port.net.packed)
            declarations.append(f"    signal {through.name} : {_type(through)};")
            ports.append((port.net.group, f"{port.net.name} => {through.name},"))
            statements += [f"    {_select(part, True, index)} <= "
                           f"{_cast(part.net, through, _select(source, True))};"
                           for part, source in _parts(through, places)]
        else:
            ports += [(port.net.group, f"{formal} => {actual},")
                      for formal, actual in _associations(port.net, places, port.output, index)]
    head = f"    {name} : entity work.{module} port map ("
    room = COLUMNS - 4 * bool(item.count)
    text = f"{instantiated(head, ports, 8 * ' ', room)[:-1]});"
    text = "\n".join([text, *statements])
    if not item.count:
        return "\n".join(declarations), text
    inside = "\n".join([*declarations, "begin"]) + "\n" if declarations else ""
    return "", (f"    {item.name} : for {index} in 0 to {item.count - 1} generate\n"
                f"{textwrap.indent(inside + text, '    ')}\n    end generate;")


def _parts(net: Net, places: tuple[Bits, ...]) -> Iterator[tuple[Bits, Bits]]:
    """Each of some places with the bits of ``net`` that belong to it."""
    low = 0
    for part in places:
        yield part, Bits(net, low, part.width)
        low += part.width


def _associations(net: Net, places: tuple[Bits, ...], output: bool,
                  index: str) -> Iterator[tuple[str, str]]:
    """Formal and actual of each part of a port."""
    if not places:
        yield net.name, "open"
        return
    if net.bit:
        yield net.name, _select(places[0], False, index)
        return
    for part, own in _parts(net, places):
        single = part.net.bit
        formal = net.name if own.whole and not single else _select(own, not single)
        actual = _select(part, not single, index)
        yield formal, actual if output else _cast(net, part.net, actual)


def _expression(places: tuple[Bits, ...]) -> str:
    """Bits of one or more nets, lowest first."""
    if len(places) == 1:
        return _select(places[0], True)
    parts = [_select(bits, True) for bits in reversed(places)]
    return " & ".join(part if bits.net.bit else f"unsigned({part})"
                      for part, bits in zip(parts, reversed(places)))


def _select(bits: Bits, vector: bool, index: str = "") -> str:
    """Bits of a net, as a vector or as one std_logic; ``index`` counts the instances of a row."""
    net = bits.net
    if net.bit or vector and bits.whole and not bits.stride:
        return net.name
    low = str(bits.low)
    if bits.stride:
        step = index if bits.stride == 1 else f"{index} * {bits.stride}"
        low = f"{bits.low} + {step}" if bits.low else step
    if not vector:
        return f"{net.name}({low})"
    high = f"{low} + {bits.width - 1}" if bits.stride else str(bits.low + bits.width - 1)
    return f"{net.name}({high} downto {low})"
