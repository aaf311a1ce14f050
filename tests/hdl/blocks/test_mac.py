"""MAC array: sums of products against plain loops, up to the last bit of its accumulators."""
import numpy as np
import pytest

from hdl.blocks import mac_loops as in_loops
from hdl.blocks.mac import LATENCY, mac
from hdl.blocks.mac_loops import mac_loops
from hdl.blocks.processing_element import Fold
from hdl.plan.rom import Constants, Rom, signed_width
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of
from tests.support.streams import stream

# pe, simd, shared, beats for an output, output groups, bits and sign of x, weight bits
CASES = [(1, 1, True, 1, 1, 4, False, 3), (2, 3, True, 4, 3, 6, True, 5),
         (3, 10, True, 1, 2, 9, True, 8), (1, 22, True, 2, 2, 16, False, 16),
         (1, 1, False, 9, 2, 6, False, 5), (2, 3, False, 3, 4, 8, False, 8),
         (3, 9, False, 1, 1, 16, False, 16)]
OUTPUTS = 36
# The array written out, and in loops: the same numbers.
both = pytest.mark.parametrize("block", [mac, mac_loops], ids=lambda block: block.func.__name__)


def latency(block, simd):
    """From an output's last beat to its sum: what the array states, and for each time that SIMD
    doubles from 3 on a level of adders."""
    return in_loops.LATENCY if block is mac_loops \
        else LATENCY + sum(simd > most for most in (3, 6, 12, 24))


def naive(x, rows, pe, simd, shared, count):
    """Sums of every output group, from beats of x and of weights."""
    sums = []
    for first in range(0, len(x), count):
        group = [0] * pe
        for beat in range(first, first + count):
            weights = rows[beat % len(rows)]
            for j in range(pe):
                for i in range(simd):
                    group[j] += x[beat][i if shared else i * pe + j] * weights[j * simd + i]
        sums.append(group)
    return sums


def accumulated(x, rows, pe, simd, groups):
    """Sums of every group of outputs from all beats of x, whose weights are rows, groups minor."""
    count = len(rows) // groups
    return [[sum(x[first + b][i] * rows[b * groups + g][j * simd + i]
                 for b in range(count) for i in range(simd)) for j in range(pe)]
            for first in range(0, len(x), count) for g in range(groups)]


def array(simulator, rows, pe, simd, shared, count, bits, signed, weight_bits,
          lanes=None, groups=1, block=mac):
    """A Bench for a MAC array whose accumulators are just as wide as they need."""
    low, high = (1 << bits - 1, 0) if signed else (0, (1 << bits) - 1)
    widest = max(sum(abs(w) for start in range(group, group + count)
                     for w in rows[start][j * simd:(j + 1) * simd])
                 for group in range(0, len(rows), count) for j in range(pe))
    reach = widest * max(low, high) * groups
    ports = {"s_axis": stream(simd if shared else simd * pe, bits, signed),
             "m_axis": stream(lanes or pe, signed_width(-reach, reach))}
    if block is mac:
        weights = {"rom": Rom("weights", tuple(map(tuple, rows)), (weight_bits,) * (pe * simd))}
    else:
        weights = {"weights": Constants("weights", np.array(rows).ravel(), weight_bits)}
    return Bench(simulator, block, {**ports, **weights,
                                    "fold": Fold(pe, simd, shared, count, groups)},
                 {"weights.mem": value.mem() for value in weights.values()})


@both
@pytest.mark.parametrize("pe, simd, shared, count, groups, bits, signed, weight_bits", CASES)
def test_sums(simulator, rng, pe, simd, shared, count, groups, bits, signed, weight_bits, block):
    most = (1 << weight_bits - 1) - 1
    rows = integers(rng, weight_bits, True, (groups * count, pe * simd)).clip(-most, most).tolist()
    dut = array(simulator, rows, pe, simd, shared, count, bits, signed, weight_bits, block=block)
    for stall in STALLS:
        lanes = dut.arguments["s_axis"].shape.lanes
        x = integers(rng, bits, signed, (OUTPUTS * count, lanes)).tolist()
        done = dut.run({"s_axis": x}, {"m_axis": OUTPUTS}, stall, seed_of(rng))
        assert beats(done, dut.arguments) == naive(x, rows, pe, simd, shared, count), stall
        if stall == "free":
            assert cycles(done, "s_axis") == list(range(OUTPUTS * count))
            after = latency(block, simd) - 1
            assert cycles(done, "m_axis") == [count * (i + 1) + after for i in range(OUTPUTS)]


@both
@pytest.mark.parametrize("pe, simd, lanes, count, groups", [
    (2, 3, 1, 4, 2), (4, 1, 2, 6, 3), (1, 12, 1, 2, 5), (3, 2, 3, 3, 4), (2, 3, 1, 1, 4)])
def test_groups(simulator, rng, pe, simd, lanes, count, groups, block):
    """Every input beat serves all groups; the next output is computed while this one leaves."""
    rows = integers(rng, 5, True, (count * groups, pe * simd)).clip(-15, 15).tolist()
    dut = array(simulator, rows, pe, simd, True, count, 6, False, 5, lanes, groups, block)
    outputs = 8
    for stall in STALLS:
        x = integers(rng, 6, False, (outputs * count, simd)).tolist()
        parts = groups * pe // lanes
        done = dut.run({"s_axis": x}, {"m_axis": outputs * parts}, stall, seed_of(rng))
        expected = [row[i:i + lanes] for row in accumulated(x, rows, pe, simd, groups)
                    for i in range(0, pe, lanes)]
        assert beats(done, dut.arguments) == expected, stall
        if stall == "free" and parts <= count * groups:
            assert cycles(done, "s_axis") == list(range(0, outputs * count * groups, groups))
            first = cycles(done, "m_axis")[::parts]
            after = latency(block, simd) + (count > 1) + (lanes < pe)
            assert first == [count * groups * (i + 1) - groups + after for i in range(outputs)]


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "depthwise"])
@pytest.mark.parametrize("bits, signed", [(6, False), (6, True)])
def test_extremes(simulator, bits, signed, shared):
    """Both ends of every range: the accumulators reach their own ends and no sum wraps."""
    pe, simd, count, weight_bits = 2, 3, 3, 5
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    most = (1 << weight_bits - 1) - 1
    rows = [[-most] * (pe * simd)] * count + [[most] * (pe * simd)] * count
    x = [[end] * (simd if shared else pe * simd) for end in (high, high, low, low)
         for _ in range(count)]
    dut = array(simulator, rows, pe, simd, shared, count, bits, signed, weight_bits)
    got = beats(dut.run({"s_axis": x}, {"m_axis": 4}), dut.arguments)
    assert got == naive(x, rows, pe, simd, shared, count)
    reach = simd * count * most
    assert got == [[-high * reach] * 2, [high * reach] * 2, [-low * reach] * 2, [low * reach] * 2]


@pytest.mark.parametrize("simd", range(1, 41))
def test_every_number_of_products(rng, simd):
    """Each tree of adders, at both ends of every range and between them."""
    rows = [[-15] * simd, [15] * simd, integers(rng, 5, True, simd).clip(-15, 15).tolist()]
    dut = array("myhdl", rows, 1, simd, True, 1, 6, True, 5)
    x = [[end] * simd for end in (-32, 31) for _ in range(3)] \
        + integers(rng, 6, True, (6, simd)).tolist()
    done = dut.run({"s_axis": x}, {"m_axis": len(x)})
    assert beats(done, dut.arguments) == naive(x, rows, 1, simd, True, 1)
    assert cycles(done, "m_axis")[0] == latency(mac, simd)
