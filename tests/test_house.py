"""The rules of the house: what may import what, and a test for every file."""
import ast
import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Files and folders whose tests are not at the place that the rule of twins gives them.
TESTED_IN = {
    "golden/build.py": "tests/scripts/test_dump_goldens.py",
    "golden/calibration.py": "tests/golden/test_learn.py",
    "golden/classify.py": "tests/golden/test_real_weights.py",
    "golden/errors.py": "tests/golden/test_store.py",
    "golden/foreign.py": "tests/golden/test_model.py",
    "golden/graph.py": "tests/golden/test_fixed.py",
    "golden/layouts.py": "tests/golden/test_model.py",
    "golden/topology.py": "tests/golden/test_model.py",
    "hdl/axis.py": "tests/hdl/test_shape.py",
    "hdl/blocks/adder_array.py": "tests/hdl/units/test_constant.py",
    "hdl/blocks/adder_graph.py": "tests/hdl/units/test_constant.py",
    "hdl/blocks/constant_array.py": "tests/hdl/units/test_constant.py",
    "hdl/blocks/constant_text.py": "tests/hdl/units/test_constant.py",
    "hdl/blocks/dot.py": "tests/hdl/blocks/test_mac.py",
    "hdl/blocks/fifo.py": "tests/hdl/blocks/test_stream.py",
    "hdl/blocks/lanes.py": "tests/hdl/blocks/test_refusals.py",
    "hdl/blocks/mac_loops.py": "tests/hdl/blocks/test_mac.py",
    "hdl/blocks/mac_text.py": "tests/hdl/blocks/test_mac.py",
    "hdl/blocks/processing_element.py": "tests/hdl/blocks/test_mac.py",
    "hdl/blocks/registers.py": "tests/hdl/blocks/test_stream.py",
    "hdl/blocks/serialise.py": "tests/hdl/blocks/test_mac.py",
    "hdl/blocks/signals.py": "tests/hdl/blocks/test_requantize.py",
    "hdl/blocks/tile_patch.py": "tests/hdl/units/test_constant.py",
    "hdl/blocks/whole_bytes.py": "tests/hdl/units/test_outside.py",
    "hdl/blocks/window_mux.py": "tests/hdl/blocks/test_line_buffer.py",
    "hdl/blocks/window_walk.py": "tests/hdl/blocks/test_line_buffer.py",
    "hdl/board/checksum.py": "tests/hdl/board/test_protocol.py",
    "hdl/convert/block.py": "tests/hdl/convert/test_network.py",
    "hdl/convert/board.py": "tests/hdl/board/test_top.py",
    "hdl/convert/video.py": "tests/hdl/export/test_film.py",
    "hdl/errors.py": "tests/scripts/test_cli.py",
    "hdl/export/block.py": "tests/hdl/export/test_folder.py",
    "hdl/export/texts.py": "tests/hdl/export/test_folder.py",
    "hdl/hierarchy": "tests/hdl/hierarchy/test_build.py",
    "hdl/myhdl_fixes/order.py": "tests/hdl/convert/test_network.py",
    "hdl/myhdl_fixes/structure.py": "tests/scripts/test_picture.py",
    "hdl/plan/arrays.py": "tests/hdl/plan/test_tiles.py",
    "hdl/plan/budget.py": "tests/scripts/test_budget.py",
    "hdl/plan/geometry.py": "tests/hdl/blocks/test_line_buffer.py",
    "hdl/plan/origin.py": "tests/scripts/test_budget.py",
    "hdl/plan/rom.py": "tests/hdl/plan/test_config.py",
    "hdl/sim/backends/ghdl.py": "tests/hdl/sim/backends/test_icarus_and_ghdl.py",
    "hdl/sim/backends/icarus.py": "tests/hdl/sim/backends/test_icarus_and_ghdl.py",
    "hdl/sim/backends/myhdl_bench.py": "tests/hdl/sim/test_design.py",
    "hdl/sim/backends/toolchain.py": "tests/hdl/sim/backends/test_verilator.py",
    "hdl/sim/endpoints.py": "tests/hdl/sim/test_design.py",
    "hdl/sim/memories.py": "tests/hdl/sim/backends/test_verilator.py",
    "hdl/sim/patterns.py": "tests/scripts/test_stress.py",
    "hdl/sim/trace.py": "tests/hdl/sim/test_design.py",
    "hdl/sim/waves": "tests/hdl/sim/waves/test_files.py",
    "hdl/sim/video.py": "tests/hdl/blocks/test_frame_repair.py",
    "hdl/units/convolve.py": "tests/hdl/units/test_pointwise.py",
    "hdl/units/inverted_residual.py": "tests/hdl/units/test_stages.py",
    "hdl/units/mobilenet_v2.py": "tests/hdl/sim/test_network.py",
    "scripts/__main__.py": "tests/scripts/test_cli.py",
    "scripts/bench": "tests/scripts/test_bench.py",
    "scripts/fit": "tests/scripts/test_fit.py",
    "scripts/report": "tests/scripts/test_report.py",
    "scripts/picture": "tests/scripts/test_picture.py",
    "scripts/shared/checkout.py": "tests/scripts/test_bench.py",
    "scripts/shared/numerics_plots.py": "tests/scripts/test_numerics.py",
    "scripts/silicon": "tests/scripts/test_silicon.py",
    "scripts/shared/yosys.py": "tests/hdl/convert/test_lint.py",
    "scripts/shared/widths.py": "tests/scripts/test_numerics.py",
    "scripts/stress": "tests/scripts/test_stress.py",
    "scripts/validate": "tests/scripts/test_validate.py",
}


