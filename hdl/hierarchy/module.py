"""The modules of an elaborated block: what is written once, and what its instances connect to."""
from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from myhdl import SignalType
from myhdl._instance import _Instantiator

from hdl.myhdl_fixes.elaborate import Block


def is_signed(signal: SignalType) -> bool:
    """Whether a signal is two's complement."""
    return signal._min is not None and signal._min < 0


@dataclass(frozen=True)
class Net:
    """Signals under one name: a signal, or a list of them.

    group  -- the interface that the net is part of; empty where it is none's
    packed -- a list is one vector, its first signal lowest
    array  -- a list is an array of words, which only processes of the module use
    """

    name: str
    signals: tuple[SignalType, ...]
    group: str = ""
    packed: bool = False
    array: bool = False

    @property
    def width(self) -> int:
        """Bits of all signals together."""
        return sum(map(len, self.signals))

    @property
    def bit(self) -> bool:
        """Whether the net, or a word of an array, is a single bit and not a vector."""
        return not self.packed and self.signals[0]._type is bool

    @property
    def signed(self) -> bool:
        """Whether all signals are two's complement."""
        return all(map(is_signed, self.signals))

    def shape(self) -> Hashable:
        """All that a declaration depends on."""
        shown = self.signals[:1] if self.array else self.signals
        return (self.name, self.packed, self.array, len(self.signals),
                tuple((len(s), is_signed(s), s._type, int(s._init)) for s in shown))


@dataclass(frozen=True)
class Bits:
    """Some bits of a net, which move by ``stride`` bits from an instance of a row to the next."""

    net: Net
    low: int
    width: int
    stride: int = 0

    @property
    def whole(self) -> bool:
        """Whether these are all bits of the net."""
        return self.width == self.net.width

    def shape(self) -> Hashable:
        """All that the text of the bits depends on."""
        return self.net.name, self.low, self.width, self.stride


@dataclass(frozen=True)
class Port:
    """A net of a module that others connect to, and the argument that it is or is part of."""

    net: Net
    output: bool
    argument: str


@dataclass
class Instance:
    """A module inside another, or a row of equal ones.

    connections -- for each port of the module the bits that it connects to, lowest first; none
                   where nobody reads what leaves there
    count       -- of a row; None of a single instance
    listed      -- the list that a single instance is in; empty where it is in none
    """

    name: str
    module: Module
    connections: tuple[tuple[Bits, ...], ...]
    count: int | None = None
    listed: str = ""

    def shape(self) -> Hashable:
        """All that the text of the instance depends on."""
        return (self.name, self.count, self.module.number,
                tuple(tuple(bits.shape() for bits in port) for port in self.connections))


@dataclass
class Process:
    """One of MyHDL's processes.

    label -- its name in the text
    names -- {name in the source: name in the text} of its signals and lists
    """

    label: str
    instance: _Instantiator
    names: dict[str, str]

    def shape(self) -> Hashable:
        """All that its text depends on: its code, its constants and its names."""
        function = self.instance.funcobj
        constants = tuple(
            (name, cell.cell_contents)
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ())
            if name not in self.names and is_constant(cell.cell_contents))
        return self.label, function.__code__, constants, tuple(sorted(self.names.items()))


@dataclass
class Text:
    """Hand-written text of a block, whose $names are the block's arguments and local names.

    names -- {name: bits} of those that are signals
    """

    block: Block
    names: dict[str, tuple[Bits, ...]]

    def shape(self) -> Hashable:
        """All that the text depends on: the template with all that is no signal filled in."""
        texts = self.block.verilog_code, self.block.vhdl_code
        return (tuple(text.code if text else None for text in texts),
                tuple((name, value) for name, value in self.block.symdict.items()
                      if isinstance(value, (int, str))),
                tuple((name, tuple(bits.shape() for bits in place))
                      for name, place in self.names.items()))


@dataclass
class Module:
    """A block as it is written.

    body      -- in the order of the source
    aliases   -- {name: bits} of signals of packed nets that processes know by a name of their own
    arrays    -- {name: net} of packed nets whose signals processes index
    drivers   -- names of aliases and arrays that a process drives
    constants -- bits that are read and that nothing drives: what they always are
    name, number -- given when the module is first met among those of a design
    """

    block: Block
    ports: tuple[Port, ...] = ()
    nets: tuple[Net, ...] = ()
    body: tuple[Process | Instance | Text, ...] = ()
    aliases: dict[str, Bits] = field(default_factory=dict)
    arrays: dict[str, Net] = field(default_factory=dict)
    drivers: frozenset[str] = frozenset()
    constants: tuple[tuple[Bits, int], ...] = ()
    name: str = ""
    number: int = 0

    @property
    def leaf(self) -> bool:
        """Whether no module is part of this one."""
        return not any(isinstance(item, Instance) for item in self.body)

    def key(self) -> Hashable:
        """All that the module's text depends on beside its name."""
        return (self.block.func, self.block.__doc__,
                tuple((port.net.shape(), port.output) for port in self.ports),
                tuple(net.shape() for net in self.nets),
                tuple((type(item), item.shape()) for item in self.body),
                tuple((name, bits.shape()) for name, bits in self.aliases.items()),
                tuple((name, net.name) for name, net in self.arrays.items()), self.drivers,
                tuple((bits.shape(), value) for bits, value in self.constants))


def is_constant(value: object) -> bool:
    """Whether a process may have written a value into its text: a number, a word, or what holds
    only these."""
    if isinstance(value, (tuple, list)):
        return all(map(is_constant, value))
    return value is None or isinstance(value, (int, str)) or (
        hasattr(value, "__dataclass_params__") and value.__dataclass_params__.frozen)
