"""Two products in one multiplier against plain loops, up to all ends of all widths."""
import itertools

import pytest

from hdl.blocks.mac import check, mac
from hdl.blocks.paired_dot import paired_dot
from hdl.blocks.processing_element import Fold
from hdl.blocks.signals import flag, sint, uint
from hdl.plan.pairs import Pairs
from hdl.plan.rom import Rom, signed_width
from tests.support.bench import STALLS, Bench, beats, cycles, integers, seed_of
from tests.support.streams import stream

# pe, simd, beats for an output, output groups, bits and sign of x, weight bits, field, products
# that are added before they part
CASES = [(2, 1, 1, 1, 8, True, 8, 19, 1), (2, 2, 1, 1, 4, False, 3, 7, 1),
         (4, 24, 2, 1, 8, False, 8, 19, 8), (6, 16, 3, 1, 12, True, 8, 19, 1),
         (3, 4, 2, 2, 8, True, 8, 18, 4), (2, 4, 1, 3, 8, False, 8, 18, 4),
         (5, 9, 1, 2, 9, True, 6, 21, 9), (2, 6, 2, 1, 8, True, 8, 17, 2),
         (3, 27, 1, 1, 9, True, 8, 19, 3), (2, 3, 4, 3, 6, False, 4, 12, 3)]


def rows_of_pairs(rows, pe, simd):
    """Of every second output a weight less one, where that of the output before it is negative."""
    return [[weight - (j % 2 == 1 and row[(j - 1) * simd + i] < 0)
             for j in range(pe) for i, weight in enumerate(row[j * simd:(j + 1) * simd])]
            for row in rows]


def naive(x, rows, pe, simd, groups):
    """Sums of every group of outputs from all beats of x, whose weights are rows, groups minor."""
    count = len(rows) // groups
    return [[sum(x[first + b][i] * rows[b * groups + g][j * simd + i]
                 for b in range(count) for i in range(simd)) for j in range(pe)]
            for first in range(0, len(x), count) for g in range(groups)]


def array(simulator, rows, pe, simd, count, groups, bits, signed, weight_bits, field, products):
    """A Bench for a MAC array of pairs, whose accumulators are just as wide as they need."""
    widest = max(sum(abs(weight) for row in rows[start:start + count * groups:groups]
                     for weight in row[j * simd:][:simd])
                 for frame in range(0, len(rows), count * groups)
                 for start in range(frame, frame + groups) for j in range(pe))
    reach = widest * (1 << bits - 1 if signed else (1 << bits) - 1)
    rom = Rom("weights", tuple(map(tuple, rows_of_pairs(rows, pe, simd))),
              (weight_bits,) * (pe * simd))
    fold = Fold(pe, simd, True, count, groups, Pairs(field, products))
    return Bench(simulator, mac, {"s_axis": stream(simd, bits, signed),
                                  "m_axis": stream(pe, signed_width(-reach, reach)),
                                  "rom": rom, "fold": fold}, {"weights.mem": rom.mem()})


@pytest.mark.parametrize(
    "pe, simd, count, groups, bits, signed, weight_bits, field, products", CASES)
def test_sums(simulator, rng, pe, simd, count, groups, bits, signed, weight_bits, field, products):
    most = (1 << weight_bits - 1) - 1
    rows = integers(rng, weight_bits, True, (groups * count, pe * simd)).clip(-most, most).tolist()
    dut = array(simulator, rows, pe, simd, count, groups, bits, signed, weight_bits, field,
                products)
    outputs = 12
    for stall in STALLS:
        x = integers(rng, bits, signed, (outputs * count, simd)).tolist()
        done = dut.run({"s_axis": x}, {"m_axis": outputs * groups}, stall, seed_of(rng))
        assert beats(done, dut.arguments) == naive(x, rows, pe, simd, groups), stall
        if stall == "free":
            # ROM or register, operand, the adders of 3 products and of 2 sums, the accumulator
            after = 3 + sum(products > n for n in (0, 3, 6, 12)) \
                + sum(simd // products > n for n in (1, 2, 4, 8)) + (groups > 1 and count > 1)
            assert cycles(done, "m_axis")[0] == (count - 1) * groups + after


@pytest.mark.parametrize("bits, signed", [(8, True), (8, False), (12, True)])
@pytest.mark.parametrize("simd", [1, 3])
def test_extremes(simulator, bits, signed, simd):
    """Every pair of weights at an end, or next to zero, with inputs at each end."""
    ends = [-127, -1, 0, 1, 127]
    rows = [[low] * simd + [high] * simd for low, high in itertools.product(ends, ends)]
    least, greatest = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    x = [[end] * simd for end in (least, least + 1, 0, 1, greatest) for _ in rows]
    dut = array(simulator, rows, 2, simd, 1, 1, bits, signed, 8, 19,
                1 if bits > 8 else simd)
    expected = [[sum(map(int.__mul__, beat, row[j * simd:(j + 1) * simd])) for j in range(2)]
                for beat, row in zip(x, rows * 5)]
    got = beats(dut.run({"s_axis": x}, {"m_axis": len(x)}), dut.arguments)
    assert got == expected


@pytest.mark.parametrize("bits, signed, field", [(3, True, 6), (3, False, 7), (2, True, 9)])
def test_all_numbers_of_few_bits(simulator, bits, signed, field):
    """Two products, every weight and every input that there are."""
    inputs = range(-(1 << bits - 1), 1 << bits - 1) if signed else range(1 << bits)
    few = [*itertools.product(range(-3, 4), repeat=2)]
    rows = [[*low, *high] for low, high in itertools.product(few, few)]
    pairs_of_inputs = [*itertools.product(inputs, inputs)]
    # Each row of weights takes one pair of inputs in a frame of rows: as many frames as pairs.
    step = 7 if len(pairs_of_inputs) % 7 else 1
    x = [list(pairs_of_inputs[(frame + step * n) % len(pairs_of_inputs)])
         for frame in range(len(pairs_of_inputs)) for n in range(len(rows))]
    if simulator in ("myhdl", "ghdl", "icarus"):
        x = x[:4 * len(rows)]
    dut = array(simulator, rows, 2, 2, 1, 1, bits, signed, 3, field, 2)
    expected = [[beat[0] * row[2 * j] + beat[1] * row[2 * j + 1] for j in range(2)]
                for beat, row in zip(x, itertools.cycle(rows))]
    assert beats(dut.run({"s_axis": x}, {"m_axis": len(x)}), dut.arguments) == expected


@pytest.mark.parametrize("inputs, weights, products, field", [
    (2, 3, 1, 19), (3, 6, 2, 19), (2, 4, 2, 16), (1, 2, 1, 15)])
def test_refuses_what_does_not_fit(inputs, weights, products, field):
    with pytest.raises(ValueError, match=f"a multiple of {products}, so many of whose products "
                                         f"have a sum of {field} bits: there are {weights} of 8"):
        paired_dot(flag(), flag(), [uint(8) for _ in range(inputs)],
                   [sint(8) for _ in range(weights)], [sint(20), sint(20)],
                   Pairs(field, products))


@pytest.mark.parametrize("pe, shared", [(1, True), (2, False)])
def test_refuses_outputs_without_a_partner(pe, shared):
    rom = Rom("weights", ((1,) * pe,), (8,) * pe)
    fold = Fold(pe, 1, shared, 1, pairs=Pairs(19, 1))
    inputs = 1 if shared else pe
    with pytest.raises(ValueError, match="no two outputs with the same inputs: it takes no pairs"):
        check(stream(inputs, 8), stream(pe, 16), rom, fold)
