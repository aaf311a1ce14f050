"""docs/json.md held against what the commands print."""
import re
from pathlib import Path

from scripts.shared.json_output import SCHEMA

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
NAMES = {bool: "bool", int: "int", float: "float", str: "str", dict: "object", type(None): "null"}


def sections():
    """{command: {field: (names of its types, whether it may be left out)}} of the page, those of
    every object among them."""
    head, *parts = re.split(r"^## ", PAGE.read_text(), flags=re.M)
    found = {}
    for part in parts:
        rows = re.findall(r"^\| `(.+?)` \| (.+?) \|", head + part, re.M)
        found[part.splitlines()[0]] = {
            field: (set(kinds.removesuffix(", optional").split(" or ")),
                    kinds.endswith(", optional")) for field, kinds in rows}
        assert len(rows) == len(found[part.splitlines()[0]]), "a field stands twice"
    return found


def kind(value):
    """Names that a value's type may have on the page; an empty list is of anything."""
    if isinstance(value, list):
        return {f"list of {name}" for name in set.union(*map(kind, value))} if value else set()
    return {NAMES[type(value)]}


def check(command, printed):
    """Every field printed is on the page with its type, and every one of the page is printed."""
    assert printed["schema"] == SCHEMA
    check_object(printed, "", sections()[command])


def check_object(value, path, page):
    """The fields of one object, and of those in it.

    path -- the object's own place, as the page names it
    page -- {field: (names of its types, whether it may be left out)}
    """
    found = set()
    for name, part in value.items():
        field = f"{path}.{name}" if path else name
        if field not in page:
            field = f"{path}.*"
        assert field in page, f"docs/json.md does not name {name} of {path or 'the object'}"
        kinds, _ = page[field]
        allowed = kinds | {"int"} if "float" in kinds else kinds
        assert kind(part) <= allowed, f"{field} is {part!r}, docs/json.md says {kinds}"
        found.add(field)
        if isinstance(part, dict):
            check_object(part, field, page)
        elif isinstance(part, list):
            for each in part:
                if isinstance(each, dict):
                    check_object(each, f"{field}[]", page)
    wanted = {field for field, (_, optional) in page.items()
              if field.rpartition(".")[0] == path and not optional and not field.endswith("*")}
    assert wanted <= found, f"docs/json.md names {sorted(wanted - found)}, which are not printed"
