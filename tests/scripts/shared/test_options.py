"""The options that name a network."""
from dataclasses import fields, replace

import click
from click.testing import CliRunner

from golden.calibration import Calibration
from golden.network import Network
from hdl.layers import PRECISIONS
from scripts.shared.options import network_options


def named(*arguments):
    """The Network that a command's options give it."""
    given = []

    @click.command()
    @network_options
    def command(network):
        given.append(network)

    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return given.pop()


def test_every_field_is_an_option():
    """Without options it is the default row; each field's option changes that field alone."""
    assert named() == Network()
    for field, arguments, value in [
            ("alpha", ["--alpha", "0.35"], 0.35), ("resolution", ["--resolution", "33"], 33),
            ("precision", ["--precision", "w8a8"], PRECISIONS["w8a8"]),
            ("weights", ["--weights", "mine.h5"], "mine.h5"),
            ("calibration", ["--methods", "none"], Calibration(methods=()))]:
        assert named(*arguments) == replace(Network(), **{field: value})
    assert len(fields(Network)) == 5
