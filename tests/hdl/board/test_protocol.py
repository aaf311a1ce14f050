"""Photos in and replies out, byte by byte: checksums, every fault, and how each of them ends."""
import zlib

import numpy as np
import pytest
from myhdl import ResetSignal, Signal, always_comb, block, instances

from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.board.protocol import (BYTES, FAULTS, STATUS, SYNC, Arrival, Lights, Photo, photo_receiver,
                                reply_sender)
from hdl.shape import StreamShape
from hdl.sim.endpoints import Sink, Source
from tests.support.bench import STALLS, Bench, seed_of

SIZE, PATIENCE = 7, 50
COMING = StreamShape(lanes=1, bits=9, signed=False)     # a byte, and above it that it is bad
WIDE = StreamShape(lanes=1, bits=32, signed=False)


@block
def taken(clk, rst, s_axis, m_axis, m_status, photo):
    """A photo_receiver whose bytes come as a stream, none of which waits."""
    arrival, lights = Arrival(), Lights()
    receive = photo_receiver(clk, rst, arrival, m_axis, m_status, lights, photo)

    @always_comb
    def arrive():
        s_axis.tready.next = True
        arrival.valid.next = s_axis.tvalid
        arrival.data.next = s_axis.tdata[8:]
        arrival.bad.next = s_axis.tdata[8]

    return instances()


def crc(data):
    return zlib.crc32(data).to_bytes(4, "little")


def whole(data):
    """A photo as it is sent."""
    return SYNC + data + crc(data)


def take(simulator, sent, photos, backpressure=None, waits=None, later=None):
    """(bytes, statuses as sets) of so many photos.

    sent  -- numbers of COMING
    waits -- {place in sent: cycles without a byte before it}; 3 before each of the others
    later -- pauses of what takes the statuses
    """
    bench = Bench(simulator, taken, {
        "s_axis": AxiStream(COMING), "m_axis": AxiStream(BYTES), "m_status": AxiStream(STATUS),
        "photo": Photo(SIZE, PATIENCE)})
    idle = []
    for place in range(len(sent)):
        idle += [True] * (waits or {}).get(place, 3) + [False]
    done = bench.simulated({
        "s_axis": Source(payload(COMING, np.array(sent)[:, None]), np.array(idle)),
        "m_axis": Sink(photos * SIZE, backpressure), "m_status": Sink(photos, later)},
        drain=3 * PATIENCE)
    return bytes(done["m_axis"].values(BYTES).ravel().tolist()), [
        {name for bit, name in enumerate(FAULTS) if value >> bit & 1}
        for value in done["m_status"].values(STATUS).ravel().tolist()]


def test_photos_come_whole(simulator, rng):
    """Whatever is in them, SYNC too; what is between them is dropped, half a SYNC too."""
    first, second = SYNC + SYNC[:3], bytes(rng.integers(0, 256, SIZE).tolist())
    sent = b"noise" + SYNC[:2] + whole(first) + whole(second) + SYNC[:3] + b"x" + whole(first)
    slow = {place: PATIENCE - 5 for place in range(12, 18)}     # pauses inside the first one
    data, statuses = take(simulator, list(sent), 3, waits=slow)
    assert data == first + second + first
    assert statuses == [set(), set(), set()]


@pytest.mark.parametrize("place", [0, 2, 4, 7, 10, 11, 13, 14])
def test_a_lost_byte(simulator, rng, place):
    """Of SYNC: no photo.  Of pixels or CRC: a photo that is told to be damaged after a pause.
    Either way the next one is whole."""
    lost, good = [bytes(rng.integers(0, 256, SIZE).tolist()) for _ in range(2)]
    sent = list(whole(lost))
    del sent[place]
    start = len(sent)
    data, statuses = take(simulator, sent + list(whole(good)), 1 + (place >= len(SYNC)),
                          waits={start: PATIENCE + 20})
    assert data[-SIZE:] == good and statuses[-1] == set()
    if place >= len(SYNC):
        assert statuses[0] == {"silence", "checksum"} and len(data) == 2 * SIZE


