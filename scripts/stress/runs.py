"""A run: video with faults, stalls on both sides, resets in any cycle; all of it from one seed."""
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.errors import DeadlockError, SimulationError
from hdl.plan.config import UnitConfig
from hdl.shape import StreamShape
from hdl.sim.design import Built, Design, simulate
from hdl.sim.endpoints import Monitor, Reset, Sink, Source
from hdl.sim.patterns import PATTERNS
from hdl.sim.rules import check_marks
from hdl.sim.trace import Run, Trace
from hdl.sim.video import Mended, mended

FRAMES = 3          # of a segment, at most, and a good one after the last
RESETS = (0, 0, 1, 1, 2)
SILENT = 0.15       # of the runs: the source is silent once for longer than it may
DRAIN = 400         # cycles, to see that no more comes
Marks = tuple[bool, bool]   # first of a frame, last of a line
Shot = tuple[int, bool, bool]       # place in the frame, its Marks


@dataclass(frozen=True)
class Bench:
    """What is stressed.

    pictures -- integers (pictures, beats, elements) of a frame's beats
    frame    -- (rows, columns) of beats
    cycles   -- for a frame
    patience -- of the video
    beats    -- of a frame at the output
    latency  -- cycles from a frame's first beat to its last at the output, where nothing stalls
    """

    design: Design
    pictures: np.ndarray
    frame: tuple[int, int]
    cycles: int
    patience: int
    beats: int
    latency: int

    @property
    def silence(self) -> int:
        """Cycles after which a source has been silent for too long, whatever still waits."""
        return self.patience + 6 * self.cycles


@dataclass(frozen=True)
class Video:
    """What a source sends: of each beat its picture, its place there and its marks; and the number
    of the first beat of each segment after a reset."""

    pictures: np.ndarray
    places: np.ndarray
    marks: tuple[Marks, ...]
    begins: tuple[int, ...]


@dataclass
class Outcome:
    """What came of a run.

    segments -- from reset to reset: the Mended frames that have to leave and what did
    error    -- the simulation's finding; empty where it had none
    """

    seed: int
    stalls: tuple[str, str]
    faults: set[str] = field(default_factory=set)
    segments: list["Segment"] = field(default_factory=list)
    cycles: int = 0
    error: str = ""
    hang: bool = False


@dataclass(frozen=True)
class Segment:
    """From reset to reset: Mended frames, (picture, place) of each of their beats, and what left.

    values -- integers (beats, elements); damaged -- (beats,) tuser
    """

    frames: list[Mended]
    sources: list[tuple[np.ndarray, np.ndarray]]
    values: np.ndarray
    damaged: np.ndarray
    whole: bool     # no reset ends it


def good(rows: int, columns: int) -> list[Shot]:
    """A frame's beats."""
    return [(place, place == 0, place % columns == columns - 1) for place in range(rows * columns)]


