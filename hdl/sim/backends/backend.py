"""The contract that simulators of converted HDL keep: find the tools, build a model, run it."""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from hdl.axis import AxiStream
from hdl.build import Built
from hdl.sim.endpoints import TIMEOUT, Counter, Monitor, Reset, Sink, Source
from hdl.sim.memories import Memories
from hdl.sim.trace import Run

Streams = Mapping[str, AxiStream]                       # {port: its stream}
Sources = Mapping[str, tuple[AxiStream, Source]]        # {port: its stream and what it sends}
Sinks = Mapping[str, tuple[AxiStream, Sink]]            # {port: its stream and what it awaits}
Monitors = Mapping[str, Monitor]                        # {name: inner stream to watch}
Counters = Mapping[str, Counter]                        # {name: bits to count the cycles of}
Progress = Callable[[int], object]                      # called with the cycle now and then

Model = TypeVar("Model", bound=Built)


@dataclass(frozen=True)
class Scenario:
    """What a run meets from outside, and when it is over."""

    sources: Sources
    sinks: Sinks
    timeout: int = TIMEOUT      # cycles without a beat anywhere before DeadlockError
    drain: int = 0              # cycles to go on after the last beat awaited
    progress: Progress | None = None
    resets: Sequence[Reset] = ()    # of the whole design, in order


class Backend(Protocol[Model]):
    """A module of this folder, with a Model of its own."""

    def find(self) -> object:
        """Its tools; raises ToolError that says which is missing and what installs it."""

    def build(self, files: Sequence[str | Path], top: str, sources: Streams, sinks: Streams,
              monitors: Monitors, counters: Counters, build_dir: str | Path) -> Model:
        """The model of the HDL ``files`` with the module or entity ``top``, built or found built.

        sources, sinks -- input and output streams; the model has all ports in any case
        monitors       -- inner streams that a run may watch
        counters       -- inner bits that a run may count
        build_dir      -- folder in which models are kept

        Raises ToolError where the tools are missing or refuse the design.
        """

    def run(self, model: Model, scenario: Scenario, monitors: Monitors, counters: Counters,
            memories: Memories = None) -> Run:
        """Simulate until every sink has its beats and ``drain`` cycles more.

        monitors, counters -- of those that the model was built with
        memories -- of the ROMs that the HDL reads when it starts

        Raises ProtocolError, DeadlockError, ToolError, and what ``progress`` raises.
        """
