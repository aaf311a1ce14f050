"""What goes over the line: a photo in, and for each photo a reply.

| | bytes |
|---|---|
| photo | SYNC, the pixels' bytes (red, green, blue, in raster order), CRC-32 of these |
| reply | SYNC, the features' bytes (each lowest first), status, CRC-32 of these and the status |

SYNC is looked for between photos only, so pixels may hold it.  Every photo that is begun ends:
where nothing comes for ``patience`` cycles, the rest is taken for 0.  A line that lost a byte is
in step again after that pause, and each SYNC that came whole has its reply.  The status has a bit
for each of FAULTS; a photo is as it was sent where the status is 0.  The sender waits for the reply
before it sends the next photo: one that ends while two others have no reply yet may be dropped.
"""
from dataclasses import dataclass

from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream, Bundle
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances, count, flag, start, uint
from hdl.board.checksum import BITS, ONES, RESIDUE, crc32
from hdl.board.uart import BYTES, Arrival
from hdl.shape import StreamShape

SYNC = bytes.fromhex("a55a3cc3")
SYNC_WORD = int.from_bytes(SYNC, "little")
FAULTS = ("silence", "framing", "overrun", "checksum")      # bit 0 first
SILENCE, FRAMING, OVERRUN, CHECKSUM = (1 << bit for bit in range(len(FAULTS)))
STATUS = StreamShape(lanes=1, bits=len(FAULTS), signed=False)
HEAD, BODY, TAIL, TELL = range(4)       # parts of a photo; of a reply, TELL is its status
CRC_BYTES = BITS // 8


@dataclass(frozen=True)
class Photo:
    """A photo of so many bytes, and for how many cycles its sender may pause inside it."""

    size: int
    patience: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"a photo has {name} of 1 or more, not {value}")


class Lights(Bundle):
    """What a board's LEDs show."""

    def __init__(self) -> None:
        self.inside = flag()    # a photo has begun and not ended
        self.damaged = flag()   # the last one is not as it was sent


class Reception(Bundle):
    """Where in a photo the receiver is."""

    def __init__(self) -> None:
        self.part = count(4)    # HEAD, BODY, TAIL, TELL
        self.begin = flag()     # the last byte of SYNC is here
        self.fill = flag()      # what is missing is filled up
        self.step = flag()      # a byte of the photo, or one that fills up, is taken
        self.lost = flag()      # a byte has come for which there was no room
        self.end = flag()       # the part ends with this step


@block
def photo_receiver(clk: SignalType, rst: ResetSignal, arrival: Arrival, m_axis: AxiStream,
                   status: AxiStream, lights: Lights, photo: Photo) -> Instances:
    """The bytes of photos, exactly ``photo.size`` for each SYNC, and a status for each photo.

    arrival -- Arrival
    m_axis  -- AxiStream of BYTES: pixels' bytes; they must be taken as fast as they come
    status  -- AxiStream of STATUS, a beat at the end of each photo
    """
    refuse_other("photo_receiver", "an output", m_axis, BYTES)
    refuse_other("photo_receiver", "a status", status, STATUS)
    reception, filled = Reception(), flag()
    search = find_sync(clk, rst, arrival, reception)
    watch = find_silence(clk, rst, arrival, reception, photo.patience)
    walk = walk_photo(clk, rst, reception, status, photo.size)
    judge = judge_photo(clk, rst, arrival, reception, status, lights)

    @always_comb
    def take():
        filled.next = m_axis.tvalid and not m_axis.tready
        reception.lost.next = (reception.part == BODY and filled and arrival.valid
                               and not reception.fill)
        reception.step.next = (reception.part == BODY or reception.part == TAIL) and (
            arrival.valid or reception.fill) and not (reception.part == BODY and filled)

    @always_seq(clk.posedge, reset=rst)
    def give():
        if reception.step and reception.part == BODY:
            m_axis.tvalid.next = True
            m_axis.tdata.next = 0 if reception.fill else arrival.data
        elif m_axis.tready:
            m_axis.tvalid.next = False

    return instances()


@block
def find_sync(clk: SignalType, rst: ResetSignal, arrival: Arrival,
              reception: Reception) -> Instances:
    """begin: the bytes that came last, up to this one, are SYNC."""
    seen, now = uint(BITS), uint(BITS)

    @always_comb
    def join():
        now.next = concat(arrival.data, seen[BITS:8])

    @always_comb
    def compare():
        reception.begin.next = reception.part == HEAD and arrival.valid and now == SYNC_WORD

    @always_seq(clk.posedge, reset=rst)
    def remember():
        if reception.part == HEAD and arrival.valid:
            seen.next = now

    return instances()


@block
def find_silence(clk: SignalType, rst: ResetSignal, arrival: Arrival, reception: Reception,
                 patience: int) -> Instances:
    """fill: inside a photo nothing has come for ``patience`` cycles; until its end."""
    quiet = count(patience + 1)

    @always_seq(clk.posedge, reset=rst)
    def wait():
        if reception.part == HEAD or reception.part == TELL:
            quiet.next = 0
            reception.fill.next = False
        elif quiet == patience:
            reception.fill.next = True
        elif arrival.valid:
            quiet.next = 0
        else:
            quiet.next = quiet + 1

    return wait


