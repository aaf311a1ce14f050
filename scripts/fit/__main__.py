"""Tell what a network takes of devices, unit by unit, and at which rate it fits which device.

Multipliers (DSP), blocks of 18 kbit of block RAM, LUTs and flip-flops come from a model that needs
no tool; with --synthesise they come from Yosys too, for comparison. With --route the chain is
placed and routed for a board; with --bitstream it is put behind the board's serial port, and the
bits are written, with the script that sends photos. docs/fit.md has the tables and the recipe to
add a device or a board.
"""
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from golden import build
from golden.network import Network
from hdl.build import default_build_dir
from hdl.convert.network import convert_network, top_name
from hdl.layers import stages
from hdl.plan.budget import ladder_rates
from hdl.plan.config import UnitConfig, UnitIntegers, by_stage, configure_network, memory_files
from hdl.plan.network import plan_network
from scripts.fit.bitstream import (BAUD, BITS, Job, SlowDesign, check_port, check_replaceable,
                                   routed_fields, write)
from scripts.fit.devices import Board, Device, boards, devices, found
from scripts.fit.families import FAMILIES, UNFIT, Family, Resources
from scripts.fit.model import Parts, parts_of, typical
from scripts.fit.route import check, routed
from scripts.fit.soft_products import divided
from scripts.fit.synthesis import synthesised
from scripts.shared.json_output import output
from scripts.shared.options import (CheckFailed, cycles_per_frame_option, json_option,
                                    network_options, out_option, pairs_option, user_errors)
from scripts.shared.tables import grid, show
from scripts.shared.yosys import version

CLOCK = 100.0       # MHz, where neither a board nor an option says another
BLOCK_BITS = 18_432     # of a block of 18 kbit
HEADS = {"dsp": "DSP", "block_ram": "block RAM", "lut": "LUT", "ff": "flip-flops"}


@click.command(help=__doc__.split("\n\n", 1)[1], short_help=__doc__.splitlines()[0])
@cycles_per_frame_option
@pairs_option
@click.option("--family", "name", type=click.Choice(list(FAMILIES)), default="xcup",
              show_default=True, help="Devices that the units are counted for.")
@click.option("--device", "device_name", default=None, metavar="NAME",
              help="Find the fastest rate at which the network fits this device.")
@click.option("--board", "board_name", default=None, metavar="NAME",
              help="The same for the device of a board, at its clock.")
@click.option("--clock", type=click.FloatRange(min=0, min_open=True), default=None, metavar="MHZ",
              help=f"The clock that frames per second are of; without it a board's, or {CLOCK:g}.")
@click.option("--synthesise", is_flag=True, help="Have Yosys synthesise every unit, too.")
@click.option("--arrays", is_flag=True,
              help="With --synthesise: have it synthesise the multipliers of each unit and what "
                   "adds their products by themselves, too.")
@click.option("--route", is_flag=True, help="Place and route the chain for the board.")
@click.option("--stage", default=None, metavar="NAME",
              help="Tell the units of this stage alone, such as block_5 or head, and have "
                   "--synthesise and --route take no others: minutes, not an hour.")
@click.option("--bitstream", is_flag=True,
              help="Make a bitstream of the chain for the board: photo in, features out.")
@click.option("--baud", type=click.IntRange(min=1), default=BAUD, show_default=True,
              help="Of the bitstream's serial port.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Of the placement.")
