"""Simulators that are there, or a visible skip."""
import os

import pytest

from hdl.errors import ToolError
from hdl.sim.design import require

# A folder's name with all that means something to a shell, to make, to C or to a simulator.
ODD = os.fsdecode("a b $HOME `id` ' \" \\ é # ; (a) ,:@*~%\nx ".encode() + b"\xe9")


def available(simulator):
    """The simulator's name; skip, or fail, with the sentence that says what is missing."""
    try:
        require(simulator)
    except ToolError as missing:
        if os.environ.get("REQUIRE_SIMULATORS") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    return simulator
