"""Pure MyHDL simulation of an elaborated block, one generator for all that surrounds it."""
import time
from contextlib import contextmanager

import numpy as np
from myhdl import Simulation, StopSimulation, _intbv, delay
from myhdl._always import _Always
from myhdl._always_seq import _AlwaysSeq
from myhdl._Signal import _isListOfSigs, _Signal
from myhdl._Simulation import _flatten

from hdl.axis import AxiStream
from hdl.sim.endpoints import RESET_CYCLES, DeadlockError, ProtocolError, pause_pattern
from hdl.sim.trace import Run, Trace, payload_width, words_of

HALF_PERIOD = 5     # MyHDL time steps


def run_myhdl(block, clk, rst, sources, sinks, monitors=None, timeout=10_000, drain=0,
              progress=None):
    """Simulate ``block`` until every sink has its beats and ``drain`` cycles more; return a Run.

    sources  -- {name: (stream, Source)}
    sinks    -- {name: (stream, Sink)}
    monitors -- {name: stream}, watched only
    timeout  -- cycles without a beat anywhere before DeadlockError
    progress -- called with the cycle now and then
    """
    probes = {name: _Probe(name, stream) for name, (stream, _) in (*sources.items(),
                                                                   *sinks.items())}
    probes.update((name, _Probe(name, stream)) for name, stream in (monitors or {}).items())
    feeds = [_Feed(probes[name], stream, source) for name, (stream, source) in sources.items()]
    drains = [_Drain(probes[name], stream, sink) for name, (stream, sink) in sinks.items()]
    bench = _Bench(clk, rst, list(probes.values()), feeds, drains, timeout, drain, progress)
    simulation = Simulation(*clocked_at_once(block, clk, rst), bench.run())
    started = time.perf_counter()
    try:
        with quick_widths():
            simulation.run(quiet=1)
    finally:
        if not simulation._finished:    # an error in a block leaves MyHDL's only simulator taken
            simulation.quit()
    return Run({name: probe.trace() for name, probe in probes.items()}, bench.cycles,
               {feed.probe.name: feed.stalls for feed in feeds}, time.perf_counter() - started)


def clocked_at_once(block, clk, rst):
    """The generators of ``block``, one in place of all that only a rising edge of ``clk`` wakes.

    Their functions run in the same delta cycle either way, signals change after it; but MyHDL
    takes longer to wake a generator than most of these take to see that they have nothing to do.
    A function none of whose signals has changed since it ran last would set what it set then: it
    is not run.
    """
    always, others = {}, []     # {function: its instance, where reset sets its signals, or None}
    for instance in _flatten(block):
        clocked = (isinstance(instance, _Always) and len(instance.senslist) == 1
                   and instance.senslist[0] is clk.posedge)
        if clocked and isinstance(instance, _AlwaysSeq) and instance.reset is rst:
            always[instance.func] = instance
        elif clocked and not isinstance(instance, _AlwaysSeq):
            always[instance.func] = None
        else:
            others.append(instance)
    unseen, seen, readers = [], {}, {}
    for function in always:
        signals = signals_of(function)
        if signals is None:
            unseen.append(function)
            continue
        seen[function] = None
        for signal in signals:
            if signal is not clk:
                readers.setdefault(id(signal), (signal, []))[1].append(function)
    due = dict(seen)
    for signal, functions in readers.values():
        signal._eventWaiters.append(_Change(signal, functions, due))

    def at_edge():
        while True:
            yield clk.posedge
            if rst == rst.active:
                for function, instance in always.items():
                    if instance:
                        instance.reset_sigs()
                        instance.reset_vars()
                    else:
                        function()
                due.update(seen)
            else:
                functions = [*due, *unseen]
                due.clear()
                for function in functions:
                    function()

    return *others, at_edge()


class _Change:
    """Waits in a signal's list for each of its changes, after which ``functions`` are due."""

    hasRun = False

    def __init__(self, signal, functions, due):
        self.waiting, self.functions, self.due = (signal._eventWaiters, dict.fromkeys(functions),
                                                  due)

    def next(self, waiters, actives, exc):
        """What MyHDL calls when the signal has changed; it has emptied the list."""
        self.due.update(self.functions)
        self.waiting.append(self)


def signals_of(function):
    """The signals that ``function`` can reach, by name, in a list or in a stream; None where it
    reaches anything else that may change."""
    found, left = [], [cell.cell_contents for cell in function.__closure__ or ()]
    while left:
        value = left.pop()
        if isinstance(value, _Signal):
            found.append(value)
        elif isinstance(value, tuple) or _isListOfSigs(value):
            left.extend(value)
        elif isinstance(value, AxiStream):
            left.extend(vars(value).values())
        elif not isinstance(value, (int, str)):
            return None
    return found


@contextmanager
def quick_widths():
    """Let MyHDL count the bits of a new intbv's limits without dividing them bit by bit."""
    slow, _intbv.bin = _intbv.bin, binary
    try:
        yield
    finally:
        _intbv.bin = slow


