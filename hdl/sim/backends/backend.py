"""The contract that simulators of converted HDL keep: find the tools, build a model, run it."""
from collections.abc import Callable, Mapping, Sequence
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

    def run(self, model: Model, sources: Sources, sinks: Sinks, monitors: Monitors,
            counters: Counters, timeout: int = TIMEOUT, drain: int = 0,
            progress: Progress | None = None, memories: Memories = None,
            resets: Sequence[Reset] = ()) -> Run:
        """Simulate until every sink has its beats and ``drain`` cycles more.

        timeout  -- cycles without a beat anywhere before DeadlockError
        memories -- of the ROMs that the HDL reads when it starts
        resets   -- of the whole design, in order

        Raises ProtocolError, DeadlockError, ToolError, and what ``progress`` raises.
        """
