"""What is proven, by induction, for any input, any marks and any stalls whatever."""
import pytest
from myhdl import always_seq, block, instances

from hdl.axis import AxiStream
from hdl.blocks.fifo import fifo, link, replay
from hdl.blocks.frame_repair import FAULTS, VERDICT, VideoFrame, frame_repair, mark_frames
from hdl.blocks.residual_add import residual_add
from hdl.blocks.signals import uint
from hdl.blocks.stream import narrow, register_slice, widen, width_converter
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.whole_bytes import to_bytes
from hdl.shape import MARKS
from scripts.shared.yosys import YosysError
from tests.support.blocks import forked
from tests.support.proof import prove
from tests.support.streams import stream

ROWS, COLUMNS = 2, 3


def pair(lanes_in=2, lanes_out=2):
    return {"s_axis": stream(lanes_in, 3), "m_axis": stream(lanes_out, 3)}


CONTRACT = {
    "register_slice": (register_slice, pair()),
    "widen": (widen, pair(1, 3)), "narrow": (narrow, pair(3, 1)),
    "width_converter": (width_converter, pair(2, 3)),
    "fifo": (fifo, {**pair(), "depth": 3}), "link": (link, {**pair(2, 3), "depth": 3}),
    "replay": (replay, {**pair(), "words": 3, "passes": 2, "depth": 5}),
    "fork": (forked, {name: stream(2, 3) for name in ("s_axis", "m_axis_a", "m_axis_b")}),
    "residual_add": (residual_add, {name: stream(2, 3) for name in (
        "s_axis", "s_axis_shortcut", "m_axis")}),
    "tile_flush": (tile_flush, {"s_axis": stream(1, 2, tile=2), "frame": 4, "tail": 3,
                                "m_axis": stream(1, 2, tile=2, creep=0)}),
    "to_bytes": (to_bytes, {"s_axis": stream(2, 3), "beats": 5,
                            "m_axis": stream(2, 8, marks=("tlast",))}),
    "mark_frames": (mark_frames, {"s_axis": stream(2, 3, marks=("tlast",)),
                                  "verdict": AxiStream(VERDICT),
                                  "m_axis": stream(2, 3, marks=MARKS)})}


@pytest.mark.parametrize("name", CONTRACT)
def test_a_beat_that_is_offered_stays_until_it_is_taken(name, tmp_path):
    prove(tmp_path, *CONTRACT[name])


@block
def forgetful(clk, rst, s_axis, m_axis):
    """A register that takes a beat although the one before has not left."""
    @always_seq(clk.posedge, reset=rst)
    def advance():
        s_axis.tready.next = True
        m_axis.tvalid.next = s_axis.tvalid
        m_axis.tdata.next = s_axis.tdata

    return instances()


def test_a_block_that_breaks_the_contract(tmp_path):
    with pytest.raises(YosysError, match="model found for base case: FAIL"):
        prove(tmp_path, forgetful, pair())


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


def film(tmp_path, properties):
    """Prove properties of frame_repair, for frames of 2 x 3 beats and a patience of 2 cycles."""
    prove(tmp_path, frame_repair, {
        "s_axis": stream(1, 1, False, marks=MARKS), "m_axis": stream(1, 1, False),
        "verdict": AxiStream(VERDICT), "frame_error": uint(len(FAULTS)),
        "frame": VideoFrame(ROWS, COLUMNS, 2)}, REPAIR, properties)


def test_frames_have_their_length_whatever_the_marks(tmp_path):
    """Between two verdicts are exactly a frame's beats, and every tuser begins one."""
    film(tmp_path, WHOLE_FRAMES + BEGINNINGS)


@pytest.mark.parametrize("wrong", [
    ("whole == judged", "whole == verdicts"), (f"last = place == {ROWS * COLUMNS - 1}",
                                               f"last = place == {ROWS * COLUMNS - 2}"),
    ("send && !inside", "send && inside")])
def test_a_wrong_claim_about_frames_is_not_proven(tmp_path, wrong):
    claim = WHOLE_FRAMES + BEGINNINGS
    assert wrong[0] in claim
    with pytest.raises(YosysError, match="model found for base case: FAIL"):
        film(tmp_path, claim.replace(*wrong))
