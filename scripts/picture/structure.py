"""The structure of a block as a picture: its parts as boxes, what flows between them as arrows.

One level is drawn, from the elaborated block itself.  Blocks are blue, processes are round, those
that run at the clock are grey; equal blocks are one box, "x 9".  Thick arrows carry data and
streams, thin ones control; what flows against an arrow is in brackets, such as a stream's tready.
Graphviz places the boxes; the picture says in a comment what it was made from, so that a test tells
without Graphviz whether it still holds.
"""
from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from myhdl import SignalType

from hdl.axis import AxiStream, Bundle
from hdl.build import digest, run_tool
from hdl.errors import ToolError
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from hdl.myhdl_fixes.structure import Structure, signals_in, structure_of

HEAD = """digraph {
rankdir=LR; nodesep=0.2; ranksep=0.5; bgcolor=white; pad=0.1;
node [fontname="Helvetica" fontsize=12 height=0.35 shape=box color="#1f2937"];
edge [fontname="Helvetica" fontsize=10 arrowsize=0.7 color="#1f2937"];
"""
BLOCK, CLOCKED, PLAIN = "#dbeafe", "#e5e7eb", "#ffffff"
THIN = 'color="#6b7280" fontcolor="#4b5563"'
THICK = "penwidth=2.2 weight=8"
WORDS = 3       # names on an arrow, before "and 4 more"


@dataclass
class Box:
    """Equal parts, drawn as one; signals by id."""

    name: str
    block: str | None
    clocked: bool
    number: int = 0
    reads: dict[int, SignalType] = field(default_factory=dict)
    drives: dict[int, SignalType] = field(default_factory=dict)


def elaborated(block: Callable, arguments: dict[str, Any]) -> Structure:
    """The structure of ``block`` with these arguments; clk and rst, where it has them, are left
    out."""
    names = inspect.signature(inspect.unwrap(block)).parameters
    clk, rst = clock_and_reset()
    clocks = {name: signal for name, signal in (("clk", clk), ("rst", rst)) if name in names}
    with fresh_elaboration():
        # By position: MyHDL's wrapper has parameters of its own, such as ``name``.
        bound = inspect.signature(inspect.unwrap(block)).bind(**clocks, **arguments)
        found = structure_of(block(*bound.args), dict(bound.arguments))
    for name, signal in clocks.items():
        found.names.pop(id(signal), None)
        found.ports.pop(name)
    return found


def boxes(structure: Structure) -> list[Box]:
    """The parts of a block, those of one name together."""
    found: dict[tuple[str, str | None], Box] = {}
    for part in structure.parts:
        box = found.setdefault((part.name, part.block), Box(part.name, part.block, part.clocked))
        box.number += 1
        for mine, its in ((box.reads, part.reads), (box.drives, part.drives)):
            mine.update((key, signal) for key, signal in its.items() if key in structure.names)
    return list(found.values())


