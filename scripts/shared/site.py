"""What makes a site of docs/, for mkdocs.yml: pages of the checkout's root and pages of the code.

The pages of docs/ are written to be read in a checkout.  In the site, what they link to outside of
docs/ stands in ``checkout``, and each room of the code has a page in ``api``, of its docstrings.
"""
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS, CHECKOUT, API = "docs", "checkout", "api"
PACKAGES = ("hdl", "golden", "scripts")
LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)#\s]+)")     # to a file; an anchor may follow
# In a docstring, what a name means: "name -- words", and its further lines, which are indented.
MEANING = re.compile(r"^(\*{0,2}\w+(?:(?:, | / )\w+)*) +-- ", re.M)
# What a page fetches by itself: scripts, styles, fonts, pictures, frames.
FETCHED = re.compile(r"<(?:script|img|iframe|source|link(?![^>]*rel=.?canonical))\b[^>]*"
                     r"(?:src|href)=.?(?:https?:)?//[^>]*>|url\(.?(?:https?:)?//[^)]*\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the code where the navigation has their folder."""
    entries = [entry for section in config.nav or () for each in section.values() for entry in each]
    for entry in entries:
        if isinstance(entry, dict) and f"{API}/" in entry.values():
            entry.update(dict.fromkeys(entry, [f"{API}/{room}.md" for room in rooms()]))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that docs/ does not have."""
    for name in outside():
        files.append(File.generated(config, f"{CHECKOUT}/{name}",
                                    content=(ROOT / name).read_bytes()))
    for room, modules in rooms().items():
        text = "\n\n".join([f"# {room}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"{API}/{room}.md", content=text))
    return files


def outside() -> list[str]:
    """Files outside of docs/ that pages link to, and those that they link to, from the root."""
    found: set[str] = set()
    pages = [f"{DOCS}/{page.name}" for page in (ROOT / DOCS).glob("*.md")]
    while pages:
        for target in linked(pages.pop()):
            if not target.startswith(f"{DOCS}/") and target not in found:
                found.add(target)
                pages += [target] if target.endswith(".md") else []
    return sorted(found)


def linked(page: str) -> Iterator[str]:
    """What a page links to, both named from the root."""
    for _, target in LINK.findall((ROOT / page).read_text(encoding="utf-8")):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(page), target))


def rooms() -> dict[str, list[str]]:
    """{room of the code: its modules}, each with a docstring."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            if file.name not in ("__init__.py", "__main__.py"):
                room = ".".join(parts[:2]) if len(parts) > 2 else package
                found.setdefault(room, []).append(".".join(parts))
    return found


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have the links of a page lead to where their files are in the site."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """The text of a page of the site, with the links of the checkout's.

    page -- its name in the site
    """
    inside = page.removeprefix(f"{CHECKOUT}/")
    source = inside if inside != page else f"{DOCS}/{page}"

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        place = target.removeprefix(f"{DOCS}/") if target.startswith(f"{DOCS}/") \
            else f"{CHECKOUT}/{target}"
        return match[1] + posixpath.relpath(place, posixpath.dirname(page) or ".")

    return LINK.sub(moved, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Refuse a site whose pages fetch anything from another host."""
    for file in sorted(Path(config.site_dir).rglob("*")):
        if file.suffix in (".html", ".css"):
            fetched = FETCHED.search(file.read_text(encoding="utf-8"))
            if fetched:
                raise PluginError(f"{file} fetches from another host: {fetched.group()}")


class Docstrings(griffe.Extension):
    """Docstrings as Markdown: what names mean becomes a list."""

    def on_object(self, *, obj: griffe.Object, **others: Any) -> None:
        """Called for each object that has been read."""
        if obj.docstring:
            obj.docstring.value = listed(obj.docstring.value)


def listed(docstring: str) -> str:
    """A docstring whose lines "name -- words" are items of a list, which begins after a blank line
    and ends before one."""
    lines: list[str] = []
    for line in docstring.splitlines():
        item = MEANING.sub(r"- `\1`: ", line)
        inside = bool(lines) and lines[-1].startswith(("- ", "  "))
        if lines and lines[-1] and (item != line) != inside and not line.startswith(" "):
            lines.append("")
        lines.append(item)
    return "\n".join(lines)
