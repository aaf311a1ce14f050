"""Pure MyHDL simulation of an elaborated block, one generator for all that surrounds it."""
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from myhdl import Cosimulation, ResetSignal, SignalType, Simulation, StopSimulation, delay

from hdl.axis import AxiStream
from hdl.beats import words_of
from hdl.errors import DeadlockError, ProtocolError
from hdl.myhdl_fixes.elaborate import Block
from hdl.myhdl_fixes.scheduler import clocked_at_once, quick_widths
from hdl.sim.backends.backend import Scenario, Streams
from hdl.sim.endpoints import RESET_CYCLES, Sink, Source, pause_pattern, segments
from hdl.sim.trace import Handshake, Run, Trace

HALF_PERIOD = 5     # MyHDL time steps


def run_myhdl(block: Block | Cosimulation, clk: SignalType, rst: ResetSignal, scenario: Scenario,
              monitors: Streams, counters: Mapping[str, Sequence[SignalType]]) -> Run:
    """Simulate ``block`` until every sink has its beats and ``drain`` cycles more; return a Run.

    monitors -- {name: stream}, watched only
    counters -- {name: bits}, of which the cycles are counted in which all are high
    """
    sources, sinks, resets = scenario.sources, scenario.sinks, scenario.resets
    probes = {name: _Probe(name, stream) for name, (stream, _) in (*sources.items(),
                                                                   *sinks.items())}
    probes.update((name, _Probe(name, stream)) for name, stream in monitors.items())
    tallies = {name: _Tally(bits) for name, bits in counters.items()}
    feeds = [_Feed(probes[name], stream, source, segments(resets, name, len(source.words)))
             for name, (stream, source) in sources.items()]
    drains = [_Drain(probes[name], stream, sink) for name, (stream, sink) in sinks.items()]
    bench = _Bench(clk, rst, list(probes.values()), list(tallies.values()), feeds, drains, scenario)
    simulation = Simulation(*clocked_at_once(block, clk, rst), bench.run())
    started = time.perf_counter()
    try:
        with quick_widths():
            simulation.run(quiet=1)
    finally:
        if not simulation._finished:    # an error in a block leaves MyHDL's only simulator taken
            simulation.quit()
    return Run({name: probe.trace() for name, probe in probes.items()}, bench.cycles,
               {feed.probe.name: feed.stalls for feed in feeds}, time.perf_counter() - started,
               counts={name: tally.count for name, tally in tallies.items()},
               handshakes={name: probe.handshake() for name, probe in probes.items()})


class _Probe:
    """Records the beats of one stream and checks its protocol, once a cycle."""

    def __init__(self, name: str, stream: AxiStream) -> None:
        self.name, self.stream = name, stream
        self.valid, self.ready, self.data = stream.tvalid, stream.tready, stream.tdata._val
        self.width = stream.shape.width
        self.marks = [getattr(stream, name) for name in stream.shape.marks]
        self.beats: list[int] = []
        self.cycles: list[int] = []
        self.offers: list[int] = []
        self.turns: list[int] = []
        self.held: int | None = None
        self.was_ready = False

    def beat(self) -> int:
        """The payload now on the stream."""
        beat = self.data._val
        for place, mark in enumerate(self.marks, self.width):
            beat |= int(mark._val) << place
        return beat

    def sample(self, cycle: int) -> bool:
        """True when a beat moves at the rising edge of ``cycle``."""
        if self.ready._val != self.was_ready:
            self.was_ready = not self.was_ready
            self.turns.append(cycle)
        if not self.valid._val:
            if self.held is not None:
                raise ProtocolError(self.name, cycle, "held")
            return False
        beat = self.beat()
        if self.held is not None and beat != self.held:
            raise ProtocolError(self.name, cycle, "stable")
        if self.held is None:
            self.offers.append(cycle)
        if not self.was_ready:
            self.held = beat
            return False
        self.held = None
        self.beats.append(beat)
        self.cycles.append(cycle)
        return True

    def reset(self) -> None:
        """Forget a beat that waits."""
        if self.held is not None:
            self.offers.pop()
            self.held = None

    def trace(self) -> Trace:
        count = words_of(self.stream.shape.payload_width)
        raw = b"".join(beat.to_bytes(4 * count, "little") for beat in self.beats)
        return Trace(np.frombuffer(raw, "<u4").reshape(-1, count).copy(),
                     np.array(self.cycles, np.int64))

    def handshake(self) -> Handshake:
        return Handshake(np.array(self.offers, np.int64), np.array(self.turns, np.int64))


class _Tally:
    """Counts the cycles in which some bits are all high."""

    def __init__(self, bits: Sequence[SignalType]) -> None:
        self.bits, self.count = bits, 0

    def sample(self) -> None:
        self.count += all(bit._val for bit in self.bits)


