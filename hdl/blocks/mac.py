"""Multiply-accumulate array: PE outputs of SIMD products each, weights from ROM.

An output group takes ``beats`` input beats; the ROM is read in step with the input and wraps by
itself, so weights are never reloaded.  Accumulators are as wide as weights and inputs can reach,
so they never overflow.
"""
from myhdl import always, always_comb, always_seq, block, instances, intbv

from hdl.blocks.dot import DOT, MOST
from hdl.blocks.fifo import fifo_control
from hdl.blocks.lanes import pack, unpack, unsigned
from hdl.blocks.registers import register, shift_register
from hdl.blocks.signals import count, flag, sint, uint
from hdl.blocks.weight_rom import weight_rom


@block
def mac(clk, rst, s_axis, m_axis, rom, pe, simd, shared, beats, groups=1):
    """out[g, j] = sum over beats b and i of x[b, i] * w[b, g, j, i].

    Every input beat is held for ``groups`` cycles, one for each group of PE outputs, whose sums
    wait in a memory meanwhile; with the last beat they leave through a FIFO of as many.
    Latency 3 cycles from the last input beat to the first result, one more through the FIFO and
    one where the results of all PE share fewer lanes, lowest PE first.

    s_axis -- inputs: simd lanes that all outputs share (shared), or simd x pe lanes, PE minor
    m_axis -- accumulators, the two's complement of signed numbers; lanes divide pe
    rom    -- Rom of pe x simd weights a row, SIMD minor; rows in the order of use, groups minor
    beats  -- input beats for an output
    groups -- groups of PE outputs
    """
    depth = len(rom.rows)
    weight_bits, bits = rom.widths[0], m_axis.bits
    x_bits = s_axis.bits if s_axis.signed else s_axis.bits + 1

    go, take, step, multiply, add = [flag() for _ in range(5)]
    operand = uint(s_axis.width)
    x = [sint(x_bits) for _ in range(s_axis.lanes)]
    weight = [sint(weight_bits) for _ in range(pe * simd)]
    total = [sint(bits) for _ in range(pe)]
    beat, group, address = count(beats), count(groups), count(depth)
    group_1, group_2 = count(groups), count(groups)
    operand_valid, operand_first, operand_last = flag(), flag(), flag()
    sum_valid, sum_first, sum_last = flag(), flag(), flag()
    done, done_ready = flag(), flag()
    finished, finished_ready, write, read = [flag() for _ in range(4)]
    head, tail = count(groups), count(groups)
    banked = groups > 1 and beats > 1

    weights = weight_rom(clk, step, address, tuple(weight), rom)
    operands = unpack(operand, x, s_axis.bits, s_axis.signed)
    elements = [processing_element(
        clk, multiply, add, sum_first, group_1, group_2, write, read, tail,
        x if shared else x[j::pe], weight[j * simd:(j + 1) * simd], total[j], beats, groups)
        for j in range(pe)]
    results = serialise(clk, rst, total, done, done_ready, m_axis)

    if banked:
        queue = fifo_control(clk, rst, finished, finished_ready, done, done_ready, write, head,
                             read, tail, groups)

        @always_comb
        def finish():
            finished.next = sum_valid and sum_last

        @always_comb
        def flow():
            go.next = finished_ready or not finished
    else:
        @always_comb
        def flow():
            go.next = done_ready or not done

        @always_seq(clk.posedge, reset=rst)
        def finish():
            if go:
                done.next = sum_valid and sum_last

    @always_comb
    def accept():
        s_axis.tready.next = go and group == 0
        take.next = go and group == 0 and s_axis.tvalid
        step.next = go and (group != 0 or s_axis.tvalid)

    @always_comb
    def work():
        multiply.next = go and operand_valid
        add.next = go and sum_valid

    @always_seq(clk.posedge, reset=rst)
    def advance():
        if go:
            operand_valid.next = step
            sum_valid.next = operand_valid
        if multiply:
            sum_first.next = operand_first
            sum_last.next = operand_last
            group_2.next = group_1
        if step:
            operand_first.next = beat == 0
            operand_last.next = beat == beats - 1
            group_1.next = group
            address.next = 0 if address == depth - 1 else address + 1
            if group != groups - 1:
                group.next = group + 1
            else:
                group.next = 0
                beat.next = 0 if beat == beats - 1 else beat + 1

    @always(clk.posedge)
    def capture():
        if take:
            operand.next = s_axis.tdata

    return instances()


