"""Send requests over kept-alive connections, never retry, and account for every single one.

In: payloads and a check of the replies. Out: a `Result`. The stack tests run it while they kill,
scale and restart what answers.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from loadtest.connection import Connection, post
from loadtest.result import Result

# A refused connection fails at once: without a pause a second of them fills the account.
PAUSE_AFTER_LOSS_SECONDS = 0.01
# How late a connection that waits for its next due time may notice that the load has stopped.
LONGEST_SLEEP_SECONDS = 0.05


class Payload(NamedTuple):
    """One request: its body, what the check expects, what to add to the URL's path and the headers."""

    body: bytes
    expected: object = None
    path: str = ""
    headers: Mapping[str, str] = {}


Check = Callable[[Payload, int, Mapping[str, str], bytes], str | None]


def check_predictions(
    payload: Payload, status: int, headers: Mapping[str, str], body: bytes
) -> str | None:
    """Return None for a 200 with exactly the expected predictions, else what is wrong."""
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    try:
        predictions = json.loads(body)["predictions"]
    except (ValueError, KeyError, TypeError):
        return f"no predictions in {body[:200]!r}"
    return None if predictions == payload.expected else f"{predictions} for {payload.expected}"


class Load:
    """Load a URL from some connections: at a total rate, or each as fast as it is answered.

    With a rate the schedule is open: a request is due whether or not the ones before were
    answered, and its latency counts from then, so that a stall shows in all that it delayed.
    An async context manager; blocking work inside it belongs into `asyncio.to_thread`.
    """

    def __init__(
        self,
        url: str,
        connections: int,
        rate_per_second: float | None,
        payloads: Sequence[Payload],
        check: Check = check_predictions,
        *,
        headers: Mapping[str, str] | None = None,
        max_seconds: float = 300.0,
        timeout_seconds: float = 30.0,
    ) -> None:
        """Take the shape of the load; nothing is sent before the context is entered."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path, self._name = parts.path, parts.netloc
        self._connections, self._rate, self._check = connections, rate_per_second, check
        self._payloads, self._slots = itertools.cycle(payloads), itertools.count()
        self._headers = headers or {}
        self._max_seconds, self._timeout_seconds = max_seconds, timeout_seconds
        self._stopped = False
        self.result = Result()

    @property
    def elapsed(self) -> float:
        """Give the load time: seconds since the start."""
        return time.perf_counter() - self._started

    async def __aenter__(self) -> Self:
        """Start all connections."""
        self._started = time.perf_counter()
        self._tasks = [asyncio.create_task(self._drive()) for _ in range(self._connections)]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Send nothing more and wait for the replies in flight; raise what a check raised."""
        self._stopped, until = True, min(self.elapsed, self._max_seconds)
        await asyncio.gather(*self._tasks)
        if self._rate is not None:
            overdue = int((until - LONGEST_SLEEP_SECONDS) * self._rate)
            self.result.unsent = max(0, overdue - self.result.sent)

    async def run(self, seconds: float) -> Result:
        """Load for so many seconds and return the result."""
        async with self:
            await asyncio.sleep(seconds)
        return self.result

    async def _drive(self) -> None:
        """Send one request after the other over one connection, until the load has stopped."""
        connection = Connection(self._host, self._port)
        try:
            while (due := await self._next_due()) is not None:
                await self._send(connection, due, next(self._payloads))
        finally:
            connection.close()

    async def _next_due(self) -> float | None:
        """Wait for the load time of the next request; None once the load has stopped."""
        due = self.elapsed if self._rate is None else next(self._slots) / self._rate
        while not self._stopped and due < self._max_seconds:
            wait = due - self.elapsed
            if wait <= 0:
                return due
            await asyncio.sleep(min(wait, LONGEST_SLEEP_SECONDS))
        return None

    async def _send(self, connection: Connection, due: float, payload: Payload) -> None:
        """Send one request, once, and account for its reply or its loss."""
        self.result.sent += 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                if connection.closed:
                    self.result.connections_opened += 1
                    await connection.open()
                headers = {**self._headers, **payload.headers}
                request = post(self._name, self._path + payload.path, payload.body, headers)
                began = self.elapsed
                reply = await connection.exchange(request)
        except (OSError, EOFError, ValueError) as loss:  # a TimeoutError is an OSError
            self.result.add_failure(self.elapsed, f"lost: {type(loss).__name__} {loss}")
            connection.close()
            await asyncio.sleep(PAUSE_AFTER_LOSS_SECONDS)
            return
        latency = self.elapsed - due
        wrong = self._check(payload, reply.status, reply.headers, reply.body)
        self.result.add_reply(due, latency, reply, wrong)
        self.result.versions.append((began, reply.headers.get("x-model-version", "")))
