"""What a user takes home: a folder of HDL, memories, constants and a bench that checks itself with
golden vectors, with a file list, a FuseSoC core and a page of ports and figures; of the chain or of
one stage.
"""
import re
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from hdl.build import PACKAGE
from hdl.convert.network import convert_network
from hdl.export.block import Block
from hdl.export.names import settle
from hdl.export.texts import LANGUAGES, RTL, Language, constants_text, core_text, readme

HERE = Path(__file__).resolve().parent


def export(block: Block, directory: str | Path, cache: str | Path, hdl: str) -> None:
    """Write the folder of a Block.

    directory -- an empty folder
    cache     -- folder of converted networks
    hdl       -- "Verilog" or "VHDL"
    """
    directory, name, language = Path(directory), block.full_name, LANGUAGES[hdl]
    sources = design(block, cache, hdl)
    memories, vectors = block.memories(), block.vectors()
    constants, bench = f"{name}_constants{language.constants}", f"{name}_bench{language.bench}"
    listed = [*sources] if hdl == "Verilog" else [*sources, constants]  # a header is included
    texts = {
        constants: constants_text(block, hdl),
        bench: bench_text(block, language),
        "files.f": "".join(f"{file}\n" for file in listed),
        f"{name}.core": core_text(block, sources, constants, bench, memories, vectors, hdl),
        "README.md": readme(block, sources, constants, bench, hdl),
        **sources, **memories, **vectors}
    Path(directory, RTL).mkdir()
    for file, text in texts.items():
        (directory / file).write_text(text)
    (directory / "LICENSE").write_text(licence())
    if hdl == "Verilog":
        shutil.copy(HERE / "lint.vlt", directory)


def bench_text(block: Block, language: Language) -> str:
    """The bench that checks itself, without the lines of other streams than the block's: those that
    end with a condition, "only where ...", that does not hold."""
    text = (HERE / f"self_check{language.bench}").read_text()
    text = text.replace("TOP", block.top).replace("DUT", block.full_name)
    stated = {"there is video": block.film is not None, "there is no video": block.film is None}
    for side, inner, outer in zip(("s_axis", "m_axis"), block.inner_streams, block.streams):
        creeps, marked = inner.creep is not None, "tuser" in outer.marks
        stated |= {f"{side} creeps": creeps, f"{side} does not creep": not creeps,
                   f"{side} has tuser": marked, f"{side} has no tuser": not marked}
    for condition, holds in stated.items():
        if not holds:
            text = re.sub(f".* only where {condition}\n", "", text)
    return re.sub(f" *{language.comment} only where .*", "", text)


def design(block: Block, cache: str | Path, hdl: str) -> dict[str, str]:
    """{file name: text} of the block's HDL, in the order in which tools want it."""
    with tempfile.TemporaryDirectory() as scratch:
        files = convert_network(block.configs, scratch, cache, hdl,
                                block.film.outside if block.film else True)
        texts = settle({file.name: file.read_text() for file in files}, block.prefix, hdl)
        return {f"{RTL}/{file}": text for file, text in texts.items()}


def licence() -> str:
    """The licence that the installed distribution carries, of a checkout as of a wheel."""
    files = metadata.files(PACKAGE) or ()
    return next(file for file in files if file.name == "LICENSE").read_text()
