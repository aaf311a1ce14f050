"""All simulators: the same beats in the same cycles, and every fault told."""
import os
import signal
import threading
import time

import numpy as np
import pytest
from myhdl import Simulation, always

from hdl.beats import pack, payload
from hdl.errors import DeadlockError, ProtocolError
from hdl.shape import MARKS
from hdl.sim.design import Design, simulate
from hdl.sim.endpoints import Counter, Monitor, Reset, Sink, Source, random_pattern
from tests.support import blocks as sim_blocks
from tests.support.bench import agree
from tests.support.streams import stream

PAUSES = [None, 0.3, 0.75]


def pattern(probability, seed):
    return None if probability is None else random_pattern(seed, probability, 257)


@pytest.mark.parametrize("lanes, bits", [(1, 1), (1, 8), (3, 5), (2, 16), (5, 7), (4, 16), (9, 33)])
@pytest.mark.parametrize("idle", PAUSES)
@pytest.mark.parametrize("backpressure", PAUSES)
def test_beats_pass_and_cycles_agree(simulators, rng, lanes, bits, idle, backpressure):
    ports = sim_blocks.stream_pair(lanes, bits)
    design = Design(sim_blocks.register_slice, ports)
    words = pack(rng.integers(0, 1 << 62, (60, lanes)), bits)
    ends = {"s_axis": Source(words, pattern(idle, 1)), "m_axis": Sink(60, pattern(backpressure, 2))}

    one, *others = (simulate(name, design, ends, drain=5) for name in simulators)

    for name in ports:
        np.testing.assert_array_equal(one[name].words, words)
    for other in others:
        agree(one, other)
    assert one.cycles == one.last("m_axis") + 6
    assert (one.input_stalls["s_axis"] == 0) == (backpressure is None)


def test_independent_stalls_of_a_join_agree(simulators, rng):
    streams = {"s_axis": stream(1, 8), "s_axis_skip": stream(1, 8), "m_axis": stream(1, 9)}
    design = Design(sim_blocks.join_sum, streams)
    a, b = rng.integers(0, 256, (2, 200, 1))
    ends = {"s_axis": Source(pack(a, 8), random_pattern(1, 0.4)),
            "s_axis_skip": Source(pack(b, 8), random_pattern(2, 0.6)),
            "m_axis": Sink(200, random_pattern(3, 0.5))}
    one, *others = (simulate(name, design, ends) for name in simulators)
    np.testing.assert_array_equal(one["m_axis"].words, a + b)
    for other in others:
        agree(one, other)
    assert min(one.input_stalls.values()) > 0


def test_handshakes_say_tvalid_and_tready_of_every_cycle():
    """Held against what a process sees of them; other simulators agree with MyHDL on the rest."""
    ports = sim_blocks.stream_pair(1, 8)
    seen = {name: [] for name in ports}

    def watched(clk, rst, **arguments):
        inside = sim_blocks.register_slice(clk, rst, **arguments)

        @always(clk.posedge)
        def watch():
            if not rst:
                for name, axis in ports.items():
                    seen[name].append((bool(axis.tvalid), bool(axis.tready)))

        return inside, watch

    stops = np.append(random_pattern(2, 0.6, 90), np.ones(100, bool))     # in the end for good
    run = simulate("myhdl", Design(watched, ports), {
        "s_axis": Source(pack(np.arange(60)[:, None], 8), random_pattern(1, 0.3)),
        "m_axis": Sink(20, stops)}, drain=60)
    for name, cycles in seen.items():
        valid, ready = np.zeros((2, run.cycles), bool)
        handshake, moved = run.handshakes[name], run[name].cycles
        assert len(handshake.offers) == len(moved) + 1      # one is still waiting
        for offer, move in zip(handshake.offers, [*moved, run.cycles]):
            valid[offer:move + 1] = True
        for turn in handshake.turns:
            ready[turn:] = ~ready[turn:]
        # The last cycle's rising edge is not simulated.
        assert cycles == list(zip(valid, ready))[:-1], name


