"""Fixtures that every test module shares."""
import os
from pathlib import Path

import numpy as np
import pytest

from hdl.sim import SIMULATORS
from tests.support.simulators import available


def pytest_addoption(parser):
    parser.addoption("--simulators", default="myhdl,verilator",
                     help="the simulators of tests marked 'simulator', of "
                          f"{','.join(SIMULATORS)} (default: %(default)s)")
    parser.addoption("--full", action="store_true",
                     help="run the tests marked 'full' too, which take hours")


def pytest_configure(config):
    os.environ.setdefault("MNV2_OPTIMISE", "-O0")    # most tests compile for longer than they run
    os.environ.setdefault("MNV2_BUILD_DIR", str(Path(__file__).parents[1] / "build"))
    for name in config.getoption("simulators").split(","):
        if name not in SIMULATORS:
            raise pytest.UsageError(f"--simulators: {name!r} is not one of "
                                    f"{', '.join(SIMULATORS)}")


def pytest_collection_modifyitems(config, items):
    """Leave out what only --full runs; begin with groups, which one process runs alone."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
    if not config.getoption("full"):
        long = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


def pytest_generate_tests(metafunc):
    """``simulator`` is each of --simulators in turn, ``hdl_simulator`` each that runs HDL."""
    names = metafunc.config.getoption("simulators").split(",")
    if "simulator" in metafunc.fixturenames:
        metafunc.parametrize("simulator", names, indirect=True)
    if "hdl_simulator" in metafunc.fixturenames:
        metafunc.parametrize("hdl_simulator", [n for n in names if n != "myhdl"], indirect=True)


def pytest_itemcollected(item):
    """Mark what depends on --simulators."""
    if {"simulator", "hdl_simulator", "simulators"} & set(item.fixturenames):
        item.add_marker("simulator")


@pytest.fixture(scope="module")
def golden_cache(tmp_path_factory):
    """A golden cache of the file's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def rng(request):
    """A generator seeded by the test's own name, so a failure repeats."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def simulator(request):
    """Name of each simulator in turn; a missing one is skipped, or failed where all are required
    (REQUIRE_SIMULATORS=1)."""
    return available(request.param)


@pytest.fixture
def hdl_simulator(request):
    """As ``simulator``, without MyHDL's own."""
    return available(request.param)


@pytest.fixture
def simulators(request):
    """Verilator and all of --simulators: those that have to agree."""
    others = request.config.getoption("simulators").split(",")
    return [available(name) for name in dict.fromkeys(("verilator", *others))]


@pytest.fixture
def verilator():
    """Skips the test without Verilator, as ``simulator`` does."""
    return available("verilator")
