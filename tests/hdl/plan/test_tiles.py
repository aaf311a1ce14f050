"""Tiles that creep: the rates, and where windows lie in them, against plain convolutions."""
import numpy as np
import pytest

from hdl.layers import ALPHAS, PRECISIONS, layer_table
from hdl.plan.arrays import ArrayWork
from hdl.plan.folding import fold
from hdl.plan.rom import Constants
from hdl.plan.tiles import Beats, TileGeometry, cut, flushed, tile_rates, tile_side
from hdl.shape import StreamShape
from tests.support.tiles import beat_numbers, from_beats, to_beats

FRAMES = 3
# Every resolution whose rungs have other creeps and other numbers of tiles.
RUNGS = [(resolution, cycles) for resolution in (32, 64, 96, 224) for cycles in
         tile_rates(resolution)]


def plain(image, weights, stride):
    """A 3 x 3 convolution as Keras pads it."""
    size = len(image)
    before = 0 if stride == 2 and size % 2 == 0 else 1
    padded = np.pad(image, ((before, 1), (before, 1)))
    out = -(-size // stride)
    return sum(weights[y, x] * padded[y:y + stride * (out - 1) + 1:stride,
                                      x:x + stride * (out - 1) + 1:stride]
               for y in range(3) for x in range(3))


def patches(beats, geometry):
    """The patch of every beat: rows kept from one row of tiles ago, columns from the beat before.
    """
    reach, side, row = geometry.kernel - 1, geometry.tile, geometry.tiles
    strips, found = [], []
    for number, tile in enumerate(beats):
        above = strips[number - row][-reach:] if number >= row else np.full((reach, side), np.nan)
        strips.append(np.vstack([above, tile]))
        left = found[-1][:, -reach:] if found else np.full((side + reach, reach), np.nan)
        found.append(np.hstack([left, strips[-1]]))
    return found


def borders(geometry, numbers, count):
    """{beat: (top, bottom, left, right)} of the tiles that beats bring."""
    row = geometry.tiles
    return {int(beat): (place // row == 0, place // row == row - 1, place % row == 0,
                        place % row == row - 1)
            for beat, place in zip(numbers, list(range(row * row)) * count)}


def convolved(beats, geometry, edges, weights, numbers):
    """Output beats: windows at the places that the geometry tells, masks at those of the edges."""
    row, side = geometry.tiles, geometry.tile_out
    touches, out = borders(geometry, numbers, FRAMES), []
    for number, patch in enumerate(patches(beats, geometry)):
        masks = {}
        for edge in edges:
            # Which tile the piece is of that the edge lies in: of the lower two bits of a pair the
            # piece behind the creep; of the place, the first one behind it or the last before it.
            near = edge.tap == 0 and not geometry.whole
            along = 1 if edge.before else 0     # one tile before, along the border
            across = 0 if near else 1
            down, right = (across, along) if edge.axis == 0 else (along, across)
            touched = touches.get(number - down * row - right, (False,) * 4)
            which = {(0, True): 0, (0, False): 1, (1, True): 2, (1, False): 3}
            masks[edge] = touched[which[edge.axis, edge.tap == 0]]
        tile = np.empty((side, side))
        for i in range(side):
            for j in range(side):
                y, x = (geometry.first + geometry.stride * at for at in (i, j))
                window = patch[y:y + 3, x:x + 3].copy()
                for edge, masked in masks.items():
                    at, other = (i, j) if edge.axis == 0 else (j, i)
                    if masked and at == edge.place and \
                            (other < geometry.behind) == edge.before:
                        window[(edge.tap, slice(None)) if edge.axis == 0
                               else (slice(None), edge.tap)] = 0
                tile[i, j] = (window * weights).sum()
        out.append(tile)
    return np.array(out)


def edges_of(geometry):
    """The edges of an array that has this geometry."""
    one = Constants("", np.ones(1, int), 1)
    pixel = StreamShape(1, 8)
    return ArrayWork("", one, one, one, one, 0, 1, 1, geometry, False, pixel, pixel, (0, 1)).edges


@pytest.mark.parametrize("resolution, cycles", RUNGS)
def test_windows_of_the_network(rng, resolution, cycles):
    """Every 3x3 unit of a rung in turn, of frames back to back and with a pause between them that
    lets half of what is left over out: its output tiles are those of plain convolutions."""
    pauses = (0, resolution // tile_side(resolution, cycles) // 2 + 1)
    seen = set()
    for folding in fold(layer_table(1.0, resolution), PRECISIONS["w8a8"], cycles):
        geometry = folding.tiles if folding.constant else None
        if not geometry or geometry.kernel != 3 or geometry in seen:
            continue
        seen.add(geometry)
        images = rng.integers(-9, 10, (FRAMES, geometry.size, geometry.size, 1)).astype(float)
        weights = rng.integers(-3, 4, (3, 3)).astype(float)
        numbers = beat_numbers(FRAMES, geometry.tiles, pauses)
        beats = to_beats(images, geometry.tile, geometry.creep, numbers)[..., 0]
        out = convolved(beats, geometry, edges_of(geometry), weights, numbers)
        late = geometry.tail if geometry.whole else 0
        got = from_beats(out[..., None], folding.unit.size_out, folding.tile_out,
                         folding.creep_out or 0, numbers + late)
        expected = [plain(image, weights, geometry.stride) for image in images[..., 0]]
        np.testing.assert_array_equal(got[..., 0], expected, str(geometry))
    assert seen


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("resolution, cycles", RUNGS)
def test_tiles_fit_from_unit_to_unit(alpha, resolution, cycles):
    """What a unit puts out the next one takes, a tile a cycle of just the pixels that N asks for;
    every multiplier of a unit with constants works in every cycle."""
    table = layer_table(alpha, resolution)
    foldings = fold(table, PRECISIONS["w16a16"], cycles)
    for before, after in zip(foldings, foldings[1:]):
        assert (before.lanes_out, before.tile_out) == (after.lanes_in, after.tile_in)
        if after.unit.facts.convolves:
            assert before.creep_out == after.creep_in
    for row in foldings:
        assert row.constant == (row.unit.pixels_out >= cycles)
        if row.constant:
            assert row.tile_out ** 2 * cycles == row.unit.pixels_out
            assert row.multipliers * cycles == row.unit.macs
            assert row.weight_bits == 0
        else:
            assert row.steps * row.unit.pixels_out <= cycles
    assert foldings[-1].creep_out is None


@pytest.mark.parametrize("cycles, multipliers, words", [
    (49, 6_112_128, 6_112_128), (196, 1_528_464, 2_734_080), (784, 382_260, 2_282_256),
    (3136, 95_661, 2_199_360)])
def test_the_origins_figures(cycles, multipliers, words):
    """Multipliers, and weights with the copies beside them: at the quarter rate both are those of
    the origin but for 432 multipliers of two depthwise units, whose nine taps are no multiple of
    what four cycles ask for."""
    foldings = fold(layer_table(1.0, 224), PRECISIONS["w16a16"], cycles)
    assert sum(row.multipliers for row in foldings) == multipliers
    assert sum(row.unit.weights * row.tile_out ** 2 for row in foldings) == words


def test_rates():
    assert tile_rates(224) == (49, 196, 784, 3136) and tile_rates(32) == (1, 4, 16, 64)
    assert tile_rates(100) == () == tile_rates(33)
    assert [tile_side(size, 196) for size in (224, 112, 28, 14, 7)] == [16, 8, 2, 1, 1]


@pytest.mark.parametrize("numbers", [(12, 5, 0, 3), (12, 3, 0, 3, 2), (12, 4, 4, 3),
                                     (12, 4, -1, 3)])
def test_tiles_that_do_not_fit_are_refused(numbers):
    with pytest.raises(ValueError, match="^a map of 12 pixels a side in tiles of .*: a tile "
                                         "divides the map, .* the creep is less than a tile$"):
        TileGeometry(*numbers)


def test_flushed():
    """Two frames of four tiles, a pause of one cycle between them, a tail of three."""
    beats = flushed(np.array([0, 1, 2, 3, 5, 6, 7, 8]), 4, 3)
    assert beats.cycles.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert beats.own.tolist() == [True] * 4 + [False] + [True] * 4 + [False] * 3


@pytest.mark.parametrize("creep, real, own", [
    (0, [0, 1, 2, 3], [1, 0, 0, 0]),    # of one tile all four pieces
    (3, [3], [1])])                     # the whole tile a row of tiles and one later
def test_cut(creep, real, own):
    geometry = TileGeometry(8, 4, creep, 3)
    found = cut(Beats(np.arange(5), np.array([1, 0, 0, 0, 0], bool)), geometry)
    assert found.cycles.tolist() == real and found.own.tolist() == [bool(v) for v in own]
