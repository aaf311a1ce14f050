"""Send photos to a board with a bitstream of scripts.fit, and print what it finds in them.

The features that come back are averaged over the map. With --weights, a model with the 1000-class
top, they go through that top, and the likeliest classes are printed; else the largest features.
"""
import json
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from golden.classify import class_name, classify
from golden.photo import load_photo
from hdl.errors import ToolError
from scripts.shared.json_output import print_json
from scripts.shared.options import json_option, user_errors

SUMMARY = "summary.json"    # beside the bitstream
TRIES = 3                   # for a photo that the line has damaged
SPARE = 2.0                 # seconds that a reply may take beyond its time on the line
LARGEST = 5                 # classes or features that are printed
CRC_BYTES, STATUS_BYTES = 4, 1


@dataclass(frozen=True)
class Protocol:
    """What a bitstream expects and gives, the ``bitstream`` fields of its summary."""

    alpha: float
    resolution: int
    baud: int
    sync: bytes
    faults: tuple[str, ...]
    patience: float     # seconds
    features: tuple[int, int, int]
    kind: np.dtype      # of a feature
    scale: float

    @property
    def reply_bytes(self) -> int:
        """Of a whole reply behind its SYNC."""
        return int(np.prod(self.features)) * self.kind.itemsize + STATUS_BYTES + CRC_BYTES

    @property
    def seconds(self) -> float:
        """In which a photo goes out and its reply comes back, and some to spare."""
        count = 3 * self.resolution ** 2 + self.reply_bytes + 2 * (len(self.sync) + CRC_BYTES)
        return 10 * count / self.baud + self.patience + SPARE


def read_summary(folder: Path) -> Protocol:
    """The Protocol of the bitstream in a folder; ValueError where there is none."""
    try:
        fields = json.loads((folder / SUMMARY).read_text())["bitstream"]
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{folder / SUMMARY} is no summary of a bitstream: give --folder, what "
                         "python -m scripts.fit --bitstream has written with --out") from None
    return Protocol(fields["alpha"], fields["resolution"], fields["baud"],
                    bytes.fromhex(fields["sync"]), tuple(fields["faults"]),
                    fields["patience_seconds"], tuple(fields["features"]),
                    np.dtype(f"<u{fields['feature_bytes']}"), fields["feature_scale"])


def opened(port: str, baud: int) -> Any:
    """A serial port, by its name or a URL of pyserial; ToolError where it cannot be opened."""
    try:
        import serial
    except ModuleNotFoundError:
        raise ToolError("pyserial is not installed: pip install -e '.[fit]'") from None
    try:
        return serial.serial_for_url(port, baud, timeout=0.1)
    except (OSError, ValueError) as error:
        raise ToolError(f"port {port} cannot be opened ({error}): give --port, the board's serial "
                        "port, such as /dev/ttyUSB0") from None


def ask(line: Any, protocol: Protocol, photo: np.ndarray) -> np.ndarray:
    """Features (rows, columns, channels) of a photo, uint8 (R, R, 3), from a board.

    line -- a port of pyserial

    Raises ToolError where no reply comes, or TRIES of them tell of damage.
    """
    pixels = photo.tobytes()
    for _ in range(TRIES):
        line.reset_input_buffer()
        line.write(protocol.sync + pixels + zlib.crc32(pixels).to_bytes(CRC_BYTES, "little"))
        body = reply(line, protocol)
        damage = damage_of(body, protocol)
        if not damage:
            flat = np.frombuffer(body[:-STATUS_BYTES - CRC_BYTES], protocol.kind)
            return flat.reshape(protocol.features)
        time.sleep(protocol.patience)
    raise ToolError(f"the line damaged {TRIES} photos or replies, the last by {damage}: give a "
                    "bitstream with a lower --baud, or another cable")


def reply(line: Any, protocol: Protocol) -> bytes:
    """The bytes of a reply behind its SYNC; ToolError where they do not come in time."""
    begun, came = time.monotonic(), b""
    while time.monotonic() < begun + protocol.seconds:
        came += line.read(max(1, line.in_waiting))
        before, found, body = came.partition(protocol.sync)
        if found and len(body) >= protocol.reply_bytes:
            return body[:protocol.reply_bytes]
    if not came:
        raise ToolError(f"no reply came in {protocol.seconds:.1f} s: look whether the board has "
                        "this bitstream (its first LED is on), and whether --port is its port")
    raise ToolError(f"a reply of {len(came)} bytes came in {protocol.seconds:.1f} s, not of "
                    f"{protocol.reply_bytes + len(protocol.sync)}: the board has another "
                    "bitstream than the folder, or the line loses bytes")


def damage_of(body: bytes, protocol: Protocol) -> str:
    """What is wrong with a reply or the photo it is of, in words; "" for nothing."""
    message, status = body[:-CRC_BYTES], body[-CRC_BYTES - STATUS_BYTES]
    if zlib.crc32(message) != int.from_bytes(body[-CRC_BYTES:], "little"):
        return "a wrong checksum of the reply"
    return " and ".join(name for bit, name in enumerate(protocol.faults) if status >> bit & 1)


def findings(features: np.ndarray, protocol: Protocol,
             top: tuple[np.ndarray, np.ndarray] | None) -> list[dict[str, Any]]:
    """The likeliest classes by a top, or the largest channels of the averaged features."""
    values = features * protocol.scale
    if top:
        return [{"class": index, "name": class_name(index), "probability": probability}
                for index, probability in classify(values, *top, count=LARGEST)]
    means = values.mean(axis=(0, 1))
    return [{"feature": int(index), "value": float(means[index])}
            for index in np.argsort(-means, kind="stable")[:LARGEST]]


@click.command(help=__doc__)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--port", default="/dev/ttyUSB0", show_default=True,
              help="The board's serial port, or a URL of pyserial.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(__file__).parent,
              help="The bitstream's; without it the one that this script lies in.")
@click.option("--weights", default=None, metavar="[imagenet|PATH]",
              help="A model whose 1000-class top names what is seen; the bitstream's own.")
@click.option("--save", type=click.Path(path_type=Path), default=None, metavar="FILE",
              help="Keep the features, integers (rows, columns, channels), as a .npy file.")
@json_option
@user_errors
def main(photo: Path, port: str, folder: Path, weights: str | None, save: Path | None,
         as_json: bool) -> None:
    """Send a photo, tell what comes back."""
    protocol = read_summary(folder)
    pixels = load_photo(photo, protocol.resolution)
    top = None
    if weights:
        from golden.model import classifier
        top = classifier(weights, protocol.alpha)
        if top is None:
            raise ValueError(f"weights {weights} have no 1000-class top: leave --weights away, or "
                             "give a file with the whole network")
    with opened(port, protocol.baud) as line:
        begun = time.monotonic()
        features = ask(line, protocol, pixels)
        seconds = time.monotonic() - begun
    if save:
        np.save(save, features)
    found = findings(features, protocol, top)
    if as_json:
        print_json({"photo": str(photo), "seconds": seconds, "findings": found})
        return
    click.echo(f"{photo}, {seconds:.2f} s")
    for row in found:
        click.echo(f"  {row['class']:4} {row['name'] or ''} {row['probability']:.1%}"
                   if "class" in row else f"  feature {row['feature']:4} {row['value']:.4f}")


if __name__ == "__main__":
    main(prog_name="python -m scripts.fit.host")
