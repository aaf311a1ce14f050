"""Count what constants cost: additions in place of multiplications, gates, area of a chip.

Where all of a unit's weights work in every cycle they are constants, and each distinct matrix is
written once as additions that share what they have in common (da4ml finds them); as many copies
of it work as the rate takes.  Slower units read their weights from ROM and multiply.  All that is
found is kept by content.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from golden import build, store
from golden.network import Network
from golden.store import Golden
from hdl.plan.budget import ladder_rates
from hdl.plan.config import UnitConfig, configure_network
from hdl.plan.network import plan_network
from scripts.shared.json_output import output
from scripts.shared.options import (cycles_per_frame_option, json_option, network_options,
                                    user_errors)
from scripts.shared.tables import grid, show
from scripts.silicon.costs import LIBRARIES, UTILISATION, Cost, cost, total
from scripts.silicon.graphs import TILE, Counts, Matrix, check_installed, count_all, matrix_of

MEGA = 1e6
PARTS = ("adders", "multipliers", "requantizers", "registers", "memories", "roms")


@click.command(help=__doc__.split("\n\n", 1)[1], short_help=__doc__.splitlines()[0])
@network_options
@cycles_per_frame_option
@click.option("--tile", type=click.IntRange(min=1), default=TILE, show_default=True,
              help="Inputs and outputs that additions are shared among; more are fewer, and take "
                   "much longer to find.")
@json_option
@user_errors
def main(network: Network, cycles_per_frame: int | None, tile: int, as_json: bool) -> None:
    """Count a network's additions."""
    check_installed()
    with Console(stderr=True).status("reading") as status:
        path, _ = build.cached(network, None, status.update)
        golden = store.read(path, float=False)
        status.update("planning every rate")
        ladder = planned(network, golden, cycles_per_frame)
    matrices = [matrix_of(unit, golden.params[unit.name].weights, network.precision, tile)
                for unit in network.table if unit.weights]
    found, reused = counted(matrices)
    costs = {rate: [cost(config, found.get(config.name) if config.folding.constant else None)
                    for config in configs] for rate, configs in ladder.items()}
    summary = summarise(network, costs, cycles_per_frame or min(ladder)) | {
        "tile": tile, "matrices": len(matrices), "reused": reused,
        "left_out": golden.attributes["left_out"]}
    output(summary, as_json, tell)


def planned(network: Network, golden: Golden,
            chosen: int | None) -> dict[int, tuple[UnitConfig, ...]]:
    """{cycles for a frame: every unit} of the ladder's rates that there are, fastest first, and of
    a chosen one; ValueError where that is none."""
    found = {}
    for rate in sorted({*ladder_rates(network.resolution), *filter(None, [chosen])}):
        try:
            plan = plan_network(network.table, network.precision, rate)
        except ValueError:
            if rate == chosen:
                raise
            continue
        found[rate] = configure_network(plan.units, golden.params)
    return found


def counted(matrices: Sequence[Matrix]) -> tuple[dict[str, Counts], int]:
    """({unit: Counts of one copy of its matrix}, how many of them were kept), with progress."""
    found, reused = {}, 0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("weights as additions",
                                 total=sum(matrix.weights.size for matrix in matrices))
        for matrix, counts, kept in count_all(matrices):
            found[matrix.name] = counts
            reused += kept
            progress.advance(task, matrix.weights.size)
    return found, reused


def totals(rate: int, costs: Sequence[Cost]) -> dict[str, Any]:
    """What all units take at a rate."""
    cells = total(each.cells for each in costs)
    return {
        "cycles_per_frame": rate, "uses": sum(each.uses for each in costs),
        "constant_units": sum(each.method == "constants" for each in costs),
        "adders": sum(each.counts.adders for each in costs),
        "adder_bits": sum(each.counts.adder_bits for each in costs),
        "depth": max(each.counts.depth for each in costs),
        "multipliers": sum(each.config.folding.multipliers for each in costs
                           if each.method == "multipliers"),
        "flip_flops": cells.flip_flops, "ram_bits": cells.ram_bits, "rom_bits": cells.rom_bits,
        "gates": round(cells.gates),
        "area_mm2": {name: library.area_mm2(cells) for name, library in LIBRARIES.items()}}


