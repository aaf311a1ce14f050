"""Convert the chain, or stages of it, to folders of Verilog or VHDL that need no Python.

Each has the HDL, a file for each module, the .mem files of its ROMs, constants, a file list, a
FuseSoC core, a page of ports and figures, and a bench that checks itself with the golden of PHOTO;
without one, of the cat that scikit-image ships.
"""
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from golden import build, store
from golden.build import Reference, cache_folder
from golden.network import Network
from hdl.build import default_build_dir, scratch_beside
from hdl.convert.network import TOP, VIDEO_ENDING
from hdl.export.block import Block, blocks, with_video
from hdl.export.folder import export
from hdl.export.names import check_prefix, prefixed
from hdl.layers import stages
from hdl.plan.config import configure_network
from hdl.plan.network import plan_network
from scripts.shared.json_output import print_json
from scripts.shared.options import (cycles_per_frame_option, hdl_option, json_option,
                                    network_options, out_option, pairs_option, user_errors)
from scripts.shared.tables import grid

CHAIN = "chain"
WIDTH = 120
LEAST_PATIENCE = 64     # cycles: a source that stalls at random is not silent


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path), required=False)
@hdl_option
@click.option("--block", default=CHAIN, show_default=True, metavar="[STAGE|all|chain]",
              help="A stage (stem, expanded_conv, block_1 ... block_16, head), all of them, or the "
                   "chain.")
@click.option("--prefix", default="", metavar="NAME",
              help="What the names of all modules, entities, packages, memory files, FuseSoC cores "
                   "and folders begin with, so that two networks fit in one design.")
@click.option("--video", is_flag=True,
              help="With AXI4-Stream Video in around the chain, or the stem: any input makes whole "
                   "frames, and damaged ones are marked.")
@click.option("--patience", type=click.IntRange(min=1), default=None, metavar="CYCLES",
              help="With --video: how long a source may bring nothing inside a frame; without it "
                   "the cycles of a frame, and 64 at least.")
@network_options
@cycles_per_frame_option
@pairs_option
@out_option
@json_option
@user_errors
def main(photo: Path | None, hdl: str, block: str, prefix: str, video: bool,
         patience: int | None, network: Network, cycles_per_frame: int | None, pairs: int | None,
         out: Path | None, as_json: bool) -> None:
    """Write the folders."""
    if prefix:
        check_prefix(prefix)
    chosen = choose(block, [*stages(network.table)])
    if video and not set(chosen) <= {TOP, network.table[0].stage}:
        raise ValueError(f"--video goes around what takes the image, the chain or "
                         f"{network.table[0].stage}: give one of them with --block, not {block}")
    out = out or Path("build", hdl.lower())
    ending = VIDEO_ENDING if video else ""
    folders = {name: out / prefixed(prefix, name + ending) for name in chosen}
    for folder in folders.values():
        check_replaceable(folder)
    plan = plan_network(network.table, network.precision, cycles_per_frame or network.pixels,
                        factor=pairs)
    with Console(stderr=True).status("reading") as status:
        path, reused = build.cached(network, photo, status.update)
        golden = store.read(path, float=False)
        available = blocks(configure_network(plan.units, golden.params), plan, golden.fixed,
                           network.alpha, prefix)
        if video:
            available = filmed({name: available[name] for name in chosen}, golden, network,
                               patience or max(plan.cycles_per_frame, LEAST_PATIENCE),
                               status.update)
        for name, folder in folders.items():
            status.update(f"converting {name}")
            write(available[name], folder, hdl)
    summary = {"hdl": hdl, "golden_reused": reused, "left_out": golden.attributes["left_out"],
               "blocks": [figures(available[name], folder) for name, folder in folders.items()]}
    if as_json:
        print_json(summary)
    else:
        tell(summary, out)


def filmed(chosen: dict[str, Block], golden: store.Golden, network: Network, patience: int,
           report: Callable[[str], None]) -> dict[str, Block]:
    """The blocks with video around them; the network computes what leaves of damaged frames."""
    reference = Reference(network, report, cache_folder())

    def computed(last: str) -> Callable[[np.ndarray], np.ndarray]:
        return lambda photo: reference.fixed(photo)[last]

    return {name: with_video(block, golden.image, patience, computed(block.configs[-1].name))
            for name, block in chosen.items()}


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
    with scratch_beside(folder) as scratch:
        fresh, old = scratch / "new", scratch / "old"
        fresh.mkdir()
        export(block, fresh, default_build_dir("hdl"), hdl)
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