class _Feed:
    """Offers a source's beats."""

    def __init__(self, probe: _Probe, stream: AxiStream, source: Source,
                 ends: Sequence[int]) -> None:
        self.probe, self.stream, self.ends = probe, stream, list(ends)
        self.beats = [int.from_bytes(row.tobytes(), "little")
                      for row in np.ascontiguousarray(source.words, "<u4")]
        self.idle = pause_pattern(source.idle).astype(bool).tolist()
        self.width, self.everything = stream.shape.width, (1 << stream.shape.payload_width) - 1
        self.sent, self.offering, self.stalls = 0, False, 0

    def put(self, beat: int) -> None:
        self.stream.tdata.next = beat & (1 << self.width) - 1
        for place, mark in enumerate(self.probe.marks, self.width):
            mark.next = bool(beat >> place & 1)

    def drive(self, cycle: int) -> None:
        if self.offering:
            return
        if self.sent < self.ends[0] and not self.idle[cycle % len(self.idle)]:
            self.put(self.beats[self.sent])
            self.stream.tvalid.next = self.offering = True
        elif self.stream.tvalid._val:
            self.put(self.everything ^ self.beats[self.sent - 1])
            self.stream.tvalid.next = False

    def reset(self) -> None:
        """Withdraw what is offered; go on with the next segment."""
        self.offering = False
        self.stream.tvalid.next = False
        self.sent = self.ends.pop(0)

    def sampled(self, moved: bool) -> None:
        if moved:
            self.sent, self.offering = self.sent + 1, False
        elif self.offering:
            self.stalls += 1


class _Drain:
    """Takes a sink's beats."""

    def __init__(self, probe: _Probe, stream: AxiStream, sink: Sink) -> None:
        self.probe, self.stream, self.count, self.base = probe, stream, sink.count, 0
        self.ready = (~pause_pattern(sink.backpressure).astype(bool)).tolist()

    def drive(self, cycle: int) -> None:
        ready = self.ready[cycle % len(self.ready)]
        if ready != self.stream.tready._val:
            self.stream.tready.next = ready

    def done(self) -> bool:
        """Whether all beats have come since the last reset."""
        return len(self.probe.beats) - self.base >= self.count


class _Bench:
    """Clock, reset and the order of things in a cycle."""

    def __init__(self, clk: SignalType, rst: ResetSignal, probes: list[_Probe],
                 tallies: list[_Tally], feeds: list[_Feed], drains: list[_Drain],
                 scenario: Scenario) -> None:
        self.clk, self.rst, self.probes, self.feeds, self.drains = clk, rst, probes, feeds, drains
        self.tallies, self.scenario, self.cycles = tallies, scenario, 0
        self.resets = [reset.cycle for reset in scenario.resets]    # those still to come

    def run(self) -> Iterator[delay]:
        clk = self.clk
        yield from self.reset()
        ends = self.feeds + self.drains
        half, cycle, moved, done = delay(HALF_PERIOD), 0, 0, None
        while True:
            if self.resets and cycle == self.resets[0]:
                self.resets.pop(0)
                for part in self.probes + self.feeds:
                    part.reset()
                for sink in self.drains:
                    sink.base = len(sink.probe.beats)
                yield from self.reset()
                moved, done = cycle, None
            for end in ends:
                end.drive(cycle)
            yield half
            if self.sample(cycle):
                moved = cycle
            self.cycles = cycle + 1
            if done is None and not self.resets and all(end.done() for end in self.drains):
                done = cycle
            if done is not None and cycle >= done + self.scenario.drain:
                raise StopSimulation
            if done is None and not self.resets and cycle - moved >= self.scenario.timeout:
                raise DeadlockError({p.name: len(p.beats) for p in self.probes}, cycle,
                                    self.scenario.timeout)
            if self.scenario.progress and not cycle & 0x3ff:
                self.scenario.progress(cycle)
            clk.next = True
            yield half
            clk.next = False
            cycle += 1

    def reset(self) -> Iterator[delay]:
        """Rising edges with reset active."""
        clk, rst = self.clk, self.rst
        rst.next = rst.active
        for _ in range(RESET_CYCLES):
            yield delay(HALF_PERIOD)
            clk.next = True
            yield delay(HALF_PERIOD)
            clk.next = False
        rst.next = not rst.active

    def sample(self, cycle: int) -> bool:
        """Whether any beat moves; tells each feed whether its own did."""
        moving = {probe.name for probe in self.probes if probe.sample(cycle)}
        for tally in self.tallies:
            tally.sample()
        for feed in self.feeds:
            feed.sampled(feed.probe.name in moving)
        return bool(moving)
