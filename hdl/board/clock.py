"""The clock of a board: ECP5's PLL, and the reset that is released when its clock is good."""
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from myhdl import ResetSignal, SignalType, always, always_comb, block, instances

from hdl.blocks.signals import Instances, count

DIVIDERS = 128      # the highest of each; of the feedback's
FEEDBACK = 80
# MHz, lowest and highest (Lattice FPGA-DS-02012, sysCLOCK PLL)
DETECTOR, OSCILLATOR, OUTPUT = (3.125, 400), (400, 800), (10, 400)
NEAR = Fraction(95, 100)    # of the clock that is asked for; never more than all of it
MIDDLE = 600        # MHz: of settings that are equally good the one whose oscillator is near to it
LOCK_EDGES = 8      # of the oscillator, until a simulated PLL has locked
RESET_CYCLES = 16   # of the PLL's clock, from lock to the release of the reset


@dataclass(frozen=True)
class PllSettings:
    """clk = clk_in / divide * multiply; the PLL's own oscillator runs ``spread`` times as fast."""

    input_mhz: Fraction
    divide: int
    multiply: int
    spread: int

    @property
    def mhz(self) -> Fraction:
        """Of the clock that comes out."""
        return self.input_mhz * self.multiply / self.divide

    @property
    def oscillator_mhz(self) -> Fraction:
        """Of the PLL's own oscillator."""
        return self.mhz * self.spread


def pll_settings(input_mhz: float, wanted_mhz: float) -> PllSettings:
    """Settings that give the clock nearest to ``wanted_mhz`` and not faster.

    Raises ValueError where no settings give a clock within a twentieth below it.
    """
    wanted = as_fraction(wanted_mhz)
    best = max(all_settings(as_fraction(input_mhz), wanted), default=None, key=lambda each: (
        each.mhz, -abs(each.oscillator_mhz - MIDDLE)))
    if best is None or best.mhz < wanted * NEAR:
        raise ValueError(f"no settings of ECP5's PLL make {wanted_mhz:g} MHz of {input_mhz:g} MHz: "
                         f"give a clock of {OUTPUT[0]} to {OUTPUT[1]} MHz, such as "
                         f"{min(max(2 * input_mhz, OUTPUT[0]), OUTPUT[1]):g}")
    return best


def all_settings(input_mhz: Fraction, highest: Fraction) -> Iterator[PllSettings]:
    """All PllSettings inside the PLL's limits whose clock is not faster than ``highest``, MHz."""
    for divide in range(1, DIVIDERS + 1):
        detector = input_mhz / divide
        if not inside(detector, DETECTOR):
            continue
        for multiply in range(1, FEEDBACK + 1):
            mhz = detector * multiply
            if mhz <= highest and inside(mhz, OUTPUT):
                yield from (PllSettings(input_mhz, divide, multiply, spread)
                            for spread in range(1, DIVIDERS + 1)
                            if inside(mhz * spread, OSCILLATOR))


def inside(value: Fraction, limits: tuple[float, float]) -> bool:
    """Whether a frequency is within limits, both included."""
    return limits[0] <= value <= limits[1]


def as_fraction(mhz: float) -> Fraction:
    """A frequency as it is written, 66.6 as 333/5."""
    return Fraction(str(mhz))


@block
def pll(clk_in: SignalType, clk: SignalType, locked: SignalType,
        settings: PllSettings) -> Instances:
    """ECP5's PLL: clk is ``settings`` times clk_in, and locked is high while clk is good.

    MyHDL simulates a PLL whose clk is clk_in, and locked high behind its first edges; so does
    ``hdl/board/ehxplll.v`` for simulators of Verilog.  There is no VHDL of it.
    """
    edges = count(LOCK_EDGES)
    divide, multiply, spread = settings.divide, settings.multiply, settings.spread
    middle = spread // 2    # half a period later, as Lattice has it
    input_mhz, output_mhz = f"{float(settings.input_mhz):g}", f"{float(settings.mhz):.3f}"

    @always_comb
    def follow():
        clk.next = clk_in
        locked.next = edges == LOCK_EDGES - 1

    @always(clk_in.posedge)
    def lock():
        if edges != LOCK_EDGES - 1:
            edges.next = edges + 1

    pll.verilog_code = """
(* FREQUENCY_PIN_CLKI = "$input_mhz", FREQUENCY_PIN_CLKOP = "$output_mhz",
   ICP_CURRENT = "12", LPF_RESISTOR = "8", MFG_ENABLE_FILTEROPAMP = "1", MFG_GMCREF_SEL = "2" *)
EHXPLLL #(
    .CLKI_DIV($divide), .CLKFB_DIV($multiply), .CLKOP_DIV($spread), .CLKOP_CPHASE($middle),
    .CLKOP_FPHASE(0), .CLKOP_ENABLE("ENABLED"), .FEEDBK_PATH("CLKOP"),
    .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"), .OUTDIVIDER_MUXC("DIVC"),
    .OUTDIVIDER_MUXD("DIVD"), .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"),
    .STDBY_ENABLE("DISABLED"), .DPHASE_SOURCE("DISABLED")
) generator (
    .CLKI($clk_in), .CLKFB($clk), .CLKOP($clk), .LOCK($locked), .RST(1'b0), .STDBY(1'b0),
    .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b0), .PHASESTEP(1'b0), .PHASELOADREG(1'b0),
    .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0));
"""
    return instances()


pll.func.outputs = ("clk", "locked")


@block
def reset_at_start(clk: SignalType, locked: SignalType, rst: ResetSignal) -> Instances:
    """rst is high at once where the PLL is not locked, and until RESET_CYCLES cycles after."""
    waited, enough = count(RESET_CYCLES), RESET_CYCLES - 1

    @always(clk.posedge, locked.negedge)
    def wait():
        if not locked:
            waited.next = 0
        elif waited != enough:
            waited.next = waited + 1

    @always_comb
    def tell():
        rst.next = waited != enough

    return instances()
