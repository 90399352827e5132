"""The edge cache's folder of the local stack: in memory where the system has a file system for that."""

import hashlib
import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # Linux's file system in memory


def edge_folder(home: Path) -> Path:
    """Return the folder of the stack in `home`; each has its own."""
    if not os.access(MEMORY, os.W_OK):
        return home / "run" / "edge"
    return MEMORY / f"flotilla-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"


def make_edge_folder(home: Path) -> Path:
    """Make it anew, for this user alone, and return it."""
    remove_edge_folder(home)
    folder = edge_folder(home)
    folder.mkdir(mode=0o700)
    return folder


def remove_edge_folder(home: Path) -> None:
    """Remove it with all that it holds."""
    shutil.rmtree(edge_folder(home), ignore_errors=True)
