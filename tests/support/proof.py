"""Proofs: properties of a converted block that hold for any input whatever, by induction.

The block is converted and flattened, an observer in Verilog says what has to hold, and Yosys's SAT
solver shows that nothing the block can be brought to breaks it (``sat -tempinduct``): no property
is broken in the cycles after reset, and none a cycle after any state in which all of them hold.
"""
import inspect
import re
from pathlib import Path

from hdl.axis import AxiStream
from hdl.convert.block import convert_block
from hdl.myhdl_fixes.elaborate import clock_and_reset, fresh_elaboration
from scripts.shared.yosys import YosysError, yosys

DEPTH = 16      # cycles of induction at most
FIRST = """
reg started = 0;    // the state before the first reset is any
always @(posedge clk) started <= 1;
always @* assume (started || rst);
"""


def contract(name, shape, given):
    """The rule of one stream: offered, a beat stays as it is until it is taken; the block's inputs
    keep it by assumption."""
    payload = ", ".join(f"{name}_{member}" for member in ("tdata", *shape.marks))
    keeps = f"{name}_tvalid && {{{payload}}} == {name}_before"
    return f"""
reg {name}_waits = 0;
reg [{shape.payload_width - 1}:0] {name}_before;
always @(posedge clk) begin
    {name}_waits <= {name}_tvalid && !{name}_tready && !rst;
    {name}_before <= {{{payload}}};
end
always @* if (started && {name}_waits) {'assert' if given else 'assume'} ({keeps});
"""


def observer(clocked, streams, inner, properties):
    """The module that holds the block and what is proven of it.

    clocked -- those of clk and rst that the block takes
    streams -- {port: (stream, whether the block gives it)}
    inner   -- {name in the observer: (name in the flattened block, bits)}
    """
    ports, wires, links = ["input clk", "input rst"], [], [f".{name}({name})" for name in clocked]
    for name, (stream, given) in streams.items():
        for member, signal in stream.signals().items():
            way = given == (member != "tready")
            width = f"[{len(signal) - 1}:0] " if member == "tdata" else ""
            (wires if way else ports).append(f"{'wire' if way else 'input'} {width}{name}_{member}")
            links.append(f".{name}_{member}({name}_{member})")
    for name, (found, bits) in inner.items():
        wires.append(f"wire [{bits - 1}:0] {name}")
        links.append(f".\\{found} ({name})")
    body = "".join(f"{wire};\n" for wire in wires)
    rules = "".join(contract(name, stream.shape, given)
                    for name, (stream, given) in streams.items())
    return (f"module observer ({', '.join(ports)});\n{body}dut block ({', '.join(links)});\n"
            f"{FIRST}{rules}{properties}\nendmodule\n")


def prove(directory, block, arguments, inner=None, properties=""):
    """Show that a block keeps the streams' contract and ``properties``; YosysError where it does
    not, or where that does not follow.

    arguments  -- {name: AxiStream, signal or parameter}, by the block's names
    inner      -- {name in the properties: (wire of the flattened block, bits)}
    properties -- Verilog beside the block; its streams' signals are named as its ports
    """
    with fresh_elaboration():
        named = dict(zip(("clk", "rst"), clock_and_reset()))
        ports = inspect.signature(block.func).parameters
        named = {name: signal for name, signal in named.items() if name in ports}
        files = convert_block(block(**named, **arguments), directory, "dut")
    header = files[-1].read_text()
    streams = {name: (stream, re.search(rf"output \w+ {name}_tvalid\b", header) is not None)
               for name, stream in arguments.items() if isinstance(stream, AxiStream)}
    inner = inner or {}
    Path(directory, "observer.sv").write_text(observer(named, streams, inner, properties))
    said = yosys(
        directory, *(f"read_verilog -sv {file.name}" for file in files), "hierarchy -top dut",
        "proc", "flatten", "memory", "opt_clean",
        *(f"expose dut/w:{wire}" for wire, _ in inner.values()),
        "read_verilog -formal -sv observer.sv", "hierarchy -top observer", "proc", "flatten",
        "opt -full", "chformal -lower",
        f"sat -tempinduct -prove-asserts -set-assumes -seq 1 -maxsteps {DEPTH} -verify observer")
    if "Induction step proven: SUCCESS!" not in said:
        raise YosysError(said[-3000:])
