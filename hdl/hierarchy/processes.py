"""MyHDL's processes as text: its own conversion, a module's names in place of those it makes up."""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from myhdl import _extractHierarchy
from myhdl.conversion._analyze import _analyzeGens

from hdl.hierarchy.module import Module, Process


class Converted:
    """The processes of a module: analysed trees in the order of its body, and how each signal and
    each list of signals is driven, "reg" or "wire" or not at all."""

    def __init__(self, module: Module, word: str) -> None:
        self.module, self.word = module, word
        self.processes = [item for item in module.body if isinstance(item, Process)]
        self.trees: dict[int, Any] = {}     # ast.Module with MyHDL's attributes
        self.kinds: dict[str, str | None] = {}

    def analyse(self) -> None:
        """Fill in trees and kinds; names stand in signals from here to ``clear``."""
        for process in self.processes:
            self._name(process)
        instances = [process.instance for process in self.processes]
        labels = {id(process.instance): process.label for process in self.processes}
        for process, tree in zip(self.processes, _analyzeGens(instances, labels)):
            self.trees[id(process)] = tree
        for process in self.processes:
            for name, signal in process.instance.sigdict.items():
                self._drive(process.names[name], signal._driven)
            for name, signals in process.instance.losdict.items():
                self._drive(process.names[name], _extractHierarchy._getMemInfo(signals)._driven)

    def _drive(self, name: str, kind: str | None) -> None:
        self.kinds[name] = self.kinds.get(name) or kind

    def _name(self, process: Process) -> None:
        for name, signal in process.instance.sigdict.items():
            signal._clear()
            signal._name = process.names[name]
        for name, signals in process.instance.losdict.items():
            memory = _extractHierarchy._MemInfo(signals)
            memory.name, memory._used = process.names[name], True
            _extractHierarchy._memInfoMap[id(signals)] = memory
            for index, signal in enumerate(signals):
                signal._clear()
                signal._name = self.word.format(memory.name, index)

    def clear(self) -> None:
        """Take the names away again."""
        for process in self.processes:
            for signal in process.instance.sigdict.values():
                signal._clear()
            for signals in process.instance.losdict.values():
                _extractHierarchy._memInfoMap.pop(id(signals), None)
                for signal in signals:
                    signal._clear()


@contextmanager
def converted(module: Module, word: str) -> Iterator[Converted]:
    """The analysed processes of a module; ``word`` formats an array's name and an index."""
    found = Converted(module, word)
    try:
        found.analyse()
        yield found
    finally:
        found.clear()