@block
def serialise(clk, rst, total, valid, ready, m_axis):
    """The totals of all PE, that are there at the same time, through the lanes of ``m_axis``.

    A chain of registers, one a PE, that loads all totals at once and moves down by
    m_axis.lanes.  Latency 1 cycle, 1 beat per cycle; the next totals load as the last beat
    leaves.  Wires where every PE has a lane.
    """
    lanes, parts = m_axis.lanes, len(total) // m_axis.lanes
    value = [uint(m_axis.bits) for _ in total]
    values = [unsigned(number, plain) for number, plain in zip(total, value)]
    if parts == 1:
        word = pack(value, m_axis.tdata)

        @always_comb
        def forward():
            m_axis.tvalid.next = valid
            ready.next = m_axis.tready
    else:
        held = [uint(m_axis.bits) for _ in total]
        load, shift = flag(), flag()
        left = count(parts + 1)
        chain = [shift_register(clk, load, shift, d, above, q)
                 for d, above, q in zip(value, held[lanes:], held)]
        top = [register(clk, load, d, q) for d, q in zip(value[-lanes:], held[-lanes:])]
        word = pack(held[:lanes], m_axis.tdata)

        @always_comb
        def offer():
            m_axis.tvalid.next = left != 0
            ready.next = left == 0 or (left == 1 and m_axis.tready)

        @always_comb
        def move():
            load.next = valid and (left == 0 or (left == 1 and m_axis.tready))
            shift.next = m_axis.tready and left != 0

        @always_seq(clk.posedge, reset=rst)
        def progress():
            if load:
                left.next = parts
            elif left != 0 and m_axis.tready:
                left.next = left - 1

    return instances()


@block
def processing_element(clk, multiply, add, first, ahead, group, write, read, tail, x, weight, total,
                       beats, groups):
    """One output's products, summed in chunks, and its accumulators, one for each group.

    multiply -- x and weight are valid: sum their products
    add      -- those sums are valid: add them to the accumulator of ``group``, or, at the
                ``first``, in its place
    ahead    -- the group that is multiplied now, whose accumulator is needed next
    write    -- the sum is the last: keep it for ``read`` of group ``tail``
    total    -- the accumulator last written, or read where there are several
    """
    bits, simd = len(total), len(x)
    low, high = -(1 << bits - 1), 1 << bits - 1
    chunks = -(-simd // MOST)
    cuts = [k * simd // chunks for k in range(chunks + 1)]
    chunk_sum = [sint(bits) for _ in range(chunks)]
    dots = [DOT[end - start](clk, multiply, *x[start:end], *weight[start:end], sum_)
            for start, end, sum_ in zip(cuts, cuts[1:], chunk_sum)]
    if chunks > 1:
        new = sint(bits)
        sums = add_terms(chunk_sum, new)
    else:
        new = chunk_sum[0]

    if beats == 1:
        give = register(clk, add, new, total)
    elif groups == 1:
        @always(clk.posedge)
        def accumulate():
            if add:
                latest = intbv(0, min=low, max=high)
                latest[:] = new
                if not first:
                    latest[:] = latest + total
                total.next = latest
    else:
        memory, result = [[sint(bits) for _ in range(groups)] for _ in range(2)]
        accumulator = sint(bits)

        @always(clk.posedge)
        def fetch():
            if multiply:
                accumulator.next = memory[ahead]

        @always(clk.posedge)
        def accumulate():
            if add:
                latest = intbv(0, min=low, max=high)
                latest[:] = new
                if not first:
                    latest[:] = latest + accumulator
                memory[group].next = latest
                if write:
                    result[group].next = latest

        @always(clk.posedge)
        def give():
            if read:
                total.next = result[tail]

    return instances()


@block
def add_terms(terms, total):
    """total = sum of two or more terms, at once."""
    if len(terms) > 3:
        half, part = len(terms) // 2, [sint(len(total)) for _ in range(2)]
        lower = add_terms(terms[:half], part[0])
        upper = add_terms(terms[half:], part[1])
        whole = add_terms(part, total)
    elif len(terms) == 3:
        a, b, c = terms

        @always_comb
        def three():
            total.next = a + b + c
    else:
        a, b = terms

        @always_comb
        def two():
            total.next = a + b

    return instances()
