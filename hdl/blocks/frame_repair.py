"""Video at the outside: frames repaired to their size at the input, marked at the output.

AXI4-Stream Video (AMD's UG934) marks the first pixel of a frame with tuser and the last of a line
with tlast.  A network counts and never sees a mark, so what comes in must be exactly a frame,
whatever the marks say.  Every beat with tuser begins a frame, and every frame that is begun ends:

| what comes | what becomes of it | in FAULTS |
|---|---|---|
| tlast too early in a line | the rest of the line is filled up | short_line |
| no tlast at the end of a line | what comes until tlast is dropped | long_line |
| tuser inside a frame | the frame is filled up, then the next one begins | early_start |
| inside a frame, nothing for more than ``patience`` cycles | the frame is filled up | silence |
| beats outside a frame, without tuser | they are dropped | outside |

All but the last damage the frame.  What fills up is 0: black.
"""
from dataclasses import dataclass, replace

from myhdl import ResetSignal, SignalType, always, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.lanes import pack, unpack
from hdl.blocks.refusals import refuse_marks, refuse_other
from hdl.blocks.registers import counter
from hdl.blocks.signals import Instances, count, flag, sint, uint
from hdl.shape import MARKS, StreamShape

FAULTS = ("short_line", "long_line", "early_start", "silence", "outside")   # bit 0 first
SHORT_LINE, LONG_LINE, EARLY_START, SILENCE, OUTSIDE = range(len(FAULTS))
RGB = "rgb"     # a network's lanes
VERDICT = StreamShape(lanes=1, bits=1, signed=False)    # of a frame: it is damaged
LATENCY = 2     # cycles, of frame_repair


@dataclass(frozen=True)
class VideoFrame:
    """A frame of ``rows`` x ``columns`` beats, and for how many cycles its source may bring nothing
    inside it."""

    rows: int
    columns: int
    patience: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"a frame of video has {name} of 1 or more, not {value}")


class Beat(Bundle):
    """A beat that has come, with its marks, until it is taken."""

    def __init__(self, width: int) -> None:
        self.valid = flag()
        self.data = uint(width)
        self.first = flag()     # of a frame
        self.last = flag()      # of a line
        self.take = flag()      # now; another may come in its place


class Repair(Bundle):
    """What the repair of a frame goes by."""

    def __init__(self) -> None:
        self.inside = flag()        # a frame has begun and not ended
        self.fill_line = flag()     # up to the end of the line
        self.fill_frame = flag()    # up to the end of the frame
        self.skip = flag()          # until tlast: the line went on beyond its end
        self.waited = flag()        # as long as patience lasts, for the next beat
        self.line_last = flag()     # the next beat that leaves is the last of its line
        self.frame_last = flag()    # ... of its frame
        self.room = flag()          # a beat may leave
        self.fill = flag()          # it fills up
        self.send = flag()          # it leaves now
        self.found = uint(OUTSIDE)  # what damages the frame, a bit for each of these FAULTS
        self.outside = flag()       # what lies outside a frame


def marked(shape: StreamShape) -> StreamShape:
    """The shape of video of these beats."""
    return replace(shape, marks=MARKS)


@block
def frame_repair(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                 verdict: AxiStream, frame_error: SignalType, frame: VideoFrame) -> Instances:
    """Make of whatever comes frames of exactly their size; the faults are the module's table.

    s_axis      -- video, with the marks tlast and tuser
    m_axis      -- the same beats without marks, rows x columns of them for every tuser
    verdict     -- AxiStream of VERDICT: a beat for each frame, 1 where the frame is damaged; the
                   last beat of the next frame waits until it is taken
    frame_error -- a bit for each of FAULTS, high from the fault on until reset
    frame       -- VideoFrame

    Latency 2 cycles, 1 beat per cycle.
    """
    refuse_marks("frame_repair", m_axis, verdict)
    refuse_other("frame_repair", "an input", s_axis, marked(m_axis.shape))
    refuse_other("frame_repair", "a verdict", verdict, VERDICT)
    beat, repair = Beat(m_axis.shape.width), Repair()
    hold = hold_beat(clk, rst, s_axis, beat)
    watch = repair_patience(clk, rst, beat, repair, frame.patience)
    decide = repair_step(beat, repair)
    follow = repair_state(clk, rst, beat, repair)
    walk = repair_place(clk, rst, repair, frame)
    judge = repair_verdict(clk, rst, repair, verdict, frame_error)

    @always_comb
    def offer():
        repair.room.next = (m_axis.tready or not m_axis.tvalid) and (
            not repair.frame_last or verdict.tready or not verdict.tvalid)

    @always_seq(clk.posedge, reset=rst)
    def move():
        if repair.send:
            m_axis.tvalid.next = True
        elif m_axis.tready:
            m_axis.tvalid.next = False

    @always(clk.posedge)
    def carry():
        if repair.send:
            m_axis.tdata.next = 0 if repair.fill else beat.data

    return instances()


