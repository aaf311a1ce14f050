"""The documentation names what exists: files, links, headings, commands; rooms, blocks."""
import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("docs", "golden", "hdl", "scripts", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SOURCES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*")
                 if file.suffix in (".py", ".vlt", ".cpp", ".h", ".sv", ".vhd"))
ALL = [*PAGES, *SOURCES]
IDS = [str(file.relative_to(ROOT)) for file in ALL]

PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/]")
STANDS_FOR = re.compile("NAME|ROOM")    # part of a path that stands for any
FILE = re.compile(r"`([\w-]+\.(?:py|md|vlt|cpp|svg))`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"python -m (scripts\.[a-z_]+)")
NAMES = {file.name for file in [*ALL, *(ROOT / "docs").rglob("*.svg")]}


def paths(text):
    """Paths from the root that a text names, but for patterns: with a star, or words of
    STANDS_FOR."""
    return [match.group() for match in PATH.finditer(text)
            if text[match.end():][:1] != "*" and not STANDS_FOR.search(match.group())]


def anchors(page):
    """What a link may name in a page: its headings, as forges spell them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_is_found():
    """The patterns find what they are for."""
    text = "see `hdl/layers.py`, [a page](docs/numerics.md#weights), tests/golden. `photo.py` is " \
           "run by python -m scripts.cosim; not tests/test_*.py, tests/test_NAME.py nor ../hdl/x.py"
    assert paths(text) == ["hdl/layers.py", "docs/numerics.md", "tests/golden"]
    assert FILE.findall(text) == ["photo.py"]
    assert LINK.findall(text) == ["docs/numerics.md#weights"]
    assert COMMAND.findall(text) == ["scripts.cosim"]


@pytest.mark.parametrize("file", ALL, ids=IDS)
def test_named_files_exist(file):
    text = file.read_text(encoding="utf-8")
    missing = [path for path in paths(text) if not (ROOT / path).exists()]
    assert not missing, f"{file.name} names what is not there"
    if file.suffix == ".md":
        assert set(FILE.findall(text)) <= NAMES


@pytest.mark.parametrize("file", ALL, ids=IDS)
def test_named_commands_exist(file):
    commands = COMMAND.findall(file.read_text(encoding="utf-8"))
    assert all(importlib.util.find_spec(command) for command in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {link.partition("#")[0] for link in LINK.findall(index)}
    assert {page.name for page in PAGES if page.parent != ROOT} - {"README.md"} <= linked


def test_every_page_is_in_the_sites_navigation():
    listed = re.findall(r"^ +- (?:[^:\n]+: )?(\S+\.md)$",
                        (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    wanted = {page.name if page.parent != ROOT else f"checkout/{page.name}" for page in PAGES}
    assert sorted(listed) == sorted(wanted)


def room(module):
    """The room of architecture.md that a module is in, MyHDL, or None for any other's."""
    head, *rest = module.split(".")
    if head == "hdl" and rest:
        return f"hdl/{rest[0]}" if (ROOT / "hdl" / rest[0]).is_dir() else f"hdl/{rest[0]}.py"
    return {"myhdl": "MyHDL", "golden": "golden", "scripts": "scripts"}.get(head)


def imported(file):
    """Rooms that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} \
                if node.module in ("hdl", "golden", "scripts") else {node.module}
    return {room(name) for name in names} - {None}


def rooms():
    """{room: those that it may import}, from the table in architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/.]+)` \|.*\|(.*)\|$", text[:text.index("## From table")], re.M)
    return {name: {word.strip(" `") for word in may.split(",")} - {""} for name, may in rows}


@pytest.mark.parametrize("name, may", [(name, may) for name, may in rooms().items()
                                       if may != {"all of them"}])
def test_a_room_imports_what_its_row_says(name, may):
    files = sorted((ROOT / name).rglob("*.py")) if (ROOT / name).is_dir() else [ROOT / name]
    assert set().union(*map(imported, files)) - {name} <= may


def test_every_room_has_a_row():
    assert rooms().keys() - {"tests"} == {
        room(".".join(file.relative_to(ROOT).with_suffix("").parts)) for file in SOURCES
        if file.suffix == ".py" and file.parts[len(ROOT.parts)] in ("golden", "hdl", "scripts")
        and file.name != "__init__.py"}


def test_every_picture_is_shown():
    """Each block and each timing diagram, in a section of its own or of its block's."""
    page = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
    for folder in ("blocks", "timing"):
        for file in (ROOT / "docs" / folder).glob("*.svg"):
            section = re.search(rf"^### {file.stem}$(.*?)(^##|\Z)", page, re.M | re.S)
            assert section and f"({folder}/{file.name})" in section.group(1), file.stem


@pytest.mark.parametrize("file", sorted((ROOT / "hdl" / "blocks").glob("*.py")),
                         ids=lambda file: file.stem)
def test_latencies_are_the_blocks(file):
    """blocks.md and a block's constant say the same."""
    stated = re.search(r"^LATENCY = (\d+)", file.read_text(encoding="utf-8"), re.M)
    if stated:
        page = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
        section = page[page.index(f"### {file.stem}\n"):]
        assert re.search(r"^- Latency: (\d+)", section, re.M).group(1) == stated.group(1)
