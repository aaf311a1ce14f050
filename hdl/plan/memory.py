"""Which memories lie in block RAM and which in LUTs: one rule for all, by depth and width."""

# Depth and width of a block of 18 kbit as UltraScale+, 7-series and ECP5 have it.
SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
WORDS = 64      # whose bits of one place one LUT holds, of six inputs; of four inputs it takes four
WRITTEN = 2     # LUTs in place of one where words are written, not only read
# LUTs that a block is worth.  A device has 100 beside each block (ECP5-85F, four of its LUTs for
# one) or more (ZU9EG 150, Artix-7 200T 184).
WORTH = 100


def blocks(depth: int, width: int, written: bool) -> int:
    """Blocks of 18 kbit that a memory of ``depth`` words of ``width`` bits takes, all in one of
    their shapes; ``written``: it is no ROM.  Yosys fills the last blocks of a ROM's parts, each as
    deep as a block, with bits of several parts; where words are written it does not."""
    return min(-(-depth // words) * -(-width // bits) if written
               else -(-(-(-depth // words) * width) // bits) for words, bits in SHAPES)


def luts(depth: int, width: int, written: bool) -> int:
    """LUTs of six inputs that such a memory takes in their place; ``written``: it is no ROM."""
    return -(-depth // WORDS) * width * (WRITTEN if written else 1)


def in_blocks(depth: int, width: int, written: bool) -> bool:
    """Whether a memory lies in block RAM: where its LUTs would be worth more than its blocks."""
    return luts(depth, width, written) > WORTH * blocks(depth, width, written)
