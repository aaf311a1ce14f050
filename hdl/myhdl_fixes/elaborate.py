"""Elaboration of MyHDL blocks: the same names in every Python, and most of its time saved."""
import ast
import functools
import gc
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from types import CodeType, FrameType, FunctionType

import myhdl
from myhdl import ResetSignal, Signal, SignalType, _block, _instance, _misc, _Signal, _util

Block = _block._Block   # what a call of a @block function returns


class _QuickInspect:
    """``inspect`` as MyHDL uses it, without reading the source of every frame.

    MyHDL asks for the stack at every block and generator and looks at frames and names only; the
    rest of inspect.stack() is four fifths of elaboration (block_1 at 224 x 224: 10.6 s to 2.2 s).
    """

    def __getattr__(self, name: str) -> object:
        return getattr(inspect, name)

    @staticmethod
    def getsource(function: FunctionType) -> str:
        """Source of a function, read once for all its closures."""
        return _source(function.__code__)[0]

    @staticmethod
    def getsourcelines(function: FunctionType) -> tuple[list[str], int]:
        """Lines of a function's source and the number of the first."""
        return _source(function.__code__)[1]

    @staticmethod
    def getouterframes(frame: FrameType | None) -> list[tuple]:
        """Records of ``frame`` and its callers, without source."""
        records = []
        while frame:
            records.append((_Frame(frame), frame.f_code.co_filename, frame.f_lineno,
                            frame.f_code.co_name, None, None))
            frame = frame.f_back
        return records

    def stack(self) -> list[tuple]:
        """Records of the caller and its callers, without source."""
        return self.getouterframes(sys._getframe(1))


class _ScopeInspect(_QuickInspect):
    """``inspect`` as MyHDL's instances() uses it: what the caller's local names are at the end of a
    block's function stays known, as the attribute ``scope`` of the block."""

    @staticmethod
    def getouterframes(frame: FrameType | None) -> list[tuple]:
        """As _QuickInspect's; the caller of instances() is a block's function, its caller the
        constructor of the block."""
        records = _QuickInspect.getouterframes(frame)
        owner = records[2][0].f_locals.get("self")
        if isinstance(owner, Block):
            owner.scope = records[1][0].f_locals
        return records


class _Frame:
    """A frame whose local names are the same, in the same order, in every version of Python.

    MyHDL names signals after them and writes processes in their order.  Before Python 3.11
    arguments that inner functions use come last, since 3.12 the variables of comprehensions are
    among them.
    """

    def __init__(self, frame: FrameType) -> None:
        self._frame = frame

    def __getattr__(self, name: str) -> object:
        return getattr(self._frame, name)

    @property
    def f_locals(self) -> dict[str, object]:
        """{name: value} in the order of the source, then what comes from outer functions."""
        found, code = self._frame.f_locals, self._frame.f_code
        try:
            names = (*_bound(code), *sorted(code.co_freevars))
        except (OSError, SyntaxError):  # no source, or part of a line: no block
            return found
        return {name: found[name] for name in names if name in found}


@functools.lru_cache(maxsize=None)
def _bound(code: CodeType) -> tuple[str, ...]:
    """Names that a function binds itself, in the order of its source."""
    names = {}

    def visit(node):
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
                             ast.Lambda)):
            return
        if isinstance(node, ast.arg):
            names[node.arg] = True
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = True
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = True
            return
        elif isinstance(node, ast.alias):
            names[(node.asname or node.name).partition(".")[0]] = True
        for child in ast.iter_child_nodes(node):
            visit(child)

    for statement in ast.parse(textwrap.dedent(_source(code)[0])).body:
        for child in ast.iter_child_nodes(statement):
            visit(child)
    return tuple(names)


@functools.lru_cache(maxsize=None)
def _source(code: CodeType) -> tuple[str, tuple[list[str], int]]:
    """(source, (lines, first line number)) of a code object."""
    return inspect.getsource(code), inspect.getsourcelines(code)


_dedent = functools.lru_cache(maxsize=None)(_util._dedent)     # of the same source, once


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python's cyclic garbage collector does not run in this context.

    An elaborated network is a million objects, all of which are in use until it is converted:
    each search among them for garbage finds none.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def fresh_elaboration() -> Iterator[None]:
    """Blocks made in this context are numbered from 0 and forgotten by MyHDL at its end.

    MyHDL numbers block instances and collects signals for the life of the process.  The numbers
    begin anew with the context; at its end they are what they were and the signals are dropped,
    so that names repeat, contexts nest, and a long test session does not slow down.
    """
    mark = len(myhdl._simulator._signals)
    calls = {known: known.calls for known in myhdl._simulator._blocks}
    names = set(_block._name_set)
    modules = (_block, _instance, _misc, _util)
    before = [module.inspect for module in modules]
    dedent, _util._dedent = _util._dedent, _dedent
    deepcopy, _Signal.deepcopy = _Signal.deepcopy, copy
    _block._name_set.clear()
    for known in calls:
        known.calls = 0
    for module in modules:
        module.inspect = _ScopeInspect() if module is _misc else _QuickInspect()
    try:
        yield
    finally:
        _util._dedent = dedent
        _Signal.deepcopy = deepcopy
        for module, found in zip(modules, before):
            module.inspect = found
        _block._name_set.clear()
        _block._name_set.update(names)
        for known, number in calls.items():
            known.calls = number
        del myhdl._simulator._signals[mark:]


def clock_and_reset() -> tuple[SignalType, ResetSignal]:
    """Fresh clk and rst, active high and synchronous."""
    return Signal(bool(0)), ResetSignal(1, active=1, isasync=False)
