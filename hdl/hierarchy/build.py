"""From an elaborated block to its modules."""
from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from itertools import chain, count

from myhdl import SignalType
from myhdl._instance import _Instantiator
from myhdl._ShadowSignal import _ShadowSignal

from hdl.hierarchy.module import Bits, Instance, Module, Net, Port, Process, Text
from hdl.hierarchy.naming import proper_name
from hdl.hierarchy.reserved import legal
from hdl.hierarchy.scope import arguments, groups, instance_names, local_groups, local_names
from hdl.myhdl_fixes.elaborate import Block


def modules_of(top: Block, name: str, named: Mapping[int, str] | None = None) -> list[Module]:
    """Every module of ``top``, each once, a module after those that it has instances of.

    top   -- an elaborated block
    name  -- of its module
    named -- {id of a block inside: name of its module}, of blocks whose name is given

    Raises ValueError where a block uses a signal of others that is none of its arguments, or drives
    one part of a list that it was given and reads another.
    """
    given = {id(top): name, **(named or {})}
    found: dict[Hashable, Module] = {}
    taken: set[str] = set()

    def visit(block: Block) -> Module:
        parts = [(sub, visit(sub) if isinstance(sub, Block) and not in_place(sub) else None)
                 for sub in (() if is_hand_written(block) else block.subs)]
        module = _Builder(block, parts, block is top).module()
        key = module.key()
        if key not in found:
            found[key] = module
            module.number = len(found)
            module.name = _free(given.get(id(block)) or proper_name(module), taken)
        first = found[key]
        module.name, module.number = first.name, first.number
        return module

    visit(top)
    return list(found.values())


def _free(name: str, taken: set[str]) -> str:
    """The name, with a letter after it, or a number, where others have it."""
    name = legal(name)
    endings = chain("bcdefghijklmnopqrstuvwxyz", count(27))
    free = name
    while free in taken:
        free = f"{name}_{next(endings)}"
    taken.add(free)
    return free


def is_hand_written(block: Block) -> bool:
    """Whether a block's text is hand-written."""
    return block.verilog_code is not None


def in_place(block: Block) -> bool:
    """Whether a block is nothing but wires, written in the module that it is part of."""
    return is_hand_written(block) and getattr(block.func, "in_place", False)


