"""Units whose weights are constants: a tile of the input in every cycle, one of the output out."""
from myhdl import ResetSignal, SignalType, always_comb, always_seq, block, concat, instances

from hdl.axis import AxiStream
from hdl.blocks.adder_array import adder_array
from hdl.blocks.constant_array import ArraySteps, constant_array
from hdl.blocks.lanes import field
from hdl.blocks.refusals import refuse_other
from hdl.blocks.signals import Instances, flag, uint
from hdl.blocks.stream import register_slice
from hdl.blocks.tile_flush import tile_flush
from hdl.blocks.tile_patch import Patch, tile_patch
from hdl.plan.config import UnitConfig


@block
def constant_pointwise(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                       config: UnitConfig) -> Instances:
    """m[c] = requantize(sum over k of s[k] * w[k, c]), of every pixel of a tile.

    s_axis, m_axis -- AxiStream of config.stream_flushed() and config.stream_out()
    config         -- UnitConfig of a pointwise unit with constants
    """
    refuse_other(config.unit.name, "an input", s_axis, config.stream_flushed())
    patch = Patch(config.work.patch_bits)
    take = tile_alone(s_axis, patch)
    convolve = constant_convolve(clk, rst, patch, m_axis, config)
    return instances()


@block
def constant_windows(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                     config: UnitConfig) -> Instances:
    """m[c] = requantize(sum over the taps of c of window * w), of every pixel of a tile.

    s_axis, m_axis -- AxiStream of config.stream_flushed() and config.stream_out()
    config         -- UnitConfig of a depthwise unit or a stem with constants
    """
    refuse_other(config.unit.name, "an input", s_axis, config.stream_flushed())
    work = config.work
    patch = Patch(work.patch_bits)
    cut = tile_patch(clk, rst, s_axis, patch, work.geometry)
    convolve = constant_convolve(clk, rst, patch, m_axis, config)
    return instances()


@block
def constant_stem(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, m_axis: AxiStream,
                  config: UnitConfig) -> Instances:
    """The stem as ``constant_windows``, after the beats that push the last of a frame out.

    s_axis, m_axis -- AxiStream of config.stream_in() and config.stream_out()
    """
    geometry = config.folding.tiles
    flushed = AxiStream(config.stream_flushed())
    flush = tile_flush(clk, rst, s_axis, flushed, geometry.tiles ** 2, geometry.tail)
    windows = constant_windows(clk, rst, flushed, m_axis, config)
    return instances()


@block
def tile_alone(s_axis: AxiStream, patch: Patch) -> Instances:
    """A tile as the patch that its pixels are cut out of.  Latency 0."""
    width, creeps = len(patch.tdata), s_axis.shape.creep is not None
    elements = field(s_axis.tdata, patch.tdata, 0)

    @always_comb
    def forward():
        patch.tvalid.next = s_axis.tvalid
        s_axis.tready.next = patch.tready

    if creeps:
        @always_comb
        def tell():
            patch.own.next = s_axis.tdata[width]
    else:
        @always_comb
        def tell():
            patch.own.next = s_axis.tvalid

    return instances()


@block
def constant_convolve(clk: SignalType, rst: ResetSignal, patch: Patch, m_axis: AxiStream,
                      config: UnitConfig) -> Instances:
    """The outputs of every patch: the constant array, its control and a register slice.

    patch  -- Patch
    m_axis -- AxiStream of config.stream_out()
    """
    refuse_other(config.unit.name, "an output", m_axis, config.stream_out())
    result = AxiStream(m_axis.shape)
    tile = uint(config.work.shape_out.width)
    steps = ArraySteps()
    control = constant_control(clk, rst, patch, result, tile, steps)
    if config.graph:
        array = adder_array(clk, steps, patch, tile, config.work, config.graph)
    else:
        array = constant_array(clk, steps, patch, tile, config.work)
    output = register_slice(clk, rst, result, m_axis)
    return instances()


@block
def constant_control(clk: SignalType, rst: ResetSignal, patch: Patch, result: AxiStream,
                     tile: SignalType, steps: ArraySteps) -> Instances:
    """When each step of a constant array moves: all together, when the result finds its place.

    tile -- what the array's last step leaves
    """
    creeps = result.shape.creep is not None
    go, valid = flag(), flag()
    sums_valid, scaled_valid = flag(), flag()
    sums_own, scaled_own, own = flag(), flag(), flag()

    @always_comb
    def flow():
        go.next = result.tready or not valid

    @always_comb
    def work():
        patch.tready.next = go
        steps.multiply.next = go and patch.tvalid
        steps.scale.next = go and sums_valid
        steps.saturate.next = go and scaled_valid
        result.tvalid.next = valid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            sums_valid.next = patch.tvalid
            scaled_valid.next = sums_valid
            valid.next = scaled_valid
            sums_own.next = patch.own
            scaled_own.next = sums_own
            own.next = scaled_own

    if creeps:
        @always_comb
        def give():
            result.tdata.next = concat(own, tile)
    else:
        @always_comb
        def give():
            result.tdata.next = tile

    return instances()