@pytest.mark.parametrize("count", [0, 1, SIZE - 1, SIZE])
def test_a_photo_that_stops(simulator, rng, count):
    """After so many bytes: the rest is 0, and the next one is whole."""
    lost, good = [bytes(rng.integers(1, 256, SIZE).tolist()) for _ in range(2)]
    sent = list(SYNC + lost[:count])
    data, statuses = take(simulator, sent + list(whole(good)), 2,
                          waits={len(sent): PATIENCE + 30})
    assert data == lost[:count] + bytes(SIZE - count) + good
    assert statuses == [{"silence", "checksum"}, set()]


def test_other_faults(simulator, rng):
    """A byte without its stop bit, one that is another, one too many: told, and nothing waits."""
    good = bytes(rng.integers(0, 256, SIZE).tolist())
    bad, other, more = [list(whole(good)) for _ in range(3)]
    bad[6] += 256
    other[6] ^= 1
    more.insert(6, 99)
    sent = bad + other + more + list(whole(good))
    data, statuses = take(simulator, sent, 4)
    assert statuses == [{"framing"}, {"checksum"}, {"checksum"}, set()]
    assert data[:SIZE] == data[-SIZE:] == good


def test_a_photo_that_is_not_taken(simulator, rng):
    """Bytes for which there is no room are told."""
    good = bytes(rng.integers(0, 256, SIZE).tolist())
    pauses = abs(np.arange(1000) - 25) < 15    # taken before them, too
    _, statuses = take(simulator, list(whole(good) + whole(good)), 2, pauses,
                       {2 * len(SYNC) + SIZE: 3 * PATIENCE})
    assert "overrun" in statuses[0] and statuses[1] == set()


def test_a_status_that_is_not_taken(simulator, rng):
    """Another status waits behind it, a photo that comes meanwhile is dropped, and the next one is
    whole."""
    first, second, dropped, last = [bytes(rng.integers(0, 256, SIZE).tolist()) for _ in range(4)]
    sent = whole(first) + whole(second) + whole(dropped) + whole(last)
    data, statuses = take(simulator, list(sent), 3, waits={3 * len(whole(first)): 200},
                          later=np.arange(1000) < 300)
    assert data == first + second + last
    assert statuses == [set(), set(), set()]


@pytest.mark.parametrize("stall", STALLS)
def test_replies(simulator, rng, stall):
    """SYNC, features, status, and the CRC-32 of both, for three photos."""
    features = rng.integers(0, 256, (3, SIZE))
    shapes = {"s_axis": BYTES, "status": STATUS, "m_axis": BYTES}
    bench = Bench(simulator, reply_sender, {
        **{name: AxiStream(shape) for name, shape in shapes.items()}, "size": SIZE})
    expected = b"".join(SYNC + bytes(row.tolist()) + bytes([status])
                        + crc(bytes(row.tolist()) + bytes([status]))
                        for row, status in zip(features, (0, 5, 15)))
    done = bench.run({"s_axis": features.reshape(-1, 1), "status": np.array([[0], [5], [15]])},
                     {"m_axis": len(expected)}, stall, seed_of(rng))
    assert bytes(done["m_axis"].values(BYTES).ravel().tolist()) == expected


def test_refusals():
    clk, rst = Signal(bool(0)), ResetSignal(0, active=1, isasync=False)
    right, wrong = AxiStream(BYTES), AxiStream(WIDE)
    status, photo = AxiStream(STATUS), Photo(SIZE, PATIENCE)
    for sentence, arguments in (
            ("photo_receiver has an output of 1 x 8 bits", (wrong, status, Lights(), photo)),
            ("photo_receiver has a status of 1 x 4 bits", (right, wrong, Lights(), photo))):
        with pytest.raises(ValueError, match=f"^{sentence}"):
            photo_receiver(clk, rst, Arrival(), *arguments)
    for sentence, arguments in (
            ("reply_sender has an input of 1 x 8 bits", (wrong, status, right)),
            ("reply_sender has a status of 1 x 4 bits", (right, wrong, right)),
            ("reply_sender has an output of 1 x 8 bits", (right, status, wrong))):
        with pytest.raises(ValueError, match=f"^{sentence}"):
            reply_sender(clk, rst, *arguments, SIZE)
    with pytest.raises(ValueError, match="^a photo has patience of 1 or more, not 0"):
        Photo(SIZE, 0)
