"""Where lines come from: the files of the local stack, or what is piped in. Entries go out in batches.

A batch is what has come since the one before, in order of time: parts write at the same time, and each
into its own log.
"""

import queue
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from deploy.errors import Refused
from deploy.local.supervisor import ticks
from deploy.logs.entry import Entry, Reader
from deploy.logs.tail import Tail
from deploy.logs.wanted import Wanted

ACCESS = "access"  # a line for each request: shown by name, or for a request
LOOK_EVERY_SECONDS = 0.3
QUIET_SECONDS = 0.3
LONGEST_BATCH_SECONDS = 2.0

# `docker compose logs`: the container's name, in colours where it is asked to, and its line, which
# --timestamps begins with a time.
_PIPED = re.compile(r"(?P<part>[A-Za-z0-9_.-]+) *\| ?(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?(?P<line>.*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class LogFolder:
    """The logs of the local stack: `{part}.log`, and those turned over before them."""

    def __init__(self, folder: Path, names: Sequence[str], wanted: Wanted) -> None:
        self._folder = folder
        self._names = names
        self._wanted = wanted
        self._tails: dict[str, tuple[Tail, Reader]] = {}
        known = self._parts()
        if unknown := [name for name in names if name not in known]:
            there = ", ".join(known) or "none"
            raise Refused(f"no log of {', '.join(unknown)}; there are {there}")

    def batch(self, most_lines: int | None = None) -> list[Entry]:
        """Return what has come since the last time, at most so many last lines of each log."""
        entries: list[Entry] = []
        for part in self._parts():
            if self._is_shown(part) and part not in self._tails:  # a replica's, just started
                self._tails[part] = Tail(self._folder / f"{part}.log"), Reader(part)
        for tail, reader in self._tails.values():
            lines: Iterator[str] = filter(self._wanted.may_be, tail.lines())
            if self._wanted.everything:  # don't read what won't be shown
                lines = iter(deque(lines, most_lines))
            entries += deque((e for e in map(reader.read, lines) if e in self._wanted), most_lines)
        return sorted(entries, key=lambda entry: entry.time)

    def follow(self) -> Iterator[list[Entry]]:
        """Yield batches as they come, for ever."""
        for _ in ticks(float("inf"), LOOK_EVERY_SECONDS):
            yield self.batch()

    def close(self) -> None:
        """Let go of the files."""
        for tail, _ in self._tails.values():
            tail.close()

    def _parts(self) -> list[str]:
        """Return the parts that have a log; one that is being turned over has only the one before."""
        found = [*self._folder.glob("*.log"), *self._folder.glob("*.log.1")]
        return sorted({path.name.removesuffix(".1").removesuffix(".log") for path in found})

    def _is_shown(self, name: str) -> bool:
        if self._names:
            return name in self._names
        return name != ACCESS or bool(self._wanted.request_id)


class Piped:
    """What `docker compose logs` writes, with the names of the containers before the lines."""

    def __init__(self, lines: Iterable[str], wanted: Wanted) -> None:
        self._written = lines
        self._wanted = wanted
        self._readers: dict[str, Reader] = {}
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def batches(self) -> Iterator[list[Entry]]:
        """Yield batches until the other side ends; one ends when nothing more comes for a moment."""
        threading.Thread(target=self._read, daemon=True).start()
        ended = False
        while not ended:
            line = self._lines.get()
            entries: list[Entry] = []
            deadline = time.monotonic() + LONGEST_BATCH_SECONDS
            while line is not None:
                entries += self._entries(line)
                if time.monotonic() > deadline:
                    break
                try:
                    line = self._lines.get(timeout=QUIET_SECONDS)
                except queue.Empty:
                    break
            ended = line is None
            yield sorted(entries, key=lambda entry: entry.time)

    def _read(self) -> None:
        for line in self._written:
            self._lines.put(line)
        self._lines.put(None)

    def _entries(self, line: str) -> list[Entry]:
        """Return the entry of a line, where it is wanted."""
        line = _COLOUR.sub("", line).rstrip()
        match = _PIPED.fullmatch(line)
        part, line = (match["part"], match["line"]) if match else ("", line)
        if not self._wanted.may_be(line):
            return []
        reader = self._readers.setdefault(part, Reader(part))
        entry = reader.read(line)
        return [entry] if entry in self._wanted else []
