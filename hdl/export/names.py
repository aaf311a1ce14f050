"""What an export shares with everything else in a design: the names of its modules, entities,
packages and memory files, which take a prefix, and the folder of its memories, a parameter.

Goes by what the converted text defines and reads, at any depth, not by a list of names.
"""
import re
from collections.abc import Mapping
from dataclasses import dataclass

from hdl.hierarchy.reserved import RESERVED

MEMORY_FOLDER = "MEMORY_FOLDER"     # the parameter
PREFIX = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.I)   # a name in Verilog and in VHDL
MEMORY = re.compile(r'"(\w+)\.mem"')


@dataclass(frozen=True)
class Grammar:
    """Where a language's text names its modules or entities, called units here.

    In the patterns {} are the names in question.  A ``header`` and an ``instance`` are what comes
    before a list of parameters, or before the place where it would be; its group ``list`` is the
    beginning of one that is there.
    """

    unit: str       # group 1 the name, group 2 what the unit is made of
    package: str    # group 1 the name
    named: str      # group 1 before a name, group 2 the name
    header: str
    declare: tuple[str, str, str]   # before, the parameter, after
    instance: str
    connect: tuple[str, str, str]
    between: tuple[str, str]        # parameters that are declared, that are connected
    path: str       # of a memory file


GRAMMARS = {
    "Verilog": Grammar(
        unit=r"^module (\w+)(.*?)^endmodule", package=r"^package (\w+);",
        named=r"^(module |[ \t]*)({})(?=(?: #| \w+ ?| ?)\()",
        header=r"^module (?:{}) (?P<list>#\(\s*)?",
        declare=("#(\n    ", f'parameter {MEMORY_FOLDER} = "."', "\n) "),
        instance=r"^[ \t]*(?:{}) (?:(?P<list>#\(\s*)|(?=\w+ ?\())",
        connect=("#(", f".{MEMORY_FOLDER}({MEMORY_FOLDER})", ") "),
        between=(", ", ", "), path=f'{{{{{MEMORY_FOLDER}, "/{{}}.mem"}}}}'),
    "VHDL": Grammar(
        unit=r"^architecture \w+ of (\w+) is(.*?)^end architecture",
        package=r"^package (\w+) is",
        named=r"\b(entity |package |package body |end |architecture \w+ of |work\.)({})\b",
        header=r"^entity (?:{}) is\n(?P<list>\s*generic \(\s*)?",
        declare=("    generic (\n        ", f'{MEMORY_FOLDER} : string := "."', "\n    );\n"),
        instance=r"\bentity work\.(?:{})\b(?P<list>\s+generic map \(\s*)?",
        connect=(" generic map (", f"{MEMORY_FOLDER} => {MEMORY_FOLDER}", ")"),
        between=("; ", ", "), path=f'{MEMORY_FOLDER} & "/{{}}.mem"'),
}


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that is no name in both languages; ValueError."""
    if not PREFIX.fullmatch(prefix):
        raise ValueError(f"the prefix {prefix!r} is no name in Verilog and VHDL: give letters, "
                         "digits and single underscores between them, a letter first, such as "
                         "net_a")
    if prefix.lower() in RESERVED:
        raise ValueError(f"the prefix {prefix!r} is a reserved word of Verilog or VHDL: give "
                         f"another, such as {prefix}_net")


def prefixed(prefix: str, name: str) -> str:
    """The name behind a prefix, where there is one."""
    return f"{prefix}_{name}" if prefix else name


def settle(texts: Mapping[str, str], prefix: str, hdl: str) -> dict[str, str]:
    """Converted text, ready to stand beside other people's.

    Every unit that reads memory files, itself or in what is inside it, has the parameter
    MEMORY_FOLDER, "." where it is not given, and gives it to its instances.  Every unit, package,
    memory file and file of text has the prefix.

    texts  -- {file: text}, all that belongs to a design
    prefix -- a name, or "" for none
    hdl    -- "Verilog" or "VHDL"
    """
    grammar, whole = GRAMMARS[hdl], "\n".join(texts.values())
    inside: dict[str, str] = dict(re.findall(grammar.unit, whole, re.M | re.S))
    reading = "|".join(sorted(readers(inside, grammar)))
    named = "|".join(sorted({*inside, *re.findall(grammar.package, whole, re.M)}))

    def parameter(words, between):
        before, own, after = words
        return lambda at: at[0] + (own + between if at["list"] else before + own + after)

    def settled(text):
        if reading:
            for pattern, words, between in (
                    (grammar.header, grammar.declare, grammar.between[0]),
                    (grammar.instance, grammar.connect, grammar.between[1])):
                text = re.sub(pattern.format(reading), parameter(words, between), text, flags=re.M)
        text = MEMORY.sub(lambda at: grammar.path.format(prefixed(prefix, at[1])), text)
        return re.sub(grammar.named.format(named), lambda at: at[1] + prefixed(prefix, at[2]), text,
                      flags=re.M)

    return {prefixed(prefix, file): settled(text) for file, text in texts.items()}


def readers(inside: Mapping[str, str], grammar: Grammar) -> set[str]:
    """Units that read memory files, themselves or in units inside them.

    inside -- {unit: its text}
    """
    found = {name for name, text in inside.items() if MEMORY.search(text)}
    while found:
        pattern = re.compile(grammar.instance.format("|".join(found)), re.M)
        more = {name for name, text in inside.items() if pattern.search(text)} - found
        if not more:
            break
        found |= more
    return found
