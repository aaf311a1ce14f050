"""What a user takes home: a folder of HDL, memories, constants and a bench that checks itself with
golden vectors, with a file list, a FuseSoC core and a page of ports and figures; of the chain or of
one stage.
"""
import shutil
from importlib import metadata
from pathlib import Path

from hdl.build import PACKAGE
from hdl.convert.network import convert_network
from hdl.export.block import Block
from hdl.export.texts import LANGUAGES, constants_text, core_text, readme
from hdl.plan.config import memory_files

HERE = Path(__file__).resolve().parent


def export(block: Block, directory: str | Path, cache: str | Path, hdl: str) -> None:
    """Write the folder of a Block.

    directory -- an empty folder
    cache     -- folder of converted stages
    hdl       -- "Verilog" or "VHDL"
    """
    directory, name, language = Path(directory), block.name, LANGUAGES[hdl]
    sources = [Path(file).name for file in convert_network(block.configs, directory, cache, hdl)]
    memories, vectors = memory_files(block.configs), block.vectors()
    constants, bench = f"{name}_constants{language.constants}", f"{name}_bench{language.bench}"
    listed = sources if hdl == "Verilog" else [*sources, constants]     # a header is included
    texts = {
        constants: constants_text(block, hdl),
        bench: (HERE / f"self_check{language.bench}").read_text().replace("DUT", name),
        "files.f": "".join(f"{file}\n" for file in listed),
        f"{name}.core": core_text(block, sources, constants, bench, memories, vectors, hdl),
        "README.md": readme(block, sources, constants, bench, hdl), **memories, **vectors}
    for file, text in texts.items():
        (directory / file).write_text(text)
    (directory / "LICENSE").write_text(licence())
    if hdl == "Verilog":
        shutil.copy(HERE / "lint.vlt", directory)


def licence() -> str:
    """The licence that the installed distribution carries, of a checkout as of a wheel."""
    files = metadata.files(PACKAGE) or ()
    return next(file for file in files if file.name == "LICENSE").read_text()
