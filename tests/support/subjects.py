"""Which blocks and units get mutants, how many, and by which of their tests they are told.

Units with constant weights are not here: of their memories Yosys 0.70 writes no Verilog.  Nor are
multiply-accumulate arrays in loops: it reads no loop that counts from an expression.
"""
from tests.support.mutants import Subject

FRAMES = "test_frames"


def units(module, counts, *others):
    """Subjects of a unit's cases: {case: mutants}, and tests of the same block besides."""
    return {f"{module.rpartition('test_')[2]}, {case}": Subject(
        module, {test: {"case": case} for test in (FRAMES, *others)}, count)
        for case, count in counts.items()}


SUBJECTS = {
    "register_slice": Subject("blocks.test_stream", {
        "test_register_slice": {"lanes": 1, "bits": 5}, "test_register_slice_holds_two_beats": {}},
        60),
    **{f"{name} {one} to {other}": Subject("blocks.test_stream", {"test_widths": {
        "block": name, "lanes_in": one, "lanes_out": other}}, 60) for name, one, other in (
            ("widen", 1, 4), ("narrow", 4, 1), ("width_converter", 2, 3))},
    "fifo of 1": Subject("blocks.test_stream", {
        "test_fifo": {"depth": 1}, "test_fifo_holds_what_it_says": {"depth": 1}}, 50),
    "fifo of 5": Subject("blocks.test_stream", {
        "test_fifo": {"depth": 5}, "test_fifo_holds_what_it_says": {"depth": 5}}, 100),
    "replay": Subject("blocks.test_stream", {"test_replay": {"words": 3, "passes": 2}}, 100),
    "fork": Subject("blocks.test_stream", {"test_fork": {}, "test_fork_waits_for_the_slower": {
        "slow": "m_axis_a"}}, 50),
    "residual_add": Subject("blocks.test_residual_add", {
        "test_sums": {"lanes": 3, "bits": 12}}, 50),
    "requantize, lanes": Subject("blocks.test_requantize", {"test_channels": {"case": "lanes"}},
                                 80),
    "requantize, serial": Subject("blocks.test_requantize", {"test_channels": {"case": "serial"}},
                                  60),
    "mac": Subject("blocks.test_mac", {"test_sums": dict(
        pe=2, simd=3, shared=True, count=4, groups=3, bits=6, signed=True, weight_bits=5,
        block="mac")}, 80),
    "mac, depthwise": Subject("blocks.test_mac", {"test_sums": dict(
        pe=2, simd=3, shared=False, count=3, groups=4, bits=8, signed=False, weight_bits=8,
        block="mac")}, 60),
    "mac of pairs": Subject("blocks.test_paired_dot", {"test_sums": dict(
        pe=3, simd=4, count=2, groups=2, bits=8, signed=True, weight_bits=8, field=18,
        products=4)}, 80),
    "mac, groups": Subject("blocks.test_mac", {"test_groups": dict(
        pe=2, simd=3, lanes=1, count=4, groups=2, block="mac")}, 80),
    "line_buffer, window": Subject("blocks.test_line_buffer", {"test_windows": dict(
        size=5, stride=1, taps=9, channels=2, lanes=2)}, 80),
    "line_buffer, columns": Subject("blocks.test_line_buffer", {"test_windows": dict(
        size=8, stride=2, taps=3, channels=4, lanes=2)}, 80),
    "line_buffer, taps": Subject("blocks.test_line_buffer", {"test_windows": dict(
        size=5, stride=1, taps=1, channels=2, lanes=1)}, 60),
    "weight_rom": Subject("blocks.test_weight_rom", {"test_words": dict(
        widths="mixed", depth=11)}, 25),
    "tile_add": Subject("blocks.test_tile_add", {"test_sums": dict(
        lanes=2, bits=12, tile=3, creep=1)}, 40),
    "tile_flush": Subject("blocks.test_tile_flush", {
        FRAMES: {}, "test_frames_apart": {}, "test_part_of_a_frame_waits": {"beats": 3}}, 40),
    "tile_move": Subject("blocks.test_tile_move", {FRAMES: dict(size=8, tile=4, creep=1)}, 40),
    "tile_windows": Subject("blocks.test_tile_windows", {
        "test_windows": {"size": 5},
        "test_last_rows_do_not_wait_for_the_next_frame": {"size": 5}}, 50),
    "frame_repair": Subject("blocks.test_frame_repair", {
        "test_cycles": {}, "test_what_comes_and_what_becomes_of_it": {}, "test_patience": {},
        "test_any_marks_whatever": dict(rows=3, columns=4, lanes=3, tile=1)}, 80),
    "outside": Subject("units.test_outside", {"test_around_a_register_slice": {"case": "relu6"}},
                       30),
    "video": Subject("units.test_video", {
        "test_damaged_frames_are_marked_where_they_leave": {"stall": "both"},
        "test_bytes_become_numbers": {"network": "numbers", "components": "gbr"},
        "test_whatever_comes": {"stall": "idle"}}, 80),
    **units("units.test_pointwise", {
        "serial": 80, "accumulators": 80, "two_groups": 60}, "test_rate"),
    **units("units.test_pointwise", {"groups": 80}, "test_rate", "test_many_frames"),
    **units("units.test_depthwise", {"all_taps": 80, "columns": 80, "single_taps": 60}),
    **units("units.test_stem", {"even": 80}),
}
# {(subject, a part of what Yosys says of a mutant): why nothing tells it}
EXPLAINED = {
    (subject, r"\tell."): "in the tests' own block, which asks for the errors, not in the design"
    for subject in ("frame_repair", "video")}