@network_options
@out_option
@json_option
@user_errors
def main(network: Network, cycles_per_frame: int | None, pairs: int | None, name: str,
         device_name: str | None, board_name: str | None, clock: float | None, synthesise: bool,
         arrays: bool, route: bool, stage: str | None, bitstream: bool, baud: int, seed: int,
         out: Path | None, as_json: bool) -> None:
    """Fit a network."""
    board = found(board_name, boards(), "board") if board_name else None
    device = board.device if board else (
        found(device_name, devices(), "device") if device_name else None)
    work = BoardWork(board, clock, baud, seed, route, stage, bitstream,
                     out or Path("build", board_name or "board"))
    work.check([*stages(network.table)])
    if arrays and not synthesise:
        raise ValueError("--arrays has arrays synthesised beside their units: give --synthesise, "
                         "too")
    if synthesise:
        version()
    family = device.family if device else FAMILIES[name]
    params, scale = reference(network) if synthesise or route or bitstream \
        else (typical_of(network), 1.0)
    ladder = Ladder(network, params, pairs)
    if cycles_per_frame:
        ladder.rate(cycles_per_frame)   # refused before the others are counted
    asked = [device] if device else list(devices().values())
    rates = {each.name: ladder.fastest(each) for each in asked}
    cycles = cycles_per_frame or (device and rates[device.name]) or network.pixels
    configs, parts = ladder.rate(cycles)
    summary: dict[str, Any] = {
        "alpha": network.alpha, "resolution": network.resolution,
        "precision": network.precision.name, "cycles_per_frame": cycles,
        "family": family.name, "clock_mhz": work.clock_mhz}
    summary |= unit_rows(*counted(ladder.rate(cycles), family, stage, synthesise))
    summary["memory_bits"] = sum(parts[row["name"]].memory_bits for row in summary["units"])
    if pairs:
        summary["pairs"] = pairs
        add_unpaired(summary, *counted(Ladder(network, params).rate(cycles), family, stage,
                                       synthesise))
    if arrays:
        members = by_stage(configs)[stage] if stage else configs
        alone, _ = netlists_of(members, family, arrays=True)
        for row, config in zip(summary["units"], members):
            if row["name"] in alone:
                row["array"] = {"products": config.products} | asdict(alone[row["name"]])
    summary["devices"] = [
        device_row(each, parts, rates[each.name], work.clock_mhz) for each in asked]
    summary |= work.fields(network, configs, scale, cycles)
    output(summary, as_json, tell)
    if "slow" in summary:
        raise CheckFailed(summary["slow"])
    if device and not cycles_per_frame and rates[device.name] is None:
        raise CheckFailed(f"no rate of the ladder fits {device.name}: give a larger device, a "
                          "smaller network or fewer bits of weights")


@dataclass(frozen=True)
class BoardWork:
    """What is to be done for a board, if anything is."""

    board: Board | None
    clock: float | None     # MHz, as it was asked for
    baud: int
    seed: int
    route: bool
    stage: str | None       # that is routed alone
    bitstream: bool
    out: Path               # of the bitstream

    @property
    def clock_mhz(self) -> float:
        """The clock that was asked for, or the board's, or CLOCK."""
        return self.clock or (self.board.clock_mhz if self.board else CLOCK)

    def check(self, names: Sequence[str]) -> None:
        """Refuse before any work what would fail after it: ValueError, ToolError.

        names -- of the network's stages
        """
        if self.stage and self.stage not in names:
            raise ValueError(f"there is no stage {self.stage}: give one of {', '.join(names)}")
        if not (self.route or self.bitstream):
            return
        if self.board is None:
            option = "--route" if self.route else "--bitstream"
            raise ValueError(f"{option} needs the package and the speed grade of a device: give a "
                             "board that has them, such as --board ulx3s-85f")
        check(self.board)
        if self.bitstream:
            check_port(self.board, self.clock_mhz, self.baud)
            check_replaceable(self.out)

    def fields(self, network: Network, configs: Sequence[UnitConfig], scale: float,
               cycles: int) -> dict[str, Any]:
        """The fields of the work, which is done here; none where there is none.

        scale -- of the features
        """
        done: dict[str, Any] = {}
        if self.board and self.route:
            members = by_stage(configs)[self.stage] if self.stage else configs
            done |= route_row(members, self.board, self.clock, self.seed)
        if self.board and self.bitstream:
            done |= bitstream_row(Job(network, tuple(configs), scale, self.board, self.clock_mhz,
                                      self.baud, cycles, self.seed), self.out)
        return done


def typical_of(network: Network) -> dict[str, UnitIntegers]:
    """{convolution: integers} as wide as a trained network's, made without one."""
    return {unit.name: typical(unit, network.precision) for unit in network.table if unit.weights}


def reference(network: Network) -> tuple[Mapping[str, UnitIntegers], float]:
    """({convolution: integers}, scale of the features) of a network, from the cache where they
    are."""
    with Console(stderr=True).status("reading") as status:
        made = build.Reference(network, status.update, build.cache_folder())
    return made.params, made.scales[network.table[-1].name]


