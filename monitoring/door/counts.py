"""What has been counted of nginx's tally, and how far: kept in a file that is replaced as a whole.

Counts and place are one: whoever is killed between two lines begins again where the counts ended.
"""

import time
from collections import Counter
from pathlib import Path

import msgspec
from msgspec import Struct, field

from monitoring.door.line import Request, Result, read_line


class Place(Struct, frozen=True):
    """How far a file has been counted: which file, and how many of its bytes."""

    inode: int = 0
    offset: int = 0


class Counts(Struct):
    """The door's counts since `began`, a Unix time."""

    began: float = field(default_factory=time.time)
    place: Place = Place()
    requests: Counter[Request] = field(default_factory=Counter)
    attempts: Counter[Result] = field(default_factory=Counter)
    unreadable: int = 0

    def add(self, lines: bytes, place: Place) -> "Counts":
        """Return these counts and those of whole lines, which end at `place`."""
        more = Counts(self.began, place, self.requests.copy(), self.attempts.copy(), self.unreadable)
        for line, times in Counter(lines.split(b"\n")).items():
            if not line:
                continue  # behind the last end of a line
            try:
                read = read_line(line)
            except ValueError:
                more.unreadable += times
                continue
            more.requests[read.request] += times
            for result, attempts in read.attempts:
                more.attempts[result] += attempts * times
        return more

    def save(self, path: Path) -> None:
        """Replace the file by these counts, at once or not at all."""
        saved = _Saved(
            self.began,
            self.place,
            [(request, count) for request, count in self.requests.items()],
            dict(self.attempts),
            self.unreadable,
        )
        beside = path.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(saved))
        beside.rename(path)


class _Saved(Struct):
    """Counts as JSON has them, whose keys are texts alone."""

    began: float
    place: Place
    requests: list[tuple[Request, int]]
    attempts: dict[Result, int]
    unreadable: int


def load_counts(path: Path) -> Counts | None:
    """Return what was saved, or None where nothing was; raise ValueError for a file that isn't ours."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_Saved)
    except FileNotFoundError:
        return None
    return Counts(
        saved.began,
        saved.place,
        Counter(dict(saved.requests)),
        Counter(saved.attempts),
        saved.unreadable,
    )
