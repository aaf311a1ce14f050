"""Every backend keeps the contract."""
import inspect

import pytest

from hdl.build import Built
from hdl.sim import SIMULATORS
from hdl.sim.backends import BACKENDS
from hdl.sim.backends.backend import Backend


def asked(function):
    """(name, kind, default) of all parameters of a function but a method's ``self``."""
    return [(each.name, each.kind, each.default)
            for each in inspect.signature(function).parameters.values() if each.name != "self"]


def test_a_backend_for_every_simulator_of_hdl():
    assert sorted(["myhdl", *BACKENDS]) == sorted(SIMULATORS)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("call", ["find", "build", "run"])
def test_contract(name, call):
    """It has the contract's calls, with parameters of the same names, in the same order."""
    assert asked(getattr(BACKENDS[name], call)) == asked(getattr(Backend, call))


@pytest.mark.parametrize("name", BACKENDS)
def test_its_own_model_is_built(name):
    model = BACKENDS[name].Model
    assert issubclass(model, Built)
    assert inspect.signature(BACKENDS[name].build).return_annotation is model
