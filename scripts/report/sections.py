"""The sections of the report: what each shows of the results, or which command makes what is
missing."""
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdl.layers import layer_table, stages
from hdl.plan.budget import ladder_rates
from scripts.bench.report import COLUMNS, WORDS, cells
from scripts.report import charts
from scripts.report.results import Document, Made, Results
from scripts.report.runs import RunData

MEMORY_WORDS = {"weights": "weights", "line_buffers": "line buffers",
                "residual_fifos": "residual FIFOs", "pixel_buffers": "pixel buffers"}
NETWORK = ("alpha", "resolution", "precision")     # options, and fields of a run's summary
MEGA = 1e6


@dataclass
class Table:
    """A table of words; the first ``text`` columns are no numbers."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: int = 1
    marked: frozenset[int] = frozenset()    # rows in which something is wrong


@dataclass
class Figure:
    """A chart or a table, and where it comes from."""

    name: str
    title: str
    made: Sequence[Made]
    table: Table | None = None
    spec: charts.Spec | None = None     # whose rows are the table's
    note: str = ""
    open: bool = False          # whether the table behind the chart is shown at once
    run: int | None = None      # shown while this run is chosen; None: always


@dataclass
class Section:
    """A part of the page."""

    name: str
    title: str
    intro: str
    figures: list[Figure] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)    # commands that make what is not there
    kind: str = "figures"       # or what the page draws by itself: photo, gantt, fills, maps


def number(value: float | None, form: str = ",") -> str:
    """A number as text; a dash for none."""
    return "-" if value is None else format(value, form)


def decibels(value: float | None) -> str:
    """A ratio in dB; infinite where nothing differs."""
    return "infinite" if value is None else f"{value:.1f}"


def save(results: Results, command: str, file: str, options: str = "") -> str:
    """The command line that puts a result into the folder."""
    return f"python -m scripts.{command}{options} --json > {results.folder / file}"


def record(results: Results) -> str:
    """The command line that records a run."""
    return f"python -m scripts.cosim --frames 2 --record {results.folder / 'cosim.h5'}"


def at_rate(results: Results, run: RunData, rate: int) -> str:
    """The command line that records a run as another one was, at another rate."""
    words, kept = iter(shlex.split(run.file.made.command)), []
    for word in words:
        if word in ("--cycles-per-frame", "--record"):
            next(words, None)
        else:
            kept.append(word)
    return shlex.join([*kept, "--cycles-per-frame", str(rate), "--record",
                       str(results.folder / f"cosim-{rate}.h5")])


def network_options(runs: Sequence[RunData], *names: str) -> str:
    """Options for a command that is to be of the network of the first run; none without a run."""
    told = runs[0].told if runs else {}
    values = {name: told[name] for name in names if told}
    return "".join(f" --{name} {value:g}" if isinstance(value, float) else
                   f" --{name} {shlex.quote(str(value))}" for name, value in values.items())


def numbered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a chart with the number of their row in its table."""
    return [{**row, "row": place} for place, row in enumerate(rows)]


def photo(results: Results, runs: Sequence[RunData]) -> Section:
    """The photo and its classes."""
    section = Section("photo", "The photo and its classes", "What went through the chain, and the "
                      "five classes that its features are likeliest of. The last layer, of 1000 "
                      "classes, is computed on the CPU: it is no part of the hardware.",
                      kind="photo")
    for run in runs:
        classes = run.told.get("classes")
        table = classes and Table(("class", "name", "probability"), [
            (str(row["class"]), row["name"] or "not known here", f"{row['probability']:.4f}")
            for row in classes], text=2)
        section.figures.append(Figure(
            f"photo-{run.index}", "The photo, as the chain reads it", [run.file.made],
            table or None, run=run.index, note="" if table else
            f"No classes: weights {run.told['weights']} have no top, or the run was made without "
            "--classify. Classes come with --weights imagenet --classify, or a file of weights "
            "with its top in place of imagenet."))
    if not runs:
        section.missing = [record(results)]
    return section


