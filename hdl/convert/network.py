"""The network's HDL: every stage converted once and kept, and the top that joins them."""
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import myhdl
from filelock import FileLock

from hdl.build import in_processes, make_writable
from hdl.convert.stage import SUFFIX, convert_stage, packages
from hdl.convert.top import TOP, top_verilog, top_vhdl
from hdl.plan.config import UnitConfig, by_stage

HDL = Path(__file__).resolve().parents[1]


def convert_network(configs: Sequence[UnitConfig], directory: str | Path, cache: str | Path,
                    hdl: str = "Verilog") -> list[Path]:
    """Write the HDL of the network into ``directory``; returns its files, top last.

    Stages that ``cache``, a directory, has for the same structure and the same source are copied.
    """
    directory, grouped = Path(directory), by_stage(configs)
    missing = [members for members in grouped.values()
               if not cached_stage(members, cache, hdl).exists()]
    if missing:
        make_writable(Path(cache))
    in_processes(fill_cache, [(members, cache, hdl) for members in missing])
    files = packages(directory, hdl)
    for stage, members in grouped.items():
        files.append(directory / (stage + SUFFIX[hdl]))
        shutil.copy(cached_stage(members, cache, hdl), files[-1])
    if len(grouped) > 1:
        files.append(directory / (TOP + SUFFIX[hdl]))
        files[-1].write_text({"Verilog": top_verilog, "VHDL": top_vhdl}[hdl](grouped))
    return files


def cached_stage(configs: Sequence[UnitConfig], cache: str | Path, hdl: str = "Verilog") -> Path:
    """The file that holds a stage's HDL: its name is a digest of all that determines it."""
    sha256 = hashlib.sha256(source())
    for config in configs:
        sha256.update(repr(config.structure()).encode())
    return Path(cache, f"{configs[0].unit.stage}-{sha256.hexdigest()[:24]}{SUFFIX[hdl]}")


@functools.lru_cache
def source() -> bytes:
    """MyHDL's version and this package's source."""
    texts = [file.read_bytes() for file in sorted(HDL.rglob("*.py"))]
    return b"\n".join([myhdl.__version__.encode(), *texts])


def fill_cache(configs: Sequence[UnitConfig], cache: str | Path, hdl: str = "Verilog") -> None:
    """Convert a stage into the cache; a reader sees the whole file or none.

    Of processes that want the same stage, one converts it while the others wait.
    """
    target = cached_stage(configs, cache, hdl)
    with FileLock(f"{target}.lock"):
        if not target.exists():
            convert_into(target, configs, cache, hdl)


def convert_into(target: Path, configs: Sequence[UnitConfig], cache: str | Path, hdl: str) -> None:
    """Convert a stage beside its file, and put it there when it is complete."""
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        os.replace(convert_stage(configs, directory, hdl)[-1], target)