class Drawing:
    """The description of one block's picture in Graphviz's language.

    Boxes and ports are nodes, "box x" and "port x"; ports that are single signals and go to the
    same boxes share a node.
    """

    def __init__(self, structure: Structure) -> None:
        self.names, self.ports = structure.names, structure.ports
        self.streams = {name: value for name, value in structure.scope.items()
                        if isinstance(value, AxiStream)}
        self.bundles = {name: value for name, value in structure.scope.items()
                        if isinstance(value, Bundle) and name not in self.streams}
        self.boxes = boxes(structure)
        self.driver = {key: f"box {box.name}" for box in reversed(self.boxes)
                       for key in box.drives}
        self.owner = {self.names[id(signal)]: port for port, value in self.ports.items()
                      for signal in signals_in(value)}
        self.inputs = [name for name in self.ports if self._is_input(name)]
        self.outputs = [name for name in self.ports if name not in self.inputs]
        self.node = self._nodes()
        self.flows = self._flows()
        self.data = self._data()

    def _is_input(self, port: str) -> bool:
        """Whether data come in at a port: nothing here drives them."""
        stream = self.streams.get(port)
        data = [stream.tdata, stream.tvalid] if stream else signals_in(self.ports[port])
        return not any(id(signal) in self.driver for signal in data)

    def _nodes(self) -> dict[str, str]:
        """{port: its node}."""
        together: dict[str | tuple[str, ...], list[str]] = {}
        for port, value in self.ports.items():
            readers = tuple(box.name for box in self.boxes if id(value) in box.reads)
            together.setdefault(readers or port, []).append(port)
        return {port: "port " + " ".join(ports) for ports in together.values() for port in ports}

    def _flows(self) -> dict[tuple[str, str], dict[str, int]]:
        """{(from, to): {name of a signal: bits}} between nodes."""
        flows: dict[tuple[str, str], dict[str, int]] = {}
        for box in self.boxes:
            for key, signal in box.reads.items():
                name = self.names[key]
                origin = self.driver.get(key) or self.node.get(self.owner.get(name, ""))
                if origin and origin != f"box {box.name}":
                    flows.setdefault((origin, f"box {box.name}"), {})[name] = len(signal)
            for key, signal in box.drives.items():
                name = self.names[key]
                if name in self.owner:
                    pair = f"box {box.name}", self.node[self.owner[name]]
                    flows.setdefault(pair, {})[name] = len(signal)
        return {pair: dict(sorted(flows[pair].items())) for pair in sorted(flows)}

    def _data(self) -> set[str]:
        """Names of the signals that carry data: what streams carry, signed numbers, what a ROM
        gives or an unpack takes, and what is made of these; but no single bits and no control
        that is bundled."""
        roms = {f"box {box.name}" for box in self.boxes if box.block == "weight_rom"}
        unpacks = {f"box {box.name}" for box in self.boxes if box.block == "unpack"}
        data = {f"{name}.tdata" for name in self.streams}
        data.update(name for port, value in self.ports.items() for signal in signals_in(value)
                    if (name := self.names.get(id(signal))) == port and (signal.min or 0) < 0)
        for (origin, to), names in self.flows.items():
            if origin in roms or to in unpacks:
                data |= names.keys()
        grown = True
        while grown:
            takers = {to for (_, to), names in self.flows.items() if data & names.keys()}
            more = {name for (origin, _), names in self.flows.items() if origin in takers
                    for name, bits in names.items()
                    if bits > 1 and name.partition(".")[0] not in self.bundles}
            grown = not more <= data
            data |= more
        return data

    def text(self) -> str:
        """The whole description."""
        lines = [self._box(box) for box in self.boxes]
        for rank, ports in (("source", self.inputs), ("sink", self.outputs)):
            nodes = dict.fromkeys(self.node[port] for port in ports)
            lines.append(f"{{rank={rank}; " + " ".join(map(self._port, nodes)) + "}")
        drawn = set()
        for origin, to in self.flows:
            if (origin, to) not in drawn:
                lines.append(self._arrow(*self._direction(origin, to)))
                drawn |= {(origin, to), (to, origin)}
        return HEAD + "\n".join(lines) + "\n}\n"

    def _box(self, box: Box) -> str:
        name = box.name if box.number == 1 else f"{box.name} × {box.number}"
        if box.block:
            below = f"<br/>{box.block}" if box.block != box.name else ""
            return (f'"box {box.name}" [label=<<b>{name}</b>{below}> style=filled '
                    f'fillcolor="{BLOCK}"];')
        fill = CLOCKED if box.clocked else PLAIN
        return f'"box {box.name}" [label="{name}" style="rounded,filled" fillcolor="{fill}"];'

    def _port(self, node: str) -> str:
        ports = [port for port, its in self.node.items() if its == node]
        shape = f"<br/>{beat(self.streams[ports[0]])}" if ports[0] in self.streams else ""
        return f'"{node}" [shape=plaintext label=<<b>{"<br/>".join(ports)}</b>{shape}>];'

    def _direction(self, origin: str, to: str) -> tuple[str, str]:
        """The pair in the direction in which the arrow points: with the data, from inputs to
        outputs."""
        there, back = (self.flows.get(pair, {}) for pair in ((origin, to), (to, origin)))
        against = (to in map(self.node.get, self.inputs)
                   or origin in map(self.node.get, self.outputs)
                   or (self.data & back.keys() and not self.data & there.keys()))
        return (to, origin) if against else (origin, to)

    def _arrow(self, origin: str, to: str) -> str:
        there, back = (dict(self.flows.get(pair, {})) for pair in ((origin, to), (to, origin)))
        style = THICK if self.data & there.keys() else THIN
        only_back = not there
        said = self._whole_streams(there, back)
        ends = "dir=back" if only_back else "dir=both arrowtail=odot" if back else ""
        said += [name for name in self._words(there, origin, to) if name not in self.ports]
        label = ", ".join(shortened(said))
        if back:
            words = ", ".join(shortened(self._words(back, origin, to)))
            label += f"\\n({words})" if label else words
        return f'"{origin}" -> "{to}" [label="{label}" {style} {ends}];'

    def _whole_streams(self, there: dict[str, int], back: dict[str, int]) -> list[str]:
        """What is said of the streams that go from here to there with their tready; they are taken
        out of both."""
        said = []
        for name, stream in self.streams.items():
            if {f"{name}.tdata", f"{name}.tvalid"} <= there.keys() and f"{name}.tready" in back:
                for signals in (there, back):
                    for signal in [s for s in signals if s.startswith(f"{name}.")]:
                        del signals[signal]
                if name not in self.ports:
                    said.append(f"{name}\\n{beat(stream)}")
        return said

    def _words(self, names: Mapping[str, int], *nodes: str) -> list[str]:
        """Names of signals; a stream's by its member alone, where the stream is a port at one end
        of the arrow; several of one bundle by the bundle's."""
        ends = [port for port, node in self.node.items() if node in nodes]
        said = {}
        for name in names:
            owner, _, member = name.partition(".")
            if owner in self.bundles:
                several = sum(other.startswith(f"{owner}.") for other in names) > 1
                said[owner if several or owner in ends else name] = True
            else:
                said[member if member and owner in ends else name] = True
        return list(said)