def chain(results: Results, runs: Sequence[RunData]) -> Section:
    """The chain to scale."""
    section = Section("chain", "The chain, to scale", "Every unit's output as a slab: as high as "
                      "its map has pixels a side, as wide as the map has channels. All of these "
                      "units work at the same time.")
    for run in runs:
        rows, start = [], 0.0
        table = layer_table(run.told["alpha"], run.told["resolution"])
        first = table[0]
        shapes = [("input", "input", first.size_in, first.channels_in, 0)] + [
            (unit.name, unit.kind, unit.size_out, unit.channels_out, unit.macs) for unit in table]
        gap = sum(shape[3] for shape in shapes) / 400
        for name, kind, side, wide, _ in shapes:
            rows.append({"name": name, "kind": kind, "from": start, "to": start + wide,
                         "low": -side / 2, "high": side / 2})
            start += wide + gap
        section.figures.append(Figure(
            f"chain-{run.index}", f"{len(table)} units in {len(stages(table))} stages",
            [run.file.made], Table(
                ("unit", "kind", "output, pixels", "channels", "multiply-accumulates"),
                [(name, kind, f"{side} × {side}", number(wide), number(macs))
                 for name, kind, side, wide, macs in shapes], text=2),
            charts.chain(numbered(rows)), run=run.index))
    if not runs:
        section.missing = [record(results)]
    return section


def origin(results: Results, runs: Sequence[RunData]) -> Section:
    """The origin's 52 lines and ours."""
    section = Section("origin", "The origin's 52 lines beside ours", "The project answers a note "
                      "of 2019 that counted, line by line, how often each weight is used for one "
                      "point of the last 7 × 7 map: 6,112,128 times in all, the multipliers of one "
                      "point per clock. Ours are the multipliers that each unit gets at a rate.")
    budgets = {each.fields["cycles_per_frame"]: each
               for each in reversed(results.of("scripts.budget"))}
    rates = sorted(budgets)
    if not rates:
        options = network_options(runs, *NETWORK)
        fastest = ladder_rates(runs[0].told["resolution"] if runs else 224)[0]
        section.missing = [
            save(results, "budget", "budget.json", options),
            save(results, "budget", f"budget-{fastest}.json",
                 f"{options} --cycles-per-frame {fastest}")]
        return section
    ours = [{unit["name"]: unit for unit in budgets[rate].fields["units"]} for rate in rates]
    lines = budgets[rates[0]].fields["origin_lines"]
    rows = [(str(place + 1), line["layer"], line["unit"], line["points"],
             line["weights_per_point"], number(line["product"]),
             *(number(units[line["unit"]]["multipliers"]) for units in ours))
            for place, line in enumerate(lines)]
    total = ("all", "", "", "", "", number(sum(line["product"] for line in lines)),
             *(number(budgets[rate].fields["multipliers"]) for rate in rates))
    series = {"the origin's list": [line["product"] for line in lines], **{
        f"ours at {rate:,} cycles a frame": [units[line["unit"]]["multipliers"] for line in lines]
        for rate, units in zip(rates, ours)}}
    data = [{"row": place, "name": line["unit"], "kind": kind, "multipliers": values[place]}
            for kind, values in series.items() for place, line in enumerate(lines)]
    section.figures.append(Figure(
        "origin-lines", f"{len(lines)} lines: the origin's products, our multipliers",
        [budgets[rate].made for rate in rates],
        Table(("line", "layer", "unit", "points", "weights per point", "origin's product",
               *(f"ours at {rate:,} cycles" for rate in rates)),
              [*rows, total], text=5),
        charts.dots(data, "multipliers", "multipliers", {
            kind: place + 1 for place, kind in enumerate(series)}),
        network_of(budgets[rates[0]]), open=True))
    return section


def network_of(document: Document) -> str:
    """Which network a document is of."""
    told = document.fields
    return (f"Network: alpha {told['alpha']:g}, {told['resolution']} × {told['resolution']}, "
            f"{told['precision']}.")


