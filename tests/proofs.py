"""Prove every claim of tests/support/claims.py and print what each took: python -m tests.proofs."""
import sys
import tempfile
from dataclasses import asdict

import click

from scripts.shared.json_output import print_json
from scripts.shared.options import user_errors
from scripts.shared.tables import grid, show
from tests.support.claims import CLAIMS, LANGUAGES
from tests.support.proof import Refuted, Undecided, prove, prove_languages


@click.command(help=__doc__)
@click.option("--only", default="", help="claims whose names begin with this")
@click.option("--languages", is_flag=True, help="prove that Verilog and VHDL are the same instead")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@user_errors
def main(only, languages, as_json):
    known = LANGUAGES if languages else CLAIMS
    chosen = [name for name in known if name.startswith(only)]
    if not chosen:
        raise ValueError(f"no claim has a name that begins with {only}: the names are "
                         f"{'; '.join(known)}")
    found, failed = {}, {}
    for name in chosen:
        print(f"{len(found) + len(failed) + 1} of {len(chosen)}: {name}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as directory:
            try:
                found[name] = (prove_languages if languages else prove)(directory, known[name])
            except (Refuted, Undecided) as error:
                failed[name] = str(error)
    if as_json:
        print_json({"proofs": [{"name": name, **asdict(proof)} for name, proof in found.items()],
                    "failed": list(failed)})
    else:
        tell(found, failed, languages)
    sys.exit(bool(failed))


def tell(found, failed, languages):
    """A table for people."""
    table = grid("Verilog and VHDL" if languages else "Proofs", "claim", "holds", "cycles",
                 "clauses", "registers", "faults told", "seconds", text=2)
    for name, proof in found.items():
        claim = (LANGUAGES if languages else CLAIMS)[name]
        unrolled = claim.cycles and not languages
        table.add_row(name, "from reset" if unrolled else "always", str(proof.frames),
                      str(proof.clauses or "-"), str(proof.registers),
                      str(len(claim.faults)), f"{proof.seconds:.1f}")
    for name in failed:
        table.add_row(name, "NOT PROVEN", "", "", "", "", "")
    show(table)


if __name__ == "__main__":
    main()