def summarise(network: Network, costs: dict[int, list[Cost]], chosen: int) -> dict[str, Any]:
    """Everything that was found out, for JSON."""
    units = [{
        "name": each.config.name, "method": each.method, "weights": each.config.unit.weights,
        "uses": each.uses, **each.counts._asdict(), "gates": round(each.cells.gates),
        "parts": {name: round(cells.gates) for name, cells in each.parts.items()}}
        for each in costs[chosen]]
    return {
        "alpha": network.alpha, "resolution": network.resolution,
        "precision": network.precision.name, "weights_of": str(network.weights),
        "weights": sum(unit.weights for unit in network.table),
        **totals(chosen, costs[chosen]), "units": units,
        "ladder": [totals(rate, found) for rate, found in costs.items()]}


def tell(summary: dict[str, Any]) -> None:
    """Print the summary for people."""
    console = Console()
    show(unit_table(summary))
    show(ladder_table(summary))
    console.print(
        f"{summary['weights']:,} weights ({summary['weights_of']}), at "
        f"{summary['cycles_per_frame']:,} cycles a frame used {summary['uses']:,} times; "
        f"{summary['constant_units']} units have all of theirs at work in every cycle and take "
        f"{summary['adders']:,} adders of {summary['adder_bits']:,} full adders in place of "
        "multipliers, the others read them from ROM and multiply.")
    console.print(f"{summary['reused']} of {summary['matrices']} matrices were kept from before "
                  f"(tiles of {summary['tile']} x {summary['tile']}).")
    for name, library in LIBRARIES.items():
        console.print(f"{name}: {library.source}")
    console.print(f"Areas are of cells and memories, {UTILISATION:.0%} of the chip; a gate is a "
                  "NAND2.")


def unit_table(summary: dict[str, Any]) -> Table:
    """A row for each unit at the chosen rate."""
    table = grid(f"MobileNetV2 alpha {summary['alpha']}, {summary['resolution']} x "
                 f"{summary['resolution']}, {summary['precision']}: "
                 f"{summary['cycles_per_frame']:,} cycles a frame, unit by unit",
                 "unit", "multiplies by", "weights", "uses", "adders", "full adders", "depth",
                 "gates", *PARTS, text=2)
    for row in summary["units"]:
        table.add_row(row["name"], row["method"],
                      *(f"{row[name]:,}" for name in ("weights", "uses", "adders", "adder_bits",
                                                      "depth", "gates")),
                      *(f"{row['parts'].get(name, 0):,}" for name in PARTS))
    return table


def ladder_table(summary: dict[str, Any]) -> Table:
    """A row for each rate."""
    table = grid("The ladder", "cycles/frame", "units of\nconstants", "uses", "adders",
                 "full adders", "depth", "multipliers", "flip-flops", "RAM, Mbit", "ROM, Mbit",
                 "gates, M", *(f"{name},\nmm2" for name in LIBRARIES), text=0)
    for row in summary["ladder"]:
        table.add_row(
            *(f"{row[name]:,}" for name in ("cycles_per_frame", "constant_units", "uses", "adders",
                                            "adder_bits", "depth", "multipliers", "flip_flops")),
            *(f"{row[name] / MEGA:,.2f}" for name in ("ram_bits", "rom_bits", "gates")),
            *(f"{area:,.2f}" for area in row["area_mm2"].values()),
            style="bold" if row["cycles_per_frame"] == summary["cycles_per_frame"] else "")
    return table


if __name__ == "__main__":
    main(prog_name="python -m scripts.silicon")
