"""JSON of the commands, for programs: docs/json.md names every field."""
import json
import sys
from collections.abc import Callable
from typing import Any

import click

from scripts.shared.provenance import made

SCHEMA = 1      # of all commands; counts up when a field changes its name, type, unit or meaning


def versioned(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, begun with the number of their schema and with where they come from."""
    return {"schema": SCHEMA, "made": made(), **fields}


def print_json(fields: dict[str, Any]) -> None:
    """Print one JSON object with the number of its schema and where it comes from."""
    click.echo(json.dumps(versioned(fields)))


def output(summary: dict[str, Any], as_json: bool, tell: Callable[[dict[str, Any]], None]) -> None:
    """Print what a command has found, as JSON or as ``tell`` prints it for a reader.

    The command ends here with status 1 where the field ``ok`` is false.
    """
    if as_json:
        print_json(summary)
    else:
        tell(summary)
    if not summary.get("ok", True):
        sys.exit(1)
