"""What is proven of blocks: the table of all claims, each with faults for which it must fail."""
import re
from dataclasses import replace
from math import lcm

import numpy as np

from hdl.axis import AxiStream
from hdl.blocks.fifo import fifo, link, replay
from hdl.blocks.frame_repair import FAULTS, VERDICT, VideoFrame, frame_repair, mark_frames
from hdl.blocks.line_buffer import line_buffer
from hdl.blocks.mac import mac
from hdl.blocks.processing_element import Fold
from hdl.blocks.requantize import Factors, Scaling, ScalingSteps, requantize, scaler
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import sint, uint
from hdl.blocks.stream import narrow, register_slice, widen, width_converter
from hdl.blocks.tile_add import tile_add
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.tile_move import tile_move
from hdl.blocks.tile_windows import tile_windows
from hdl.blocks.whole_bytes import from_bytes, to_bytes
from hdl.layers import KINDS, Precision, Unit, padding
from hdl.plan.config import memory_files
from hdl.plan.folding import constant_folding
from hdl.plan.geometry import WindowGeometry
from hdl.plan.network import UnitPlan
from hdl.plan.rom import Rom
from hdl.plan.schedule import NO_BUFFERS
from hdl.plan.tiles import TileGeometry
from hdl.shape import MARKS
from hdl.units.by_kind import BLOCKS, block_of
from tests.support.bench import unit_config, with_integers
from tests.support.blocks import forked
from tests.support.proof import Claim
from tests.support.streams import stream

BITS = 2            # of an element, where its value does not matter


def any_words(width):
    """Edits after which a ROM of words of so many bits may hold anything, as long as it stays."""
    return ((r"reg \[(.+):0\] rom \[0:(.+)\];",
             r"(* anyconst *) wire [(\1 + 1) * (\2 + 1) - 1:0] rom;"),
            (r"initial \$readmemh\(.*\);", ""),
            (r"word <= rom\[(.*)\];", rf"word <= rom[(\1) * {width} +: {width}];"))


def lanes_of(word, lanes, bits):
    """The elements of a beat, as Verilog."""
    return [f"{word}[{lane * bits} +: {bits}]" for lane in range(lanes)]


def pair(lanes_in=2, lanes_out=2, bits=BITS):
    return {"s_axis": stream(lanes_in, bits), "m_axis": stream(lanes_out, bits)}


ORDER = """
(* anyseq *) wire pick;
(* anyseq *) wire [{which}:0] which;
reg [{width}:0] inside = 0, ahead = 0;
reg [{stuck}:0] stuck = 0;
reg [{shut}:0] shut = 0;
reg watched = 0;
reg [{high}:0] saved, value;
{before}
wire takes = {takes}, made = {made}, gives = m_axis_tvalid && m_axis_tready;
always @* begin
    value = 0;
    case (which)
{cases}    endcase
end
always @(posedge clk)
    if (rst) begin inside <= 0; watched <= 0; stuck <= 0; shut <= 0; end
    else begin
        inside <= inside + (takes && made ? {count} : 0) - (gives ? {lanes_out} : 0);
        if (!watched && pick && takes && made && which < {count}) begin
            watched <= 1;
            saved <= value;
            ahead <= inside + which - (gives ? {lanes_out} : 0);
        end else if (watched && gives) begin
            watched <= ahead >= {lanes_out};
            ahead <= ahead - {lanes_out};
        end
        stuck <= gives || !m_axis_tready || inside < {whole} ? 0 : stuck + 1;
        shut <= takes || !m_axis_tready || !s_axis_tvalid ? 0 : shut + 1;
    end
always @* if (started) begin
    assert (inside <= {holds});
    assert (stuck <= {within});
    assert (shut <= {opens});
    assert (s_axis_tready || inside >= {room});
    if (m_axis_tvalid) begin
        assert (inside >= {lanes_out});
{checks}    end
end
"""


