"""Convert the chain, or stages of it, to folders of Verilog or VHDL that need no Python.

Each has the HDL, a file for each module, the .mem files of its ROMs, constants, a file list, a
FuseSoC core, a page of ports and figures, and a bench that checks itself with the golden of PHOTO;
without one, of the cat that scikit-image ships.
"""
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from golden import build, store
from golden.network import Network
from hdl.build import default_build_dir
from hdl.convert.network import TOP
from hdl.export.block import Block, blocks
from hdl.export.folder import export
from hdl.export.names import check_prefix, prefixed
from hdl.layers import stages
from hdl.plan.config import configure_network
from hdl.plan.network import plan_network
from scripts.shared.json_output import print_json
from scripts.shared.options import (cycles_per_frame_option, hdl_option, json_option,
                                    network_options, out_option, user_errors)
from scripts.shared.tables import grid

CHAIN = "chain"
WIDTH = 120


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path), required=False)
@hdl_option
@click.option("--block", default=CHAIN, show_default=True, metavar="[STAGE|all|chain]",
              help="A stage (stem, expanded_conv, block_1 ... block_16, head), all of them, or the "
                   "chain.")
@click.option("--prefix", default="", metavar="NAME",
              help="What the names of all modules, entities, packages, memory files, FuseSoC cores "
                   "and folders begin with, so that two networks fit in one design.")
@network_options
@cycles_per_frame_option
@out_option
@json_option
@user_errors
def main(photo: Path | None, hdl: str, block: str, prefix: str, network: Network,
         cycles_per_frame: int | None, out: Path | None, as_json: bool) -> None:
    """Write the folders."""
    if prefix:
        check_prefix(prefix)
    chosen = choose(block, [*stages(network.table)])
    out = out or Path("build", hdl.lower())
    folders = {name: out / prefixed(prefix, name) for name in chosen}
    for folder in folders.values():
        check_replaceable(folder)
    plan = plan_network(network.table, network.precision, cycles_per_frame or network.pixels)
    with Console(stderr=True).status("reading") as status:
        path, reused = build.cached(network, photo, status.update)
        golden = store.read(path, float=False)
        available = blocks(configure_network(plan.units, golden.params), plan, golden.fixed,
                           network.alpha, prefix)
        for name, folder in folders.items():
            status.update(f"converting {name}")
            write(available[name], folder, hdl)
    summary = {"hdl": hdl, "golden_reused": reused, "left_out": golden.attributes["left_out"],
               "blocks": [figures(available[name], folder) for name, folder in folders.items()]}
    if as_json:
        print_json(summary)
    else:
        tell(summary, out)


def choose(block: str, names: Sequence[str]) -> list[str]:
    """Names of the folders to write; ValueError for a block that is none of the stages' names."""
    if block == "all":
        return [*names, TOP]
    if block == CHAIN:
        return [TOP]
    if block not in names:
        raise ValueError(f"there is no block {block}: give all, chain or one of {', '.join(names)}")
    return [block]


def check_replaceable(folder: Path) -> None:
    """Refuse to replace what this command has not made: ValueError."""
    if folder.exists() and not (folder / f"{folder.name}.core").is_file():
        raise ValueError(f"{folder} is there and was not made by this command: remove it, or give "
                         "another --out")


def write(block: Block, folder: Path, hdl: str) -> None:
    """Write a Block's folder beside its place and move it there when it is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{block.name}.", dir=folder.parent) as scratch:
        fresh = Path(scratch, "new")
        fresh.mkdir()
        export(block, fresh, default_build_dir("hdl"), hdl)
        old = Path(scratch, "old")
        if folder.exists():
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def figures(block: Block, folder: Path) -> dict[str, Any]:
    """What a Block is and takes, for JSON."""
    timing = block.timing
    return {"name": block.name, "top": block.top, "folder": str(folder),
            "interval_cycles": timing.interval, "first_output_cycles": timing.first,
            "last_output_cycles": timing.last, **block.costs()}


def tell(summary: dict[str, Any], out: Path) -> None:
    """Print what was written, for people."""
    table = grid(f"{summary['hdl']} in {out}", "block", "first beat\nout, cycles",
                 "last beat\nout, cycles", "multipliers", "of\nrequantizers", "bits")
    for row in summary["blocks"]:
        table.add_row(row["name"], f"{row['first_output_cycles']:,}",
                      f"{row['last_output_cycles']:,}", f"{row['multipliers']:,}",
                      f"{row['requantizers']:,}", f"{sum(row['bits'].values()):,}")
    console = Console(width=WIDTH)
    console.print(table)
    if summary["left_out"]:
        console.print(summary["left_out"])
    console.print("Each folder's README.md has its ports and the commands that check it.")


if __name__ == "__main__":
    main()
