"""Draw the documentation's pictures as SVG files.

chain.svg is the chain of 19 stages, from the layer table; blocks/ has the structure of each block
and unit, from the elaborated blocks; timing/ has timing diagrams, recorded from simulations.
"""
from __future__ import annotations

from pathlib import Path

import click

from hdl.layers import layer_table
from scripts.picture import chain, examples, structure, timing
from scripts.shared.checkout import docs_folder
from scripts.shared.options import alpha_option, out_option, resolution_option, user_errors

KINDS = ("chain", "blocks", "timing")


@click.command(help=__doc__)
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS), metavar="[chain] [blocks] [timing]")
@alpha_option
@resolution_option
@out_option
@user_errors
def main(kinds: tuple[str, ...], alpha: float, resolution: int, out: Path | None) -> None:
    """Write the pictures of ``kinds``, all of them by default, into the folder that exists."""
    stale = out is None     # only docs/ is known to hold nothing but these
    out = out or docs_folder()
    kinds = kinds or KINDS
    if "chain" in kinds:
        (out / "chain.svg").write_text(chain.draw(layer_table(alpha, resolution)),
                                       encoding="utf-8")
    if "blocks" in kinds:
        write(out / "blocks", {name: structure.draw(name, structure.describe(*example))
                               for name, example in examples.blocks().items()}, stale)
    if "timing" in kinds:
        write(out / "timing", {name: timing.draw(name, example)
                               for name, example in timing.examples().items()}, stale)


def write(folder: Path, pictures: dict[str, str], stale: bool) -> None:
    """Fill ``folder`` with {name: SVG}; where ``stale``, take away pictures of what is no more."""
    folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    for file in folder.glob("*.svg"):
        if stale and file.stem not in pictures:
            file.unlink()


if __name__ == "__main__":
    main(prog_name="python -m scripts.picture")