def order(values, lanes_out, bits, holds, within, opens, room=0, whole=0, before="", made="1",
          takes="s_axis_tvalid && s_axis_tready"):
    """Every element comes out once, in order, and soon, for as long as the block runs.

    One element is watched, any one: ``pick`` and ``which`` choose.  It is known how many elements
    are inside, and how many leave before the watched one, so that it is the one that leaves in its
    turn.

    values -- the elements that a beat brings, as Verilog
    holds  -- elements inside, at most
    within -- cycles in which a beat leaves where the sink is ready and ``whole`` elements are there
    opens  -- cycles in which a beat is taken where the sink is ready
    room   -- elements inside, at least, where no beat is taken; a number or Verilog
    before -- Verilog that ``values`` need
    made   -- whether elements come of a beat that is taken
    """
    cases = "".join(f"        {place}: value = {value};\n" for place, value in enumerate(values))
    checks = "".join(f"        if (watched && ahead == {place}) "
                     f"assert (m_axis_tdata[{place * bits} +: {bits}] == saved);\n"
                     for place in range(lanes_out))
    return ORDER.format(
        which=max(len(values) - 1, 1).bit_length() - 1, high=bits - 1, count=len(values),
        width=(holds + len(values) + lanes_out).bit_length() - 1, stuck=within.bit_length(),
        shut=opens.bit_length(), before=before, takes=takes, made=made, cases=cases, checks=checks,
        lanes_out=lanes_out, whole=whole or lanes_out, holds=holds, within=within, opens=opens,
        room=room)


def passing(block, lanes_in, lanes_out, faults, bounds, slow=False, **parameters):
    """A Claim of a block that changes nothing but the lanes of beats; ``bounds`` as of ``order``:
    holds, within, opens, room."""
    values = lanes_of("s_axis_tdata", lanes_in, BITS)
    return Claim(block, {**pair(lanes_in, lanes_out), **parameters},
                 order(values, lanes_out, BITS, *bounds, whole=lcm(lanes_in, lanes_out)), faults,
                 slow=slow)


def fifo_of(depth):
    """A Claim of a FIFO; it takes ``depth`` beats and one in any case."""
    return passing(fifo, 1, 1, ((f"level != {depth}", f"level != {depth + 1}"),
                                (f"level != {depth}", f"level != {depth - 1}"),
                                (r"level \+ 1", "level + 2")),
                   (depth + 1, 2, 2, f"{depth} + m_axis_tvalid"), slow=depth > 2, depth=depth)


REPEATED = """
(* anyseq *) wire pick;
// Words that came, of runs that have not left whole; which leaves next; the watched one.
reg [{width}:0] inside = 0, next = 0, place;
reg [{turns}:0] turn = 0;
reg watched = 0;
reg [{high}:0] saved;
wire takes = s_axis_tvalid && s_axis_tready, gives = m_axis_tvalid && m_axis_tready;
wire pass_done = gives && next == {last_word}, run_done = pass_done && turn == {last_pass};
wire [{width}:0] gone = run_done ? {words} : 0;
always @(posedge clk)
    if (rst) begin inside <= 0; next <= 0; turn <= 0; watched <= 0; end
    else begin
        inside <= inside + takes - gone;
        if (gives) next <= pass_done ? 0 : next + 1;
        if (pass_done) turn <= run_done ? 0 : turn + 1;
        if (!watched && pick && takes) begin
            watched <= 1; saved <= s_axis_tdata; place <= inside - gone;
        end else if (run_done) begin
            watched <= watched && place >= {words}; place <= place - {words};
        end
    end
always @* if (started) begin
    assert (inside <= {holds});
    assert (s_axis_tready || inside >= {depth});
    if (m_axis_tvalid) begin
        assert (inside > next);
        if (watched && place == next) assert (m_axis_tdata == saved);
    end
end
"""


def repeated(words, passes, depth):
    """A Claim of ``replay``: each pass of a run has each word of the run, in its turn."""
    properties = REPEATED.format(
        width=(depth + 2 * words).bit_length() - 1, turns=max(passes - 1, 1).bit_length() - 1,
        high=BITS - 1, words=words, last_word=words - 1, last_pass=passes - 1, depth=depth,
        holds=depth + words)
    faults = ((f"level != {depth}", f"level != {depth + 1}"),)
    if passes > 1:
        faults += (("level > word", "level >= word"), ("address <= oldest", "address <= head"))
    return Claim(replay, {**pair(1, 1), "words": words, "passes": passes, "depth": depth},
                 properties, faults, slow=passes > 1)


