"""Prove every claim of tests/support/claims.py and print what each took: python -m tests.proofs."""
import sys
import tempfile
from dataclasses import asdict

import click

from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests.support.claims import CLAIMS
from tests.support.proof import Refuted, Undecided, prove


@click.command(help=__doc__)
@click.option("--only", default="", help="claims whose names begin with this")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(only, as_json):
    chosen = [name for name in CLAIMS if name.startswith(only)]
    if not chosen:
        raise click.ClickException(f"no claim has a name that begins with {only}: the names are "
                                   f"{', '.join(CLAIMS)}")
    found, failed = {}, {}
    for name in chosen:
        print(f"{len(found) + len(failed) + 1} of {len(chosen)}: {name}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as directory:
            try:
                found[name] = prove(directory, CLAIMS[name])
            except (Refuted, Undecided) as error:
                failed[name] = str(error)
    if as_json:
        print_json({"proofs": [{"name": name, **asdict(proof)} for name, proof in found.items()],
                    "failed": list(failed)})
    else:
        tell(found, failed)
    sys.exit(bool(failed))


def tell(found, failed):
    """A table for people."""
    table = grid("Proofs", "claim", "holds", "cycles", "clauses", "registers", "faults told",
                 "seconds", text=2)
    for name, proof in found.items():
        table.add_row(name, "from reset" if CLAIMS[name].cycles else "always", str(proof.frames),
                      str(proof.clauses or "-"), str(proof.registers),
                      str(len(CLAIMS[name].faults)), f"{proof.seconds:.1f}")
    for name in failed:
        table.add_row(name, "NOT PROVEN", "", "", "", "", "")
    show(table)


if __name__ == "__main__":
    main()
