"""Beats and plans by properties: whatever goes into words, tiles and creeping beats comes out, and
a plan of any network and rate moves every beat once, in order."""
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hdl.beats import crept, pack, tiled, uncrept, unpack, untiled
from hdl.layers import ALPHAS, layer_table, precision
from hdl.plan.network import plan_network
from hdl.plan.tiles import tile_rates
from hdl.shape import StreamShape
from tests.support.examples import examples


def test_words_hold_any_numbers(request):
    @examples(request.config, 60, 2000)
    @given(st.integers(1, 63), st.integers(1, 40), st.integers(1, 5), st.booleans(),
           st.integers(0, 1 << 16))
    def check(bits, lanes, beats, signed, seed):
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        values = np.random.default_rng(seed).integers(low, high, (beats, lanes), endpoint=True)
        values[0, 0], values[-1, -1] = low, high
        assert (unpack(pack(values, bits), lanes, bits, signed) == values).all()

    check()


def test_tiles_are_put_together_as_they_were(request):
    @examples(request.config, 40, 1000)
    @given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.data())
    def check(tile, row, frames, channels, data):
        creep = data.draw(st.integers(0, tile))
        size = tile * row
        images = np.arange(frames * size * size * channels).reshape(frames, size, size, channels)
        tiles = tiled(images, tile)
        assert (untiled(tiles, tile, size) == images).all()
        if creep < tile:
            shape = StreamShape(channels, 32, False, tile, creep=creep)
            assert (uncrept(*crept(tiles, shape, row), shape, row) == tiles).all()

    check()


def test_any_rate_of_any_network_is_planned_or_refused(request):
    """Every unit's beats are as many as its elements, in order, and frames come at the rate: the
    last of them, which no other follows, as soon or sooner."""
    @examples(request.config, 6, 60)
    @given(st.sampled_from(ALPHAS), st.integers(32, 100), st.data())
    def check(alpha, resolution, data):
        widths = precision(f"w{data.draw(st.integers(4, 16))}a{data.draw(st.integers(4, 16))}l"
                           f"{data.draw(st.integers(6, 18))}")
        table = layer_table(alpha, resolution)
        cycles = data.draw(st.one_of(st.integers(1, 8 * resolution ** 2),
                                     st.sampled_from([*tile_rates(resolution), resolution ** 2])))
        try:
            plan = plan_network(table, widths, cycles, 3)
        except ValueError as refused:
            assert "\n" not in str(refused) and cycles < table[0].pixels_out * 2
            return
        for planned in plan.units:
            unit, folding = planned.unit, planned.folding
            times = plan.leave[unit.name]
            row = -(-unit.size_out // folding.tile_out)
            assert len(times) >= 3 * row ** 2 * unit.channels_out // folding.lanes_out
            assert (np.diff(times) > 0).all(), unit.name
        ends = plan.leave[table[-1].name].reshape(3, -1)[:, -1]
        assert ends[1] - ends[0] == cycles >= ends[2] - ends[1]

    check()
