"""A log file that grows and is turned over: its lines come out, each of them once, none is left out."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class Tail:
    """One log and the one before it, `{name}.log.1`: renamed when it was large, or emptied.

    Both stay open. nginx goes on writing into a file that has been renamed, and as long as one is open
    nothing else gets its inode.
    """

    def __init__(self, path: Path) -> None:
        self._paths = (path.with_name(path.name + ".1"), path)
        self._open: list[_Open] = []

    def lines(self) -> Iterator[str]:
        """Yield what has come since the last time, at first all there is."""
        for each in self._open:
            yield from each.lines()
        for each in self._opened_anew():
            yield from each.lines()
            self._open.append(each)
        while len(self._open) > len(self._paths):
            self._open.pop(0).close()

    def close(self) -> None:
        """Let go of the files."""
        for each in self._open:
            each.close()

    def _opened_anew(self) -> "list[_Open]":
        """Return the files that aren't open yet, the older one first."""
        known = {each.inode for each in self._open}
        found: list[_Open] = []
        # The current one first: were it renamed in between, it would be found under both names.
        for path in reversed(self._paths):
            try:
                file = _Open(path.open("rb"))
            except FileNotFoundError:
                continue
            if file.inode in known:
                file.close()
            else:
                known.add(file.inode)
                found.insert(0, file)
        return found


class _Open:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.inode = os.fstat(file.fileno()).st_ino
        self._begun = b""  # a line that isn't complete yet

    def lines(self) -> Iterator[str]:
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # emptied
            self._begun = b""
        for line in self._file:
            if not line.endswith(b"\n"):
                self._begun += line
                continue
            yield (self._begun + line).decode(errors="replace").rstrip()
            self._begun = b""

    def close(self) -> None:
        self._file.close()