def ladder(results: Results, runs: Sequence[RunData]) -> Section:
    """The ladder of rates."""
    section = Section("ladder", "The ladder of rates", "One number sets the speed of a design: "
                      "the cycles that a frame may take. Each unit gets just enough multipliers "
                      "for that.")
    budget = next(iter(results.of("scripts.budget")), None)
    if budget is None:
        section.missing = [save(results, "budget", "budget.json",
                                network_options(runs, *NETWORK))]
        return section
    rungs = budget.fields["ladder"]
    rows = [(number(rung["cycles_per_frame"]), number(rung["ideal_multipliers"], ",.0f"),
             number(rung["multipliers"]), number(rung["requantizers"]),
             number(rung["weight_words"]),
             *(f"{rung['bits'][kind] / MEGA:.2f}" for kind in MEMORY_WORDS),
             f"{sum(rung['bits'].values()) / rung['least_bits']:.3f}",
             f"{rung['latency_cycles'] / rung['cycles_per_frame']:.2f}" if rung["folded"] else "-")
            for rung in rungs]
    heads = ("cycles a frame", "multipliers, ideal", "multipliers, as folded", "requantizers",
             "weight words", *(f"{words}, Mbit" for words in MEMORY_WORDS.values()),
             "memory, of lower bound", "latency, frames")
    points = [{"row": place, "cycles": rung["cycles_per_frame"], "multipliers": value,
               "kind": kind} for place, rung in enumerate(rungs) for kind, value in (
                   ("ideal", rung["ideal_multipliers"]), ("as folded", rung["multipliers"]))]
    parts = [{"row": place, "name": number(rung["cycles_per_frame"]), "kind": words,
              "bits": rung["bits"][kind]} for place, rung in enumerate(rungs)
             for kind, words in MEMORY_WORDS.items()]
    section.figures = [
        Figure("ladder-multipliers", f"Multipliers at each of {len(rungs)} rates", [budget.made],
               Table(heads, rows, text=0), charts.lines(
                   points, "cycles", "multipliers", ("cycles a frame", "multipliers"),
                   {"ideal": 2, "as folded": 1}), note=network_of(budget)),
        Figure("ladder-memory", "On-chip memory at each rate", [budget.made],
               Table(heads, rows, text=0),
               charts.stacked(parts, "bits", "bits", memory_colours()))]
    return section


def memory_colours() -> dict[str, int]:
    """Colours of the kinds of memory, by their words."""
    return {MEMORY_WORDS[kind]: colour for kind, colour in charts.MEMORIES.items()}


def exactness(results: Results, runs: Sequence[RunData]) -> Section:
    """Exactness and SQNR of every unit."""
    section = Section("exactness", "Exact, unit by unit", "Every element that a unit puts out is "
                      "compared with its golden, a fixed-point Keras model: none may differ. SQNR "
                      "says how far that golden is from float Keras.")
    for run in runs:
        units = run.told["units"]
        table = Table(
            ("unit", "stage", "elements compared", "differ", "products", "multiply-accumulates",
             "SQNR, dB"),
            [(unit["name"], unit["stage"], number(unit["elements"]), number(unit["mismatches"]),
              number(unit["products"]), number(unit["macs"] * run.told["frames"]),
              decibels(unit["sqnr_db"])) for unit in units], text=2,
            marked=frozenset(place for place, unit in enumerate(units) if unit["mismatches"]))
        most = max((unit["sqnr_db"] or 0 for unit in units), default=0)
        data = numbered({"name": unit["name"] + ": equal" * (unit["sqnr_db"] is None),
                         "decibels": most if unit["sqnr_db"] is None else unit["sqnr_db"],
                         "kind": "differs from its golden" if unit["mismatches"] else "exact"}
                        for unit in units)
        section.figures.append(Figure(
            f"exactness-{run.index}", "SQNR of every unit, and whether it is exact",
            [run.file.made], table, charts.bars(data, "decibels", "dB", {
                "exact": 1, "differs from its golden": 6}, form="d"), verdict(run),
            run=run.index))
    if not runs:
        section.missing = [record(results)]
    return section


def verdict(run: RunData) -> str:
    """What a run's comparison found, in sentences."""
    told = run.told
    elements = sum(unit["elements"] for unit in told["units"])
    wrong = sum(unit["mismatches"] for unit in told["units"])
    off = f" {told['off_schedule']:,} of {told['beats']:,} beats moved in another cycle than the " \
          "schedule says." if "beats" in told else ""
    first = f" It begins here: {told['first_difference']}." if told["first_difference"] else ""
    wave = told.get("difference")
    if wave:
        first += f" The wave around its cycle {wave['cycle']:,} is {wave['wave']}."
    return f"{wrong:,} of {elements:,} elements differ.{first}{off}"


def maps(results: Results, runs: Sequence[RunData]) -> Section:
    """Maps of errors."""
    section = Section("maps", "Where the error is", "A map of any unit's output: the root mean "
                      "square error of the golden's integers against float Keras, over a pixel's "
                      "channels, or how many elements of a pixel differ from the golden.",
                      kind="maps")
    for run in runs:
        units = run.told["units"]
        section.figures.append(Figure(
            f"maps-{run.index}", "Error of every unit", [run.file.made], Table(
                ("unit", "map", "greatest error of a pixel", "mean error", "elements that differ",
                 "pixels with any", "channels with any"),
                [(unit["name"], f"{unit['shape'][0]} × {unit['shape'][1]}",
                  f"{run.recording.error[unit['name']].max():.3g}",
                  f"{run.recording.error[unit['name']].mean():.3g}",
                  number(int(run.recording.wrong[unit["name"]].sum())),
                  number(int((run.recording.wrong[unit["name"]] > 0).sum())),
                  number(int((run.recording.wrong_channels[unit["name"]] > 0).sum())))
                 for unit in units], marked=frozenset(
                     place for place, unit in enumerate(units) if unit["mismatches"])),
            run=run.index))
    if not runs:
        section.missing = [record(results)]
    return section


