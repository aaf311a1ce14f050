"""Conversion of the network: a module for each stage and a top that instantiates them by name.

MyHDL flattens what it converts, so every stage is converted by itself and the top is written here.
"""
import hashlib
import multiprocessing
import os
import shutil
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import myhdl
from myhdl import ToVerilogWarning

from hdl.axis import AxiStream
from hdl.elaborate import clock_and_reset, fresh_elaboration
from hdl.mobilenet_v2 import by_stage, output_streams, stage_block

TOP = "mobilenet_v2"
HERE = Path(__file__).resolve().parent


def convert_block(block, directory, name):
    """Write the Verilog of an elaborated ``block`` as module ``name``; returns the file.

    The same block gives the same bytes in every process.
    """
    name_streams(block)
    order_registers(block)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToVerilogWarning)
        block.convert(hdl="Verilog", path=str(directory), name=name, initial_values=True,
                      testbench=False, no_myhdl_header=True)
    return Path(directory, f"{name}.v")


def name_streams(block):
    """Name each stream's signals after the outermost block that has it: MyHDL names a signal
    after the first generator that uses it, however deep that is."""
    if not block.subs:
        return
    for name, value in block.subs[-1].callinfo.symdict.items():
        if isinstance(value, AxiStream):
            for member, signal in vars(value).items():
                if isinstance(signal, myhdl._Signal._Signal):
                    block.sigdict.setdefault(f"{name}_{member}", signal)
    for sub in block.subs:
        if isinstance(sub, myhdl._block._Block):
            name_streams(sub)


def order_registers(block):
    """Make conversion repeatable: MyHDL collects signals in the order of a set of names, which
    PYTHONHASHSEED shuffles; use the names' own order for resets and sensitivity lists."""
    for sub in block.subs:
        if isinstance(sub, myhdl._block._Block):
            order_registers(sub)
        elif isinstance(sub, myhdl._always_seq._AlwaysSeq):
            sub.sigregs[:] = _signals(sub, sub.outputs)
            sub.varregs.sort(key=lambda register: register[0])
        elif isinstance(sub, myhdl._always_comb._AlwaysComb):
            listed = {id(signal) for signal in sub.senslist}
            sub.senslist = tuple(s for s in _signals(sub, sub.inputs) if id(s) in listed)


def _signals(instance, names):
    """Signals of ``names`` in their order, memories as their elements."""
    found = []
    for name in sorted(names):
        value = instance.symdict[name]
        if isinstance(value, list):
            found.extend(value)
        elif isinstance(value, myhdl._Signal._Signal):
            found.append(value)
    return found


def convert_stage(configs, directory):
    """Write one stage's Verilog, ``<stage>.v``; returns the file."""
    streams = output_streams(configs)
    function, arguments = stage_block(configs, streams)
    with fresh_elaboration():
        stage = function(*clock_and_reset(), AxiStream(*configs[0].stream_in()),
                         streams[configs[-1].unit.name], *arguments)
        return convert_block(stage, directory, configs[0].unit.stage)


def convert_network(configs, directory, cache):
    """Write the Verilog of the network into ``directory``; returns its files, top last.

    Stages that ``cache``, a directory, has for the same structure and the same source are copied.
    """
    directory, grouped = Path(directory), by_stage(configs)
    missing = [members for members in grouped.values() if not cached_stage(members, cache).exists()]
    if len(missing) > 1:
        with ProcessPoolExecutor(min(os.cpu_count(), len(missing)),
                                 multiprocessing.get_context("spawn")) as pool:
            for job in [pool.submit(fill_cache, members, cache) for members in missing]:
                job.result()
    elif missing:
        fill_cache(missing[0], cache)
    files = [shutil.copy(cached_stage(members, cache), directory / f"{stage}.v")
             for stage, members in grouped.items()]
    if len(grouped) > 1:
        files.append(directory / f"{TOP}.v")
        files[-1].write_text(top_text(grouped))
    return files


def cached_stage(configs, cache):
    """The file that holds a stage's Verilog: its name is a digest of all that determines it."""
    sha256 = hashlib.sha256(f"{myhdl.__version__}\n".encode())
    for source in sorted(HERE.glob("*.py")):
        sha256.update(source.read_bytes())
    for config in configs:
        sha256.update(repr(config.structure()).encode())
    return Path(cache, f"{configs[0].unit.stage}-{sha256.hexdigest()[:24]}.v")


def fill_cache(configs, cache):
    """Convert a stage into the cache; a reader sees the whole file or none."""
    target = cached_stage(configs, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        os.replace(convert_stage(configs, directory), target)


def memory_files(configs):
    """{file name: text} of the network's or stage's ``.mem`` files."""
    return {f"{rom.name}.mem": rom.mem() for config in configs
            for rom in (config.weights, config.scales) if rom}


def top_text(grouped):
    """Verilog of the module that joins the stages."""
    stages = list(grouped)
    links = ["s_axis", *(f"{stage}_axis" for stage in stages[:-1]), "m_axis"]
    first, last = (AxiStream(*stream) for stream in (grouped[stages[0]][0].stream_in(),
                                                     grouped[stages[-1]][-1].stream_out()))
    lines = [
        "// MobileNetV2: pixels in, features out, every stage at work at the same time.", "",
        f"module {TOP} (",
        "    input wire clk,",
        "    input wire rst,",
        f"    input wire [{first.width - 1}:0] s_axis_tdata,",
        "    input wire s_axis_tvalid,",
        "    output wire s_axis_tready,",
        f"    output wire [{last.width - 1}:0] m_axis_tdata,",
        "    output wire m_axis_tvalid,",
        "    input wire m_axis_tready",
        ");", ""]
    for link, stage in zip(links[1:-1], stages):
        width = AxiStream(*grouped[stage][-1].stream_out()).width
        lines += [f"wire [{width - 1}:0] {link}_tdata;", f"wire {link}_tvalid, {link}_tready;"]
    for stage, source, sink in zip(stages, links, links[1:]):
        ports = [f"    .{side}_{member}({link}_{member})"
                 for side, link in (("s_axis", source), ("m_axis", sink))
                 for member in ("tdata", "tvalid", "tready")]
        lines += ["", f"{stage} {stage}_stage (", "    .clk(clk),", "    .rst(rst),",
                  ",\n".join(ports), ");"]
    return "\n".join([*lines, "", "endmodule", ""])
