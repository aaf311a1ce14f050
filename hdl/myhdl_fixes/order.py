"""The order in which converted signals are written: the same in every process."""
from collections.abc import Iterable

import myhdl
from myhdl import SignalType
from myhdl._instance import _Instantiator

from hdl.myhdl_fixes.elaborate import Block


def order_registers(block: Block) -> None:
    """Make conversion repeatable: MyHDL collects signals in the order of a set of names, which
    PYTHONHASHSEED shuffles; use the names' own order for resets and sensitivity lists."""
    for sub in block.subs:
        if isinstance(sub, Block):
            order_registers(sub)
        elif isinstance(sub, myhdl._always_seq._AlwaysSeq):
            sub.sigregs[:] = _signals(sub, sub.outputs)
            sub.varregs.sort(key=lambda register: register[0])
        elif isinstance(sub, myhdl._always_comb._AlwaysComb):
            listed = {id(signal) for signal in sub.senslist}
            sub.senslist = tuple(s for s in _signals(sub, sub.inputs) if id(s) in listed)


def _signals(instance: _Instantiator, names: Iterable[str]) -> list[SignalType]:
    """Signals of ``names`` in their order, memories as their elements."""
    found = []
    for name in sorted(names):
        value = instance.symdict[name]
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, myhdl._Signal._Signal):
            found.append(value)
    return found