class Ladder:
    """A network's rates, each counted when it is asked for."""

    def __init__(self, network: Network, params: Mapping[str, UnitIntegers],
                 pairs: int | None = None) -> None:
        self.network, self.params, self.pairs = network, params, pairs
        self.known: dict[int, tuple[tuple[UnitConfig, ...], dict[str, Parts]]] = {}

    def rate(self, cycles: int) -> tuple[tuple[UnitConfig, ...], dict[str, Parts]]:
        """(UnitConfig of every unit, {unit: Parts}); ValueError for a rate that there is not."""
        if cycles not in self.known:
            plan = plan_network(self.network.table, self.network.precision, cycles,
                                factor=self.pairs)
            configs = configure_network(plan.units, self.params)
            with Console(stderr=True).status(f"counting at {cycles:,} cycles a frame"):
                self.known[cycles] = configs, parts_of(configs)
        return self.known[cycles]

    def fastest(self, device: Device) -> int | None:
        """Cycles for a frame of the fastest rate of the ladder that fits, None where none does."""
        for cycles in ladder_rates(self.network.resolution):
            try:
                need = needed(device, self.rate(cycles)[1].values())
            except ValueError:      # no folding meets this rate
                continue
            if device.limit(need)[1] <= 1:
                return cycles
        return None


def counted(rate: tuple[tuple[UnitConfig, ...], dict[str, Parts]], family: Family,
            stage: str | None, synthesise: bool
            ) -> tuple[dict[str, Resources], dict[str, Resources], int]:
    """({unit: Resources} by the model, the same by Yosys where it is to synthesise, how many of its
    netlists were kept).

    rate  -- of a Ladder
    stage -- whose units are counted; None: all
    """
    configs, parts = rate
    members = by_stage(configs)[stage] if stage else configs
    units = {config.name: parts[config.name].of(family) for config in members}
    return (units, *(netlists_of(members, family) if synthesise else ({}, 0)))


def netlists_of(configs: Sequence[UnitConfig], family: Family,
                arrays: bool = False) -> tuple[dict[str, Resources], int]:
    """({unit: Resources} by Yosys, or of its array alone, how many of them were kept), with
    progress."""
    reused = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("converting", total=len(configs))

        def report(unit: str, kept: bool) -> None:
            """A unit is there."""
            reused.append(kept)
            progress.update(task, advance=1, description=f"{unit}{' (cached)' if kept else ''}")

        found = synthesised(configs, family, report, arrays)
    return found, sum(reused)


def total(resources: Iterable[Resources]) -> Resources:
    """Their sum."""
    return sum(resources, Resources())


def needed(device: Device, parts: Collection[Parts]) -> Resources:
    """What units need of a device: products that are more than its multipliers are made of LUTs
    where its flow does so."""
    need = total(part.of(device.family) for part in parts)
    if not device.family.soft or need.dsp <= device.has.dsp:
        return need
    products = sum((part.products for part in parts), Counter[tuple[int, int]]())
    return replace(need, dsp=0) + divided(products, device.has.dsp)


def unit_rows(units: Mapping[str, Resources], netlists: Mapping[str, Resources],
              kept: int) -> dict[str, Any]:
    """The fields of the units and their sums: by the model and, where there are such, by Yosys.

    kept -- how many netlists were there before
    """
    rows = [{"name": name, **asdict(each)} for name, each in units.items()]
    for row in rows if netlists else ():
        row["synthesised"] = asdict(netlists[row["name"]])
    sums: dict[str, Any] = {"units": rows, "total": asdict(total(units.values()))}
    return sums | ({"synthesised": asdict(total(netlists.values())), "netlists_reused": kept}
                   if netlists else {})


def add_unpaired(summary: dict[str, Any], units: Mapping[str, Resources],
                 netlists: Mapping[str, Resources], kept: int) -> None:
    """Add what the units and their sums are where each product has a multiplier; arguments as
    ``unit_rows``'s."""
    alone = unit_rows(units, netlists, kept)
    for row, other in zip(summary["units"], alone["units"]):
        row["unpaired"] = {key: value for key, value in other.items() if key != "name"}
    summary["unpaired"] = alone["total"] | {key: alone[key] for key in ("synthesised",)
                                            if key in alone}


def device_row(device: Device, parts: Mapping[str, Parts], fastest: int | None,
               clock: float) -> dict[str, Any]:
    """The fields of a device.

    parts   -- {unit: Parts} at the rate that was asked for
    fastest -- cycles for a frame of the fastest rate that fits
    clock   -- MHz
    """
    limit, share = device.limit(needed(device, parts.values()))
    return {"name": device.name, "family": device.family.name, "fits": share <= 1, "limit": limit,
            "share": share, "cycles_per_frame": fastest,
            "frames_per_second": clock * 1e6 / fastest if fastest else None}


def route_row(configs: Sequence[UnitConfig], board: Board, clock: float | None,
              seed: int) -> dict[str, Any]:
    """The fields of the chain, or of the stage that ``configs`` make up, placed and routed for a
    board."""
    with TemporaryDirectory() as scratch, Console(stderr=True).status("converting") as status:
        files = convert_network(configs, scratch, default_build_dir("hdl"))
        for name, text in memory_files(configs).items():
            Path(scratch, name).write_text(text)
            files.append(Path(scratch, name))
        done = routed(files, top_name(configs), board, seed=seed, target_mhz=clock,
                      report=status.update)
    return routed_fields(board, done)


