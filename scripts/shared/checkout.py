"""The checkout that a command runs from: some write into its documentation."""
from pathlib import Path

from scripts.shared.options import UserError

ROOT = Path(__file__).resolve().parents[2]      # of the checkout; of an installed wheel, elsewhere


def docs_folder() -> Path:
    """docs/ of the checkout; UserError where the commands run from an installed wheel."""
    if not (ROOT / "pyproject.toml").is_file():
        raise UserError("this command writes to docs/ of a checkout of its source, and runs from "
                        "none: give a place with --out")
    return ROOT / "docs"
