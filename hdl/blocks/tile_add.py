"""Tile add: the saturating sum of two streams of tiles, as ``residual_add``, in loops."""
from myhdl import ResetSignal, SignalType, always, always_comb, block, concat, instances, intbv

from hdl.axis import AxiStream
from hdl.blocks.lanes import field
from hdl.blocks.refusals import refuse_unequal
from hdl.blocks.residual_add import add_control
from hdl.blocks.signals import Instances, flag, uint
from hdl.shape import StreamShape

LATENCY = 1     # cycles


@block
def tile_add(clk: SignalType, rst: ResetSignal, s_axis: AxiStream, s_axis_shortcut: AxiStream,
             m_axis: AxiStream) -> Instances:
    """m = clip(a + b), element by element; a beat moves when both inputs hold one.

    s_axis, s_axis_shortcut -- streams of one shape, signed; where tiles creep, both have the same
              beats
    m_axis                  -- as they are; latency 1 cycle, 1 beat per cycle
    """
    refuse_unequal("tile_add", s_axis, s_axis_shortcut, m_axis)
    shape = m_axis.shape
    if not shape.signed:
        raise ValueError(f"tile_add takes and gives signed numbers, not {shape}")
    width, creeps = shape.elements * shape.bits, shape.creep is not None
    a, b, total = [uint(width) for _ in range(3)]
    move = flag()
    main = field(s_axis.tdata, a, 0)
    shortcut = field(s_axis_shortcut.tdata, b, 0)
    adder = add_elements(clk, move, a, b, total, shape)
    control = add_control(clk, rst, s_axis, s_axis_shortcut, m_axis, move)

    if creeps:
        own = flag()

        @always(clk.posedge)
        def mark():
            if move:
                own.next = s_axis.tdata[width]

        @always_comb
        def give():
            m_axis.tdata.next = concat(own, total)
    else:
        @always_comb
        def give():
            m_axis.tdata.next = total

    return instances()


@block
def add_elements(clk: SignalType, enable: SignalType, a: SignalType, b: SignalType,
                 total: SignalType, shape: StreamShape) -> Instances:
    """total = the words of a + b, each element clipped, a cycle later, when ``enable``.

    Words move down by a pixel at a time and pixels by an element: a place that a loop's variable
    counts is no constant, which a part of a word needs.
    """
    bits, lanes, pixels = shape.bits, shape.lanes, shape.tile ** 2
    pixel, width = bits * lanes, bits * lanes * pixels
    rest, pixel_rest = width - pixel, pixel - bits
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    @always(clk.posedge)
    def add():
        if enable:
            rest_a = intbv(0)[width:]
            rest_b = intbv(0)[width:]
            done = intbv(0)[width:]
            pixel_a = intbv(0)[pixel:]
            pixel_b = intbv(0)[pixel:]
            pixel_done = intbv(0)[pixel:]
            wide = intbv(0, min=2 * low, max=2 * high + 2)
            rest_a[:] = a
            rest_b[:] = b
            for i in range(pixels):
                pixel_a[:] = rest_a[pixel:]
                pixel_b[:] = rest_b[pixel:]
                for j in range(lanes):
                    wide[:] = pixel_a[bits:].signed()
                    wide[:] = wide + pixel_b[bits:].signed()
                    if wide > high:
                        wide[:] = high
                    elif wide < low:
                        wide[:] = low
                    pixel_a[:] = pixel_a >> bits
                    pixel_b[:] = pixel_b >> bits
                    pixel_done[:] = pixel_done >> bits
                    pixel_done[pixel:pixel_rest] = wide[bits:]
                rest_a[:] = rest_a >> pixel
                rest_b[:] = rest_b >> pixel
                done[:] = done >> pixel
                done[width:rest] = pixel_done
            total.next = done

    return add
