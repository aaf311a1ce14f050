"""Run the benches of exported blocks in Verilator and say what of their Verilog is covered."""
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from hdl.build import default_build_dir
from hdl.errors import SimulationError
from hdl.export.folder import export
from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests.support.exported import commands, made, run

FIELD = re.compile(r"\x01(\w+)\x02([^\x01]*)")
KINDS = "line", "branch", "toggle"


@click.command(help=__doc__)
@click.option("--block", "blocks", multiple=True, default=("block_4",), show_default=True,
              help="a stage, or mobilenet_v2 for the chain; may be given more than once")
@click.option("--cycles-per-frame", "cycles", default=1024, show_default=True)
@click.option("--frames", default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(blocks, cycles, frames, as_json):
    known = made("w8a8", cycles=cycles)
    for block in blocks:
        if block not in known:
            raise ValueError(f"{block} is neither a stage nor the chain: the blocks are "
                             f"{', '.join(known)}")
    points = Counter()
    for block in blocks:
        print(f"{block}: export, build, simulation", file=sys.stderr, flush=True)
        points.update(covered(known[block], frames))
    if as_json:
        print_json({"blocks": list(blocks), "points": [
            {"kind": kind, "text": text, "line": line, "what": what, "count": count}
            for (kind, text, line, what), count in points.items()]})
    else:
        tell(points)


def covered(block, frames):
    """The points of a block's bench, which stalls both sides, as ``read`` has them."""
    with tempfile.TemporaryDirectory() as directory:
        export(block, directory, default_build_dir("hdl"), "Verilog")
        command = commands(Path(directory))["verilator"].replace(
            "--binary", f"--binary --coverage-line --coverage-toggle -GFRAMES={frames}", 1)
        status, said = run("verilator", command, directory)
        if status:
            raise SimulationError(f"the bench of {block.name} ends with status {status}: "
                                  f"{said[-1000:]}")
        return read(Path(directory))


def read(directory):
    """{(kind, text of the module, line, what): times} of the design's files in a folder, all
    instances of a module together."""
    points, texts = Counter(), {}
    for line in (directory / "coverage.dat").read_text(errors="replace").splitlines():
        if not line.startswith("C '"):
            continue
        fields, _, count = line[3:].rpartition("' ")
        found = dict(FIELD.findall(fields))
        file = found["f"]
        if file.startswith("rtl/"):
            kind = found["page"].partition("/")[0].removeprefix("v_")
            if file not in texts:
                texts[file] = (directory / file).read_text()
            points[kind, texts[file], int(found["l"]), found.get("o", "")] += int(count)
    return points


def module_of(text):
    """The name of a text's module."""
    return re.search(r"^module (\w+)", text, re.M)[1]


def tell(points):
    """A table for people, and what is not covered: of nets with many bits how many."""
    table = grid("Coverage", "of", "points", "covered", "share")
    for kind in KINDS:
        hits = [count > 0 for point, count in points.items() if point[0] == kind]
        table.add_row(kind, f"{len(hits):,}", f"{sum(hits):,}",
                      f"{100 * sum(hits) / len(hits):.2f} %" if hits else "-")
    show(table)
    left = Counter((kind, module_of(text), line, re.split(r"[\[:]", what)[0])
                   for (kind, text, line, what), count in points.items() if not count)
    for (kind, module, line, what), count in sorted(left.items()):
        print(f"{kind} {module}:{line} {what}" + (f" ({count} times)" if count > 1 else ""))


if __name__ == "__main__":
    main()