def gantt(results: Results, runs: Sequence[RunData]) -> Section:
    """Who works when."""
    section = Section("gantt", "The Gantt chart of a frame", "A unit has a frame from the first "
                      "beat that it takes of it to the last beat that it gives. In that time it "
                      "works (blue) or waits for pixels (yellow); without a frame it is idle. From "
                      "recorded beats: the cycles that a pixel's products take are drawn right "
                      "before the pixel leaves, and are as many as the simulation counted.",
                      kind="gantt")
    for run in runs:
        end = run.end
        section.figures.append(Figure(
            f"gantt-{run.index}", "Busy, waiting and idle cycles of every unit", [run.file.made],
            Table(("unit", "busy", "waiting", "idle", "busy, of the time with a frame"), [
                (work.unit, number(work.busy_cycles), number(work.waiting_cycles),
                 number(end - work.busy_cycles - work.waiting_cycles),
                 f"{work.busy_cycles / (work.busy_cycles + work.waiting_cycles):.1%}")
                for work in run.works]), run=run.index,
            note=f"{end:,} cycles, {run.told['frames']} "
                 f"frame{'s' * (run.told['frames'] > 1)} at {run.told['cycles_per_frame']:,} "
                 "cycles a frame."))
    if runs:
        there = {run.told["cycles_per_frame"] for run in runs}
        section.missing = [at_rate(results, runs[0], rate)
                           for rate in ladder_rates(runs[0].told["resolution"])
                           if rate not in there]
    else:
        section.missing = [record(results)]
    return section


def fills(results: Results, runs: Sequence[RunData]) -> Section:
    """How full memories are."""
    section = Section("fills", "How full every FIFO and line buffer is", "What comes to a memory "
                      "is recorded; when a word leaves, the schedule's rules say of what was "
                      "recorded, since no stream shows it. FIFOs are as deep as the most words "
                      "that ever wait.", kind="fills")
    for run in runs:
        if not run.fills:
            section.figures.append(Figure(
                f"fills-{run.index}", "No fill of a run that was stalled at random",
                [run.file.made], note="The schedule says when a word leaves only where nothing "
                "stalls: record a run without --seed.", run=run.index))
            continue
        section.figures.append(Figure(
            f"fills-{run.index}", "Words in every memory", [run.file.made], Table(
                ("memory", "kind", "a word", "room", "most words", "share"),
                [(fill.name, fill.kind, fill.unit, number(fill.room), number(fill.peak),
                  f"{fill.peak / fill.room:.0%}") for fill in run.fills], text=3),
            run=run.index))
    if not runs:
        section.missing = [record(results)]
    return section


def budget(results: Results, runs: Sequence[RunData]) -> Section:
    """Multipliers and bits of every unit."""
    section = Section("budget", "Budget of multipliers and bits", "What every unit takes at one "
                      "rate: multipliers of its multiply-accumulate array, and on-chip memory by "
                      "what it holds.")
    found = {each.fields["cycles_per_frame"]: each
             for each in reversed(results.of("scripts.budget")) if "bits" in
             each.fields["units"][0]}
    for rate, document in sorted(found.items(), reverse=True)[:2]:
        units = document.fields["units"]
        table = Table(("unit", "kind", "multipliers", "PE", "SIMD", "requantizers",
                       *(f"{words}, bit" for words in MEMORY_WORDS.values())), [
            (unit["name"], unit["kind"], number(unit["multipliers"]), number(unit["pe"]),
             number(unit["simd"]), number(unit["requantizers"]),
             *(number(unit["bits"][kind]) for kind in MEMORY_WORDS)) for unit in units], text=2)
        bits = [{"row": place, "name": unit["name"], "kind": words, "bits": unit["bits"][kind]}
                for place, unit in enumerate(units) for kind, words in MEMORY_WORDS.items()]
        section.figures += [
            Figure(f"budget-multipliers-{rate}", f"Multipliers at {rate:,} cycles a frame",
                   [document.made], table, charts.bars(
                       numbered({"name": unit["name"], "kind": unit["kind"],
                                 "multipliers": unit["multipliers"]} for unit in units),
                       "multipliers", "multipliers", charts.KINDS), network_of(document)),
            Figure(f"budget-bits-{rate}", f"On-chip memory at {rate:,} cycles a frame",
                   [document.made], table, charts.stacked(bits, "bits", "bits",
                                                          memory_colours()))]
    if not found:
        section.missing = [save(results, "budget", "budget.json",
                                network_options(runs, *NETWORK))]
    return section


