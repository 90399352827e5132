"""A circuit breaker: after a few failures in a row the cache is left alone until a probe succeeds.

States as in M. Nygard, "Release It!": closed (calls pass), open (they don't), half-open (one probe).
The probe runs in the background, so that no request pays for finding out.
"""

import asyncio
from collections.abc import Awaitable, Callable

FAILURES_TO_OPEN = 3
PROBE_SECONDS = 0.5


class Breaker:
    """Guards calls to something that may be down. Belongs to one event loop."""

    def __init__(
        self, probe: Callable[[], Awaitable[bool]], probe_every_seconds: float = PROBE_SECONDS
    ) -> None:
        self._probe = probe
        self._every = probe_every_seconds
        self._failures = 0
        self._probing: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether calls may pass."""
        return self._probing is None

    def succeeded(self) -> None:
        """Note a call that was answered in time."""
        self._failures = 0

    def failed(self) -> None:
        """Note a call that failed; the third in a row opens the breaker."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN and self._probing is None:
            self._probing = asyncio.get_running_loop().create_task(self._probe_until_answered())

    async def close(self) -> None:
        """End the probe, if one runs."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    async def _probe_until_answered(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            if await self._probe():
                self._failures = 0
                self._probing = None
                return
