"""What ``python -m scripts.bench`` times: each job in a process of its own, so that its peak memory
is its own and a time limit can end it.

``python -m scripts.bench.jobs JOB ARGUMENTS`` takes a JSON object and prints one: ``seconds`` is
a run's time or a list of them; what is compared is in ``elements`` and ``mismatches``.
"""
from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from golden import build as goldens
from golden import photo, store
from golden.metrics import sqnr_db
from golden.network import Network
from hdl.axis import AxiStream
from hdl.beats import payload
from hdl.blocks.stream import register_slice
from hdl.build import built_once, default_build_dir, digest
from hdl.convert.network import convert_network
from hdl.errors import ToolError
from hdl.plan.config import UnitConfig, configure_network, memory_files
from hdl.plan.network import plan_network
from hdl.shape import StreamShape
from hdl.sim.backends import BACKENDS, toolchain
from hdl.sim.backends.verilator import VERILATE
from hdl.sim.design import Design
from hdl.sim.design import simulate as run_design
from hdl.sim.endpoints import TIMEOUT, Sink, Source
from hdl.sim.memories import memory_directory
from hdl.sim.network import PATIENCE, frame_words, network_design, pace, values_of
from hdl.sim.trace import Run
from hdl.units.by_kind import BLOCKS

if TYPE_CHECKING:
    import keras as library
    from cocotb_tools.runner import Runner

MISSING = 3     # exit status of a job without its tool, which it has told in a sentence
INSTALL_BENCH = "pip install -e '.[bench]'"
# Those of our harness that are not given by cocotb's runner itself.
COCOTB_VERILATE = [option for option in VERILATE if option not in ("--cc", "--prefix", "Vmodel")]
LEAST_SQNR = 20     # dB of hls4ml's features against Keras's, below which they are something else
TIMESCALE = ("1ns", "1ps")


@dataclass(frozen=True)
class Case:
    """A design, the stream to send and the integers to receive."""

    design: Design
    words: np.ndarray       # payload of s_axis
    # {stream to compare: its integers in order}; the last is m_axis's or the last unit's
    expected: dict[str, np.ndarray]
    configs: tuple[UnitConfig, ...] = ()    # of a network, whose outputs are tiles
    pause: np.ndarray | None = None     # of the source
    timeout: int = TIMEOUT

    @property
    def features(self) -> np.ndarray:
        """What must leave by m_axis, integers (beats, lanes)."""
        return list(self.expected.values())[-1].reshape(-1, self.design.ports["m_axis"].shape.lanes)

    def ends(self) -> dict[str, Source | Sink]:
        """Source and sink for ``simulate``."""
        return {"s_axis": Source(self.words, self.pause), "m_axis": Sink(len(self.features))}

    def compare(self, run: Run) -> dict[str, int]:
        """How many integers were compared, and how many of them are not the golden's."""
        ports, units = self.design.ports, {config.unit.name: config for config in self.configs}
        wrong = 0
        for name, values in self.expected.items():
            found = values_of(run[name], units[name]) if name in units else \
                run[name].values(ports[name].shape).ravel()
            wrong += int((found != values).sum()) if found.size == values.size else values.size
        return {"elements": sum(map(np.size, self.expected.values())), "mismatches": wrong}