@block
def hold_beat(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, beat: Beat) -> Instances:
    """A beat of ``s_axis``, a cycle later, until it is taken."""

    @always_comb
    def accept():
        s_axis.tready.next = beat.take or not beat.valid

    @always_seq(clk.posedge, reset=rst)
    def come():
        if beat.take or not beat.valid:
            beat.valid.next = s_axis.tvalid

    @always(clk.posedge)
    def carry():
        if beat.take or not beat.valid:
            beat.data.next = s_axis.tdata
            beat.first.next = s_axis.tuser
            beat.last.next = s_axis.tlast

    return instances()


@block
def repair_patience(clk: SignalType, rst: ResetSignal, beat: Beat, repair: Repair,
                    patience: int) -> Instances:
    """waited: inside a frame no beat has come in the last ``patience`` cycles."""
    cycles = count(patience + 1)

    @always_comb
    def tell():
        repair.waited.next = cycles == patience

    @always_seq(clk.posedge, reset=rst)
    def wait():
        if beat.valid or repair.fill or not repair.inside:
            cycles.next = 0
        elif cycles != patience:
            cycles.next = cycles + 1

    return instances()


@block
def repair_step(beat: Beat, repair: Repair) -> Instances:
    """What becomes of the beat that is there, if one is, and what is found out about it."""
    fits, idle, sent = flag(), flag(), flag()
    short, long, early, silence = [flag() for _ in range(OUTSIDE)]

    @always_comb
    def choose():
        repair.fill.next = repair.fill_line or repair.fill_frame
        idle.next = not repair.fill_line and not repair.fill_frame
        # A frame begins with tuser and has none inside; beyond its end a line is dropped.
        fits.next = beat.valid and not repair.skip and beat.first != repair.inside

    @always_comb
    def step():
        sent.next = repair.room and idle and fits
        repair.send.next = repair.room and (fits or not idle)
        beat.take.next = idle and beat.valid and (
            (fits and repair.room) or (not beat.first and (repair.skip or not repair.inside)))

    @always_comb
    def find():
        short.next = sent and beat.last and not repair.line_last
        long.next = sent and repair.line_last and not beat.last
        early.next = idle and repair.inside and beat.valid and beat.first
        silence.next = idle and repair.inside and not beat.valid and repair.waited
        repair.outside.next = beat.valid and not beat.first and not repair.inside

    @always_comb
    def gather():
        repair.found.next = concat(silence, early, long, short)

    return instances()


@block
def repair_state(clk: SignalType, rst: ResetSignal, beat: Beat, repair: Repair) -> Instances:
    """Inside a frame or not, what is filled up, what is skipped."""

    @always_seq(clk.posedge, reset=rst)
    def follow():
        if repair.send and repair.frame_last:
            repair.inside.next = False
            repair.fill_line.next = False
            repair.fill_frame.next = False
            repair.skip.next = False
        else:
            if repair.send:
                repair.inside.next = True
                if repair.line_last:
                    repair.fill_line.next = False
            if repair.found[SHORT_LINE]:
                repair.fill_line.next = True
            if repair.found[EARLY_START] or repair.found[SILENCE]:
                repair.fill_frame.next = True
            if repair.found[LONG_LINE]:
                repair.skip.next = True
            elif repair.skip and beat.take and beat.last:
                repair.skip.next = False

    return follow


