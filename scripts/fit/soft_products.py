"""Products without a multiplier: which of a design's are made of LUTs where a device has too few.

They are those one of whose factors, or of its parts, has fewer bits than it takes for all others to
fit; ``soft_products.v`` makes them.
"""
from collections.abc import Collection, Iterator

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


def narrowest(products: Collection[tuple[int, int]], has: int) -> int:
    """Bits of the narrowest factor that is worth a multiplier, so that a device with ``has`` of
    them has enough for ``products``, pairs of factors' bits, and some to spare."""
    return next(least for least in range(2, WIDEST + 2)
                if sum(multipliers(*each, least) for each in products) <= has * USABLE)


def divided(products: Collection[tuple[int, int]], has: int) -> Resources:
    """Multipliers of ``products`` on a device that has so many, and LUTs of what is left."""
    least = narrowest(products, has)
    soft = [part for each in products for part in parts(*each) if min(part) < least]
    return Resources(dsp=sum(multipliers(*each, least) for each in products),
                     lut=round(LUTS * sum(a * b for a, b in soft)))
