"""Families: modules that differ in widths alone are one module with parameters.

Only modules without parts are compared, by their text: what may differ is the numbers in ranges,
and the name of a memory file.  Numbers that are equal in every member are one parameter.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from os.path import commonprefix

from hdl.hierarchy.module import Module
from hdl.hierarchy.reserved import legal

MOST = 4    # parameters of a family; more say that the likeness is chance
FILE = "MEMORY_FILE"
COLUMNS = 100


@dataclass(frozen=True)
class Grammar:
    """How a language writes what may be a parameter.

    last   -- pattern of a number that is one less than a width or a depth
    plain  -- pattern of a number that is one itself
    head   -- a module's text as far as its ports: {name}
    number, word -- the declaration of a parameter, {name} and {value}
    between, declared -- what stands between two of them; their list
    give, given -- the same where an instance gives them
    """

    last: str
    plain: str
    head: str
    number: str
    word: str
    between: str
    declared: str
    give: str
    given: str


@dataclass
class Family:
    """What is written for some modules: one text, and the parameters of each of them.

    values -- {number of a module: {parameter: value}}
    """

    name: str
    text: str
    values: dict[int, dict[str, str]]


def references(found: Mapping[int, Family], grammar: Grammar) -> Callable[[Module], str]:
    """What stands for a module where there is an instance: its name, or its family's with the
    values of the parameters."""
    def reference(module: Module) -> str:
        family = found.get(module.number)
        if not family:
            return module.name
        given = ", ".join(grammar.give.format(name=name, value=value)
                          for name, value in family.values[module.number].items())
        return family.name + grammar.given.format(given)

    return reference


def families(texts: Iterable[tuple[Module, str]], grammar: Grammar,
             taken: set[str]) -> dict[int, Family]:
    """{number of a module: its family} of modules that have one.

    texts -- of modules without parts
    taken -- names of all modules, to which those of families are added
    """
    tokens = re.compile(f'(?P<last>{grammar.last})|(?P<plain>{grammar.plain})|"(\\w+)\\.mem"')
    alike: dict[tuple[object, str], list[tuple[Module, str]]] = {}
    for module, text in texts:
        skeleton = tokens.sub("\0", text).replace(module.name, "\1")
        alike.setdefault((module.block.func, skeleton), []).append((module, text))
    found: dict[int, Family] = {}
    for members in alike.values():
        family = _family(members, tokens, grammar, taken) if len(members) > 1 else None
        if family:
            found |= {module.number: family for module, _ in members}
    return found


def _family(members: list[tuple[Module, str]], tokens: re.Pattern[str], grammar: Grammar,
            taken: set[str]) -> Family | None:
    """The family of modules whose texts differ in tokens alone; None where in too many."""
    columns = list(zip(*([_value(token) for token in tokens.finditer(text)]
                         for _, text in members)))
    first, text = members[0]
    names = _parameters(first, columns)
    if len(names) > MOST:
        return None
    parts, at = [], 0
    for token, column in zip(tokens.finditer(text), columns):
        name = names.get(column)
        word = f"{name}-1" if name and token["last"] else name
        parts += [text[at:token.start()], word or token[0]]
        at = token.end()
    name = _name([module.name for module, _ in members], first.block.func.__name__, taken)
    values = {module.number: {name: column[place] for column, name in names.items()}
              for place, (module, _) in enumerate(members)}
    declared = grammar.between.join(
        (grammar.word if name == FILE else grammar.number).format(name=name, value=value)
        for name, value in values[first.number].items())
    whole = rewrapped("".join(parts) + text[at:]).replace(first.name, name)
    head = grammar.head.format(name=name)
    return Family(name, whole.replace(head, head + grammar.declared.format(declared), 1), values)


def rewrapped(text: str) -> str:
    """Text with a line for each port where a line of several has become too long."""
    lines = []
    for line in text.splitlines():
        if len(line) > COLUMNS:
            indent = line[:len(line) - len(line.lstrip())]
            line = re.sub(r"(?<=[,;]) (?=input |output |\w+ : (?:in|out) )", f"\n{indent}", line)
        lines.append(line)
    return "\n".join(lines) + "\n"


def _value(token: re.Match[str]) -> str:
    """What a token stands for: a width or a depth, or a file."""
    return str(int(token[0]) + 1) if token["last"] else token[0]


def _parameters(module: Module, columns: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """{values in every member: name} of what differs between members: of the bits of a port, named
    after the first one, or of a depth."""
    different = [column for column in dict.fromkeys(columns) if len(set(column)) > 1]
    numbers = [column for column in different if not column[0].startswith('"')]
    names = {column: FILE for column in different if column not in numbers}
    for column in numbers:
        ports = [port.net.name for port in module.ports
                 if str(port.net.width) == column[0] and not port.net.bit]
        free = "DEPTH" if not ports else "BITS" if len(numbers) == 1 else \
            f"{ports[0]}_bits".upper()
        while free in names.values():
            free += "_2"
        names[column] = free
    return names


def _name(names: list[str], function: str, taken: set[str]) -> str:
    """What the members' names have in common, if they begin with their block's name, or that."""
    words, own = commonprefix([name.split("_") for name in names]), function.split("_")
    name = free = legal("_".join(words) if words[:len(own)] == own else function)
    number = 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free