@pytest.mark.parametrize("bits", [6, 31, 32, 48])
def test_marks_of_a_video_stream_pass(simulator, rng, bits):
    ports = {name: stream(1, bits, marks=MARKS) for name in ("s_axis", "m_axis")}
    values = rng.integers(-1 << bits - 1, 1 << bits - 1, (40, 1))
    last, user = rng.integers(0, 2, (2, 40)).astype(bool)
    shape = ports["m_axis"].shape
    ends = {"s_axis": Source(payload(shape, values, tlast=last, tuser=user),
                             random_pattern(1, 0.5)),
            "m_axis": Sink(40, random_pattern(2, 0.5))}
    trace = simulate(simulator, Design(sim_blocks.video_slice, ports), ends)["m_axis"]
    np.testing.assert_array_equal(trace.values(shape), values)
    np.testing.assert_array_equal(trace.mark(shape, "tlast"), last)
    np.testing.assert_array_equal(trace.mark(shape, "tuser"), user)


def test_a_design_runs_again_and_starts_afresh(simulator):
    ports = {"s_axis": stream(1, 4), "m_axis": stream(1, 4)}
    design = Design(sim_blocks.register_slice, ports)
    ends = {"s_axis": Source(pack([[3], [9]], 4)), "m_axis": Sink(2)}
    first, second = (simulate(simulator, design, ends) for _ in range(2))
    np.testing.assert_array_equal(first["m_axis"].words, second["m_axis"].words)
    np.testing.assert_array_equal(first["m_axis"].cycles, second["m_axis"].cycles)
    assert first["m_axis"].cycles.tolist() == [1, 2]


def test_memory_files_are_read_when_the_model_starts(simulator):
    """Two contents, one build: the weights are no part of it."""
    builds = []
    for values in ((1, 200, 3), (255, 7, 128)):
        ports = {"s_axis": stream(1, 8), "m_axis": stream(1, 16)}
        design = Design(sim_blocks.rom_multiply, {**ports, "name": "factors", "values": values},
                        memories={"factors.mem": "".join(f"{v:02x}\n" for v in values)})
        ends = {"s_axis": Source(pack(np.arange(9)[:, None], 8)), "m_axis": Sink(9)}
        run = simulate(simulator, design, ends)
        assert run["m_axis"].words[:, 0].tolist() == [n * values[n % 3] for n in range(9)]
        builds.append(run.build)
    if simulator == "verilator":
        assert builds[0]["digest"] == builds[1]["digest"] and builds[1]["reused"]


@pytest.mark.parametrize("block, backpressure, cycle, rule",
                         [(sim_blocks.withdraws, [1, 1, 1, 0], 2, "held"),
                          (sim_blocks.changes, [1, 1, 0], 2, "stable")])
def test_a_broken_protocol_is_told(simulator, block, backpressure, cycle, rule):
    design = Design(block, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack([[5]], 4)), "m_axis": Sink(9, np.array(backpressure, bool))}
    with pytest.raises(ProtocolError, match="stream m_axis .* cycle") as told:
        simulate(simulator, design, ends)
    assert (told.value.stream, told.value.cycle, told.value.rule) == ("m_axis", cycle, rule)


def test_a_beat_that_waits_too_long_is_told(simulator):
    """On any stream; as long as it may is not too long."""
    link = stream(1, 4)
    design = Design(sim_blocks.two_slices, {**sim_blocks.stream_pair(1, 4), "link": link},
                    inner=("link",), monitors={"link": Monitor(link, "", "link")})
    ends = {"s_axis": Source(pack(np.arange(4)[:, None], 4)),
            "m_axis": Sink(4, np.array([1, 1, 1, 1, 1, 1, 0], bool))}
    assert simulate(simulator, design, ends, waits={"link": 6}).cycles > 20
    with pytest.raises(ProtocolError, match="beat 2 waited for 6 cycles, of 5") as told:
        simulate(simulator, design, ends, waits={"link": 5})
    assert (told.value.stream, told.value.cycle, told.value.rule) == ("link", 13, "taken")


