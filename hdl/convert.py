"""Conversion to Verilog and VHDL: a module for each stage, a top that instantiates them by name.

MyHDL flattens what it converts, so every stage is converted by itself and the top is written here.
"""
import functools
import hashlib
import multiprocessing
import os
import shutil
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import myhdl
from filelock import FileLock
from myhdl import ToVerilogWarning, ToVHDLWarning
from myhdl.conversion._toVHDL import _package, _shortversion

from hdl.axis import AxiStream
from hdl.elaborate import clock_and_reset, fresh_elaboration
from hdl.mobilenet_v2 import by_stage, output_streams, stage_block
from hdl.vhdl import exact_vhdl, legal_names

TOP = "mobilenet_v2"
SUFFIX = {"Verilog": ".v", "VHDL": ".vhd"}
ABOUT_TOP = "MobileNetV2: pixels in, features out, every stage at work at the same time."
HERE = Path(__file__).resolve().parent


def convert_block(block, directory, name, hdl="Verilog"):
    """Write an elaborated ``block`` as module or entity ``name``; returns the files, its own last.

    The same block gives the same bytes in every process.
    """
    name_streams(block)
    order_registers(block)
    options = {"no_myhdl_header": True}
    if hdl == "Verilog":
        # What counts has a reset; that the rest needs no first value, simulators with unknown bits
        # show.
        options.update(testbench=False, initial_values=False)
    else:
        # Arithmetic of numeric_std reports unknown bits wherever they are.
        options.update(initial_values=True)
        legal_names(block)
    with warnings.catch_warnings(), exact_vhdl():
        warnings.simplefilter("ignore", ToVerilogWarning)
        warnings.simplefilter("ignore", ToVHDLWarning)
        block.convert(hdl=hdl, path=str(directory), name=name, **options)
    return [*packages(directory, hdl), Path(directory, name + SUFFIX[hdl])]


def packages(directory, hdl):
    """Files that every converted file needs, written into ``directory``: of VHDL one."""
    if hdl == "Verilog":
        return []
    file = Path(directory, f"pck_myhdl_{_shortversion}.vhd")
    file.write_text(_package)
    return [file]


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


def convert_stage(configs, directory, hdl="Verilog"):
    """Write one stage's HDL, ``<stage>.v`` or ``.vhd``; returns the files, its own last."""
    streams = output_streams(configs)
    function, arguments = stage_block(configs, streams)
    with fresh_elaboration():
        stage = function(*clock_and_reset(), AxiStream(*configs[0].stream_in()),
                         streams[configs[-1].unit.name], *arguments)
        return convert_block(stage, directory, configs[0].unit.stage, hdl)


def convert_network(configs, directory, cache, hdl="Verilog"):
    """Write the HDL of the network into ``directory``; returns its files, top last.

    Stages that ``cache``, a directory, has for the same structure and the same source are copied.
    """
    directory, grouped = Path(directory), by_stage(configs)
    Path(cache).mkdir(parents=True, exist_ok=True)
    with FileLock(Path(cache, ".lock")):    # another process may be at work on the same stages
        missing = [members for members in grouped.values()
                   if not cached_stage(members, cache, hdl).exists()]
        if len(missing) > 1:
            with ProcessPoolExecutor(min(os.cpu_count(), len(missing)),
                                     multiprocessing.get_context("spawn")) as pool:
                for job in [pool.submit(fill_cache, members, cache, hdl) for members in missing]:
                    job.result()
        elif missing:
            fill_cache(missing[0], cache, hdl)
    files = packages(directory, hdl)
    files += [shutil.copy(cached_stage(members, cache, hdl), directory / (stage + SUFFIX[hdl]))
              for stage, members in grouped.items()]
    if len(grouped) > 1:
        files.append(directory / (TOP + SUFFIX[hdl]))
        files[-1].write_text({"Verilog": top_verilog, "VHDL": top_vhdl}[hdl](grouped))
    return files


def cached_stage(configs, cache, hdl="Verilog"):
    """The file that holds a stage's HDL: its name is a digest of all that determines it."""
    sha256 = hashlib.sha256(source())
    for config in configs:
        sha256.update(repr(config.structure()).encode())
    return Path(cache, f"{configs[0].unit.stage}-{sha256.hexdigest()[:24]}{SUFFIX[hdl]}")


