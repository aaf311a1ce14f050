"""The name of a module: its block's and what tells the module from others of the block."""
from myhdl._Signal import _Signal

from hdl.hierarchy.module import Module, Net
from hdl.hierarchy.scope import arguments
from hdl.myhdl_fixes.elaborate import Block

LONGEST = 36    # characters of a name, before a letter is added that tells equal names apart


def proper_name(module: Module) -> str:
    """A block with an argument that has a name, or tells its unit's, is ``name_block``; any other
    is its block's name with the widths of its ports and the numbers it was called with:
    ``fifo_24_13``.  A block's function may say otherwise with an attribute ``module_name``, a
    function of the arguments."""
    block = module.block
    function, values = block.func.__name__, arguments(block)
    if hasattr(block.func, "module_name"):
        return block.func.module_name(**values)
    for value in values.values():
        name = next((found for found in (getattr(value, "unit", None), getattr(value, "name", None))
                     if isinstance(found, str)), None)
        if name and not isinstance(value, (_Signal, Block)):
            return name if name == function or name.endswith(f"_{function}") \
                else f"{name}_{function}"
    ports: dict[str, list[Net]] = {}
    for port in module.ports:
        ports.setdefault(port.argument, []).append(port.net)
    name, last = function, ""
    for argument, value in values.items():
        fact = _fact(value, ports.get(argument, []))
        if fact and fact != last and len(name) + 1 + len(fact) <= LONGEST:
            name, last = f"{name}_{fact}", fact
    return name


def _fact(value: object, nets: list[Net]) -> str:
    """What an argument says: the bits of its widest port, how many words a list has and of how many
    bits; a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).replace("-", "m")
    if not nets:
        return ""
    widest = max(nets, key=lambda net: net.width)
    if widest.packed:
        return f"{len(widest.signals)}x{len(widest.signals[0])}"
    return str(widest.width) if widest.width > 1 else ""
