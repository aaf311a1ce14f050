"""Where a stride of 2 may move without changing what the network computes, and what that costs.

docs/strides.md tells it; the last test holds its table to the layer table.
"""
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hdl.layers import PRECISIONS, layer_table
from hdl.plan.budget import ideal_cost
from tests.support.reference import convolve, reference, requantize

STRIDED = ["block_1", "block_3", "block_6", "block_13"]
DOCS = Path(__file__).parents[2] / "docs" / "strides.md"
CYCLES = 50_176


def sets(table):
    """The sets of blocks between strides, each from the strided unit to its last depthwise one,
    which takes the stride if that is pushed as far as it goes."""
    starts = [at for at, unit in enumerate(table) if unit.stride == 2] + [len(table)]
    found = []
    for start, end in zip(starts, starts[1:]):
        last = max(at for at in range(start, end) if table[at].kernel == 3)
        found.append(table[start:last + 1])
    return found


def output(network, unit, pixels, **changed):
    """Integers of a unit for other pixels than it gets in the network."""
    unit, params = dataclasses.replace(unit, **changed), network.params[unit.name]
    return requantize(convolve(unit, pixels.astype(np.int64), params.weights.astype(np.int64)),
                      params, PRECISIONS["w8a8"].limits(unit.activation))


def everywhere(network, unit, pixels):
    """A unit's output at every pixel; the stride's are every second one's."""
    before = unit.pad[0]
    return output(network, unit, pixels, stride=1, size_in=len(pixels), size_out=len(pixels),
                  pad=(before, unit.kernel - 1 - before))


def dilated(network, unit, pixels):
    """A depthwise unit at every second pixel of twice the size, its taps two pixels apart."""
    padded = np.pad(pixels.astype(np.int64), ((2, 2), (2, 2), (0, 0)))
    weights = network.params[unit.name].weights.astype(np.int64)
    sums = sum(padded[2 * row:2 * row + len(pixels):2, 2 * column:2 * column + len(pixels):2]
               * weights[3 * row + column] for row in range(3) for column in range(3))
    return requantize(sums, network.params[unit.name], PRECISIONS["w8a8"].limits(unit.activation))


@pytest.fixture(scope="module")
def network():
    return reference("w8a8", resolution=64)


@pytest.fixture(scope="module")
def fixed(network):
    from golden import photo
    return network.fixed(photo.load_photo(None, 64))


def names(stage):
    """{role: unit} of a stage at 64 x 64."""
    return {unit.role: unit for unit in layer_table(1.0, 64) if unit.stage == stage}


@pytest.mark.parametrize("stage", STRIDED)
def test_a_stride_passes_pointwise_units(network, fixed, stage):
    """Depthwise and project at every pixel, and then every second one: the same integers."""
    units = names(stage)
    full = everywhere(network, units["depthwise"], fixed[units["expand"].name])
    assert (full[::2, ::2] == fixed[units["depthwise"].name]).all()
    projected = everywhere(network, units["project"], full)
    assert (projected[::2, ::2] == fixed[units["project"].name]).all()


@pytest.mark.parametrize("stage, following", [("block_1", "block_2"), ("block_3", "block_4"),
                                              ("block_6", "block_7"), ("block_13", "block_14")])
def test_a_stride_passes_a_depthwise_unit_only_if_that_is_dilated(network, fixed, stage, following):
    """With taps two pixels apart the next block's depthwise unit gives the same integers; as it
    is, it sees other neighbours and gives others."""
    units, after = names(stage), names(following)
    full = everywhere(network, units["depthwise"], fixed[units["expand"].name])
    expanded = everywhere(network, after["expand"], everywhere(network, units["project"], full))
    golden = fixed[after["depthwise"].name]
    assert (dilated(network, after["depthwise"], expanded) == golden).all()
    if len(golden) > 2:     # where it has neighbours at all
        near = output(network, after["depthwise"], expanded, stride=2, size_in=len(expanded),
                      size_out=len(golden), pad=(1, 1))
        assert (near != golden).mean() > 0.1


def test_the_table_of_the_page():
    """Multipliers that the rate asks for, and bits at the lower bound, before and after."""
    rows = []
    for units in sets(layer_table(1.0, 224)):
        first, last = units[0], units[-1]
        costs = [ideal_cost(unit, PRECISIONS["w16a16"], CYCLES) for unit in units]
        before = sum(unit.macs for unit in units) / CYCLES
        after = before + 3 * sum(unit.macs for unit in units[:-1]) / CYCLES
        bits = sum(cost.line_buffer_bits + cost.fifo_bits for cost in costs)
        # A dilated window spans four rows of twice the length, not two; so does its shortcut.
        more = sum(3 * cost.line_buffer_bits for cost in costs[1:])
        more += sum(cost.fifo_bits * (4 * cost.unit.size_in + 2) // (cost.unit.size_in + 1)
                    - cost.fifo_bits for cost in costs if cost.fifo_bits)
        rows.append(f"| `{first.name}` | `{last.name}` | {before:,.0f} | {after:,.0f} | "
                    f"{bits / 1e6:.2f} | {(bits + more) / 1e6:.2f} |")
    text = DOCS.read_text()
    assert all(row in text for row in rows), "\n".join(rows)
