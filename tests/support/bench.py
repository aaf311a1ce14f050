"""One run of a block, with every mixture of stalls."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from hdl.axis import AxiStream
from hdl.beats import creeping_payload, payload
from hdl.layers import KINDS, Precision, Unit, padding
from hdl.plan.config import configure, memory_files
from hdl.plan.folding import Folding
from hdl.plan.network import UnitPlan
from hdl.plan.pairs import pairs_of
from hdl.plan.schedule import Buffers
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Sink, Source, random_pattern
from tests.support.naive import naive_unit

# Share of the cycles in which (sources, sinks) pause, each end by a pattern of its own.
STALLS = {"free": (0, 0), "idle": (0.6, 0), "backpressure": (0, 0.6), "both": (0.4, 0.4),
          "mostly_backpressure": (0.3, 0.8)}
# Channels without weights, (which, their bias); at a scale's floor 2^17 steps of a bias clip.
DEAD = {"one": (1, 0), "all": (slice(None), 0), "all_clipped": (slice(None), 1 << 17),
        "all_negative": (slice(None), -1)}
# Narrow, so that exhaustive corners are few; every width another, so that none can be mistaken.
NARROW = Precision("narrow", weight_bits=5, relu6_bits=6, linear_bits=7, input_bits=4,
                   multiplier_bits=8)


class Bench:
    """A block to run more than once: it is converted the first time only.

    What Icarus and GHDL make of it, Verilator has to make of it in the same cycles.
    """

    def __init__(self, simulator, block, arguments, memories=None):
        self.simulator, self.arguments = simulator, arguments
        self.plain = Design(block, arguments)
        self.design = Design(block, arguments, memories=memories, hdl=self._hdl)
        self.texts = {}

    def _hdl(self, directory, language):
        if language not in self.texts:
            files, _ = self.plain.convert(directory, language)
            self.texts[language] = {file.name: file.read_text() for file in files}
        files = [Path(directory, name) for name in self.texts[language]]
        for file, text in zip(files, self.texts[language].values()):
            file.write_text(text)
        return files, files[-1].stem

    def run(self, inputs, counts, stall="free", seed=0, drain=40):
        """Send ``inputs`` {stream: (beats, lanes), of creeping tiles with whether each beat brings
        one, which is tuser outside}, await ``counts`` {stream: beats} and ``drain`` cycles more,
        to see that no more come.

        stall -- of STALLS, or {stream: its pauses}
        """
        ends = {}
        for number, name in enumerate((*inputs, *counts)):
            if isinstance(stall, dict):
                pauses = stall.get(name)
            else:
                share = STALLS[stall][name in counts]
                pauses = random_pattern(100 * seed + number, share, 509) if share else None
            ends[name] = Source(self.words(name, inputs[name]), pauses) \
                if name in inputs else Sink(counts[name], pauses)
        return self.simulated(ends, drain)

    def simulated(self, ends, drain=40, timeout=2000):
        """Run with ``ends`` {stream: Source or Sink}."""
        run = simulate(self.simulator, self.design, ends, timeout=timeout, drain=drain)
        if self.simulator not in ("myhdl", "verilator"):
            agree(run, simulate("verilator", self.design, ends, timeout=timeout, drain=drain))
        return run

    def words(self, name, values):
        """Words of the beats to send on a stream."""
        shape = self.arguments[name].shape
        if shape.creep is not None:
            return creeping_payload(shape, *values)
        return payload(shape, values[0], tuser=values[1]) if shape.marks else payload(shape, values)


def agree(one, other):
    """Every beat of every stream is the same, offered and moved in the same cycles; every tready is
    the same, and so is all that was counted."""
    assert list(one.traces) == list(other.traces)
    for name in one.traces:
        np.testing.assert_array_equal(one[name].cycles, other[name].cycles, name)
        np.testing.assert_array_equal(one[name].words, other[name].words, name)
        for member in ("offers", "turns"):
            np.testing.assert_array_equal(getattr(one.handshakes[name], member),
                                          getattr(other.handshakes[name], member), name)
    assert (one.cycles, one.input_stalls, one.counts) == (
        other.cycles, other.input_stalls, other.counts)


def beats(done, arguments, name="m_axis"):
    """What moved on a stream, as lists of ints."""
    return done[name].values(arguments[name].shape).tolist()


def cycles(done, name):
    """When it moved."""
    return done[name].cycles.tolist()


def seed_of(rng):
    """A seed for pauses out of the test's own generator."""
    return int(rng.integers(1 << 20))


