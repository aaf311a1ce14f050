"""docs/inputs.md on weights: its words are the program's, and its tests are there."""
import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "inputs.md").read_text(encoding="utf-8").partition("## Photos")[0]
FILES = {number: ROOT / "docs" / path
         for path, number in re.findall(r"\]\((\S+?)\) \((\d)\)", PAGE)}


def texts():
    """All texts of golden's source, what is filled in as three dots."""
    for file in sorted((ROOT / "golden").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "..."
                              for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def rows(heading):
    """Cells of each row below a heading."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")]
            for line in part.splitlines() if line.startswith("|")][2:]


ALL = rows("Taken") + rows("Left out") + rows("Refused")


def test_rows_are_found():
    assert sorted(FILES) == ["2", "3", "4", "5"] and len(ALL) > 35


@pytest.mark.parametrize("row", ALL, ids=lambda row: row[0][:30])
def test_tests_are_there(row):
    """A number names the file of those behind it."""
    found = re.findall(r"(?:(\d): )?`(test_\w+)`", row[-1])
    assert found and found[0][0], row
    file = FILES[found[0][0]]
    for number, name in found:
        file = FILES.get(number, file)
        assert f"\ndef {name}(" in file.read_text(encoding="utf-8"), f"{file} has no {name}"


@pytest.mark.parametrize("row", rows("Left out") + rows("Refused"), ids=lambda row: row[0][:30])
def test_words_are_the_programs(row):
    said = list(texts())
    for words in ("; ".join(row[1:-1]) or row[0]).split("; "):
        assert any(words in text for text in said), f"no text has {words!r}"