def fit(results: Results, runs: Sequence[RunData]) -> Section:
    """Devices."""
    section = Section("fit", "Which device it fits", "Each device by what it needs most of there: "
                      "beyond the line, the design does not fit. From a model of what tools make "
                      "of the text; docs/fit.md compares it with synthesis.")
    document = next(iter(results.of("scripts.fit")), None)
    if document is None:
        section.missing = [save(results, "fit", "fit.json", network_options(runs, *NETWORK))]
        return section
    told = document.fields
    devices = told["devices"]
    section.figures = [
        Figure("fit-devices", f"Share of the scarcest resource at {told['cycles_per_frame']:,} "
               "cycles a frame", [document.made], Table(
                   ("device", "family", "fits", "scarcest", "share", "fastest rate that fits",
                    "frames a second"),
                   [(each["name"], each["family"], "yes" if each["fits"] else "no", each["limit"],
                     f"{each['share']:.0%}", number(each["cycles_per_frame"]),
                     number(each["frames_per_second"], ",.1f")) for each in devices], text=4),
               charts.bars(numbered(
                   {"name": each["name"], "share": each["share"],
                    "kind": "fits" if each["fits"] else "does not fit"} for each in devices),
                   "share", "share of what may be used", {"fits": 1, "does not fit": 6}, "~%",
                   limit=1.0), network_of(document)),
        Figure("fit-units", f"What every unit takes of a device of the family {told['family']}",
               [document.made], unit_resources(told),
               charts.bars(numbered({"name": unit["name"], "luts": unit["lut"]}
                                    for unit in told["units"]), "luts", "LUTs"))]
    return section


def unit_resources(told: dict[str, Any]) -> Table:
    """What scripts.fit says that every unit takes."""
    kinds = ("dsp", "block_ram", "lut", "ff")
    parts = [*told["units"], {"name": "all", **told["total"]}]
    return Table(("unit", "multipliers (DSP)", "block RAM, 18 kbit", "LUT", "flip-flops"),
                 [(part["name"], *(number(part[kind]) for kind in kinds)) for part in parts])


def bench(results: Results, runs: Sequence[RunData]) -> Section:
    """The benchmark."""
    section = Section("bench", "Speed of the simulation", "Our simulation beside cocotb's, "
                      "hls4ml's C model and Keras. A time counts only if that run's output was "
                      "compared and is right.")
    document = next(iter(results.of("scripts.bench")), None)
    if document is None:
        section.missing = [f"python -m scripts.bench --out {results.folder}"]
        return section
    section.figures.append(Figure("bench-goals", "Goals", [document.made], Table(
        ("case", "than", "times as fast, goal", "times as fast", "met"),
        [(goal["case"], goal["than"], number(goal["goal"]), number(goal["times"], ",.1f"),
          {True: "yes", False: "no", None: "not measured"}[goal["met"]])
         for goal in document.fields["goals"]], text=2)))
    for name, part in document.fields["sections"].items():
        heads = [head.replace("\n", " ").replace(" /", "/") for head, _ in COLUMNS[name]]
        rows = []
        for row in part["rows"]:
            shown, error = cells(name, row)
            shown += [error] if error else []
            rows.append(shown + [""] * (len(heads) - len(shown)))
        text = sum(head in WORDS for head in heads)
        made = Made(document.made.file, document.made.command, part["date"],
                    document.made.commit, part["versions"])
        timed = [(place, row) for place, row in enumerate(part["rows"]) if row.get("times_ours")]
        spec = None
        if timed:
            spec = charts.bars(
                [{"row": place, "name": f"{row['name']}, {row['case']}",
                  "times": row["times_ours"]} for place, row in timed], "times",
                "time, in times of ours", form="~g", limit=1.0)
        section.figures.append(Figure(f"bench-{name}", name.capitalize(), [made],
                                      Table(heads, rows, text), spec,
                                      f"{part['machine']}; median of {part['repeats']} "
                                      "(least to most)."))
    return section