@functools.lru_cache
def source():
    """MyHDL's version and this package's source."""
    texts = [file.read_bytes() for file in sorted(HERE.glob("*.py"))]
    return b"\n".join([myhdl.__version__.encode(), *texts])


def fill_cache(configs, cache, hdl="Verilog"):
    """Convert a stage into the cache; a reader sees the whole file or none."""
    target = cached_stage(configs, cache, hdl)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        os.replace(convert_stage(configs, directory, hdl)[-1], target)


def memory_files(configs):
    """{file name: text} of the network's or stage's ``.mem`` files."""
    return {f"{rom.name}.mem": rom.mem() for config in configs
            for rom in (config.weights, config.scales) if rom}


def top_links(grouped):
    """Streams of the top: (name, width) of each stage's input, then the last stage's output."""
    stages = list(grouped)
    return [("s_axis", AxiStream(*grouped[stages[0]][0].stream_in()).width),
            *((f"{stage}_axis", AxiStream(*grouped[stage][-1].stream_out()).width)
              for stage in stages[:-1]),
            ("m_axis", AxiStream(*grouped[stages[-1]][-1].stream_out()).width)]


def stage_ports(source, sink, connect):
    """A stage's connections to the streams of those names; ``connect`` formats port and signal."""
    return ",\n".join("    " + connect(f"{side}_{member}", f"{link}_{member}")
                      for side, link in (("s_axis", source), ("m_axis", sink))
                      for member in ("tdata", "tvalid", "tready"))


def top_verilog(grouped):
    """Verilog of the module that joins the stages."""
    links = top_links(grouped)
    lines = [
        f"// {ABOUT_TOP}", "", "`timescale 1ns/10ps", "",
        f"module {TOP} (",
        "    input wire clk,",
        "    input wire rst,",
        f"    input wire [{links[0][1] - 1}:0] s_axis_tdata,",
        "    input wire s_axis_tvalid,",
        "    output wire s_axis_tready,",
        f"    output wire [{links[-1][1] - 1}:0] m_axis_tdata,",
        "    output wire m_axis_tvalid,",
        "    input wire m_axis_tready",
        ");", ""]
    for link, width in links[1:-1]:
        lines += [f"wire [{width - 1}:0] {link}_tdata;", f"wire {link}_tvalid, {link}_tready;"]
    for stage, (source, _), (sink, _) in zip(grouped, links, links[1:]):
        lines += ["", f"{stage} {stage}_stage (", "    .clk(clk),", "    .rst(rst),",
                  stage_ports(source, sink, ".{}({})".format), ");"]
    return "\n".join([*lines, "", "endmodule", ""])


def top_vhdl(grouped):
    """VHDL of the entity that joins the stages."""
    links = top_links(grouped)
    lines = [
        f"-- {ABOUT_TOP}", "",
        "library ieee;",
        "use ieee.std_logic_1164.all;",
        "use ieee.numeric_std.all;", "",
        f"entity {TOP} is",
        "    port (",
        "        clk : in std_logic;",
        "        rst : in std_logic;",
        f"        s_axis_tdata : in unsigned({links[0][1] - 1} downto 0);",
        "        s_axis_tvalid : in std_logic;",
        "        s_axis_tready : out std_logic;",
        f"        m_axis_tdata : out unsigned({links[-1][1] - 1} downto 0);",
        "        m_axis_tvalid : out std_logic;",
        "        m_axis_tready : in std_logic",
        "    );",
        "end entity;", "",
        f"architecture structure of {TOP} is"]
    for link, width in links[1:-1]:
        lines += [f"    signal {link}_tdata : unsigned({width - 1} downto 0);",
                  f"    signal {link}_tvalid, {link}_tready : std_logic;"]
    lines.append("begin")
    for stage, (source, _), (sink, _) in zip(grouped, links, links[1:]):
        lines += ["", f"{stage}_stage : entity work.{stage} port map (", "    clk => clk,",
                  "    rst => rst,", stage_ports(source, sink, "{} => {}".format) + ");"]
    return "\n".join([*lines, "", "end architecture;", ""])