def shortened(names: list[str]) -> list[str]:
    """A few names, and how many more."""
    more = len(names) - WORDS
    return [*names[:WORDS], f"{more} more"] if more > 1 else names


def beat(stream: AxiStream) -> str:
    """What a beat of a stream holds."""
    shape = stream.shape
    pixels = f"{shape.tile} × {shape.tile} pixels of " if shape.tile > 1 else ""
    return f"{pixels}{shape.lanes} × {shape.bits} bits"


def describe(block: Callable, arguments: dict[str, Any]) -> str:
    """The picture of a block in Graphviz's language."""
    return Drawing(elaborated(block, arguments)).text()


def mark(description: str) -> str:
    """The comment of a picture that was drawn from ``description``."""
    return f"<!-- python -m scripts.picture, from {digest(description)} -->"


def draw(title: str, description: str) -> str:
    """The SVG of a description, drawn by Graphviz.

    Raises ToolError where that is not installed.
    """
    if not shutil.which("dot"):
        raise ToolError("Graphviz, which places the boxes of a picture, is not installed: "
                        "sudo apt-get install graphviz")
    svg = run_tool(["dot", "-Tsvg"], input=description, encoding="utf-8")
    return tidy(title, svg, mark(description))


def tidy(title: str, svg: str, comment: str) -> str:
    """An SVG without what its tool says of itself, with the title and the comment."""
    svg = svg[svg.index("<svg"):svg.index("</svg>")] + "</svg>\n"
    svg = re.sub(r"<!--.*?-->\n?|<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    svg = svg.replace("Helvetica,sans-Serif", "Helvetica, Arial, sans-serif")
    head, _, rest = svg.partition(">\n")
    return f"{head}>\n{comment}\n<title>{title}</title>\n{rest}"
