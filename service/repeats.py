"""Events that may come thousands of times a second: refused and slow requests, as few lines.

The first of a kind is written at once; what comes after it is counted, and is one line for every ten
seconds with the last one's members as an example. Called by `service.exchange`.
"""

import asyncio
import logging
from typing import Any

from service.errors import FlotillaError

log = logging.getLogger("service.requests")

EVERY_SECONDS = 10.0
# These tell of the replica, all others of the client.
_WORRYING = (429, 503, 504)

Kind = tuple[str, ...]


class Repeats:
    """Kinds of events that came lately. Belongs to the event loop."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._counted: dict[Kind, tuple[int, int, str, dict[str, Any]]] = {}
        self._timers: dict[Kind, asyncio.TimerHandle] = {}

    def refused(self, error: FlotillaError, members: dict[str, Any]) -> None:
        """Note a request that was refused. Not what the error says: it may quote the client's input."""
        level = logging.WARNING if error.status in _WORRYING else logging.INFO
        kind = type(error).__name__
        self._note(level, "requests refused", {"code": error.status, "error": kind, **members})

    def slow(self, members: dict[str, Any]) -> None:
        """Note a request that took long."""
        self._note(logging.WARNING, "slow requests", members)

    def close(self) -> None:
        """Write what was counted since the last lines."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for kind in list(self._counted):
            self._write(kind)

    def _note(self, level: int, message: str, members: dict[str, Any]) -> None:
        kind = (message, *(str(members.get(name)) for name in ("code", "model", "version")))
        count = self._counted[kind][0] if kind in self._counted else 0
        self._counted[kind] = (count + 1, level, message, members)
        if kind not in self._timers:
            self._tell(kind)

    def _tell(self, kind: Kind) -> None:
        """Write what was counted, and look again later; a kind of which nothing came begins anew."""
        self._timers.pop(kind, None)
        if kind in self._counted:
            self._write(kind)
            loop = asyncio.get_running_loop()
            self._timers[kind] = loop.call_later(self._every_seconds, self._tell, kind)

    def _write(self, kind: Kind) -> None:
        count, level, message, members = self._counted.pop(kind)
        log.log(level, message, extra={"count": count, **members})
