"""Products without a multiplier: which of a design's are made of LUTs where a device has too few.

They are those one of whose factors, or of its parts, has fewer bits than it takes for all others to
fit; ``soft_products.v`` makes them.
"""
from collections.abc import Iterator, Mapping

from scripts.fit.families import Resources

WIDEST = 18     # bits of a multiplier's factors
USABLE = 0.95   # of the multipliers: routers need room
LUTS = 1.8      # of soft_products.v, for a bit of one factor and a bit of the other


def parts(a: int, b: int) -> Iterator[tuple[int, int]]:
    """Bits of the factors of each part that a product of ``a`` and ``b`` bits is cut into."""
    for one in range(0, a, WIDEST):
        for other in range(0, b, WIDEST):
            yield min(WIDEST, a - one), min(WIDEST, b - other)


def multipliers(a: int, b: int, least: int) -> int:
    """Multipliers of a product of ``a`` and ``b`` bits where parts of fewer bits than ``least``
    are made of LUTs."""
    return sum(min(part) >= least for part in parts(a, b))


def narrowest(products: Mapping[tuple[int, int], int], has: int) -> int:
    """Bits of the narrowest factor that is worth a multiplier, so that a device with ``has`` of
    them has enough and some to spare.

    products -- {bits of both factors: how many such products}
    """
    return next(least for least in range(2, WIDEST + 2)
                if sum(multipliers(*each, least) * number for each, number in products.items())
                <= has * USABLE)


def divided(products: Mapping[tuple[int, int], int], has: int) -> Resources:
    """Multipliers of ``products`` on a device that has so many, and LUTs of what is left."""
    least = narrowest(products, has)
    bits = sum(a * b * number for each, number in products.items() for a, b in parts(*each)
               if min(a, b) < least)
    return Resources(dsp=sum(multipliers(*each, least) * number
                             for each, number in products.items()), lut=round(LUTS * bits))