class _Builder:
    """Makes the module of one block.

    whole  -- whether arguments are ports that the module does not use: the outermost block's are
    place  -- {id: bits} of every signal that has found its net
    used   -- {id: signal} of all that the module uses
    read, driven -- ids of those that it reads, that it drives
    lists  -- {id: (name, signals)} of lists that processes index
    """

    def __init__(self, block: Block, parts: list[tuple[Block | _Instantiator, Module | None]],
                 whole: bool) -> None:
        self.block, self.parts, self.whole = block, parts, whole
        self.scope = local_names(block)
        self.instance_names = instance_names(self.scope)
        self.aliases: dict[str, Bits] = {}
        self.arrays: dict[str, Net] = {}
        self.alias_of: dict[int, str] = {}      # {id of a signal or list: its alias}
        self.drivers: set[str] = set()          # aliases that processes drive
        self.place: dict[int, Bits] = {}
        self.used: dict[int, SignalType] = {}
        self.read: set[int] = set()
        self.driven: set[int] = set()
        self.lists: dict[int, tuple[str, list[SignalType]]] = {}
        self.driven_lists: set[int] = set()
        self.taken: set[str] = set()

    def module(self) -> Module:
        """The module, without name."""
        self._collect()
        ports = self._ports()
        nets = self._nets()
        body = self._body()
        return Module(self.block, ports, nets, body, self.aliases, self.arrays,
                      frozenset(self.drivers), self._constants(nets))

    def _collect(self) -> None:
        """What the module's processes and parts use and drive."""
        if is_hand_written(self.block):
            self._use_text(self.block)
        for sub, child in self.parts:
            if child:
                for port in child.ports:
                    self._use(port.net.signals, port.output)
            elif isinstance(sub, Block):
                self._use_text(sub)
            else:
                for name, signal in sub.sigdict.items():
                    self._use((signal,), name in sub.outputs)
                    self.read.add(id(signal))
                for name, signals in sub.losdict.items():
                    self.lists.setdefault(id(signals), (name, signals))
                    if name in sub.outputs:
                        self.driven_lists.add(id(signals))

    def _use(self, signals: Iterable[SignalType], driven: bool) -> None:
        for signal in signals:
            if isinstance(signal, _ShadowSignal):
                name, kind = self.block.func.__name__, type(signal).__name__
                raise ValueError(f"block {name} uses a {kind}, which is not written as text: join "
                                 "and cut words in a process, or with a block of wires")
            self.used[id(signal)] = signal
            (self.driven if driven else self.read).add(id(signal))

    def _use_text(self, block: Block) -> None:
        outputs = getattr(block.func, "outputs", None)
        if outputs is None:
            name = block.func.__name__
            raise ValueError(f"the text of block {name} is hand-written: say with "
                             f"{name}.func.outputs which of its arguments it drives")
        for name, value in arguments(block).items():
            for _, signals, _ in groups(name, value):
                self._use(signals, name in outputs)

    def _ports(self) -> tuple[Port, ...]:
        """Arguments, in their order."""
        ports = []
        for argument, value in arguments(self.block).items():
            for name, signals, is_list in groups(argument, value):
                used = self.whole or id(value) in self.lists or any(
                    id(s) in self.used for s in signals)
                if used and not any(id(s) in self.place for s in signals):
                    driven = id(value) in self.driven_lists or any(
                        id(s) in self.driven for s in signals)
                    if driven and any(id(s) in self.read - self.driven for s in signals):
                        raise ValueError(
                            f"argument {argument} of block {self.block.func.__name__} has signals "
                            "that the block drives and others that it reads: give them apart")
                    net = self._net(name, signals, is_list, argument)
                    ports.append(Port(net, driven, argument))
        return tuple(ports)

    def _net(self, name: str, signals: tuple[SignalType, ...], packed: bool, group: str) -> Net:
        net, low = Net(self._free(name), signals, group if group != name else "", packed), 0
        for signal in signals:
            self.place[id(signal)] = Bits(net, low, len(signal))
            low += len(signal)
        return net

    def _free(self, name: str) -> str:
        """A legal name that nothing else in the module has, whatever its case."""
        free = legal(name)
        while free.lower() in self.taken:
            free = f"{free}_i"
        self.taken.add(free.lower())
        return free

    def _nets(self) -> tuple[Net, ...]:
        """Local signals that the module uses, under the names that say most about them."""
        nets = []
        for name, signals, is_list, group in local_groups(self.scope):
            free = [s for s in signals if id(s) not in self.place]
            wanted = [s for s in free if id(s) in self.read]
            indexed = is_list and id(self.scope.get(name)) in self.lists
            if free and (wanted or indexed):
                if indexed and not any(id(s) in self.used for s in free):
                    nets.append(self._array(name, signals))
                elif len(free) == len(signals):
                    nets.append(self._net(name, signals, is_list, group))
                else:
                    nets += [self._net(f"{name}_{signals.index(s)}", (s,), False, group)
                             for s in wanted]
        for signal in self.used.values():
            if id(signal) in self.read and id(signal) not in self.place:
                raise ValueError(f"block {self.block.func.__name__} uses a signal of "
                                 f"{len(signal)} bits that is neither an argument nor a local name")
        return tuple(nets)

    def _array(self, name: str, signals: tuple[SignalType, ...]) -> Net:
        """A list that only processes of the module use."""
        net = Net(self._free(name), signals, array=True)
        self.place[id(signals[0])] = Bits(net, 0, net.width)
        return net

    def _body(self) -> tuple[Process | Instance | Text, ...]:
        """Processes, instances and text, in the order of the source."""
        if is_hand_written(self.block):
            return (self._text(self.block),)
        body: list[Process | Instance | Text] = []
        row: list[tuple[int, Instance]] = []    # instances from one list: (index, instance)
        listed = ""                             # ... and the list's name
        for sub, child in self.parts:
            name, index = self.instance_names.get(id(sub), ("", None))
            if row and not (child and index is not None and name == listed):
                body += self._rows(listed, row)
                row = []
            if child and index is not None:
                listed = name
                row.append((index, self._instance("", child)))
            elif child:
                body.append(self._instance(self._free(name or sub.func.__name__), child))
            elif isinstance(sub, Block):
                body.append(self._text(sub))
            else:
                body.append(self._process(sub))
        return (*body, *self._rows(listed, row))

    def _text(self, block: Block) -> Text:
        """Hand-written text with what its names, arguments or local ones, stand for here."""
        return Text(block, {
            name: merged(self.place[id(signal)] for signal in signals)
            for argument, value in local_names(block).items()
            for name, signals, _ in groups(argument, value)
            if all(id(signal) in self.place for signal in signals)})

    def _instance(self, name: str, child: Module) -> Instance:
        return Instance(name, child, tuple(
            merged(self.place[id(signal)] for signal in port.net.signals)
            if any(id(signal) in self.place for signal in port.net.signals) else ()
            for port in child.ports))

    def _rows(self, name: str, row: list[tuple[int, Instance]]) -> list[Instance]:
        """The instances of a list, as one row where they are equal and evenly connected."""
        instances = [instance for _, instance in row]
        even = in_step(instances)
        if even is not None:
            return [replace(instances[0], name=self._free(name), connections=even,
                            count=len(instances))]
        return [replace(instance, listed=name,
                        name=self._free(f"{name}_{index}" if len(row) > 1 else name))
                for index, instance in row]

    def _process(self, sub: _Instantiator) -> Process:
        """A process, and the names that it has for signals of packed nets."""
        names = {}
        for name, signal in sub.sigdict.items():
            bits = self.place[id(signal)]
            if bits.net.packed:
                if id(signal) not in self.alias_of:
                    self.alias_of[id(signal)] = self._free(name)
                    self.aliases[self.alias_of[id(signal)]] = bits
                names[name] = self.alias_of[id(signal)]
                if name in sub.outputs:
                    self.drivers.add(names[name])
            else:
                names[name] = bits.net.name
        for name, signals in sub.losdict.items():
            net = self.place[id(signals[0])].net
            if net.packed:
                if id(signals) not in self.alias_of:
                    self.alias_of[id(signals)] = self._free(f"{net.name}_array")
                    self.arrays[self.alias_of[id(signals)]] = net
                names[name] = self.alias_of[id(signals)]
                if name in sub.outputs:
                    self.drivers.add(names[name])
            else:
                names[name] = net.name
        return Process(self._free(sub.funcobj.__name__), sub, names)

    def _constants(self, nets: Iterable[Net]) -> tuple[tuple[Bits, int], ...]:
        """Signals of local nets that are used and that nothing drives."""
        driven = self.driven | {id(signal) for key, (_, signals) in self.lists.items()
                                if key in self.driven_lists for signal in signals}
        return tuple((self.place[id(signal)], int(signal._init)) for net in nets
                     if not net.array for signal in net.signals
                     if id(signal) in self.used and id(signal) not in driven)


def merged(places: Iterable[Bits]) -> tuple[Bits, ...]:
    """The bits of some signals, neighbours in a net as one."""
    found: list[Bits] = []
    for bits in places:
        last = found[-1] if found else None
        if last and last.net is bits.net and last.low + last.width == bits.low:
            found[-1] = Bits(last.net, last.low, last.width + bits.width)
        else:
            found.append(bits)
    return tuple(found)


def in_step(row: list[Instance]) -> tuple[tuple[Bits, ...], ...] | None:
    """The connections of a row of equal instances with their strides; None where the instances are
    not equal or not evenly connected."""
    if len(row) < 2 or any(each.module.number != row[0].module.number for each in row):
        return None
    ports = []
    for places in zip(*(each.connections for each in row)):
        parts = []
        if len({len(place) for place in places}) > 1:
            return None
        for bits in zip(*places):
            first, strides = bits[0], {b.low - a.low for a, b in zip(bits, bits[1:])}
            if len(strides) > 1 or any(b.net is not first.net or b.width != first.width
                                       for b in bits):
                return None
            parts.append(replace(first, stride=strides.pop()))
        ports.append(tuple(parts))
    return tuple(ports)