def test_a_beat_that_is_never_taken_is_told(simulator):
    """While others move, so that it is no deadlock."""
    streams = {name: stream(1, 4) for name in ("s_axis", "s_second", "m_axis", "m_second")}
    design = Design(sim_blocks.one_of_two_stops, streams)
    words = pack(np.arange(16)[:, None] % 16, 4)
    many = np.resize(words, (300, 1))
    ends = {"s_axis": Source(many), "s_second": Source(words), "m_axis": Sink(300),
            "m_second": Sink(0)}
    with pytest.raises(ProtocolError, match="beat 0 waited for 30. cycles, of 200") as told:
        simulate(simulator, design, ends, timeout=200)
    assert (told.value.stream, told.value.rule) == ("s_second", "taken")


def test_resets_in_the_middle_agree(simulators, rng):
    """Before any cycle: what is offered is withdrawn, the sources go on where they are told to, and
    what was in the block is gone."""
    design = Design(sim_blocks.two_slices, {**sim_blocks.stream_pair(2, 5), "link": stream(2, 5)},
                    inner=("link",))
    words = pack(rng.integers(0, 32, (60, 2)), 5)
    resets = [Reset(5, {"s_axis": 20}), Reset(7, {"s_axis": 20}), Reset(40, {"s_axis": 45})]
    ends = {"s_axis": Source(words, random_pattern(5, 0.3)),
            "m_axis": Sink(15, random_pattern(6, 0.5))}
    one, *others = (simulate(name, design, ends, drain=9, resets=resets) for name in simulators)
    for other in others:
        agree(one, other)
    taken, given = one["s_axis"], one["m_axis"]
    for start, end, first in ((0, 5, 0), (5, 7, 20), (7, 40, 20), (40, 999, 45)):
        came = taken.words[(taken.cycles >= start) & (taken.cycles < end)]
        left = given.words[(given.cycles >= start) & (given.cycles < end)]
        np.testing.assert_array_equal(came, words[first:first + len(came)])
        np.testing.assert_array_equal(left, came[:len(left)])
    assert len(left) == 15 and one.cycles == one.last("m_axis") + 10
    for name in ("s_axis", "m_axis"):
        assert len(one.handshakes[name].offers) == len(one[name])


@pytest.mark.parametrize("resets, words", [
    ([Reset(9, {"s_axis": 1}), Reset(9, {"s_axis": 1})], "one after the other, not in cycles"),
    ([Reset(9, {"s_axis": 5}), Reset(12, {"s_axis": 3})], "source s_axis begins after resets"),
    ([Reset(9, {"s_axis": 10})], "with beats of its 9 in order")])
def test_resets_that_have_no_order_are_refused(resets, words):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}
    with pytest.raises(ValueError, match=words):
        simulate("myhdl", design, ends, resets=resets)


def test_a_deadlock_is_told_with_the_beats_of_every_stream(simulator):
    design = Design(sim_blocks.stops, {**sim_blocks.stream_pair(1, 4), "beats": 3})
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}
    with pytest.raises(DeadlockError, match="for 50 cycles.*s_axis 3, m_axis 3") as told:
        simulate(simulator, design, ends, timeout=50)
    assert told.value.cycle == 52


def test_an_error_in_a_block_leaves_the_simulator_usable():
    design = Design(sim_blocks.overflows, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}
    with pytest.raises(ValueError, match="intbv"):
        simulate("myhdl", design, ends)
    assert Simulation._no_of_instances == 0
    good = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    assert len(simulate("myhdl", good, ends)["m_axis"]) == 9


def test_more_beats_than_awaited_are_recorded(simulator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(3)}
    assert len(simulate(simulator, design, ends, drain=100)["m_axis"]) == 9