FORK = """
reg given_a = 0, given_b = 0;       // the beat that waits has left there
always @(posedge clk)
    if (rst || s_axis_tvalid && s_axis_tready) begin given_a <= 0; given_b <= 0; end
    else begin
        given_a <= given_a || m_axis_a_tvalid && m_axis_a_tready;
        given_b <= given_b || m_axis_b_tvalid && m_axis_b_tready;
    end
wire gone_a = given_a || m_axis_a_tvalid && m_axis_a_tready;
wire gone_b = given_b || m_axis_b_tvalid && m_axis_b_tready;
always @* if (started) begin
    assert (m_axis_a_tvalid == (s_axis_tvalid && !given_a));
    assert (m_axis_b_tvalid == (s_axis_tvalid && !given_b));
    if (m_axis_a_tvalid) assert (m_axis_a_tdata == s_axis_tdata);
    if (m_axis_b_tvalid) assert (m_axis_b_tdata == s_axis_tdata);
    if (s_axis_tvalid) assert (s_axis_tready == (gone_a && gone_b));
end
"""


def sums(bits):
    """Of residual_add: the sum of each lane, clipped by cases."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    return f"""
wire signed [{bits - 1}:0] one = s_axis_tdata, other = s_axis_shortcut_tdata;
wire signed [{bits}:0] exact = one + other;
wire [{bits - 1}:0] clipped = exact > {high} ? {high} : exact < {low} ? {low} : exact;
""" + order(["clipped"], 1, bits, 1, 1, 2,
            takes="s_axis_tvalid && s_axis_tready && s_axis_shortcut_tvalid").replace(
        "assert (s_axis_tready", "if (s_axis_shortcut_tvalid) assert (s_axis_tready").replace(
        "!s_axis_tvalid ? 0 : shut", "!s_axis_tvalid || !s_axis_shortcut_tvalid ? 0 : shut") + """
always @* if (started) assert (s_axis_tready == s_axis_shortcut_tready);
"""


SCALE_BITS = 3, 2, 1     # of bias, multiplier and shift
LIMITS = {"signed": (-2, 1, 2, True), "unsigned": (0, 3, 2, False)}     # low, high, bits


def formula(low, high, bits, base, at=""):
    """Verilog of a channel's activation, ``clipped``: the number rounded by cases.  It needs acc,
    bias, multiplier and shift, signed; ``at`` is behind each name."""
    names = "product places below rest nearest acc bias multiplier shift clipped".split()
    return re.sub(rf"\b({'|'.join(names)})\b", rf"\1{at}", f"""
