"""Every stage at its true channels, against the stored goldens, in every simulator.

Both sides stall at random, independently; the output of every unit inside the stage is compared.
"""
import numpy as np
import pytest

from hdl.plan.config import by_stage
from hdl.sim.network import compare, products, run_frames
from tests.support.bench import agree
from tests.support.networks import STAGES, TABLE, configs, golden


def check(simulator, precision, stage, seed):
    """Run one stage on its golden input; every unit's output is the golden's.  Returns the Run."""
    units, data = by_stage(configs(precision))[stage], golden(precision).fixed
    names = ["input", *(unit.name for unit in TABLE)]
    source = names[names.index(units[0].unit.name) - 1]
    run, outputs = run_frames(simulator, units, data[source][None], seed, timeout=20_000)
    assert products(units, run) == {config.unit.name: config.unit.macs for config in units}
    for unit in (config.unit for config in units):
        found = compare(unit, data[unit.name][None], outputs[unit.name])
        assert found.elements == np.prod(data[unit.name].shape)
        assert found.mismatches == 0, str(found.first)
    return run


@pytest.mark.parametrize("stage", STAGES)
def test_w8a8_under_random_stalls(simulator, stage):
    check(simulator, "w8a8", stage, seed=STAGES.index(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_w16a16_under_random_stalls(simulator, stage):
    check(simulator, "w16a16", stage, seed=100 + STAGES.index(stage))


@pytest.mark.parametrize("stage", ["stem", "expanded_conv", "block_3", "block_15", "head"])
def test_simulators_agree_on_every_cycle(simulators, stage):
    one, *others = [check(simulator, "w8a8", stage, seed=3) for simulator in simulators]
    for other in others:
        agree(one, other)
