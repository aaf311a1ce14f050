"""What the function of a block sees: its arguments, its local names, and the signals in them."""
import functools
import inspect
from collections.abc import Callable, Iterator

from myhdl import SignalType
from myhdl._Signal import _Signal

from hdl.myhdl_fixes.elaborate import Block

# A group of signals that is one port or one net: its name, its signals, whether they are a list.
Group = tuple[str, tuple[SignalType, ...], bool]


@functools.lru_cache(maxsize=None)
def _signature(function: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(function)


def arguments(block: Block) -> dict[str, object]:
    """{name: value} of what the block's function was called with, defaults included."""
    bound = _signature(block.func).bind(*block.args, **block.kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def local_names(block: Block) -> dict[str, object]:
    """{name: value} of the arguments and the local names of the block's function."""
    scope = arguments(block)
    found = getattr(block, "scope", None)
    if found is None:   # the function ended without MyHDL's instances()
        found = {}
        for sub in block.subs:
            found.update(sub.callinfo.symdict)
        for name in block.func.__globals__:
            found.pop(name, None)
    return scope | {name: value for name, value in found.items() if name not in scope}


def groups(name: str, value: object) -> Iterator[Group]:
    """The groups of signals that a name stands for.

    A signal is a group; of an interface every attribute ``name_attribute``; a list of signals, or
    of lists of them, is one group, a list of interfaces one for each attribute.
    """
    if isinstance(value, _Signal):
        yield name, (value,), False
    elif isinstance(value, (list, tuple)) and value:
        if signals := flat(value):
            yield name, signals, True
        elif all(attributes(item) for item in value) \
                and len({tuple(attributes(item)) for item in value}) == 1:
            for attribute in attributes(value[0]):
                yield (f"{name}_{attribute}",
                       tuple(attributes(item)[attribute] for item in value), True)
    else:
        for attribute, signal in attributes(value).items():
            yield f"{name}_{attribute}", (signal,), False


def flat(value: object) -> tuple[SignalType, ...]:
    """The signals of a list of signals, or of lists of them; empty where anything else is among
    them."""
    if isinstance(value, _Signal):
        return (value,)
    signals: list[SignalType] = []
    for item in value if isinstance(value, (list, tuple)) else ():
        part = flat(item)
        if not part:    # the rest of a unit's weights is not looked at
            return ()
        signals += part
    return tuple(signals)


def attributes(value: object) -> dict[str, SignalType]:
    """{name: signal} of the attributes of an interface; empty where ``value`` is none."""
    if isinstance(value, (_Signal, Block, type)):
        return {}
    return {name: signal for name, signal in getattr(value, "__dict__", {}).items()
            if isinstance(signal, _Signal)}


def local_groups(scope: dict[str, object]
                 ) -> Iterator[tuple[str, tuple[SignalType, ...], bool, str]]:
    """The groups of all local names, each with the name, those first that say most about their
    signals: interfaces, lists, signals, what a dictionary holds under its keys."""
    ranks: list[list[tuple[str, tuple[SignalType, ...], bool, str]]] = [[], [], [], []]
    for name, value in scope.items():
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(key, str):
                    ranks[3] += [(*group, key) for group in groups(key, item)]
        else:
            rank = (1 if isinstance(value, (list, tuple)) else 2 if isinstance(value, _Signal)
                    else 0)
            ranks[rank] += [(*group, name) for group in groups(name, value)]
    for found in ranks:
        yield from found


def instance_names(scope: dict[str, object]) -> dict[int, tuple[str, int | None]]:
    """{id of a block: (its name, its index in a list or None)} of the blocks inside a block; in a
    dictionary a block is named by its key."""
    found: dict[int, tuple[str, int | None]] = {}
    for name, value in scope.items():
        if isinstance(value, Block):
            found.setdefault(id(value), (name, None))
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                if isinstance(item, Block):
                    found.setdefault(id(item), (name, index))
        elif isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, Block):
                    found.setdefault(id(item), (key, None))
    return found
