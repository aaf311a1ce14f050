"""JSON of the commands, for programs: docs/json.md names every field."""
import json
from typing import Any

import click

SCHEMA = 1      # of all commands; counts up when a field changes its name, type, unit or meaning


def versioned(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, begun with the number of their schema."""
    return {"schema": SCHEMA, **fields}


def print_json(fields: dict[str, Any]) -> None:
    """Print one JSON object with the number of its schema."""
    click.echo(json.dumps(versioned(fields)))
