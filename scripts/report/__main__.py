"""Make one HTML page of what the other commands found out, to look at, to print, to send.

The page shows what is in the folder of results: recordings of scripts.cosim and what commands
print with --json.  Where something is missing, the page names the command that makes it; --run
makes what is quick.  The page needs no network.
"""
import webbrowser
from pathlib import Path

import click
from rich.console import Console

from hdl.errors import ToolError
from hdl.layers import Precision
from scripts.report import results
from scripts.report.make import LONG, Asked, make
from scripts.shared.json_output import print_json
from scripts.shared.options import (CheckFailed, alpha_option, cycles_per_frame_option, json_option,
                                    precision_option, resolution_option, user_errors,
                                    weights_option)
from scripts.shared.tables import grid, show


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path), required=False)
@click.option("--results", "folder", type=click.Path(path_type=Path), default=Path("results"),
              show_default=True, metavar="FOLDER", help="Where the results are.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("report.html"),
              show_default=True, help="The page.")
@click.option("--run", "quick", is_flag=True,
              help="Make results first, by the other commands: a recorded run of two frames, the "
                   "budget, what fits which device.")
@click.option("--also", multiple=True, type=click.Choice(list(LONG)),
              help="With --run, results that take long: " + "; ".join(
                  f"{name}, {job.words}" for name, job in LONG.items()) + ".")
@click.option("--classify", is_flag=True,
              help="With --run, name the classes of the photo, where the weights have a top.")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@alpha_option
@resolution_option
@precision_option
@weights_option
@cycles_per_frame_option
@json_option
@user_errors
def main(photo: Path | None, folder: Path, out: Path, quick: bool, also: tuple[str, ...],
         classify: bool, opened: bool, alpha: float, resolution: int, precision: Precision,
         weights: str, cycles_per_frame: int | None, as_json: bool) -> None:
    """Make the report."""
    try:
        from scripts.report.page import render
    except ModuleNotFoundError as error:
        raise ToolError(f"the report needs the package {error.name}: "
                        "pip install -e '.[report]'") from None
    check_place(out)
    asked = Asked(photo, alpha, resolution, precision.name, weights, classify,
                  cycles_per_frame or resolution ** 2, folder)
    asked.check()
    failed = make(asked, also) if quick or also else []
    with Console(stderr=True).status("drawing"):
        page, sections = render(results.read(folder))
    out.write_text(page, encoding="utf-8")
    found = {"report": str(out), "bytes": len(page.encode()), "sections": [
        {"name": section.name, "figures": len(section.figures), "missing": section.missing}
        for section in sections]}
    if as_json:
        print_json(found)
    else:
        table = grid(f"{out}, {found['bytes']:,} bytes", "section", "figures", "missing", text=1)
        for section in sections:
            table.add_row(section.title, str(len(section.figures)),
                          "" if section.figures else "yes: the page says which command makes it")
        show(table)
    if opened and not webbrowser.open(out.absolute().as_uri()):
        click.echo(f"no browser was found: open {out.absolute().as_uri()} in one", err=True)
    if failed:
        raise CheckFailed(f"these commands did not end well, as they say above: "
                          f"{'; '.join(failed)}")


def check_place(out: Path) -> None:
    """Refuse a path that no file can be written to, before any work is done: ToolError."""
    if out.is_dir() or not out.parent.is_dir():
        problem = "is a folder" if out.is_dir() else "is in no folder that exists"
        raise ToolError(f"the report {out} {problem}: give the path of a file with --out")


if __name__ == "__main__":
    main(prog_name="python -m scripts.report")