@block
def repair_place(clk: SignalType, rst: ResetSignal, repair: Repair,
                 frame: VideoFrame) -> Instances:
    """Where in its frame the next beat that leaves is."""
    row, column, line_sent = count(frame.rows), count(frame.columns), flag()
    columns = counter(clk, rst, repair.send, column, frame.columns, line_sent)
    rows = counter(clk, rst, line_sent, row, frame.rows)
    last_row, last_column = frame.rows - 1, frame.columns - 1

    @always_comb
    def tell():
        repair.line_last.next = column == last_column
        repair.frame_last.next = column == last_column and row == last_row

    return instances()


@block
def repair_verdict(clk: SignalType, rst: ResetSignal, repair: Repair, verdict: AxiStream,
                   frame_error: SignalType) -> Instances:
    """Note what is found: for good, and for the frame, of which it tells at the end."""
    damaged, now = flag(), flag()
    seen = uint(len(FAULTS))

    @always_comb
    def note():
        frame_error.next = seen
        now.next = damaged or repair.found != 0

    @always_seq(clk.posedge, reset=rst)
    def keep():
        seen.next = seen | concat(repair.outside, repair.found)
        if repair.send and repair.frame_last:
            damaged.next = False
            verdict.tvalid.next = True
            verdict.tdata.next = now
        else:
            damaged.next = now
            if verdict.tready:
                verdict.tvalid.next = False

    return instances()


@block
def pixels_of_bytes(s_axis: AxiStream, m_axis: AxiStream, components: str) -> Instances:
    """A network's input of video's bytes: q = 2p - 255 of a byte p, red lowest.

    s_axis     -- AxiStream of 8-bit components, unsigned
    m_axis     -- AxiStream of as many 9-bit elements, signed
    components -- the order of a pixel's bytes, the lowest first, such as "gbr" (UG934's) or "rgb"

    Latency 0.
    """
    refuse_other("pixels_of_bytes", "an output", m_axis,
                 replace(s_axis.shape, bits=9, signed=True))
    if sorted(components) != sorted(RGB) or m_axis.shape.lanes != len(RGB):
        raise ValueError(f"a pixel of video has the bytes r, g and b in any order, such as gbr, "
                         f"not {components} for {m_axis.shape.lanes} lanes")
    elements, lanes = m_axis.shape.elements, len(RGB)
    p = [uint(8) for _ in range(elements)]
    q = [sint(9) for _ in range(elements)]
    places = [place - place % lanes + components.index(RGB[place % lanes])
              for place in range(elements)]
    cut = unpack(s_axis.tdata, p)
    numbers = [number_of_byte(p[place], q[element]) for element, place in enumerate(places)]
    join = pack(q, m_axis.tdata)

    @always_comb
    def handshake():
        m_axis.tvalid.next = s_axis.tvalid
        s_axis.tready.next = m_axis.tready

    return instances()


@block
def number_of_byte(p: SignalType, q: SignalType) -> Instances:
    """q = 2p - 255, of 8 bits unsigned and 9 bits signed."""

    @always_comb
    def number():
        q.next = 2 * p - 255

    return number


@block
def mark_frames(s_axis: AxiStream, verdict: AxiStream, m_axis: AxiStream) -> Instances:
    """tuser with a frame's last beat where the frame is damaged.

    s_axis  -- AxiStream with tlast at the end of a frame
    verdict -- AxiStream of VERDICT, a beat for each frame
    m_axis  -- the same stream with tlast and tuser

    Latency 0; a frame's last beat waits for the verdict.
    """
    refuse_other("mark_frames", "an input", s_axis, replace(m_axis.shape, marks=("tlast",)))
    refuse_other("mark_frames", "an output", m_axis, marked(m_axis.shape))
    refuse_other("mark_frames", "a verdict", verdict, VERDICT)

    @always_comb
    def forward():
        m_axis.tdata.next = s_axis.tdata
        m_axis.tvalid.next = s_axis.tvalid and (verdict.tvalid or not s_axis.tlast)
        m_axis.tlast.next = s_axis.tlast
        m_axis.tuser.next = s_axis.tlast and verdict.tdata[0]

    @always_comb
    def backward():
        s_axis.tready.next = m_axis.tready and (verdict.tvalid or not s_axis.tlast)
        verdict.tready.next = m_axis.tready and s_axis.tvalid and s_axis.tlast

    return instances()
