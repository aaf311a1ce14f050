"""Plant mutants in the converted Verilog of every block and unit, and say which test tells each."""
import json
import os
import sys
import time
from collections import Counter

import click

from hdl.build import default_build_dir
from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests.support.mutants import Compared, Stage
from tests.support.subjects import EXPLAINED, SUBJECTS

KINDS = ("killed", "equivalent", "bounded", "explained", "unexplained")


@click.command(help=__doc__)
@click.option("--only", default="", help="subjects whose names begin with this")
@click.option("--share", default=1.0, show_default=True, type=click.FloatRange(0, 1),
              help="of each subject's mutants")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(only, share, as_json):
    chosen = [name for name in SUBJECTS if name.startswith(only)]
    if not chosen:
        raise ValueError(f"no subject has a name that begins with {only}: the names are "
                         f"{'; '.join(SUBJECTS)}")
    os.environ.setdefault("MNV2_OPTIMISE", "-O0")   # they compile for longer than they run
    found = {}
    for place, name in enumerate(chosen, 1):
        print(f"{place} of {len(chosen)}: {name}", file=sys.stderr, flush=True)
        found[name] = judged(name, share)
    if as_json:
        print_json({"mutants": [row for rows in found.values() for row in rows]})
    else:
        tell(found)
    sys.exit(any(row["kind"] == "unexplained" for rows in found.values() for row in rows))


def judged(name, share):
    """A subject's mutants, [{subject, mutant, kind, by}]; what is known from before is kept."""
    started = time.perf_counter()
    stage, gates = Stage(name, SUBJECTS[name]), None
    kept = default_build_dir("mutants") / f"{stage.digest}.json"
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    lines = stage.netlist.mutants
    rows = []
    for number, line in enumerate(lines[:round(share * len(lines))], 1):
        if line not in known:
            told = stage.failing(number)
            if told is None:
                gates = gates or Compared(stage.netlist)
                verdict = gates.verdict(number)
                if verdict.startswith("differs"):
                    told = stage.failing(number, "icarus")
            known[line] = ["killed", ": ".join(told)] if told else ["survived", verdict]
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(known))
        rows.append({"subject": name, "mutant": line, **kind_of(name, line, *known[line])})
    counts = Counter(row["kind"] for row in rows)
    print(f"    {len(rows)} mutants: " + ", ".join(
        f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])
        + f"; {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def kind_of(name, line, state, by):
    """What a verdict means."""
    if state == "killed" or by == "equivalent":
        return {"kind": by if by == "equivalent" else state, "by": by}
    for (subject, part), reason in EXPLAINED.items():
        if name.startswith(subject) and part in line:
            return {"kind": "explained", "by": f"{by}: {reason}"}
    return {"kind": "bounded" if by.startswith("equal") else "unexplained", "by": by}


def tell(found):
    """Tables for people: the counts, and the mutants that nothing tells and no proof clears."""
    table = grid("Mutants", "block", "mutants", *KINDS)
    for name, rows in found.items():
        counts = Counter(row["kind"] for row in rows)
        table.add_row(name, str(len(rows)), *(str(counts[kind]) for kind in KINDS))
    counts = Counter(row["kind"] for rows in found.values() for row in rows)
    table.add_row("all", str(sum(counts.values())), *(str(counts[kind]) for kind in KINDS))
    show(table)
    for rows in found.values():
        for row in rows:
            if row["kind"] not in ("killed", "equivalent"):
                print(f"{row['subject']}, {row['kind']}, {row['by']}:\n    {row['mutant']}")


if __name__ == "__main__":
    main()
