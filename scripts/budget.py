"""Print the origin's arithmetic, and what each rate of the ladder costs in hardware.

First the origin's list, 52 lines, with its totals and where its words and numbers differ.  Then the
ladder: multipliers, weights and on-chip memory from one 7x7 point per clock down to 64 cycles for a
pixel, for any alpha, resolution and precision, and one rate of it stage by stage.
"""
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hdl.layers import Precision, Unit, layer_table, stages
from hdl.plan.budget import Rung, ladder_rates, rung, totals
from hdl.plan.origin import ORIGIN_BITS, origin_lines, origin_totals
from scripts.shared.json_output import print_json
from scripts.shared.options import (alpha_option, cycles_per_frame_option, json_option,
                                    precision_option, resolution_option, user_errors)
from scripts.shared.tables import grid

WIDTH = 100
MEGA = 1e6


def megabits(bits: float) -> str:
    """Bits as megabits, two decimals; nothing at all as a dash."""
    return f"{bits / MEGA:.2f}" if bits else "-"


def megabytes(words: int) -> str:
    """Storage of weights at the origin's width."""
    return f"{words * ORIGIN_BITS / 8 / MEGA:.2f} MB"


def origin_table() -> Table:
    """The origin's 52 lines."""
    lines = origin_lines()
    table = grid(f"The origin's list, {len(lines)} lines: weight uses behind one of 49 last points",
                 ("layer", "total"), "unit", "points", "weights per point",
                 ("product", f"{sum(line.product for line in lines):,}"), text=2)
    for line in lines:
        table.add_row(line.layer, line.unit, line.points, line.weights_per_point,
                      f"{line.product:,}")
    return table


def origin_summary(network: Sequence[Unit]) -> tuple[Table, str]:
    """The origin's totals, and where its words and its numbers differ."""
    full, quarter, folded = origin_totals()
    unique = sum(unit.weights for unit in network)
    macs = sum(unit.macs for unit in network)
    table = grid("The origin's totals", "rate", "multipliers", f"at {ORIGIN_BITS} bits")
    table.add_row("full: one 7x7 point per clock", f"{full:,}", megabytes(full))
    table.add_row("quarter: the 7x7 layers keep their multipliers and idle 3 cycles of 4",
                  f"{quarter:,}", megabytes(quarter))
    table.add_row("quarter, the 7x7 layers folded too", f"{folded:,}", megabytes(folded))
    points = network[-1].pixels_out
    return table, (
        f"Where the origin's words and numbers differ: it calls {full:,} the number of weights, "
        f"but it counts multipliers, the uses of a weight for one output point ({full:,} x {points}"
        f" = {macs:,}, all multiply-accumulates of a frame). Unique weights are {unique:,}, "
        f"{megabytes(unique)} at {ORIGIN_BITS} bits. Its line 41, DW, has a stride of 2 too: "
        "14x14 points become 7x7 there.")


def rate_names(row: Rung, chosen: int, resolution: int) -> tuple[str, str]:
    """Cycles per frame, marked where chosen, and input pixels per clock."""
    per_clock = resolution ** 2 / row.cycles_per_frame
    return (f"{row.cycles_per_frame:,}" + (" <" if row.cycles_per_frame == chosen else "  "),
            f"{per_clock:.4g}" if per_clock >= 1 else f"1/{1 / per_clock:.4g}")


def ladder_table(rungs: Sequence[Rung], chosen: int, resolution: int, unique: int) -> Table:
    """Multipliers and weights at each rate; the chosen rate is marked."""
    table = grid("The ladder: multipliers and weights", "cycles/frame  ", "pixels/clock",
                 "multipliers\nideal", "as folded", "busy", "requantizers", "weight words",
                 "copies", text=0)
    for row in rungs:
        table.add_row(
            *rate_names(row, chosen, resolution), f"{row.ideal_multipliers:,.0f}",
            f"{row.multipliers:,}" if row.folded else "-",
            f"{row.ideal_multipliers / row.multipliers:.1%}" if row.folded else "-",
            f"{row.requantizers:,}" if row.folded else "-",
            f"{row.weight_words:,}", f"{row.weight_words / unique:.2f}",
            style="bold" if row.cycles_per_frame == chosen else "")
    return table


def memory_table(rungs: Sequence[Rung], chosen: int, resolution: int) -> Table:
    """On-chip memory at each rate, by kind."""
    table = grid("The ladder: on-chip memory in Mbit, and latency", "cycles/frame  ",
                 "pixels/clock", "weights", "line\nbuffers", "residual\nFIFOs",
                 "pixel\nbuffers", "of lower\nbound", "latency\nin frames", "figures", text=0)
    for row in rungs:
        table.add_row(*rate_names(row, chosen, resolution),
                      *(megabits(bits) for bits in row.bits.values()), f"{row.memory:.3f}",
                      f"{row.latency / row.cycles_per_frame:.2f}" if row.folded else "-",
                      "as folded" if row.folded else "ideal",
                      style="bold" if row.cycles_per_frame == chosen else "")
    return table