def test_progress_is_told_and_may_stop_the_run(simulator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(9)}

    def enough(cycle):
        raise KeyboardInterrupt(cycle)

    with pytest.raises(KeyboardInterrupt):
        simulate(simulator, design, ends, progress=enough)
    assert len(simulate(simulator, design, ends)["m_axis"]) == 9


def test_streams_that_are_not_the_designs_are_refused(simulator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    with pytest.raises(ValueError, match="streams are .'m_axis', 's_axis'., not .'m_axis'."):
        simulate(simulator, design, {"m_axis": Sink(1)})


def test_a_pause_without_end_is_refused(simulator):
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1, np.ones(3, bool))}
    with pytest.raises(ValueError, match="lets at least one cycle through"):
        simulate(simulator, design, ends)


def test_an_unknown_simulator_is_refused():
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack([[1]], 4)), "m_axis": Sink(1)}
    with pytest.raises(ValueError, match="'modelsim' is not one of myhdl, icarus, verilator, ghdl"):
        simulate("modelsim", design, ends)


def test_random_patterns_keep_their_probability_and_their_seed():
    first, again, other = (random_pattern(seed, 0.3) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any()
    assert len(first) == 4093 and 0.27 < first.mean() < 0.33
    assert first[:12].tolist() == random_pattern(1, 0.3, 12).tolist()


def test_an_idle_source_shows_the_complement_of_its_last_beat(simulator):
    """A block that looks at tdata without tvalid must not be lucky."""
    ports = {"s_axis": stream(1, 8), "m_axis": stream(1, 8)}
    design = Design(sim_blocks.stale_data, ports)
    ends = {"s_axis": Source(pack([[1], [2]], 8), np.array([0, 1, 1], bool)), "m_axis": Sink(6)}
    run = simulate(simulator, design, ends)
    assert run["m_axis"].words[:, 0].tolist() == [1, 254, 254, 2, 253, 253]


def watched_chain(tmp_path):
    """two_slices by hand as two modules and a top, the link inside watched at three places."""
    slice_v = """
module slice_{n} (input clk, input rst, input [27:0] s_axis_tdata, input s_axis_tvalid,
                  output s_axis_tready, output reg [27:0] m_axis_tdata,
                  output reg m_axis_tvalid, input m_axis_tready);
wire [27:0] inner_axis_tdata = s_axis_tdata; wire inner_axis_tvalid = s_axis_tvalid;
wire inner_axis_tready = m_axis_tready | ~m_axis_tvalid;
assign s_axis_tready = inner_axis_tready;
initial m_axis_tvalid = 0;
always @(posedge clk) begin
    if (rst) m_axis_tvalid <= 0;
    else if (inner_axis_tready) m_axis_tvalid <= inner_axis_tvalid;
    if (inner_axis_tready) m_axis_tdata <= inner_axis_tdata;
end
endmodule
"""
    top_v = """
module chain (input clk, input rst, input [27:0] s_axis_tdata, input s_axis_tvalid,
              output s_axis_tready, output [27:0] m_axis_tdata, output m_axis_tvalid,
              input m_axis_tready);
wire [27:0] link_tdata; wire link_tvalid, link_tready;
slice_1 block_1 (clk, rst, s_axis_tdata, s_axis_tvalid, s_axis_tready,
                 link_tdata, link_tvalid, link_tready);
slice_2 block_2 (clk, rst, link_tdata, link_tvalid, link_tready,
                 m_axis_tdata, m_axis_tvalid, m_axis_tready);
endmodule
"""
    header_vhd = """
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
entity {name} is
    port (clk, rst : in std_logic;
          s_axis_tdata : in unsigned(27 downto 0); s_axis_tvalid : in std_logic;
          s_axis_tready : out std_logic; m_axis_tdata : out unsigned(27 downto 0);
          m_axis_tvalid : out std_logic; m_axis_tready : in std_logic);
end entity;
"""
    slice_vhd = header_vhd.replace("{name}", "slice_{n}") + """
architecture rtl of slice_{n} is
    signal inner_axis_tdata : unsigned(27 downto 0);
    signal inner_axis_tvalid, inner_axis_tready : std_logic;
begin
    inner_axis_tdata <= s_axis_tdata;
    inner_axis_tvalid <= s_axis_tvalid;
    inner_axis_tready <= m_axis_tready or not m_axis_tvalid;
    s_axis_tready <= inner_axis_tready;
    process (clk) begin
        if rising_edge(clk) then
            if inner_axis_tready then
                m_axis_tvalid <= inner_axis_tvalid;
                m_axis_tdata <= inner_axis_tdata;
            end if;
            if rst then
                m_axis_tvalid <= '0';
            end if;
        end if;
    end process;
end architecture;
"""
    top_vhd = header_vhd.format(name="chain") + """
architecture rtl of chain is
    signal link_tdata : unsigned(27 downto 0);
    signal link_tvalid, link_tready : std_logic;
begin
    block_1 : entity work.slice_1 port map (clk, rst, s_axis_tdata, s_axis_tvalid, s_axis_tready,
                                            link_tdata, link_tvalid, link_tready);
    block_2 : entity work.slice_2 port map (clk, rst, link_tdata, link_tvalid, link_tready,
                                            m_axis_tdata, m_axis_tvalid, m_axis_tready);
end architecture;
"""

    def write(directory, language):
        suffix, one, top = {"Verilog": (".v", slice_v, top_v),
                            "VHDL": (".vhd", slice_vhd, top_vhd)}[language]
        files = [tmp_path / (name + suffix) for name in ("slice_1", "slice_2", "chain")]
        for file, text in zip(files, (one.format(n=1), one.format(n=2), top)):
            file.write_text(text)
        return files, "chain"

    ports, link = sim_blocks.stream_pair(4, 7), stream(4, 7)
    return Design(sim_blocks.two_slices, {**ports, "link": link}, inner=("link",), hdl=write,
                  monitors={"link": Monitor(link), "second": Monitor(link, "block_2", "inner_axis"),
                            "input": Monitor(ports["s_axis"], "block_1", "inner_axis")},
                  counters={"moves": Counter((), ("m_axis_tvalid", "m_axis_tready")),
                            "offers": Counter(("block_1",), ("m_axis_tvalid",)),
                            "moves_inside": Counter(("block_1",),
                                                    ("m_axis_tvalid", "m_axis_tready"))})


def test_inner_streams_of_a_hierarchy_agree(simulators, rng, tmp_path):
    words = pack(rng.integers(0, 128, (300, 4)), 7)
    ends = {"s_axis": Source(words, random_pattern(1, 0.3)),
            "m_axis": Sink(300, random_pattern(2, 0.3))}
    design = watched_chain(tmp_path)
    one, *others = (simulate(name, design, ends) for name in simulators)
    assert list(one.traces) == ["s_axis", "m_axis", "link", "second", "input"]
    for name in one.traces:
        np.testing.assert_array_equal(one[name].words[:300], words)
    for other in others:
        agree(one, other)
    assert one.counts["moves"] == 300 and one.counts["moves_inside"] == len(one["link"])
    assert one.counts["offers"] > len(one["link"])      # in some cycles it waits
    assert (one["link"].cycles > one["s_axis"].cycles[:len(one["link"])]).all()


def test_an_interruption_is_heard(simulator):
    """A simulation that would never end is left where Ctrl-C comes, as what it is."""
    design = Design(sim_blocks.register_slice, sim_blocks.stream_pair(1, 4))
    ends = {"s_axis": Source(pack(np.arange(9)[:, None], 4)), "m_axis": Sink(10)}
    simulate(simulator, design, {**ends, "m_axis": Sink(9)})        # so that it is built
    timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        simulate(simulator, design, ends, timeout=1 << 30)
    assert time.monotonic() - started < 10      # two seconds where nothing else runs
    simulate(simulator, design, {**ends, "m_axis": Sink(9)})        # nothing is left of it
