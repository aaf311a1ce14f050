"""Widths by unit for a budget of weight bits: where a bit takes away most of the loss."""
from collections.abc import Mapping, Sequence

from hdl.layers import WEIGHT_BITS, Precision, Unit

LOSS_OF_A_BIT = 4       # the power of a rounding error is a quarter with each bit: 6.02 dB


def check_budget(table: Sequence[Unit], budget: int) -> None:
    """Refuse a budget that the least widths exceed: ValueError."""
    weights = sum(unit.weights for unit in table)
    if budget < weights * WEIGHT_BITS[0]:
        raise ValueError(f"{budget} bits are fewer than {weights} weights of {WEIGHT_BITS[0]} bits "
                         f"take: give a budget of at least {weights * WEIGHT_BITS[0]}")


def least_loss(table: Sequence[Unit], measured: Precision, losses: Mapping[str, float],
               budget: int) -> dict[str, int]:
    """{convolution: bits of its weights} that take ``budget`` bits at most and lose least.

    losses -- {convolution: power of the error that its weights make at the widths ``measured``}

    From the least widths, the unit gets one more bit in which it takes away most of the sum of all
    losses for the memory that it takes, until no bit fits.  Raises ValueError as ``check_budget``.
    """
    check_budget(table, budget)
    units = [unit for unit in table if unit.weights]
    bits = {unit.name: WEIGHT_BITS[0] for unit in units}
    left = budget - sum(unit.weights * bits[unit.name] for unit in units)

    def gain(unit: Unit) -> float:
        """What one more bit takes away, for each bit of memory."""
        more = measured.of(unit.name).weight_bits - bits[unit.name]
        return losses[unit.name] * float(LOSS_OF_A_BIT) ** more / unit.weights

    while fitting := [unit for unit in units
                      if unit.weights <= left and bits[unit.name] < WEIGHT_BITS[-1]]:
        best = max(fitting, key=gain)
        bits[best.name] += 1
        left -= best.weights
    return bits