def bitstream_row(job: Job, out: Path) -> dict[str, Any]:
    """The fields of the chain on a board, whose bitstream is written into ``out``; of one that is
    too slow for its clock, ``slow`` says so, and nothing is written."""
    try:
        with Console(stderr=True).status("converting") as status:
            return write(job, out, status.update) | {"folder": str(out)}
    except SlowDesign as error:
        return routed_fields(job.board, error.done) | {"slow": str(error)}


def columns(model: Mapping[str, Any], by_yosys: Mapping[str, Any] | None,
            unpaired: Mapping[str, Any] | None) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """(what stands before the head, counts, which of them) of each column: of the model, of Yosys
    where there are such, and multipliers and LUTs of both without pairs where there are pairs."""
    for before, counts, alone in (("", model, unpaired), (
            "Yosys:\n", by_yosys, unpaired and unpaired.get("synthesised"))):
        if counts:
            yield from ((before, counts, kind) for kind in HEADS)
        if alone:
            yield from ((f"{before}unpaired\n", alone, kind) for kind in ("dsp", "lut"))


def tell(summary: dict[str, Any]) -> None:
    """Print the tables."""
    sums, by_yosys = summary["total"], summary.get("synthesised")
    table = grid(f"alpha {summary['alpha']}, {summary['resolution']}x{summary['resolution']}, "
                 f"{summary['precision'].partition(',')[0]}, {summary['cycles_per_frame']:,} "
                 f"cycles a frame on {FAMILIES[summary['family']].title}", ("unit", "total"),
                 *((before + HEADS[kind], f"{counts[kind]:,}")
                   for before, counts, kind in columns(sums, by_yosys, summary.get("unpaired"))))
    for row in summary["units"]:
        table.add_row(row["name"], *(f"{counts[kind]:,}" for _, counts, kind in columns(
            row, row.get("synthesised"), row.get("unpaired"))))
    show(table)
    least = summary["memory_bits"] / BLOCK_BITS
    click.echo(f"Memories hold {summary['memory_bits']:,} bits: {least:,.0f} blocks at the least; "
               f"the model takes {sums['block_ram'] / least:.2f} times as many"
               + (f", Yosys {by_yosys['block_ram'] / least:.2f}" if by_yosys else ""))
    if any("array" in row for row in summary["units"]):
        table = grid("Arrays of multipliers and adders by themselves, by Yosys", "unit",
                     "products", *HEADS.values(), "LUTs a\nproduct")
        for row in summary["units"]:
            if "array" in row:
                array = row["array"]
                table.add_row(row["name"], *(f"{array[kind]:,}" for kind in ("products", *HEADS)),
                              f"{array['lut'] / array['products']:.1f}")
        show(table)
    if by_yosys:
        click.echo(f"{summary['netlists_reused']} of {len(summary['units'])} netlists cached")
    if summary["family"] in UNFIT:
        click.echo(UNFIT[summary["family"]])
    table = grid(f"Devices, at {summary['clock_mhz']:g} MHz", "device", "fits", "limit", "of it",
                 "fastest rate\nthat fits", "frames/s", text=3)
    for row in summary["devices"]:
        table.add_row(row["name"], "yes" if row["fits"] else "no", HEADS[row["limit"]],
                      f"{row['share']:.0%}", *(f"{row[name]:,.0f}" if row[name] else "none" for name
                                               in ("cycles_per_frame", "frames_per_second")))
    show(table)
    if "fmax_mhz" in summary:
        table = grid(f"Routed for {summary['board']}{' (cached)' if summary['reused'] else ''}: "
                     f"{summary['fmax_mhz']:.2f} MHz", "kind", "used", "available")
        for kind, head in HEADS.items():
            table.add_row(head, f"{summary['used'][kind]:,}", f"{summary['available'][kind]:,}")
        show(table)
        click.echo("The slowest path goes from {} to {}".format(*summary["slowest_path"]))
    if "folder" in summary:
        click.echo(f"Bitstream, constraints, summary and host script are in {summary['folder']}: "
                   f"openFPGALoader -b BOARD {summary['folder']}/{BITS}, then python "
                   f"{summary['folder']}/host.py PHOTO")


if __name__ == "__main__":
    main(prog_name="python -m scripts.fit")
