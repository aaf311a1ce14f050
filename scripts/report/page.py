"""The report as one HTML file that needs no network."""
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from golden.build import cache_folder
from hdl.build import built_once
from scripts.report import charts
from scripts.report.results import Results
from scripts.report.runs import run_data
from scripts.report.sections import SECTIONS, Section
from scripts.shared.options import UserError
from scripts.shared.provenance import made

MOST_BYTES = 5_000_000
FOLDER = Path(__file__).parent


def library() -> str:
    """The script of Vega, Vega-Lite and Vega-Embed, which vl_convert has; kept, since vl_convert
    puts it together anew each time."""
    kept = cache_folder() / f"vega-{version('vl-convert-python')}"
    bundler: Any = vl_convert   # whose stub asks for an argument that it does not need
    built_once(kept, lambda folder: (folder / "vega.js").write_text(
        bundler.javascript_bundle(), encoding="utf-8"))
    return (kept / "vega.js").read_text(encoding="utf-8")


def script_json(value: object) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/")


def render(results: Results) -> tuple[str, list[Section]]:
    """(the page, its sections).

    Raises UserError where the page is greater than it may be.
    """
    runs = run_data(results.runs)
    sections = [section(results, runs) for section in SECTIONS]
    specs = {figure.name: figure.spec for section in sections for figure in section.figures
             if figure.spec}
    specs |= {"gantt": charts.gantt(), "fills": charts.levels(),
              "fill": charts.one_fill(), "map": charts.heat_map(), "channels": charts.channels()}
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True,
                                     undefined=jinja2.StrictUndefined)
    page = environment.get_template("page.html").render(
        sections=sections, runs=runs, made=made(), folder=results.folder,
        style=text("page.css"), script=text("page.js"), library=library(),
        data=script_json({"specs": specs, "runs": [run.drawn() for run in runs]}))
    check_size(page, results.runs)
    return page, sections


def text(name: str) -> str:
    """A file beside this one."""
    return (FOLDER / name).read_text(encoding="utf-8")


def check_size(page: str, runs: Sequence[object]) -> None:
    """Refuse a page that is greater than MOST_BYTES: UserError."""
    size = len(page.encode())
    if size > MOST_BYTES:
        raise UserError(f"the report of {len(runs)} runs has {size:,} bytes, more than "
                        f"{MOST_BYTES:,}: take some recordings (.h5) out of the folder of "
                        "results")