def cut_line(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """A line that ends too early."""
    if columns == 1:
        return shots
    row = int(rng.integers(len(shots) // columns))
    at = row * columns + int(rng.integers(columns - 1))
    return [*shots[:at], (*shots[at][:2], True), *shots[(row + 1) * columns:]]


def long_line(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """Beats beyond the end of a line."""
    at = (int(rng.integers(len(shots) // columns)) + 1) * columns
    more = [(int(rng.integers(len(shots))), False, False)] * int(rng.integers(1, 6))
    return [*shots[:at - 1], (*shots[at - 1][:2], False), *more[:-1], (*more[-1][:2], True),
            *shots[at:]]


def cut_off(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """A frame that ends somewhere."""
    return shots[:1 + int(rng.integers(len(shots)))]


def late_start(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """The start mark some beats late."""
    late = int(rng.integers(1, min(len(shots), 5) + 1)) - 1
    return [(place, number == late, last) for number, (place, _, last) in enumerate(shots)]


def doubled_start(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """A second start mark in the middle."""
    at = int(rng.integers(len(shots)))
    return [*shots[:at], (shots[at][0], True, shots[at][2]), *shots[at + 1:]]


def no_start(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """A frame without its start mark."""
    return [(place, False, last) for place, _, last in shots]


def no_lines(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """A frame without a line's end."""
    return [(place, first, False) for place, first, _ in shots]


def garbage(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """Beats that no frame has, before a good one."""
    some = [(int(place), False, bool(rng.integers(2)))
            for place in rng.integers(len(shots), size=int(rng.integers(1, 2 * columns + 2)))]
    return some + shots


def any_marks(shots: list[Shot], columns: int, rng: np.random.Generator) -> list[Shot]:
    """Marks at random in a few places."""
    changed = rng.random((len(shots), 2)) < 2 / len(shots)
    return [(place, first != bool(one), last != bool(other))
            for (place, first, last), (one, other) in zip(shots, changed)]


FAULTY: tuple[Callable[[list[Shot], int, np.random.Generator], list[Shot]], ...] = (
    cut_line, long_line, cut_off, late_start, doubled_start, no_start, no_lines, garbage, any_marks)


def make_video(bench: Bench, rng: np.random.Generator) -> Video:
    """The Video of a run: every second frame has a fault, the last one has none."""
    rows, columns = bench.frame
    shots: list[Shot] = []
    pictures: list[int] = []
    begins = []
    resets = int(rng.choice(RESETS))
    for segment in range(resets + 1):
        begins.append(len(shots))
        for _ in range(int(rng.integers(1, FRAMES + 1))):
            sent = good(rows, columns)
            if rng.random() < 0.5:
                sent = FAULTY[int(rng.integers(len(FAULTY)))](sent, columns, rng)
            shots += sent
            pictures += [int(rng.integers(len(bench.pictures)))] * len(sent)
        if segment == resets:
            shots += good(rows, columns)
            pictures += [int(rng.integers(len(bench.pictures)))] * rows * columns
    places, first, last = zip(*shots)
    return Video(np.array(pictures), np.array(places), tuple(zip(first, last)), tuple(begins[1:]))


def reset_cycles(bench: Bench, video: Video, rng: np.random.Generator) -> list[int]:
    """The cycles of resets: some beats, lines or frames after what was before, give or take one, or
    anywhere, up to some frames after the first has left."""
    _, columns = bench.frame
    cycles, found = 0, []
    for _ in video.begins:
        late = bench.latency + 4 * bench.cycles
        unit, most = ((1, 90), (columns, 3 * columns), (bench.cycles, late // bench.cycles),
                      (1, late))[int(rng.integers(4))]
        cycles += max(1, unit * int(rng.integers(1, most + 1)) + int(rng.integers(-1, 2)))
        found.append(cycles)
    return found


def with_silence(pattern: np.ndarray | None, start: int, pause: int, length: int) -> np.ndarray:
    """A pattern of so many cycles, with one long pause."""
    whole = np.resize(np.zeros(1, bool) if pattern is None else pattern, length)
    whole[start:start + pause] = True
    whole[-1] = False
    return whole


def run(bench: Bench, seed: int, model: Built | None = None, simulator: str = "verilator"
        ) -> Outcome:
    """Simulate the run of a seed, and hold what left to the rules of its streams; what the network
    has to make of the pictures is not known here."""
    rng = np.random.default_rng([seed, bench.cycles])
    video, names = make_video(bench, rng), list(PATTERNS)
    rows, columns = bench.frame
    line = max(1, bench.cycles // rows)
    length = 60 * bench.cycles + 4 * (bench.silence + bench.latency)
    outcome = Outcome(seed, (names[int(rng.integers(len(names)))],
                             names[int(rng.integers(len(names)))]))
    idle, backpressure = (PATTERNS[name](rng, line, bench.cycles) for name in outcome.stalls)
    if rng.random() < SILENT:
        start = int(rng.integers(1, 4 * bench.cycles + 2))
        idle = with_silence(idle, start, bench.silence + 1, length)
    shape = bench.design.ports["s_axis"].shape
    first, last = np.array(video.marks).T
    words = payload(shape, bench.pictures[video.pictures, video.places], tlast=last, tuser=first)
    begin = video.begins[-1] if video.begins else 0
    frames = int(first[begin:].sum())
    resets = [Reset(cycle, {"s_axis": beat}) for cycle, beat in
              zip(reset_cycles(bench, video, rng), video.begins)]
    try:
        done = simulate("verilator" if model else simulator, bench.design, {
            "s_axis": Source(words, idle), "m_axis": Sink(frames * bench.beats, backpressure)},
            timeout=30 * bench.cycles + 2 * bench.silence, drain=DRAIN, resets=resets, model=model)
        outcome.cycles = done.cycles
        collect(bench, video, done, [reset.cycle for reset in resets], outcome)
    except SimulationError as error:
        outcome.error, outcome.hang = str(error), isinstance(error, DeadlockError)
    return outcome


@dataclass(frozen=True)
class Packed:
    """A Bench and its model as another process can be sent them: shapes in place of signals.

    ports    -- {port: its shape}
    monitors -- {name: (shape, path, prefix)}
    memories -- folder of the .mem files
    rest     -- what follows the design in a Bench
    """

    ports: dict[str, StreamShape]
    monitors: dict[str, tuple[StreamShape, str, str]]
    memories: str
    rest: tuple[Any, ...]
    model: Built

    def bench(self) -> Bench:
        """The Bench, whose design is compiled and can be nothing else."""
        return Bench(Design(Packed, {name: AxiStream(shape) for name, shape in self.ports.items()},
                            monitors={name: Monitor(AxiStream(shape), path, prefix) for
                                      name, (shape, path, prefix) in self.monitors.items()},
                            memories=self.memories), *self.rest)


def packed(bench: Bench, model: Built, memories: str) -> Packed:
    """The Packed of a Bench whose memories are in a folder."""
    design = bench.design
    return Packed({name: stream.shape for name, stream in design.ports.items()},
                  {name: (each.stream.shape, each.path, each.prefix or name)
                   for name, each in design.monitors.items()}, memories,
                  (bench.pictures, bench.frame, bench.cycles, bench.patience, bench.beats,
                   bench.latency), model)


def several(packed: Packed, seeds: Sequence[int]) -> list[Outcome]:
    """The Outcomes of some seeds.

    It is not in the command's own module, where a process that is started would not find it.
    """
    bench = packed.bench()
    return [run(bench, seed, packed.model) for seed in seeds]


def collect(bench: Bench, video: Video, done: Run, resets: Sequence[int], outcome: Outcome) -> None:
    """Cut a Run into its segments; ProtocolError where the marks at the output are not right."""
    came, left = done["s_axis"], done["m_axis"]
    shape = bench.design.ports["m_axis"].shape
    quiet = done.handshakes["s_axis"].offers[:len(came)] - np.concatenate(
        [[-1], came.cycles[:-1]]) - 1
    edges = [0, *resets, done.cycles]
    values, tuser = left.values(shape), left.mark(shape, "tuser")
    for number, (start, end) in enumerate(zip(edges, edges[1:])):
        taken = np.flatnonzero((came.cycles >= start) & (came.cycles < end))
        given = (left.cycles >= start) & (left.cycles < end)
        begin = (0, *video.begins)[number]
        sent = range(begin, begin + len(taken))
        silences = [beat for beat, at in enumerate(taken) if beat and quiet[at] > bench.patience]
        frames, outside = mended([video.marks[beat] for beat in sent], *bench.frame, silences)
        outcome.faults.update(*(frame.faults for frame in frames), ["outside"] * outside)
        sources = []
        for frame in frames:
            beats = np.array(frame.beats)
            sources.append((np.where(beats < 0, -1, video.pictures[begin + beats]),
                            np.where(beats < 0, -1, video.places[begin + beats])))
        whole = number == len(resets)
        outcome.segments.append(Segment(frames, sources, values[given], tuser[given], whole))
        ended = np.flatnonzero(given)
        if not whole:       # the last frame may be cut
            ended = ended[:len(ended) // bench.beats * bench.beats]
        check_marks("m_axis", Trace(left.words[ended], left.cycles[ended]), shape, bench.beats)


@dataclass
class Verdict:
    """A run held to what the network makes of its frames."""

    frames: int = 0         # compared as a whole
    cut: int = 0            # compared as far as a reset let them leave
    damaged: int = 0
    elements: int = 0
    differences: int = 0
    marks: int = 0          # frames that are marked though they are good, or the reverse


def pictures_of(bench: Bench, outcome: Outcome) -> dict[bytes, np.ndarray]:
    """{key: integers (beats, elements)} of every frame that has to leave."""
    return {key(source): picture(bench, source) for segment in outcome.segments
            for source in segment.sources}


def key(source: tuple[np.ndarray, np.ndarray]) -> bytes:
    """What tells a frame from others."""
    return b"".join(part.astype(np.int32).tobytes() for part in source)


def picture(bench: Bench, source: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The beats (beats, elements) of a frame, black where nothing came."""
    pictures, places = source
    return np.where(places[:, None] < 0, 0, bench.pictures[pictures, places])


def judge(bench: Bench, outcome: Outcome, results: Mapping[bytes, np.ndarray]) -> Verdict:
    """Compare every element that left.

    results -- {key of a frame: integers (beats, elements) that the network makes of it}
    """
    verdict = Verdict()
    for segment in outcome.segments:
        expected = [results[key(source)] for source in segment.sources]
        frames, rest = divmod(len(segment.values), bench.beats)
        wanted = len(expected) if segment.whole else frames + bool(rest)
        verdict.frames, verdict.cut = verdict.frames + frames, verdict.cut + bool(rest)
        if wanted > len(expected) or segment.whole and (frames, rest) != (wanted, 0):
            verdict.differences += bench.beats
            continue
        flat = np.concatenate(expected[:wanted]) if wanted else segment.values[:0]
        flat = flat[:len(segment.values)]
        verdict.elements += flat.size
        verdict.differences += int((flat != segment.values).sum())
        told = segment.damaged[bench.beats - 1::bench.beats]
        damaged = [frame.damaged for frame in segment.frames[:len(told)]]
        verdict.damaged += sum(damaged)
        verdict.marks += int((told != damaged).sum()) + int(segment.damaged.sum() - told.sum())
    return verdict


def bench_configs(configs: Sequence[UnitConfig]) -> int:
    """Beats of a frame at the output of consecutive units."""
    unit = configs[-1].unit
    return unit.pixels_out * unit.channels_out // configs[-1].stream_out().elements
