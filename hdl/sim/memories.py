"""The ``.mem`` files that converted ROMs read when their simulation starts."""
import contextlib
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hdl.errors import ToolError

# Directory of the files or {file name: text}; None where a design has no ROMs.
Memories = str | Path | Mapping[str, str] | None


def memory_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Names of the memory files that HDL ``texts`` read, sorted."""
    return tuple(sorted({name for text in texts for name in re.findall(r'"([^"]+\.mem)"', text)}))


@contextlib.contextmanager
def memory_directory(names: Iterable[str],
                     memories: Memories) -> Iterator[Path]:
    """Yield a directory that holds the files ``names``; raises ToolError where one is missing."""
    with tempfile.TemporaryDirectory() as scratch:
        if memories is None or isinstance(memories, Mapping):
            for name, text in (memories or {}).items():
                Path(scratch, name).write_text(text)
            memories = scratch
        missing = [name for name in names if not Path(memories, name).is_file()]
        if missing:
            raise ToolError(f"memory file {missing[0]} is missing, one of {len(missing)}")
        yield Path(memories).resolve()
