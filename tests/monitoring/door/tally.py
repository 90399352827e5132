"""A tally as nginx writes it: whole lines behind each other, in one write."""

import os
from pathlib import Path

from monitoring.door.reader import TALLY

HIT = b"digits\t1\t200\tHIT\treplica-1\t\t\n"
ANSWERED = b"digits\t1\t200\tMISS\treplica-1\t200\t0.000\n"
LOST = b"digits\t\t503\t\t\t502, 502\t0.000, 0.000\n"


class Tally:
    """The file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / TALLY

    def write(self, lines: bytes) -> None:
        """Write at its end, as each of nginx's workers does."""
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            assert os.write(file, lines) == len(lines)
        finally:
            os.close(file)

    def replace(self) -> None:
        """Take the file away, so that the next write begins another one."""
        # Renamed, not removed: or the new one might get the number of the old one.
        self.path.rename(self.path.with_suffix(".1"))

    @property
    def taken_bytes(self) -> int:
        """How much it takes on disk."""
        return self.path.stat().st_blocks * 512
