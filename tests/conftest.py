"""Fixtures that every test module shares."""
import os

import numpy as np
import pytest

from hdl.sim import SIMULATORS, SimulatorError, toolchain


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name, so a failure repeats."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture(params=SIMULATORS)
def simulator(request):
    """Name of each simulator in turn; a missing one is skipped, or failed where all are required
    (REQUIRE_SIMULATORS=1)."""
    if request.param == "verilator":
        require(toolchain.find)
    return request.param


@pytest.fixture
def verilator():
    """Skips the test without Verilator, as ``simulator`` does."""
    require(toolchain.find)


def require(find):
    """Skip, or fail, with the sentence in which ``find`` says what is missing."""
    try:
        find()
    except SimulatorError as missing:
        if os.environ.get("REQUIRE_SIMULATORS") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
