"""What an elaborated MyHDL block is made of: its parts, and the signals that each reads and drives.

MyHDL keeps this for its conversion only; the pictures of docs/blocks are drawn from it.
"""
from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

from myhdl import SignalType
from myhdl._always import _Always
from myhdl._always_comb import _AlwaysComb
from myhdl._instance import _Instantiator
from myhdl._ShadowSignal import ConcatSignal
from myhdl._Signal import _Signal

from hdl.axis import AxiStream, Bundle
from hdl.myhdl_fixes.elaborate import Block


@dataclass(frozen=True)
class Part:
    """A block or a process inside a block.

    name   -- of the local variable that holds a block, of the function that a process runs
    block  -- name of the block's function; None for a process
    clocked -- whether a process runs at the clock's rising edge
    reads, drives -- {id: signal}, of everything inside it
    """

    name: str
    block: str | None
    clocked: bool
    reads: dict[int, SignalType]
    drives: dict[int, SignalType]


@dataclass(frozen=True)
class Structure:
    """One level of a block.

    parts -- of Part, in the order of the source
    names -- {id of a signal: its name at this level}, "s_axis.tdata" for a stream's
    ports -- {name: stream, bundle, signal or list of signals}, of the block's arguments
    scope -- {name: value} of all that the block's function sees
    """

    parts: tuple[Part, ...]
    names: dict[int, str]
    ports: dict[str, object]
    scope: dict[str, object]


def structure_of(block: Block, arguments: Mapping[str, object]) -> Structure:
    """The parts of ``block``, which was called with ``arguments`` {name: value}."""
    scope = dict(arguments)
    for sub in block.subs:
        for name, value in sub.callinfo.symdict.items():
            scope.setdefault(name, value)
    held = {id(item): name for name, value in scope.items()
            for item in (value if isinstance(value, list) else [value])}
    parts = tuple(_part(sub, held.get(id(sub)), block) for sub in block.subs)
    ports = {name: value for name, value in arguments.items()
             if signals_in(value)}
    return Structure(parts, _names(scope), ports, scope)


def _part(sub: Block | _Instantiator, name: str | None, parent: Block) -> Part:
    """The Part of one of MyHDL's instances; the last of a block has no variable yet that names it.
    """
    reads: dict[int, SignalType] = {}
    drives: dict[int, SignalType] = {}
    _collect(parent if parent.verilog_code else sub, reads, drives)
    function = sub.func.__name__ if isinstance(sub, Block) else None
    return Part(name or function or sub.name, function, clocked(sub), reads, drives)


def clocked(sub: Block | _Instantiator) -> bool:
    """Whether an instance is a process that runs at the clock's rising edge."""
    return isinstance(sub, _Always) and not isinstance(sub, _AlwaysComb)


def _collect(sub: Block | _Instantiator, reads: dict[int, SignalType],
             drives: dict[int, SignalType]) -> None:
    """Add what ``sub`` and all inside it read and drive."""
    if not isinstance(sub, Block):
        for names, found in ((sub.inputs, reads), (sub.outputs, drives)):
            for name in names:
                found.update((id(signal), signal) for signal in signals_in(sub.symdict[name]))
    elif sub.verilog_code:      # hand-written: it says of its arguments which it drives
        named = inspect.signature(sub.func).bind(*sub.args, **sub.kwargs).arguments
        for name, value in named.items():
            found = drives if name in sub.func.outputs else reads
            found.update((id(signal), signal) for signal in signals_in(value))
    else:
        for inner in sub.subs:
            _collect(inner, reads, drives)


def signals_in(value: object) -> list[SignalType]:
    """The signals of a value: itself, those of a bundle or a list, those that a concatenation is
    made of; none of any other value."""
    if isinstance(value, Bundle):
        value = list(value.signals().values())
    if isinstance(value, ConcatSignal):
        value = list(value._args)
    if isinstance(value, (list, tuple)):
        return [signal for item in value for signal in signals_in(item)]
    return [value] if isinstance(value, _Signal) else []


def _names(scope: Mapping[str, object]) -> dict[int, str]:
    """{id: name} of every signal of a scope: of streams, then signals, then bundles and lists.

    MyHDL adds ``bundle_member`` to the scope of processes for each ``bundle.member``: these are no
    names of the source.
    """
    bundles = {name: value.signals() for name, value in scope.items() if isinstance(value, Bundle)}
    streams = [name for name in bundles if isinstance(scope[name], AxiStream)]
    added = {f"{name}_{member}" for name, members in bundles.items() for member in members}
    found = [(f"{name}.{member}", signal) for name in streams
             for member, signal in bundles[name].items()]
    found += [(name, value) for name, value in scope.items()
              if isinstance(value, _Signal) and name not in added]
    found += [(f"{name}.{member}", signal) for name, members in bundles.items()
              for member, signal in members.items()]
    found += [(name, signal) for name, value in scope.items() if isinstance(value, (list, tuple))
              for signal in signals_in(value)]
    names: dict[int, str] = {}
    for name, signal in found:
        names.setdefault(id(signal), name)
    return names
