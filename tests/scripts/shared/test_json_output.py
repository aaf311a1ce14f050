"""JSON of the commands: docs/json.md has every one, and what holds them against it can fail."""
import importlib

import click
import pytest

from scripts.__main__ import commands
from scripts.shared.json_output import versioned
from tests.support.json_page import check, sections

GOOD = versioned({"golden": "golden.h5", "datasets": 3, "equal": False,
                  "differences": ["fixed/Conv1"]})


def test_every_command_with_json_is_on_the_page():
    found = set()
    for name, module in commands().items():
        main = importlib.import_module(module).main
        parts = main.commands.values() if isinstance(main, click.Group) else [main]
        if any(parameter.name == "as_json" for part in parts for parameter in part.params):
            found.add(f"scripts.{name}")
    # A module in a command's folder, such as scripts.fit.host, is a part of the command.
    assert {".".join(head.split()[0].split(".")[:2]) for head in sections()} == found


def test_a_good_object():
    check("scripts.dump_goldens --verify", GOOD)
    check("scripts.dump_goldens --verify", GOOD | {"differences": []})


@pytest.mark.parametrize("changed, words", [
    ({"extra": 1}, "does not name extra of the object"),
    ({"equal": 0}, "equal is 0, docs/json.md says {'bool'}"),
    ({"differences": [1]}, r"differences is \[1\]"),
    ({"datasets": None}, "datasets is None"),
])
def test_what_the_page_does_not_say_is_found(changed, words):
    with pytest.raises(AssertionError, match=words):
        check("scripts.dump_goldens --verify", GOOD | changed)


def test_what_is_not_printed_is_found():
    with pytest.raises(AssertionError, match=r"names \['equal'\], which are not printed"):
        check("scripts.dump_goldens --verify",
              {name: value for name, value in GOOD.items() if name != "equal"})
    with pytest.raises(AssertionError, match=r"names \['failed\[\].reason'\]"):
        check("scripts.validate", {"schema": 1, "failed": [{"file": "cat.png"}]})
