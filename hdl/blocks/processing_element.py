"""Processing element: the products of one output, their sum, and its accumulators."""
from dataclasses import dataclass

from myhdl import SignalType, always, block, instances, intbv

from hdl.axis import Bundle
from hdl.blocks.dot import dot, dot_bits
from hdl.blocks.fifo import Queue
from hdl.blocks.paired_dot import lone_dot, paired_bits, paired_dot
from hdl.blocks.registers import register
from hdl.blocks.signals import Instances, count, flag, sint
from hdl.plan.pairs import Pairs


@dataclass(frozen=True)
class Fold:
    """How a MAC array folds its outputs and inputs."""

    pe: int             # outputs at once
    simd: int           # products of each at once
    shared: bool        # all PE have the same inputs; else each its own
    beats: int          # input beats for an output
    groups: int = 1     # groups of PE outputs that are computed for each input beat
    pairs: Pairs | None = None  # how every two outputs share multipliers; None: each has its own

    @property
    def inputs(self) -> int:
        """Lanes of an input beat."""
        return self.simd if self.shared else self.simd * self.pe

    @property
    def queued(self) -> bool:
        """Whether the sums of several groups wait in memories."""
        return self.groups > 1 and self.beats > 1


class Steps(Bundle):
    """What all processing elements of an array do in a cycle."""

    def __init__(self, groups: int, depth: int) -> None:
        self.depth = depth              # cycles from an operand's read to the sum of its products
        self.move = flag()              # all registers from operands to sums move
        self.fetch = flag()             # sums come next
        self.add = flag()               # sums of products are valid: accumulate them
        self.valid = flag()             # ... valid, whether anything moves or not
        self.first = flag()             # the sums are an output's first
        self.last = flag()              # ... its last
        self.ahead = count(groups)      # group whose sums come next
        self.group = count(groups)      # group of the sums


@block
def processing_element(clk: SignalType, steps: Steps, queue: Queue, x: list[SignalType],
                       weight: list[SignalType], total: SignalType, fold: Fold) -> Instances:
    """One output's products, their sum, and its accumulators, one for each group.

    steps     -- Steps of the array
    queue     -- Queue of the last sums of several groups
    x, weight -- SIMD signed signals each
    total     -- the accumulator last written, or read where there are several
    fold      -- Fold of the array
    """
    new = sint(min(dot_bits(len(x), x[0], weight[0]), len(total)))
    if fold.pairs:
        products = lone_dot(clk, steps.move, x, weight, new, fold.pairs)
    else:
        products = dot(len(x))(clk, steps.move, x, weight, new)

    if fold.beats == 1:
        give = register(clk, steps.add, new, total)
    elif fold.groups == 1:
        keep = accumulator(clk, steps.add, steps.first, new, total)
    else:
        keep = accumulators(clk, steps, queue, new, total, fold.groups)

    return instances()


@block
def processing_pair(clk: SignalType, steps: Steps, queue: Queue, x: list[SignalType],
                    weight: list[SignalType], total: list[SignalType], fold: Fold,
                    pairs: Pairs) -> Instances:
    """Two outputs as ``processing_element`` has one, their products in the same multipliers.

    weight -- SIMD of output 0, then of output 1, as ``paired_dot`` takes them
    total  -- the accumulators of both
    pairs  -- those of the fold
    """
    new = [sint(min(paired_bits(x, weight[0], pairs), len(each))) for each in total]
    products = paired_dot(clk, steps.move, x, weight, new, pairs)

    if fold.beats == 1:
        give = [register(clk, steps.add, new[j], total[j]) for j in range(2)]
    elif fold.groups == 1:
        keep = [accumulator(clk, steps.add, steps.first, new[j], total[j]) for j in range(2)]
    else:
        keep = [accumulators(clk, steps, queue, new[j], total[j], fold.groups) for j in range(2)]

    return instances()


@block
def accumulator(clk: SignalType, add: SignalType, first: SignalType, new: SignalType,
                total: SignalType) -> Instances:
    """total = new, or total + new unless ``first``, a cycle after ``add``."""
    low, high = total.min, total.max

    @always(clk.posedge)
    def accumulate():
        if add:
            latest = intbv(0, min=low, max=high)
            latest[:] = new
            if not first:
                latest[:] = latest + total
            total.next = latest

    return accumulate


@block
def accumulators(clk: SignalType, steps: Steps, queue: Queue, new: SignalType, total: SignalType,
                 groups: int) -> Instances:
    """An accumulator for each group in a memory; the last sums wait in another, for the queue."""
    add, next_, first, ahead, group = steps.add, steps.fetch, steps.first, steps.ahead, steps.group
    write, read, tail = queue.write, queue.read, queue.tail
    low, high = total.min, total.max
    memory, result = [[sint(len(total)) for _ in range(groups)] for _ in range(2)]
    before = sint(len(total))

    @always(clk.posedge)
    def fetch():
        if next_:
            before.next = memory[ahead]

    @always(clk.posedge)
    def accumulate():
        if add:
            latest = intbv(0, min=low, max=high)
            latest[:] = new
            if not first:
                latest[:] = latest + before
            memory[group].next = latest
            if write:
                result[group].next = latest

    @always(clk.posedge)
    def give():
        if read:
            total.next = result[tail]

    return instances()