@block
def walk_photo(clk: SignalType, rst: ResetSignal, reception: Reception, status: AxiStream,
               size: int) -> Instances:
    """From part to part: SYNC, ``size`` bytes, CRC-32, and the status, which waits for room."""
    left, body, tail = count(max(size, CRC_BYTES)), size - 1, CRC_BYTES - 1

    @always_comb
    def tell():
        reception.end.next = reception.step and left == 0

    @always_seq(clk.posedge, reset=rst)
    def walk():
        if reception.step and left != 0:
            left.next = left - 1
        if reception.part == HEAD:
            if reception.begin:
                reception.part.next = BODY
                left.next = body
        elif reception.part == BODY:
            if reception.end:
                reception.part.next = TAIL
                left.next = tail
        elif reception.part == TAIL:
            if reception.end:
                reception.part.next = TELL
        elif status.tready or not status.tvalid:
            reception.part.next = HEAD

    return instances()


@block
def judge_photo(clk: SignalType, rst: ResetSignal, arrival: Arrival, reception: Reception,
                status: AxiStream, lights: Lights) -> Instances:
    """What was wrong with a photo, told at its end."""
    found, verdict = [uint(len(FAULTS)) for _ in range(2)]
    remainder, clear = uint(BITS), flag()
    check = crc32(clk, clear, reception.step, arrival.data, remainder)

    @always_comb
    def decide():
        clear.next = reception.part == HEAD
        lights.inside.next = reception.part != HEAD
        if remainder == RESIDUE:
            verdict.next = found
        else:
            verdict.next = found | CHECKSUM

    @always_seq(clk.posedge, reset=rst)
    def find():
        if reception.part == HEAD:
            found.next = 0
        elif reception.fill:
            found.next = found | SILENCE
        elif reception.lost:
            found.next = found | OVERRUN
        elif arrival.valid and arrival.bad:
            found.next = found | FRAMING

    @always_seq(clk.posedge, reset=rst)
    def tell():
        if reception.part == TELL and (status.tready or not status.tvalid):
            status.tvalid.next = True
            status.tdata.next = verdict
            lights.damaged.next = verdict != 0
        elif status.tready:
            status.tvalid.next = False

    return instances()


@block
def reply_sender(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, status: AxiStream,
                 m_axis: AxiStream, size: int) -> Instances:
    """A reply for every ``size`` bytes of features.  Latency 4 bytes of m_axis.

    s_axis -- AxiStream of BYTES, features'
    status -- AxiStream of STATUS, a beat for each photo
    m_axis -- AxiStream of BYTES, for the line
    """
    for name, stream in (("an input", s_axis), ("an output", m_axis)):
        refuse_other("reply_sender", name, stream, BYTES)
    refuse_other("reply_sender", "a status", status, STATUS)
    tail = CRC_BYTES - 1
    part, left, moved = count(4), start(tail, max(size, CRC_BYTES)), flag()
    word, slot, remainder, clear, step = uint(BITS), uint(8), uint(BITS), flag(), flag()
    check = crc32(clk, clear, step, m_axis.tdata, remainder)
    walk = walk_reply(clk, rst, moved, part, left, size)

    @always_comb
    def choose():
        clear.next = part == HEAD
        step.next = moved and (part == BODY or part == TELL)
        moved.next = m_axis.tvalid and m_axis.tready
        s_axis.tready.next = part == BODY and m_axis.tready
        status.tready.next = part == TELL and m_axis.tready
        word.next = SYNC_WORD if part == HEAD else remainder ^ ONES

    @always_comb
    def cut():
        if left == 3:
            slot.next = word[8:]
        elif left == 2:
            slot.next = word[16:8]
        elif left == 1:
            slot.next = word[24:16]
        else:
            slot.next = word[32:24]

    @always_comb
    def offer():
        if part == BODY:
            m_axis.tvalid.next = s_axis.tvalid
            m_axis.tdata.next = s_axis.tdata
        elif part == TELL:
            m_axis.tvalid.next = status.tvalid
            m_axis.tdata.next = status.tdata
        else:
            m_axis.tvalid.next = s_axis.tvalid or part == TAIL
            m_axis.tdata.next = slot

    return instances()


@block
def walk_reply(clk: SignalType, rst: ResetSignal, moved: SignalType, part: SignalType,
               left: SignalType, size: int) -> Instances:
    """From part to part of a reply: SYNC, ``size`` bytes, status, CRC-32."""
    body, tail = size - 1, CRC_BYTES - 1

    @always_seq(clk.posedge, reset=rst)
    def walk():
        if moved:
            if left != 0:
                left.next = left - 1
            elif part == HEAD:
                part.next = BODY
                left.next = body
            elif part == BODY:
                part.next = TELL
            elif part == TELL:
                part.next = TAIL
                left.next = tail
            else:
                part.next = HEAD
                left.next = tail

    return walk