def case(alpha: float = 1.0, resolution: int = 224, cycles: int | None = None,
         unit: str | None = None, frames: int = 1) -> Case:
    """The Case of a network, or of one unit of it.

    alpha, resolution, cycles -- of the network; cycles for a frame, None: one pixel per clock
    unit   -- name of a unit to run by itself, as fast as it can, or ``register_slice``, the
              smallest block there is, which passes the pixels on
    frames -- the photo so many times
    """
    if unit == "register_slice":
        pixels = goldens.photos.pixels_to_integers(goldens.as_image(None, resolution))
        return block_case(register_slice, StreamShape(3, 9), StreamShape(3, 9), pixels, pixels)
    network = Network(alpha, resolution)
    golden, cycles = read_golden(network), cycles or network.pixels
    configs = network_configs(network, cycles)
    if unit:
        place = [config.unit.name for config in configs].index(unit)
        config, before = configs[place], configs[place - 1].unit.name
        return block_case(BLOCKS[config.unit.kind], config.stream_in(), config.stream_out(),
                          golden.fixed[before], golden.fixed[unit], config)
    design = network_design(configs)
    source = design.ports["s_axis"].shape
    words = frame_words(source, np.stack([golden.fixed["input"]] * frames))
    return Case(design, words, {name: np.tile(golden.fixed[name].ravel(), frames)
                                for name in design.monitors},
                configs, pace(len(words) // frames, cycles), PATIENCE * cycles)


def block_case(block: Callable, stream_in: StreamShape, stream_out: StreamShape, sent: np.ndarray,
               expected: np.ndarray, config: UnitConfig | None = None) -> Case:
    """The Case of one block between two streams.

    sent, expected -- integers of s_axis and of m_axis, in order
    config         -- UnitConfig of a unit's block, None: the block has none
    """
    ports = {"s_axis": AxiStream(stream_in), "m_axis": AxiStream(stream_out)}
    design = Design(block, {**ports, "config": config} if config else ports,
                    memories=memory_files([config] if config else []))
    return Case(design, payload(ports["s_axis"].shape, sent), {"m_axis": expected.ravel()})


def network_configs(network: Network, cycles: int | None = None) -> tuple[UnitConfig, ...]:
    """UnitConfig of every unit of a network, with the golden's integers."""
    plan = plan_network(network.table, network.precision, cycles or network.pixels)
    return configure_network(plan.units, read_golden(network).params)


def read_golden(network: Network) -> store.Golden:
    """The cached golden of the photo."""
    return store.read(goldens.cached(network)[0])


def golden(alpha: float, resolution: int) -> dict[str, float]:
    """Both Keras networks made, calibrated and run, from the import of TensorFlow on."""
    started = time.perf_counter()
    goldens.build(Network(alpha, resolution))
    return {"seconds": time.perf_counter() - started}


def cache_golden(alpha: float, resolution: int) -> dict[str, float]:
    """Have the golden, for all jobs that read it."""
    read_golden(Network(alpha, resolution))
    return {}


def convert(alpha: float = 1.0, resolution: int = 224,
            cycles: int | None = None) -> dict[str, float]:
    """MyHDL to Verilog, anew."""
    configs = network_configs(Network(alpha, resolution), cycles)
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        files = convert_network(configs, directory, Path(directory, "cache"))
        return {"seconds": time.perf_counter() - started,
                "bytes": sum(Path(file).stat().st_size for file in files)}


def simulate(simulator: str, **which: Any) -> dict[str, Any]:
    """One of our own simulators; every unit's output is compared."""
    todo = case(**which)
    run = run_design(simulator, todo.design, todo.ends(), timeout=todo.timeout)
    built = {} if run.build.get("reused") else {"build_seconds": run.build.get("seconds")}
    return {"seconds": run.seconds, "cycles": run.cycles, **built, **todo.compare(run)}


def cocotb(simulator: str, **which: Any) -> dict[str, Any]:
    """cocotb's own runner on the same Verilog; the features are compared in its testbench.

    Raises ToolError where cocotb or the simulator is missing or fails.
    """
    runner, todo = cocotb_runner(simulator), case(**which)
    work = default_build_dir("cocotb") / digest("cocotb", simulator, json.dumps(which))
    work, built = work.resolve(), {}
    try:
        built_once(work, lambda fresh: built.update(cocotb_build(runner, simulator, todo, fresh)))
        result = work / "result.json"
        result.unlink(missing_ok=True)
        runner.test("scripts.bench.cocotb_bench", (work / "top").read_text(),
                    hdl_toplevel_lang="verilog", build_dir=work / "sim", test_dir=work,
                    timescale=TIMESCALE, log_file=work / "test.log",
                    extra_env={"BENCH_DATA": str(work / "data.npz"), "BENCH_RESULT": str(result)})
        return json.loads(result.read_text()) | {"elements": todo.features.size} | built
    except (RuntimeError, SystemExit, FileNotFoundError) as error:
        raise ToolError(f"cocotb with {simulator} does not run it: {error}") from None


def cocotb_runner(simulator: str) -> Runner:
    """cocotb's runner, with the tools that it needs; ToolError without them."""
    if importlib.util.find_spec("cocotb") is None:
        raise ToolError(f"cocotb is not installed: {INSTALL_BENCH}")
    BACKENDS[simulator].find()
    if simulator == "verilator":
        os.environ.update(toolchain.find().environment())
    os.environ.pop("PYTEST_CURRENT_TEST", None)     # the runner would write elsewhere
    from cocotb_tools.runner import get_runner
    return get_runner(simulator)


def cocotb_build(runner: Runner, simulator: str, todo: Case, fresh: Path) -> dict[str, float]:
    """Build a Case into the folder ``fresh``; returns how long the runner took."""
    files, top = todo.design.convert(fresh)
    with memory_directory((), todo.design.memories) as memories:
        shutil.copytree(memories, fresh, dirs_exist_ok=True)
    np.savez(fresh / "data.npz", words=todo.words,
             expected=payload(todo.design.ports["m_axis"].shape, todo.features))
    (fresh / "top").write_text(top)
    options = [*COCOTB_VERILATE, "-CFLAGS", "-w"] if simulator == "verilator" else []
    started = time.perf_counter()
    runner.build(sources=files, hdl_toplevel=top, build_dir=fresh / "sim", build_args=options,
                 timescale=TIMESCALE, log_file=fresh / "build.log")
    return {"build_seconds": time.perf_counter() - started}


def keras(alpha: float, resolution: int, model: str, repeats: int) -> dict[str, Any]:
    """Keras itself: the ``float`` network in float32, or the ``fixed`` one of the goldens."""
    network = Network(alpha, resolution)
    reference = goldens.Reference(network)
    import tensorflow
    image = goldens.as_image(None, resolution)
    running, pixels = {
        "float": (reference.float_model, photo.pixels_to_floats(image[None])),
        "fixed": (reference.fixed_model,
                  goldens.photos.pixels_to_integers(image)[None].astype(np.float64))}[model]
    # Features only, as a graph: what a user of the network runs.
    import keras as library
    last = list(reference.dtypes)[-1]
    features = library.Model(running.input, running.output[last])
    call = tensorflow.function(lambda values: features(values, training=False))
    pixels = tensorflow.constant(pixels)
    found = call(pixels).numpy()
    stored = read_golden(network)
    expected = getattr(stored, model)[last][None]
    # Graph and eager mode may fuse, and so round, float32 differently.
    equal = (found == expected) if model == "fixed" else np.isclose(found, expected, atol=1e-3)
    return {"seconds": timed(lambda: call(pixels).numpy(), repeats), "elements": found.size,
            "mismatches": int((~equal).sum())}


def timed(call: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each of ``repeats`` calls."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def hls4ml(alpha: float, resolution: int, repeats: int, last: str | None = None) -> dict[str, Any]:
    """hls4ml's bit-accurate C model of the same topology, 16 bits, streams, strategy Resource.

    last -- name of the layer to end with, None: the whole network

    Raises ToolError where hls4ml is missing or its model is not Keras's network.
    """
    if importlib.util.find_spec("hls4ml") is None:
        raise ToolError(f"hls4ml is not installed: {INSTALL_BENCH}")
    import hls4ml as peer
    network = hls4ml_network(alpha, resolution, last)
    pixels = photo.pixels_to_floats(goldens.as_image(None, resolution)[None])
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        config = peer.utils.config_from_keras_model(
            network, granularity="name", backend="Vitis", default_precision="fixed<16,6>")
        config["Model"] |= {"Strategy": "Resource", "ReuseFactor": 1}
        for layer in config["LayerName"].values():
            for part in {"weight", "bias"} & set(layer["Precision"]):
                # Cut off in place of rounded, a thousand small weights shift a sum by a quarter.
                layer["Precision"][part] = "fixed<16,6,RND>"
        model = peer.converters.convert_from_keras_model(
            network, hls_config=config, output_dir=directory, backend="Vitis",
            io_type="io_stream")
        converted = time.perf_counter()
        model.compile()
        compiled = time.perf_counter()
        features = model.predict(pixels)    # the first call reads the weights from text files
        loaded = time.perf_counter()
        seconds = timed(lambda: model.predict(pixels), repeats)
    expected = np.asarray(network(pixels, training=False))
    error = sqnr_db(expected.ravel(), np.asarray(features).ravel(), 1.0)
    if error < LEAST_SQNR:
        raise ToolError(f"hls4ml's model is not Keras's network: {error:.1f} dB, less than "
                        f"{LEAST_SQNR}")
    return {"seconds": seconds, "convert_seconds": converted - started,
            "build_seconds": compiled - converted, "load_seconds": loaded - compiled,
            "sqnr_db": error}


def hls4ml_network(alpha: float, resolution: int, last: str | None) -> library.Model:
    """The Keras network as hls4ml 1.3 takes it and gets it right: no maximum in a ReLU, which it
    refuses, and batch norms folded, which it scales by the wrong axis after a depthwise one."""
    import keras as library

    from golden.fold import fold as folded
    from golden.graph import trace
    from golden.model import float_model
    network = float_model(alpha, resolution)
    copy = library.models.clone_model(
        network, clone_function=plain_copy,
        call_function=lambda layer, inputs, **_:
            inputs if isinstance(layer, library.layers.BatchNormalization) else layer(inputs))
    for node in trace(network).values():
        if node.convolution:
            weights, bias = folded(node)
            copy.get_layer(node.convolution.name).set_weights(
                [weights.reshape(node.convolution.kernel.shape), bias])
    return library.Model(copy.input, copy.get_layer(last).output) if last else copy


def plain_copy(layer: library.layers.Layer) -> library.layers.Layer:
    """A copy of a Keras layer: a convolution with a bias, a ReLU without a maximum."""
    changes = {"use_bias": True, "max_value": None}
    config = layer.get_config()
    return type(layer).from_config(
        config | {name: value for name, value in changes.items() if name in config})


JOBS = {job.__name__: job
        for job in (cache_golden, golden, convert, simulate, cocotb, keras, hls4ml)}


def main(name: str, arguments: str) -> None:
    """Do one job; its result is the last line on stdout."""
    try:
        result = JOBS[name](**json.loads(arguments))
    except ToolError as missing:
        print(json.dumps({"error": " ".join(str(missing).split())}))
        sys.exit(MISSING)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