def sources(*folders):
    """Python files below folders of the checkout, relative to it."""
    return sorted(path.relative_to(ROOT) for folder in folders
                  for path in (ROOT / folder).rglob("*.py"))


def tree(file):
    """Its syntax tree."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imports(file):
    """Names of all modules that a file imports, at its top or later; of ``from a import b`` both
    ``a`` and ``a.b``."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules(folder):
    """Dotted names of a folder's modules."""
    return [".".join(file.with_suffix("").parts) for file in sources(folder)
            if file.name != "__init__.py"]


def loaded(names, unwanted):
    """Those of ``unwanted`` (modules or packages) that importing ``names`` loads."""
    code = (f"import importlib, sys\nfor name in {names}: importlib.import_module(name)\n"
            f"print(*[name for name in {unwanted} if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    return done.stdout.split()


@pytest.mark.parametrize("names, unwanted", [
    (["scripts.budget", *modules("hdl/plan")],
     ["myhdl", "hdl.blocks", "hdl.units", "tensorflow", "keras"]),
    ([*modules("hdl/export"), *modules("hdl/convert")], ["hdl.sim"]),
    (["scripts.__main__"], ["myhdl", "numpy", "tensorflow", "click"]),
], ids=["planning needs no MyHDL", "writing text needs no simulator", "the list needs nothing"])
def test_what_imports_load(names, unwanted):
    assert loaded(names, unwanted) == []


def test_loads_are_seen():
    assert loaded(["hdl.sim.design"], ["myhdl", "hdl.sim", "keras"]) == ["myhdl", "hdl.sim"]


def test_golden_knows_the_layer_table_alone():
    """Of the hardware: what is checked shares no code with what checks it."""
    shared = {name for file in sources("golden") for name in imports(file)
              if name.partition(".")[0] == "hdl"}
    assert {name for name in shared if name != "hdl" and not name.startswith("hdl.layers")} == set()
    assert "hdl.layers" in shared


def test_no_test_imports_another():
    for file in sources("tests"):
        borrowed = {name for name in imports(file) for part in name.split(".")
                    if name.startswith("tests.") and part.startswith(("test_", "conftest"))}
        assert borrowed == set(), f"{file}: what two tests share belongs to tests/support"


def test_nothing_is_unpickled():
    """No module that unpickles is imported, and NumPy is told not to, wherever it loads."""
    for file in sources("golden", "hdl", "scripts", "tests"):
        assert not {name.partition(".")[0] for name in imports(file)} & {
            "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}, file
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) \
                    and node.func.attr == "load" and ast.unparse(node.func.value) == "np":
                told = {option.arg: ast.unparse(option.value) for option in node.keywords}
                assert told.get("allow_pickle") == "False", f"{file}, line {node.lineno}"


def test_a_wheel_takes_everything():
    """Each folder of code is a package, each other file in it is its data."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    data = settings["options.package_data"]
    for file in (path.relative_to(ROOT) for folder in ("golden", "hdl", "scripts")
                 for path in (ROOT / folder).rglob("*") if path.is_file()):
        if "__pycache__" in file.parts:
            continue
        assert (ROOT / file.parent / "__init__.py").is_file(), f"{file.parent} is no package"
        patterns = data.get(".".join(file.parent.parts), "").split(", ")
        assert file.suffix == ".py" or any(map(file.match, filter(None, patterns))), \
            f"{file} is in no wheel: add it to setup.cfg's package_data"


def has_code(file):
    """Whether a file has a function or a class."""
    return any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in ast.walk(tree(file)))


def test_every_file_has_its_test():
    """ROOM/NAME.py is tested in tests/ROOM/test_NAME.py, or where the table says."""
    for file in sources("golden", "hdl", "scripts"):
        twin = Path("tests", file.with_name(f"test_{file.name}"))
        elsewhere = {file.as_posix(), file.parent.as_posix()} & set(TESTED_IN)
        if (ROOT / twin).is_file():
            assert file.as_posix() not in TESTED_IN, f"{twin} is there: take {file} out"
        elif has_code(file):
            assert elsewhere, f"{file} has no {twin}, and no line in this file's table"
    for source, test in TESTED_IN.items():
        assert (ROOT / source).exists(), f"{source} is gone: take it out of the table"
        assert (ROOT / test).is_file(), f"{test}, which is to test {source}, is gone"
