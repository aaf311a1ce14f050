"""The network of 32 x 32 that many tests share: its table, stored goldens and configured units."""
import functools
from pathlib import Path

from golden import store
from hdl.layers import PRECISIONS, layer_table, stages
from hdl.plan.config import by_stage, configure_network
from hdl.plan.network import plan_network

MIXED = "w6a8,depthwise=w8,head=w4,block_3_project=w11"     # widths by unit
GOLDENS = Path(__file__).parents[1] / "goldens"
RESOLUTION = 32
TABLE = layer_table(1.0, RESOLUTION)
STAGES = list(stages(TABLE))
RATES = [(224, 12_544), (224, 20_000), (224, 50_176), (224, 200_704), (224, 802_816),
         (224, 3_211_264), (96, 9216), (48, 2304), (33, 289), (33, 1089), (32, 256), (32, 1024),
         (32, 5000)]


@functools.lru_cache(maxsize=None)
def golden(precision):
    """The stored golden."""
    return store.read(GOLDENS / f"{precision}.h5", float=False)


@functools.lru_cache(maxsize=None)
def plan(precision, cycles=RESOLUTION ** 2):
    """The Plan at a rate, one pixel per clock."""
    return plan_network(TABLE, PRECISIONS[precision], cycles)


@functools.lru_cache(maxsize=None)
def configs(precision, cycles=RESOLUTION ** 2):
    """UnitConfig of every unit at a rate, one pixel per clock."""
    return configure_network(plan(precision, cycles).units, golden(precision).params)


def stage(name, precision="w8a8", cycles=RESOLUTION ** 2):
    """UnitConfig of every unit of one stage at a rate, one pixel per clock."""
    return by_stage(configs(precision, cycles))[name]