wire signed [15:0] product = (acc + bias) * multiplier;
wire [3:0] places = shift + {base};
wire signed [15:0] below = product >>> places;
wire signed [15:0] rest = product - (below <<< places);
wire signed [15:0] nearest = rest <<< 1 >= (16'sd1 <<< places) ? below + 1 : below;
wire [{bits - 1}:0] clipped = nearest > {high} ? {high} : nearest < {low} ? {low} : nearest;
""")


def requantized(low, high, bits, signed, rows=1, acc=3, base=2):
    """A Claim of requantize, with any numbers in its ROM: the formula, and the order."""
    width = sum(SCALE_BITS)
    bias, multiplier, shift = SCALE_BITS
    before = f"""
reg [3:0] row = 0;
always @(posedge clk) if (rst) row <= 0;
    else if (s_axis_tvalid && s_axis_tready) row <= row == {rows - 1} ? 0 : row + 1;
wire [{width - 1}:0] scales = words[row * {width} +: {width}];
wire signed [15:0] acc = $signed(s_axis_tdata), bias = $signed(scales[{bias - 1}:0]);
wire signed [15:0] multiplier = $signed({{1'b0, scales[{bias} +: {multiplier}]}});
wire [3:0] shift = scales[{bias + multiplier} +: {shift}];
""" + formula(low, high, bits, base)
    return Claim(requantize, {
        "s_axis": stream(1, acc), "m_axis": stream(1, bits, signed),
        "rom": Rom("scales", ((0, 1, 0),) * rows, SCALE_BITS),
        "scaling": Scaling(5, base, low, high)},
        order(["clipped"], 1, bits, 6, 6, 1, before=before),
        ((r"rounded \+ 1", "rounded + 0"), (f"rounded = {high};", f"rounded = {high - 1};")),
        {"words": ("parameters.rom", width * rows)}, any_words(width), cycles=16, slow=True)


def scaled(low, high, bits, signed, acc=4, base=2):
    """A Claim of the scaler: the formula for all numbers, whenever each of its four steps moves.

    Of each step it is said what it holds of the numbers that have come as far.
    """
    width, biased = acc + sum(SCALE_BITS), max(acc, SCALE_BITS[0]) + 1
    bias, multiplier, shift = SCALE_BITS
    product = biased + multiplier
    numbers = "".join(f"""
reg [{width - 1}:0] all_{step};
reg known_{step} = 0;
wire signed [15:0] acc_{step} = $signed(all_{step}[{acc - 1}:0]);
wire signed [15:0] bias_{step} = $signed(all_{step}[{acc} +: {bias}]);
wire signed [15:0] multiplier_{step} = {{1'b0, all_{step}[{acc + bias} +: {multiplier}]}};
wire [3:0] shift_{step} = all_{step}[{acc + bias + multiplier} +: {shift}];
{formula(low, high, bits, base, f"_{step}")}""" for step in range(1, 5))
    return Claim(scaler, {
        "steps": ScalingSteps(), "acc": sint(acc), "factors": Factors(*SCALE_BITS),
        "activation": uint(bits), "scaling": Scaling(biased, base, low, high)}, numbers + """
always @(posedge clk) begin
    if (steps_add) begin
        all_1 <= {factors_shift, factors_multiplier, factors_bias, acc}; known_1 <= 1;
    end
    if (steps_multiply) begin all_2 <= all_1; known_2 <= known_1; end
    if (steps_scale) begin all_3 <= all_2; known_3 <= known_2; end
    if (steps_saturate) begin all_4 <= all_3; known_4 <= known_3; end
end
always @* begin
    if (known_1) begin
        assert ($signed(sum) == acc_1 + bias_1);
        assert ($signed(factor) == multiplier_1 && held_2 == shift_1);
    end
    if (known_2) assert ($signed(made) == product_2 && held_3 == shift_2);
    if (known_3) assert ($signed(scaled) == product_3 >>> places_3 - 1);
    if (known_4) assert (activation == clipped_4);
end
""",
        ((r"rounded \+ 1", "rounded + 0"), (f"rounded = {high};", f"rounded = {high - 1};"),
         (r"acc \+ factors_bias", "acc - factors_bias")),
        {"sum": ("biased", biased), "factor": ("factor", multiplier + 1),
         "held_2": ("shift_2", shift), "held_3": ("shift_3", shift), "made": ("product", product),
         "scaled": ("scaled", product - base + 1)}, slow=True)


def summed(pe, simd, beats, bits=2):
    """A Claim of mac, with any weights: every sum of products, in order."""
    width, total = pe * simd * bits, 2 * bits + (simd * beats).bit_length()
    products = [" + ".join(
        f"x_{i} * $signed(row[{(j * simd + i) * bits} +: {bits}])" for i in range(simd))
        for j in range(pe)]
    before = f"""
reg [3:0] beat = 0;
wire [{width - 1}:0] row = words[beat * {width} +: {width}];
""" + "".join(f"wire signed [15:0] x_{i} = $signed(s_axis_tdata[{i * bits} +: {bits}]);\n"
              for i in range(simd)) + "".join(f"""
reg signed [15:0] before_{j};
wire signed [15:0] total_{j} = (beat == 0 ? 16'sd0 : before_{j}) + {each};
always @(posedge clk) if (s_axis_tvalid && s_axis_tready) before_{j} <= total_{j};
""" for j, each in enumerate(products)) + f"""
always @(posedge clk) if (rst) beat <= 0;
    else if (s_axis_tvalid && s_axis_tready) beat <= beat == {beats - 1} ? 0 : beat + 1;
"""
    return Claim(mac, {
        "s_axis": stream(simd, bits), "m_axis": stream(pe, total),
        "rom": Rom("weights", ((1,) * (pe * simd),) * beats, (bits,) * (pe * simd)),
        "fold": Fold(pe, simd, True, beats)},
        order([f"total_{j}" for j in range(pe)], pe, total, 9 * pe, 9, 1, before=before,
              made=f"beat == {beats - 1}"),
        ((r"steps_first <= .*;", "steps_first <= 1;"),) if beats > 1 else
        ((r"x_0 \* weight_0", "x_0 + weight_0"),),
        {"words": ("weights.rom", width * beats)}, any_words(width), cycles=16, slow=True)


TINY = Precision("tiny", weight_bits=2, relu6_bits=2, linear_bits=2, input_bits=2,
                 multiplier_bits=2)
# A unit's last register, or a pipeline, that moves although its beat is not taken.
MOVES = (r"if \(\(m_axis_tready \|\| \(!m_axis_tvalid\)\)\) begin\n( +m_axis_tvalid <=)",
         r"if (1) begin\n\1")
GOES = (r"assign go = \(m_axis_tready \|\| \(!\w*valid\)\);", "assign go = 1;")


def unit(kind, *geometry, **options):
    """A Claim of a unit's ports, with random integers in its ROMs; arguments as ``unit_config``."""
    config, _ = unit_config(np.random.default_rng(0), kind, *geometry, precision=TINY, **options)
    return Claim(BLOCKS[kind], {"s_axis": AxiStream(config.stream_in()),
                                "m_axis": AxiStream(config.stream_out()), "config": config},
                 faults=(MOVES,), memories=memory_files([config]), slow=True)


def constant(kind, size, tile, creep, inputs, outputs, stride=1):
    """A Claim of the ports of a unit whose weights are constants."""
    kernel = 3 if KINDS[kind].windowed else 1
    row = Unit("dut", kind, kind, "dut", size, size // stride, inputs, outputs, kernel, stride,
               padding(size, stride) if kernel == 3 else (0, 0),
               "input" if kind == "stem" else "relu6", "relu6" if kernel == 3 else "linear")
    folding = constant_folding(row, TINY, (size // tile) ** 2, creep, kind == "stem")
    config, _ = with_integers(np.random.default_rng(0), UnitPlan(folding, NO_BUFFERS))
    return Claim(block_of(config), {"s_axis": AxiStream(config.stream_in()),
                                    "m_axis": AxiStream(config.stream_out()), "config": config},
                 faults=(MOVES,), memories=memory_files([config]), slow=True)


def buffered(size, stride, taps, groups=1):
    """A Claim of the ports of a line buffer."""
    geometry = WindowGeometry(size, groups, stride, padding(size, stride), taps)
    return Claim(line_buffer, {"s_axis": stream(1, 1), "m_axis": stream(taps, 1),
                               "geometry": geometry},
                 faults=(GOES,), slow=taps > 1)


def moved(size):
    """A Claim of the ports of tile_move."""
    return Claim(tile_move, {
        "s_axis": stream(1, 1, tile=2, creep=1), "m_axis": stream(1, 1, tile=2),
        "geometry": TileGeometry(size, 2, 1, 2)},
        faults=(("patch_tready = m_axis_tready", "patch_tready = 1"),))


# Of these the rules of their streams: offered, a beat stays as it is until it is taken.
PORTS = {
    "pointwise, serial": unit("pointwise", 2, 2, 2, 1, 1, 1, 1),
    "pointwise, groups": unit("pointwise", 2, 2, 2, 1, 2, 1, 1),
    "pointwise, accumulators": unit("pointwise", 2, 4, 2, 1, 1, 1, 1, activation="linear"),
    "depthwise": unit("depthwise", 3, 1, 1, 1, 9, 1, 1),
    "depthwise, stride 2": unit("depthwise", 4, 2, 2, 1, 3, 1, 1, 2),
    "stem": unit("stem", 4, 3, 2, 1, 9, 3, 1, 2, activation_in="input"),
    "constant pointwise": constant("pointwise", 4, 2, 1, 2, 2),
    "constant depthwise": constant("depthwise", 4, 2, 1, 1, 1),
    "constant stem": constant("stem", 4, 2, None, 3, 1, 2),
    "line_buffer, window": buffered(3, 1, 9),
    "line_buffer, columns": buffered(4, 2, 3),
    "line_buffer, taps": buffered(3, 1, 1, 2),
    "tile_add": Claim(tile_add, {name: stream(1, 2, tile=2, creep=1) for name in (
        "s_axis", "s_axis_shortcut", "m_axis")}, faults=(GOES,)),
    "tile_flush": Claim(tile_flush, {
        "s_axis": stream(1, 2, tile=2), "m_axis": stream(1, 2, tile=2, creep=0), "frame": 4,
        "tail": 3}, faults=(GOES,)),
    "tile_move": moved(4),
    "tile_windows": Claim(tile_windows, {
        "s_axis": stream(1, 1, tile=2), "m_axis": stream(9, 1), "size": 4, "pad": (0, 1)},
        faults=(GOES,)),
    "to_bytes": Claim(to_bytes, {
        "s_axis": stream(2, 3), "m_axis": stream(2, 8, marks=("tlast",)), "beats": 5},
        faults=(("moved = .*;", "moved = 1;"),)),
    "from_bytes": Claim(from_bytes, {"s_axis": stream(2, 8), "m_axis": stream(2, 3)},
                        faults=(("s_axis_tready = .*;", "s_axis_tready = 1;"),)),
    "mark_frames": Claim(mark_frames, {
        "s_axis": stream(2, 3, marks=("tlast",)), "verdict": AxiStream(VERDICT),
        "m_axis": stream(2, 3, marks=MARKS)},
        faults=((r"s_axis_tready = .*;", "s_axis_tready = 1;"),)),
}
ROWS, COLUMNS = 2, 3    # of a frame of video
# Beats that have been offered count the place; verdicts and frames are counted apart.
WHOLE_FRAMES = f"""
reg [2:0] place = 0;
reg [1:0] frames = 0, verdicts = 0;
wire last = place == {ROWS * COLUMNS - 1};
wire left = m_axis_tvalid && m_axis_tready;
always @(posedge clk)
    if (rst) begin place <= 0; frames <= 0; verdicts <= 0; end
    else begin
        if (left) place <= last ? 0 : place + 1;
        if (left && last) frames <= frames + 1;
        if (verdict_tvalid && verdict_tready) verdicts <= verdicts + 1;
    end
wire [2:0] offered = !m_axis_tvalid ? place : last ? 0 : place + 1;
wire [1:0] whole = frames + (m_axis_tvalid && last), judged = verdicts + verdict_tvalid;
always @* if (started) begin
    assert (row * {COLUMNS} + column == offered && column < {COLUMNS});
    assert (whole == judged);
    assert (inside == (offered != 0));
    if (!inside) assert (!fill_line && !fill_frame && !skip);
end
"""
# A beat with tuser is taken where a frame begins, and a frame begins with no other.
BEGINNINGS = """
wire begins = beat_take && beat_first;
always @* if (started) begin
    if (begins) assert (send && !inside);
    if (send && !inside) assert (begins);
end
"""
REPAIR = {name: (f"repair_{name}", 1) for name in (
    "inside", "fill_line", "fill_frame", "skip", "send")} | {
    "row": ("walk.row", 1), "column": ("walk.column", 2),
    "beat_take": ("beat_take", 1), "beat_first": ("beat_first", 1)}


CLAIMS = {
    "frame_repair": Claim(frame_repair, {
        "s_axis": stream(1, 1, False, marks=MARKS), "m_axis": stream(1, 1, False),
        "verdict": AxiStream(VERDICT), "frame_error": uint(len(FAULTS)),
        "frame": VideoFrame(ROWS, COLUMNS, 2)}, WHOLE_FRAMES + BEGINNINGS, (
            ("beat_first != repair_inside", "1'b1"),
            ("verdict_tvalid <= 1'b1", "verdict_tvalid <= repair_line_last")),
        REPAIR),
    **PORTS,
    "register_slice": passing(register_slice, 1, 1, (
        (r"full \? held", "!full ? held"), ("full <= 1'b1", "full <= 1'b0")), (2, 1, 1, 2)),
    "widen": passing(widen, 1, 3, ((r"\(3 - 1\)\)\)", "(3 - 2)))"),), (5, 1, 1, 3)),
    "narrow": passing(narrow, 3, 1, ((r"\(left == 1\) &&", "(left == 2) &&"),), (3, 1, 3, 1)),
    "width_converter": passing(width_converter, 2, 3, (
        ("rest <= s_axis_tdata", "rest <= ~s_axis_tdata"),), (12, 3, 3, 6)),
    **{f"fifo of {depth}": fifo_of(depth) for depth in (1, 2, 3, 5, 8)},
    "link": passing(link, 2, 3, (("level != 2", "level != 3"),), (30, 9, 9, 12), True, depth=2),
    "link of wires": passing(link, 1, 2, (
        (r"\(2 - 1\)\)\)", "(2 - 2)))"),), (3, 1, 1, 2), depth=0),
    "replay, once": repeated(2, 1, 3), "replay, twice": repeated(2, 2, 3),
    "replay, three times": repeated(3, 3, 4),
    "fork": Claim(forked, {n: stream(1, 2) for n in ("s_axis", "m_axis_a", "m_axis_b")}, FORK, (
        (r"\(m_axis_b_tready \|\| done_b\)\);\n *end", "done_b);\nend"),
        ("done_a <= 0", "done_a <= 1"))),
    "residual_add": Claim(residual_add, {n: stream(1, 3) for n in (
        "s_axis", "s_axis_shortcut", "m_axis")}, sums(3), (
            (r"wide = 3;", "wide = 2;"), (r"wide = \(-4\)", "wide = (-3)"))),
    **{f"requantize, {name}": requantized(*limits) for name, limits in LIMITS.items()},
    "mac of a product": summed(1, 1, 1), "mac of three": summed(1, 3, 1),
    "mac of two by two": summed(2, 2, 2),
    **{f"scaler, {name}": scaled(*limits) for name, limits in LIMITS.items()},
}

# Whose Verilog and VHDL are not compared as they are: GHDL 2.0 makes nothing of memories of one
# word, and of three nothing is found in minutes.
ONE_WORD = ("depthwise", "stem", "constant depthwise", "constant stem", "line_buffer, window",
            "tile_move", "fifo of 1")
LONG = ("depthwise, stride 2", "line_buffer, taps", "pointwise, accumulators")


def fixed(claim, *words):
    """A Claim whose ROM has these words in place of any: no VHDL says "any"."""
    (name, rom), = ((name, value) for name, value in claim.arguments.items()
                    if isinstance(value, Rom))
    rom = replace(rom, rows=words)
    return replace(claim, arguments={**claim.arguments, name: rom}, edits=(), inner={},
                   memories={f"{rom.name}.mem": rom.mem()})


# {name: Claim} of those whose Verilog and VHDL are proven to be the same; memories have two words
# and more.
LANGUAGES = {
    **{name: claim for name, claim in CLAIMS.items()
       if not claim.edits and name not in (*ONE_WORD, *LONG)},
    **{f"requantize, {name}": fixed(CLAIMS[f"requantize, {name}"], (1, 3, 0), (-2, 2, 1))
       for name in LIMITS},
    "mac of a product": fixed(summed(1, 1, 2), (1,), (-2,)),
    "mac of three": fixed(summed(1, 3, 2), (1, -2, 0), (-1, 1, 1)),
    "mac of two by two": fixed(CLAIMS["mac of two by two"], (1, -2, 0, -1), (-1, 1, 1, -2)),
    "tile_move": moved(8),
    "constant depthwise": constant("depthwise", 8, 2, 1, 1, 1),
}
