"""MyHDL's scheduler made quicker: clocked processes wake as one, where an input has changed."""
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from myhdl import Cosimulation, ResetSignal, SignalType, _intbv
from myhdl._always import _Always
from myhdl._always_seq import _AlwaysSeq
from myhdl._Signal import _isListOfSigs, _Signal
from myhdl._Simulation import _flatten

from hdl.axis import Bundle
from hdl.myhdl_fixes.elaborate import Block

Process = Callable[[], None]    # the function of a clocked one


def clocked_at_once(block: Block | Cosimulation, clk: SignalType,
                    rst: ResetSignal) -> tuple[object, ...]:
    """The generators of ``block``, one in place of all that only a rising edge of ``clk`` wakes.

    Their functions run in the same delta cycle either way, signals change after it; but MyHDL
    takes longer to wake a generator than most of these take to see that they have nothing to do.
    A function none of whose signals has changed since it ran last would set what it set then: it
    is not run.  $MNV2_MYHDL_SCHEDULER = plain leaves all of it to MyHDL.
    """
    if os.environ.get("MNV2_MYHDL_SCHEDULER") == "plain":
        return (block,)
    clocked, others = {}, []    # {function: its instance, where reset sets its signals, or None}
    for instance in _flatten(block):
        at_edge = (isinstance(instance, _Always) and len(instance.senslist) == 1
                   and instance.senslist[0] is clk.posedge)
        if at_edge and isinstance(instance, _AlwaysSeq) and instance.reset is rst:
            clocked[instance.func] = instance
        elif at_edge and not isinstance(instance, _AlwaysSeq):
            clocked[instance.func] = None
        else:
            others.append(instance)
    return *others, _edges(clk, rst, clocked)


def _edges(clk: SignalType, rst: ResetSignal,
           clocked: dict[Process, _AlwaysSeq | None]) -> Iterator[object]:
    """The generator that runs clocked functions, at reset all, else those that are due."""
    seen: dict[Process, None] = {}      # whose signals are known
    unseen: list[Process] = []          # ... are not
    due: dict[Process, None] = {}       # what runs at the next edge
    readers: dict[int, tuple[SignalType, list[Process]]] = {}   # of each signal
    for function in clocked:
        signals = signals_of(function)
        if signals is None:
            unseen.append(function)
            continue
        seen[function] = None
        for signal in signals:
            if signal is not clk:
                readers.setdefault(id(signal), (signal, []))[1].append(function)
    due.update(seen)
    for signal, functions in readers.values():
        signal._eventWaiters.append(_Change(signal, functions, due))
    while True:
        yield clk.posedge
        if rst == rst.active:
            for function, instance in clocked.items():
                if instance:
                    instance.reset_sigs()
                    instance.reset_vars()
                else:
                    function()
            due.update(seen)
        else:
            functions = [*due, *unseen]
            due.clear()
            for function in functions:
                function()


class _Change:
    """Waits in a signal's list for each of its changes, after which ``functions`` are due."""

    hasRun = False

    def __init__(self, signal: SignalType, functions: list[Process],
                 due: dict[Process, None]) -> None:
        self.waiting, self.functions, self.due = (signal._eventWaiters, dict.fromkeys(functions),
                                                  due)

    def next(self, waiters: object, actives: object, exc: object) -> None:
        """What MyHDL calls when the signal has changed; it has emptied the list."""
        self.due.update(self.functions)
        self.waiting.append(self)


def signals_of(function: Process) -> list[SignalType] | None:
    """The signals that ``function`` can reach, by name, in a list or in a stream; None where it
    reaches anything else that may change."""
    found, left = [], [cell.cell_contents for cell in function.__closure__ or ()]
    while left:
        value = left.pop()
        if isinstance(value, _Signal):
            found.append(value)
        elif isinstance(value, tuple) or _isListOfSigs(value):
            left.extend(value)
        elif isinstance(value, Bundle):
            left.extend(value.signals().values())
        elif not isinstance(value, (int, str)):
            return None
    return found


@contextmanager
def quick_widths() -> Iterator[None]:
    """Let MyHDL count the bits of a new intbv's limits without dividing them bit by bit."""
    slow, _intbv.bin = _intbv.bin, binary
    try:
        yield
    finally:
        _intbv.bin = slow


def binary(number: int, width: int = 0) -> str:
    """Two's complement of ``number`` in binary, of the fewest bits or of ``width``: myhdl.bin."""
    number = int(number)
    bits = (number if number >= 0 else ~number).bit_length() + (number < 0)
    digits = format(number & (1 << bits) - 1, "b") if bits else "0"
    return ("1" if number < 0 else "0") * (width - len(digits)) + digits
