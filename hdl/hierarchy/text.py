"""What modules have in common as text, whatever the language."""
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Protocol

from hdl.hierarchy.families import Grammar, families, references
from hdl.hierarchy.module import Module

COLUMNS = 100


class Language(Protocol):
    """What verilog.py and vhdl.py have."""

    MARK: str
    GRAMMAR: Grammar

    def module_text(self, module: Module, reference: Callable[[Module], str]) -> str:
        """A module's text; ``reference`` says what stands for the module of an instance."""


def written(modules: Sequence[Module], language: Language) -> dict[str, str]:
    """{name: text} of modules, each after those that it has instances of.

    modules -- in this order
    """
    alone = [(module, language.module_text(module, str)) for module in modules if module.leaf]
    found = families(alone, language.GRAMMAR, {module.name for module in modules})
    reference = references(found, language.GRAMMAR)
    texts: dict[str, str] = {}
    told = set()    # blocks whose docstring has been written
    for module in modules:
        family = found.get(module.number)
        name = family.name if family else module.name
        if name not in texts:
            text = family.text if family else language.module_text(module, reference)
            texts[name] = f"{comment(module, language.MARK, module.block.func not in told)}\n{text}"
            told.add(module.block.func)
    return texts


def grouped(items: Iterable[tuple[str, str]], indent: str = "    ") -> str:
    """Items (group, text), neighbours of one group on one line, as far as it goes."""
    lines = []
    for _, members in groupby(items, key=lambda item: item[0]):
        line = ""
        for _, text in members:
            if line and len(indent) + len(line) + 1 + len(text) > COLUMNS:
                lines.append(line)
                line = ""
            line = f"{line} {text}" if line else text
        lines.append(line)
    return textwrap.indent("\n".join(lines), indent)


def instantiated(head: str, items: Iterable[tuple[str, str]], indent: str = "    ",
                 room: int = COLUMNS) -> str:
    """An instance's ports, as ``grouped``, the first line of them behind its head where that has
    room."""
    first, _, rest = grouped(items, indent).partition("\n")
    line = head + first.strip()
    return "\n".join(filter(None, [line if len(line) <= room else f"{head}\n{first}", rest]))


def wrapped(kind: str, names: Iterable[str], tail: str = "") -> str:
    """The declaration of some names of one kind."""
    return textwrap.fill(f"{kind}{', '.join(names)}{tail};", COLUMNS, subsequent_indent="    ",
                         break_on_hyphens=False, break_long_words=False)


def joined(body: Sequence[object], texts: Iterable[str]) -> Iterator[str]:
    """The texts of the parts of a module's body, those of one list's instances as one."""
    numbered = [(getattr(item, "listed", "") or str(number), text)
                for number, (item, text) in enumerate(zip(body, texts))]
    for _, members in groupby(numbered, key=lambda pair: pair[0]):
        yield "\n".join(text for _, text in members)


def tidy(sections: Iterable[str]) -> str:
    """Sections with a blank line between them; none between sections that are nothing but lines of
    one kind, such as assignments, none above an end."""
    text, before = "", ""
    for section in sections:
        section = "\n".join(line.rstrip() for line in section.splitlines())
        if section:
            words = {line.split(" ")[0] for line in section.splitlines()}
            kind = words.pop() if len(words) == 1 else ""
            close = section.startswith("end") or kind and kind == before
            text += ("\n" if close else "\n\n") * bool(text) + section
            before = kind
    return text + "\n"


def comment(module: Module, mark: str, whole: bool) -> str:
    """The docstring of a module's block, without what it says of arguments that are no ports, or
    its first line."""
    text = textwrap.dedent(f"    {module.block.__doc__ or ''}").strip()
    ports = {port.argument for port in module.ports}
    lines, keep = [], True
    for line in text.splitlines() if whole else text.split("\n\n")[0].splitlines():
        of_arguments = re.match(r"((?:\w+, )*\w+) +-- ", line)
        if of_arguments:
            keep = bool(ports & set(of_arguments[1].split(", ")))
        elif not line.startswith(" "):
            keep = True
        if keep:
            lines.append(f"{mark} {line}".rstrip())
    while lines and lines[-1] == mark:
        lines.pop()
    return "\n".join(lines)
