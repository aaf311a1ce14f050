"""Files that are written whole or not at all: whatever happens, an older file of the name stays."""
import contextlib
import fcntl
import glob
import os
import threading
from pathlib import Path
from typing import BinaryIO

PART = ".part"      # ending of a file that is being written


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file under a temporary name beside its place, and give the file its own name once
    all of it is on the disk.

    Other processes may write the same file at the same time; the last one's content stays.  What
    killed processes had begun to write of the file is removed.  Raises OSError.
    """
    remove_abandoned(path)
    file = claim(path)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(file.name)


def claim(path: Path) -> BinaryIO:
    """A new file beside ``path``, locked for as long as it is open; OSError."""
    while True:
        own = f"{os.getpid()}.{threading.get_ident()}"
        file = open(path.with_name(f"{path.name}.{own}{PART}"), "wb")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Another process may have taken it for abandoned before it was locked.
        if os.path.exists(file.name):
            return file
        file.close()


def remove_abandoned(path: Path) -> None:
    """Remove what processes that are no more had begun to write of a file."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*{PART}"):
        with contextlib.suppress(OSError), open(left, "rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)    # whoever writes it holds the lock
            os.remove(left)
