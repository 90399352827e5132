"""Which entries somebody wants to see: what the command line says comes in, a decision goes out."""

import re
import time
from dataclasses import dataclass

from deploy.errors import Refused
from deploy.logs.entry import LEVELS, Entry

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Wanted:
    """What an entry must be; empty: it may be anything. `since` is in Unix seconds."""

    request_id: str = ""
    since: float = 0.0
    level: str = LEVELS[0]

    @property
    def everything(self) -> bool:
        """Whether no line is left out."""
        return self == Wanted()

    def may_be(self, line: str) -> bool:
        """Tell at once of most lines that they aren't wanted: a log of nginx's has a million."""
        return self.request_id in line

    def __contains__(self, entry: Entry) -> bool:
        if entry.time < self.since or LEVELS.index(entry.level) < LEVELS.index(self.level):
            return False
        if not self.request_id:
            return True
        # JSON has a member for it; in other lines it may stand anywhere.
        if entry.text.startswith("{"):
            return bool(entry.members.get("request_id") == self.request_id)
        return self.request_id in entry.text


def ago(text: str) -> float:
    """Return the Unix time so long ago, as in 90s, 10m, 2h or 1d; raise `Refused` for anything else."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if not match:
        raise Refused(f"--since: expected something like 90s, 10m, 2h or 1d, got {text!r}")
    return time.time() - int(match[1]) * _UNITS[match[2]]
