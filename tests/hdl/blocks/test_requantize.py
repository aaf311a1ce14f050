"""Requantize: rounding by cases, saturation at both ends, parameters in step with channels."""
import numpy as np
import pytest

from hdl.blocks.requantize import Scaling, requantize
from hdl.plan.rom import Rom, signed_width
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of
from tests.support.naive import naive_requantize
from tests.support.streams import stream

ACC_BITS = 12


def bench(simulator, channels, lanes, shift_base, multiplier_bits, limits, signed):
    """A Bench for ``channels``, each (bias, multiplier, shift)."""
    low, high = limits
    rows = [[part[i] for i in range(3) for part in channels[c:c + lanes]]
            for c in range(0, len(channels), lanes)]
    for row in rows:
        row[2 * lanes:] = [shift - shift_base for shift in row[2 * lanes:]]
    bias_bits = max(signed_width(bias, bias) for bias, _, _ in channels)
    shift_bits = max(max(max(row[2 * lanes:]) for row in rows).bit_length(), 1)
    rom = Rom("scales", tuple(map(tuple, rows)),
              (bias_bits,) * lanes + (multiplier_bits,) * lanes + (shift_bits,) * lanes)
    most = max(abs(bias) for bias, _, _ in channels) + (1 << ACC_BITS - 1)
    bits = signed_width(low, high) if signed else high.bit_length()
    ports = {"s_axis": stream(lanes, ACC_BITS), "m_axis": stream(lanes, bits, signed)}
    return Bench(simulator, requantize, {
        **ports, "rom": rom,
        "scaling": Scaling(signed_width(-most, most), shift_base, low, high)},
        {"scales.mem": rom.mem()})


def aimed(rng, channels, shape, limits):
    """Totals whose outputs lie between the limits, where a channel's shift lets any: there the last
    bit of a multiplier counts."""
    beats, lanes = shape
    totals = []
    for place in range(beats * lanes):
        bias, multiplier, shift = channels[place % len(channels)]
        total = (int(rng.integers(limits[0], limits[1] + 1)) << shift) // multiplier - bias
        total += int(rng.integers(-1, 2))
        totals.append(min(max(total, -(1 << ACC_BITS - 1)), (1 << ACC_BITS - 1) - 1))
    return np.reshape(totals, shape)


def scale(dut, channels, totals, stall="free", seed=0):
    """Run beats of ``totals`` through: (run, beats, what they should be)."""
    lanes, scaling = len(totals[0]), dut.arguments["scaling"]
    low, high = scaling.low, scaling.high
    done = dut.run({"s_axis": totals}, {"m_axis": len(totals)}, stall, seed)
    expected = [[naive_requantize(total, *channels[(i * lanes + j) % len(channels)], low, high)
                 for j, total in enumerate(row)] for i, row in enumerate(totals)]
    return done, beats(done, dut.arguments), expected


SIGNED, UNSIGNED = ((-32, 31), True), ((0, 63), False)
CASES = {"lane": (1, 1, 5, 8, SIGNED), "lanes": (6, 2, 1, 8, UNSIGNED),
         "wide_shifts": (4, 4, 9, 16, SIGNED), "serial": (7, 1, 14, 16, UNSIGNED),
         "narrow": (3, 1, 18, 8, SIGNED), "sign_alone": (2, 1, 40, 8, SIGNED),
         "nothing": (2, 2, 40, 8, UNSIGNED)}


@pytest.mark.parametrize("case", CASES)
def test_channels(simulator, rng, case):
    count, lanes, shift_base, multiplier_bits, (limits, signed) = CASES[case]
    top = 1 << multiplier_bits - 1
    channels = [(int(rng.integers(-900, 900)), int(rng.integers(top, 2 * top)),
                 shift_base + int(rng.integers(0, 12))) for _ in range(count)]
    channels[0] = (channels[0][0], channels[0][1], shift_base)
    channels[-lanes:] = [(bias, multiplier, shift_base + 11)    # outputs between the limits
                         for bias, multiplier, _ in channels[-lanes:]]
    dut = bench(simulator, channels, lanes, shift_base, multiplier_bits, limits, signed)
    for stall in STALLS:
        beats_in = 30 * count
        shape = beats_in, lanes
        totals = np.where(rng.integers(0, 2, shape), integers(rng, ACC_BITS, True, shape),
                          aimed(rng, channels, shape, limits)).tolist()
        done, got, expected = scale(dut, channels, totals, stall, seed_of(rng))
        assert got == expected, stall
        if stall == "free":
            assert cycles(done, "s_axis") == list(range(beats_in))
            assert cycles(done, "m_axis") == list(range(6, 6 + beats_in))


@pytest.mark.parametrize("shift", [8, 9, 11])
def test_every_fraction_rounds_to_the_nearest_and_halves_up(simulator, shift):
    """acc * 2**7 >> shift for every fraction on both sides of zero: halves among them."""
    totals = [[total] for total in range(-150, 151)]
    channels = [(0, 128, shift)]
    dut = bench(simulator, channels, 1, shift, 8, (-512, 511), True)
    _, got, expected = scale(dut, channels, totals)
    assert got == expected
    eighths = 2 ** (shift - 7)
    by_total = {total[0]: value[0] for total, value in zip(totals, got)}
    half = eighths // 2
    assert [by_total[n] for n in (-3 * half, -half, half, 3 * half)] == [-1, 0, 1, 2]
    assert [by_total[n * eighths] for n in (-3, -1, 0, 2)] == [-3, -1, 0, 2]


@pytest.mark.parametrize("limits, signed", [SIGNED, UNSIGNED, ((0, 40), False)])
def test_saturation(simulator, limits, signed):
    """One step below, at and above each limit, and the ends of the accumulator."""
    low, high = limits
    edge = [value * 4 + step for value in (low, high) for step in range(-6, 7)]
    totals = [[total] for total in (*edge, -(1 << ACC_BITS - 1), (1 << ACC_BITS - 1) - 1, 0)]
    channels = [(0, 128, 9)]
    dut = bench(simulator, channels, 1, 9, 8, limits, signed)
    _, got, expected = scale(dut, channels, totals)
    assert got == expected
    assert {low, low + 1, high - 1, high} <= {value for value, in got}
    assert got[-3:] == [[low], [high], [0]]


def test_bias_comes_before_the_scale(simulator):
    """A bias that carries the accumulator past its own range."""
    channels = [(2047, 255, 12), (-2048, 255, 12)]
    totals = [[2047], [-2048], [-2048], [2047], [0], [0]]
    dut = bench(simulator, channels, 1, 12, 8, (-512, 511), True)
    _, got, expected = scale(dut, channels, totals)
    assert got == expected == [[255], [-255], [0], [0], [127], [-127]]
