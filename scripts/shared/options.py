"""The command-line options that several commands share, one spelling each.

Every command is ``@click.command() @alpha_option ... @user_errors def main(...)``: the options give
it Python values (a precision is its ``Precision`` row) and ``user_errors`` tells bad input or a
tool that fails in one sentence on stderr, with exit status 2, and a check that fails with status 1.
"""
import functools
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from golden.calibration import METHODS, Calibration
from golden.network import Network
from hdl.errors import SimulationError, ToolError
from hdl.layers import ALPHAS, precision
from hdl.sim import SIMULATORS

INTERRUPTED = 128 + signal.SIGINT    # exit status

P = ParamSpec("P")
T = TypeVar("T")


class UserError(click.ClickException):
    """Bad input, or a tool that is missing or fails: one sentence, exit status 2."""

    exit_code = 2


class CheckFailed(click.ClickException):
    """What was checked does not hold: one sentence, exit status 1."""


def user_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Tell what ends the function in one sentence, without a traceback: a refusal (ValueError,
    OSError, ToolError) as a UserError, a simulation's finding (SimulationError) as a
    CheckFailed, and Ctrl-C with a shell's usual status."""
    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except OSError as error:
            sentence = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise UserError(one_line(sentence)) from error
        except (ValueError, ToolError) as error:
            raise UserError(one_line(str(error))) from error
        except SimulationError as error:
            raise CheckFailed(one_line(str(error))) from error
        except KeyboardInterrupt:
            click.echo("Interrupted: the same command goes on from what is complete.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
    return wrapper


def one_line(text: str) -> str:
    """A text with its lines joined."""
    return " ".join(text.split())


alpha_option = click.option(
    "--alpha", type=float, default=1.0, show_default=True,
    help=f"Width multiplier, one of Keras's {', '.join(map(str, ALPHAS))}.")

resolution_option = click.option(
    "--resolution", type=int, default=224, show_default=True,
    help="Height and width of the input, in pixels.")

precision_option = click.option(
    "--precision", default="w16a16", show_default=True, metavar="wWaA[lL][,UNIT=wW]...",
    callback=lambda context, parameter, name: user_errors(precision)(name),
    help="Bits of weights, ReLU6 activations and linear ones: w16a16, w8a8, w12a8, w8a10l14; then "
         "bits of the weights of kinds, roles or units: w6a8,depthwise=w8,head=w4.")

weights_option = click.option(
    "--weights", default="seeded", show_default=True, metavar="[seeded|imagenet|PATH]",
    help="Weights: deterministic ones made here, Keras's download, or an .h5 or .keras file.")


def calibration_options(command: Callable[..., T]) -> Callable[..., T]:
    """--calibration and --methods, given to the command as one Calibration."""
    @click.option("--calibration", default=None, metavar="FOLDER",
                  type=click.Path(path_type=Path),
                  help="Photos that ranges and roundings come from; without it some that "
                       "scikit-image ships.")
    @click.option("--methods", default=",".join(METHODS), show_default=True,
                  help="What rounds weights and biases: compensate (each weight makes up for the "
                       "rounding of those before it), correct (biases keep every channel's mean), "
                       "both, or none.")
    @functools.wraps(command)
    def wrapper(*args: Any, calibration: Path | None, methods: str, **kwargs: Any) -> T:
        return command(*args, calibration=chosen_calibration(calibration, methods), **kwargs)
    return wrapper


@user_errors
def chosen_calibration(folder: Path | None, methods: str) -> Calibration:
    """The Calibration of the two options, its photos listed once to see that there are some.

    Raises UserError for a folder without photos or an unknown method.
    """
    calibration = Calibration(folder, () if methods == "none" else tuple(methods.split(",")))
    calibration.names()
    return calibration


def as_network(command: Callable[..., T]) -> Callable[..., T]:
    """Those of the options below that a command has, given to it as one Network."""
    names = [field.name for field in fields(Network)]

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> T:
        named = {name: options.pop(name) for name in names if name in options}
        return command(*args, network=user_errors(Network)(**named), **options)
    return wrapper


def keep_in(context: click.Context, parameter: click.Parameter, folder: Path | None) -> None:
    """Have this process and those that it starts keep everything in a folder."""
    if folder:
        os.environ["MNV2_CACHE_DIR"] = str(folder.absolute())
        os.environ.pop("MNV2_BUILD_DIR", None)


cache_option = click.option(
    "--cache", type=click.Path(path_type=Path), default=None, metavar="FOLDER",
    callback=keep_in, expose_value=False,
    help="Where goldens, converted text and compiled models are kept and found again; without it "
         "the user's cache.")


def network_options(command: Callable[..., T]) -> Callable[..., T]:
    """Which network: all that determines its integers, given to the command as one Network."""
    for option in (as_network, cache_option, calibration_options, weights_option, precision_option,
                   resolution_option, alpha_option):
        command = option(command)
    return command


class Cycles(click.ParamType):
    """FROM:TO, the cycles from FROM to before TO; either may be left away."""

    name = "FROM:TO"

    def convert(self, value: Any, parameter: click.Parameter | None,
                context: click.Context | None) -> range:
        if isinstance(value, range):
            return value
        parts = re.fullmatch(r"(\d*):(\d*)", value)
        cycles = parts and range(int(parts[1] or 0), int(parts[2] or sys.maxsize))
        if not cycles:
            raise UserError(f"cycles {value} are not FROM:TO, two whole numbers, FROM the lesser: "
                            "give them like 1000:2000, 1000: or :2000")
        return cycles


def wave_options(command: Callable[..., T]) -> Callable[..., T]:
    """--wave, --wave-cycles and --trace."""
    for option in (
            click.option("--trace", type=click.Path(path_type=Path), default=None,
                         metavar="FILE.json",
                         help="Write when each unit works, waits and is idle, for Perfetto."),
            click.option("--wave-cycles", type=Cycles(), default=f":{sys.maxsize}",
                         help="Cycles that the wave has, from FROM to before TO; without it all."),
            click.option("--wave", type=click.Path(path_type=Path), default=None,
                         metavar="FILE.vcd|FILE.fst",
                         help="Write what every stream did in every cycle, for GTKWave or "
                              "Surfer.")):
        command = option(command)
    return command


cycles_per_frame_option = click.option(
    "--cycles-per-frame", type=click.IntRange(min=1), default=None,
    help="Clock cycles for a frame; without it resolution squared, one pixel per clock.")

pairs_option = click.option(
    "--pairs", type=click.IntRange(min=1), default=None, metavar="BITS",
    help="Make two products in one multiplier where two outputs multiply the same input and both "
         "fit; BITS is how wide a factor of the device's multipliers is, 27 on UltraScale+, 25 on "
         "7-series. Without it each product has a multiplier.")

simulator_option = click.option(
    "--simulator", type=click.Choice(SIMULATORS), default="verilator", show_default=True,
    help="What runs the design.")

seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=None,
    help="Seed of everything random in the run: with it both sides stall at random.")

out_option = click.option(
    "--out", type=click.Path(path_type=Path), default=None,
    help="Where to write the result.")

hdl_option = click.option(
    "--hdl", type=click.Choice(["verilog", "vhdl"]), default="verilog", show_default=True,
    callback=lambda context, parameter, name: {"verilog": "Verilog", "vhdl": "VHDL"}[name],
    help="The language.")

json_option = click.option(
    "--json", "as_json", is_flag=True,
    help="Print one JSON object, for programs, in place of tables.")