def integers(rng, bits, signed, shape):
    """Random integers of a lane, a fifth of them at either end of the range."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    values = rng.integers(low, high, shape, endpoint=True)
    ends = rng.choice([low, high], shape)
    return np.where(rng.random(shape) < 0.2, ends, values)


def near_limits(rng, bits, a, b):
    """``b``, in half of all places such that a + b lies near either end of the range, inside or
    outside: there a limit that is a little wrong is seen."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    far = rng.integers(-1, 2, a.shape) * rng.integers(0, 1 << rng.integers(0, bits, a.shape))
    near = np.where(rng.integers(0, 2, a.shape), low, high) + far - a
    return np.where(rng.integers(0, 2, a.shape), near.clip(low, high), b)


def any_buffers(folding):
    """Buffers that are deep enough for any unit: two pixels held, and at a stride of 2 a FIFO."""
    words = folding.unit.weight_shape[0] // folding.simd
    return Buffers(fifo_depth=3 if folding.unit.stride == 2 else 0, fifo_lanes=folding.lanes_in,
                   words_held=2 * words if folding.passes > 1 else 0, line_words=0)


def unit_config(rng, kind, size, channels_in, channels_out, pe, simd, lanes_in, lanes_out,
                stride=1, activation_in="relu6", activation="relu6", precision=NARROW,
                factor=None):
    """UnitConfig of a unit that no network has, with random integers that reach every corner.

    factor -- bits of the wider factor of multipliers that two outputs share; None: none do
    """
    kernel = 3 if KINDS[kind].windowed else 1
    unit = Unit("dut", kind, kind, "dut", size, -(-size // stride), channels_in, channels_out,
                kernel, stride, padding(size, stride) if kernel == 3 else (0, 0), activation_in,
                activation)
    folding = Folding(unit, precision, pe, simd, lanes_in, lanes_out,
                      pairs=factor and pairs_of(unit, precision, simd, factor))
    return with_integers(rng, UnitPlan(folding, any_buffers(folding)))


def with_integers(rng, plan):
    """(UnitConfig, parameters) of a UnitPlan, with random integers that reach every corner."""
    unit, precision = plan.unit, plan.folding.precision
    top = 1 << precision.multiplier_bits - 1
    weights = integers(rng, precision.weight_bits, True, unit.weight_shape)
    # Shifts that leave outputs inside the range as well as clipped at either end.
    reach = int(np.abs(weights).sum(axis=0).max()) * (1 << precision.bits(unit.activation_in))
    middle = max(reach.bit_length() + precision.multiplier_bits
                 - precision.bits(unit.activation) - 2, 2)
    params = SimpleNamespace(
        weights=np.maximum(weights, 1 - (1 << precision.weight_bits - 1)),
        bias=rng.integers(-reach // 4, reach // 4, unit.channels_out),
        multiplier=rng.integers(top, 2 * top, unit.channels_out),
        shift=rng.integers(middle - 1, middle + 2, unit.channels_out))
    return configure(plan, params), params


def with_dead_channels(config, params, channels, bias=0):
    """(UnitConfig, parameters) in which some channels have weights of 0, one bias, and the shift
    that the floor of a scale gives them.

    channels -- an index or a slice
    """
    precision = config.folding.precision
    params = SimpleNamespace(**{name: values.copy() for name, values in vars(params).items()})
    params.weights[:, channels] = 0
    params.bias[channels] = bias
    params.multiplier[channels] = 1 << precision.multiplier_bits - 1
    params.shift[channels] = precision.multiplier_bits + precision.weight_bits + 5
    return configure(config.plan, params), params


def frames_of(rng, config, count):
    """Random frames for a unit: ints (frames, rows, columns, channels)."""
    unit, shape = config.unit, config.stream_in()
    return integers(rng, shape.bits, shape.signed,
                    (count, unit.size_in, unit.size_in, unit.channels_in))


class UnitBench(Bench):
    """A Bench for the block of a convolution."""

    def __init__(self, simulator, block, config, params):
        ports = {"s_axis": AxiStream(config.stream_in()),
                 "m_axis": AxiStream(config.stream_out())}
        super().__init__(simulator, block, {**ports, "config": config}, memory_files([config]))
        self.config, self.params = config, params

    def frames(self, rng, stall="free", count=3):
        """Random frames back to back: (run, beats, naive beats)."""
        folding = self.config.folding
        frames = frames_of(rng, self.config, count)
        pixels = [pixel for frame in frames
                  for pixel in naive_unit(self.config, self.params, frame)]
        expected = [pixel[c:c + folding.lanes_out] for pixel in pixels
                    for c in range(0, len(pixel), folding.lanes_out)]
        done = self.run({"s_axis": frames.reshape(-1, folding.lanes_in)},
                        {"m_axis": len(expected)}, stall, seed_of(rng))
        return done, beats(done, self.arguments), expected


def clipped(values, config):
    """Shares of a unit's outputs at the lower limit, between the limits and at the upper."""
    low, high = config.folding.precision.limits(config.unit.activation)
    flat = [value for row in values for value in row]
    return [sum(f) / len(flat) for f in ([v == low for v in flat], [low < v < high for v in flat],
                                         [v == high for v in flat])]