def silicon(results: Results, runs: Sequence[RunData]) -> Section:
    """A chip."""
    section = Section("silicon", "On a chip of its own", "Multiplications by constants are "
                      "additions that they share; gates and area of everything, memories "
                      "included, at every rate.")
    document = next(iter(results.of("scripts.silicon")), None)
    if document is None:
        section.missing = [save(results, "silicon", "silicon.json",
                                network_options(runs, *NETWORK, "weights"))]
        return section
    rungs = document.fields["ladder"]
    libraries = list(rungs[0]["area_mm2"])
    table = Table(("cycles a frame", "adders", "multipliers", "flip-flops", "RAM, bit", "ROM, bit",
                   "NAND2 gates", *(f"{name}, mm²" for name in libraries)), [
        (number(rung["cycles_per_frame"]), *(number(rung[kind]) for kind in (
            "adders", "multipliers", "flip_flops", "ram_bits", "rom_bits", "gates")),
         *(f"{rung['area_mm2'][name]:.3g}" for name in libraries)) for rung in rungs], text=0)
    points = [{"row": place, "cycles": rung["cycles_per_frame"], "area": rung["area_mm2"][name],
               "kind": name} for place, rung in enumerate(rungs) for name in libraries]
    parts = [{"row": place, "name": unit["name"], "kind": kind, "gates": gates}
             for place, unit in enumerate(document.fields["units"])
             for kind, gates in unit["parts"].items()]
    kinds = {kind: place + 1 for place, kind in enumerate(dict.fromkeys(
        part["kind"] for part in parts))}
    section.figures = [
        Figure("silicon-ladder", "Area at every rate", [document.made], table, charts.lines(
            points, "cycles", "area", ("cycles a frame", "mm²"),
            {name: place + 1 for place, name in enumerate(libraries)}), network_of(document)),
        Figure("silicon-units", f"Gates of every unit at {document.fields['cycles_per_frame']:,} "
               "cycles a frame", [document.made], Table(
                   ("unit", "multiplies by", "adders", "gates", *kinds),
                   [(unit["name"], unit["method"], number(unit["adders"]), number(unit["gates"]),
                     *(number(unit["parts"].get(kind, 0)) for kind in kinds))
                    for unit in document.fields["units"]], text=2),
               charts.stacked(parts, "gates", "NAND2 gates", kinds))]
    return section


def photos(results: Results, runs: Sequence[RunData]) -> Section:
    """Many photos."""
    section = Section("photos", "Many photos", "How often the fixed-point network names the class "
                      "that float Keras names, and whether Verilog equals the golden for each "
                      "photo that went through it.")
    found = results.of("scripts.validate")
    if not found:
        section.missing = [save(results, "validate", "validate.json",
                                network_options(runs, *NETWORK, "weights"))]
        return section
    rows = []
    for each in found:
        told = each.fields
        rows.append((told["folder"], told["precision"], str(told["weights"]),
                     number(told["photos"]), number(told["views"]),
                     number(told["top1_agreement"], ".1%"), number(told["top5_agreement"], ".1%"),
                     decibels(told["sqnr_db_aggregate"]), number(told["rtl_views"]),
                     number(told["rtl_elements"]), number(told["rtl_mismatches"])))
    section.figures = [Figure("photos-all", "Fixed point beside float", [
        each.made for each in found], Table(
            ("photos of", "precision", "weights", "photos", "views", "same first class",
             "among five", "SQNR, dB", "views in Verilog", "elements compared", "differ"), rows,
            text=3))]
    return section


def provenance(results: Results, runs: Sequence[RunData]) -> Section:
    """Where everything comes from."""
    section = Section("provenance", "Where everything comes from", "Every file that this page was "
                      "made of. Each figure names its own below it.")
    every: list[Made] = [file.made for file in results.runs] + [
        document.made for document in results.documents]
    section.figures = [Figure("provenance-files", "Results", every, Table(
        ("file", "command", "date", "commit", "versions"),
        [(made.file, made.command, made.date, made.commit,
          ", ".join(f"{name} {version}" for name, version in made.versions.items()))
         for made in every], text=5))]
    if results.unread:
        section.figures.append(Figure("provenance-unread", "Files that were not read", [], Table(
            ("file", "why"), results.unread, text=2)))
    return section


SECTIONS: tuple[Callable[[Results, Sequence[RunData]], Section], ...] = (
    photo, chain, origin, ladder, exactness, maps, gantt, fills, budget, fit, bench, silicon,
    photos, provenance)
