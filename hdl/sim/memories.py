"""The ``.mem`` files that converted ROMs read when their simulation starts."""
import contextlib
import re
import tempfile
from pathlib import Path

from hdl.errors import ToolError


def memory_names(texts):
    """Names of the memory files that HDL ``texts`` read, sorted."""
    return tuple(sorted({name for text in texts for name in re.findall(r'"([^"]+\.mem)"', text)}))


@contextlib.contextmanager
def memory_directory(names, memories):
    """Yield a directory that holds the files ``names``.

    memories -- directory of the files, or {file name: text}
    """
    with tempfile.TemporaryDirectory() as scratch:
        if memories is None or isinstance(memories, dict):
            for name, text in (memories or {}).items():
                Path(scratch, name).write_text(text)
            memories = scratch
        missing = [name for name in names if not Path(memories, name).is_file()]
        if missing:
            raise ToolError(f"memory file {missing[0]} is missing, one of {len(missing)}")
        yield Path(memories).resolve()