def binary(number, width=0):
    """Two's complement of ``number`` in binary, of the fewest bits or of ``width``: myhdl.bin."""
    number = int(number)
    bits = (number if number >= 0 else ~number).bit_length() + (number < 0)
    digits = format(number & (1 << bits) - 1, "b") if bits else "0"
    return ("1" if number < 0 else "0") * (width - len(digits)) + digits


class _Probe:
    """Records the beats of one stream and checks its protocol, once a cycle."""

    def __init__(self, name, stream):
        self.name, self.stream = name, stream
        self.valid, self.ready, self.data = stream.tvalid, stream.tready, stream.tdata._val
        self.marks = hasattr(stream, "tlast")
        self.beats, self.cycles, self.held = [], [], None

    def beat(self):
        """The payload now on the stream."""
        beat = self.data._val
        if self.marks:
            beat |= (int(self.stream.tlast._val) | int(self.stream.tuser._val) << 1) \
                << self.stream.width
        return beat

    def sample(self, cycle):
        """True when a beat moves at the rising edge of ``cycle``."""
        if not self.valid._val:
            if self.held is not None:
                raise ProtocolError(self.name, cycle)
            return False
        beat = self.beat()
        if self.held is not None and beat != self.held:
            raise ProtocolError(self.name, cycle)
        if not self.ready._val:
            self.held = beat
            return False
        self.held = None
        self.beats.append(beat)
        self.cycles.append(cycle)
        return True

    def trace(self):
        count = words_of(payload_width(self.stream))
        raw = b"".join(beat.to_bytes(4 * count, "little") for beat in self.beats)
        return Trace(np.frombuffer(raw, "<u4").reshape(-1, count).copy(),
                     np.array(self.cycles, np.int64))


class _Feed:
    """Offers a source's beats."""

    def __init__(self, probe, stream, source):
        self.probe, self.stream = probe, stream
        self.beats = [int.from_bytes(row.tobytes(), "little")
                      for row in np.ascontiguousarray(source.words, "<u4")]
        self.idle = pause_pattern(source.idle).astype(bool).tolist()
        self.width, self.everything = stream.width, (1 << payload_width(stream)) - 1
        self.sent, self.offering, self.stalls = 0, False, 0

    def put(self, beat):
        stream, width = self.stream, self.width
        stream.tdata.next = beat & (1 << width) - 1
        if self.probe.marks:
            stream.tlast.next = bool(beat >> width & 1)
            stream.tuser.next = bool(beat >> width + 1)

    def drive(self, cycle):
        if self.offering:
            return
        if self.sent < len(self.beats) and not self.idle[cycle % len(self.idle)]:
            self.put(self.beats[self.sent])
            self.stream.tvalid.next = self.offering = True
        elif self.stream.tvalid._val:
            self.put(self.everything ^ self.beats[self.sent - 1])
            self.stream.tvalid.next = False

    def sampled(self, moved):
        if moved:
            self.sent, self.offering = self.sent + 1, False
        elif self.offering:
            self.stalls += 1


class _Drain:
    """Takes a sink's beats."""

    def __init__(self, probe, stream, sink):
        self.probe, self.stream, self.count = probe, stream, sink.count
        self.ready = (~pause_pattern(sink.backpressure).astype(bool)).tolist()

    def drive(self, cycle):
        ready = self.ready[cycle % len(self.ready)]
        if ready != self.stream.tready._val:
            self.stream.tready.next = ready


class _Bench:
    """Clock, reset and the order of things in a cycle."""

    def __init__(self, clk, rst, probes, feeds, drains, timeout, drain, progress):
        self.clk, self.rst, self.probes, self.feeds, self.drains = clk, rst, probes, feeds, drains
        self.timeout, self.drain, self.progress, self.cycles = timeout, drain, progress, 0

    def run(self):
        clk, rst = self.clk, self.rst
        rst.next = rst.active
        for _ in range(RESET_CYCLES):
            yield delay(HALF_PERIOD)
            clk.next = True
            yield delay(HALF_PERIOD)
            clk.next = False
        rst.next = not rst.active
        ends = self.feeds + self.drains
        half, cycle, moved, done = delay(HALF_PERIOD), 0, 0, None
        while True:
            for end in ends:
                end.drive(cycle)
            yield half
            if self.sample(cycle):
                moved = cycle
            self.cycles = cycle + 1
            if done is None and all(len(d.probe.beats) >= d.count for d in self.drains):
                done = cycle
            if done is not None and cycle >= done + self.drain:
                raise StopSimulation
            if done is None and cycle - moved >= self.timeout:
                raise DeadlockError({p.name: len(p.beats) for p in self.probes}, cycle,
                                    self.timeout)
            if self.progress and not cycle & 0x3ff:
                self.progress(cycle)
            clk.next = True
            yield half
            clk.next = False
            cycle += 1

    def sample(self, cycle):
        """Whether any beat moves; tells each feed whether its own did."""
        moving = {probe.name for probe in self.probes if probe.sample(cycle)}
        for feed in self.feeds:
            feed.sampled(feed.probe.name in moving)
        return bool(moving)