def stage_table(network: Sequence[Unit], row: Rung) -> Table:
    """The chosen rate, stage by stage."""
    table = grid(f"{row.cycles_per_frame:,} cycles per frame, stage by stage"
                 + ("" if row.folded else ", ideal figures") + "; memory in kbit",
                 ("stage", "total"), "output", ("MACs", f"{row.macs:,}"),
                 ("multi-\npliers", f"{row.multipliers:,}"),
                 ("weights", f"{sum(unit.weights for unit in network):,}"),
                 *((label, f"{row.bits[kind] / 1000:,.0f}") for label, kind in (
                     ("weight\nmemory", "weights"), ("line\nrows", "line_buffers"),
                     ("residual\nFIFOs", "residual_fifos"), ("other\npixels", "pixel_buffers"))))
    costs = {cost.unit: cost for cost in row.costs}
    for stage, units in stages(network).items():
        part = [costs[unit] for unit in units]
        last = units[-1]
        total = totals(part)
        table.add_row(stage, f"{last.size_out}x{last.size_out}x{last.channels_out}",
                      f"{sum(unit.macs for unit in units):,}",
                      f"{total['multipliers']:,}",
                      f"{sum(unit.weights for unit in units):,}",
                      *(f"{bits / 1000:,.1f}" if bits else "-" for bits in total["bits"].values()))
    return table


def summary(network: Sequence[Unit], rungs: Sequence[Rung], chosen: Rung) -> dict[str, Any]:
    """Everything the command found out, as one object for JSON."""
    full, quarter, folded = origin_totals()
    units = []
    for cost in chosen.costs:
        unit = cost.unit
        units.append({"name": unit.name, "kind": unit.kind, "stage": unit.stage,
                      "multipliers": cost.multipliers, "weights": unit.weights, "macs": unit.macs,
                      "weight_words": cost.weight_words, "bits": cost.bits, "pe": cost.pe,
                      "simd": cost.simd, "steps": cost.steps,
                      "requantizers": cost.requantizers})
    return {
        "cycles_per_frame": chosen.cycles_per_frame,
        "folded": chosen.folded,
        "refusal": chosen.refusal,
        "multipliers": chosen.multipliers,
        "ideal_multipliers": chosen.ideal_multipliers,
        "requantizers": chosen.requantizers,
        "weights": sum(unit.weights for unit in network),
        "weight_words": chosen.weight_words,
        "parameters": sum(unit.parameters for unit in network),
        "macs_per_frame": chosen.macs,
        "bits": chosen.bits,
        "least_bits": chosen.least_bits,
        "latency_cycles": chosen.latency,
        "units": units,
        "origin_full_rate": full,
        "origin_quarter_rate": quarter,
        "origin_quarter_rate_folded": folded,
        "origin_lines": [asdict(line) for line in origin_lines()],
        "ladder": [{"cycles_per_frame": row.cycles_per_frame, "folded": row.folded,
                    "multipliers": row.multipliers, "ideal_multipliers": row.ideal_multipliers,
                    "requantizers": row.requantizers, "weight_words": row.weight_words,
                    "bits": row.bits, "least_bits": row.least_bits,
                    "latency_cycles": row.latency} for row in rungs],
    }


@click.command(help=__doc__.split("\n\n", 1)[1], short_help=__doc__.splitlines()[0])
@alpha_option
@resolution_option
@precision_option
@cycles_per_frame_option
@json_option
@user_errors
def main(alpha: float, resolution: int, precision: Precision, cycles_per_frame: int | None,
         as_json: bool) -> None:
    """Account for the origin's design and for the ladder."""
    network = layer_table(alpha, resolution)
    unique = sum(unit.weights for unit in network)
    cycles = cycles_per_frame or resolution ** 2
    rates = sorted({*ladder_rates(resolution), cycles})
    rungs = [rung(network, precision, rate) for rate in rates]
    chosen = rungs[rates.index(cycles)]
    if as_json:
        print_json({"alpha": alpha, "resolution": resolution, "precision": precision.name,
                    **summary(network, rungs, chosen)})
        return
    console = Console(width=WIDTH)
    console.print(origin_table(), *origin_summary(layer_table()), "", sep="\n")
    console.print(f"alpha {alpha}, {resolution}x{resolution}, {precision.name}: "
                  f"{sum(unit.parameters for unit in network):,} Keras parameters, {unique:,} "
                  f"convolution weights, {chosen.macs:,} multiply-accumulates a frame\n")
    console.print(ladder_table(rungs, cycles, resolution, unique))
    console.print("A weight used at several points in one clock is held once beside each of its "
                  "multipliers: weight words / unique weights = copies. "
                  "Busy = ideal / as folded. Each requantizer has one "
                  "multiplier more.\n")
    console.print(memory_table(rungs, cycles, resolution))
    refused = chosen if not chosen.folded else next(
        (row for row in reversed(rungs) if not row.folded), None)
    if refused:
        console.print("Ideal figures are lower bounds where no folding is available: "
                      f"{refused.refusal}.\n")
    console.print(stage_table(network, chosen))


if __name__ == "__main__":
    main(prog_name="python -m scripts.budget")
