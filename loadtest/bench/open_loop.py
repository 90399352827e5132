"""Send unique rows at a fixed rate of arrivals, whether or not the ones before were answered.

`arrive` starts a process of its own for that (`python -m loadtest.bench.open_loop`). A plain loop
around select(): uvloop's timers count in milliseconds, select() in microseconds, and a request costs
it some 30 of them. `measure.py` calls it.
"""

import itertools
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from loadtest.bench.processes import output_of
from loadtest.bench.report import Arrivals
from loadtest.bench.workloads import MARK
from loadtest.connection import post

CONNECTIONS = 64
PATIENCE_SECONDS = 10.0
CHUNK = 65536


class Sender:
    """One kept-alive connection; `due` is when its request should have been sent, None when free."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.due: float | None = None
        self.open()

    def open(self) -> None:
        """Connect, at first or anew."""
        self.socket = socket.create_connection(self._address, PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def fileno(self) -> int:
        """Let select() watch it."""
        return self.socket.fileno()

    def send(self, request: bytes, due: float) -> None:
        """Send a whole request."""
        self.due = due
        self.socket.sendall(request)

    def receive(self) -> bool | None:
        """Read what has come; say whether a whole reply is a 200, None when there is more to come."""
        self._received += self.socket.recv(CHUNK)
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end and self._received:
            return None
        lower = head.lower()
        length = lower.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) < int(length or 0):
            return None
        self._received = b""
        if not end or b"connection: close" in lower:
            self.socket.close()
            self.open()
        return bool(length) and head.startswith(b"HTTP/1.1 200")


def arrive(url: str, bodies: Path, rate: float, seconds: int, numbers: range) -> Arrivals:
    """Run the generator in a process of its own and return what it measured."""
    arguments = url, str(bodies), str(rate), str(seconds), str(numbers.start)
    output = output_of(
        "loadtest.bench.open_loop", *arguments, patience_seconds=seconds + 3 * PATIENCE_SECONDS
    )
    return msgspec.json.decode(output, type=Arrivals)


def run(url: str, requests: Iterator[bytes], rate: float, seconds: float) -> Arrivals:
    """Send so many requests a second, evenly spaced, and wait for the last replies.

    A request that finds no free connection waits for one, and its latency counts from before that.
    """
    parts = urlsplit(url)
    senders = [Sender((parts.hostname or "", parts.port or 80)) for _ in range(CONNECTIONS)]
    try:
        return _send_all(senders, requests, rate, seconds)
    finally:
        for sender in senders:
            sender.socket.close()


def _send_all(
    senders: list[Sender], requests: Iterator[bytes], rate: float, seconds: float
) -> Arrivals:
    free, busy = deque(senders), set[Sender]()
    latencies: list[float] = []
    total, sent, failed = round(rate * seconds), 0, 0
    started = last_sent = time.perf_counter()
    give_up = started + seconds + PATIENCE_SECONDS
    while (sent < total or busy) and (now := time.perf_counter()) < give_up:
        while sent < total and free and (due := started + sent / rate) <= now:
            sender = free.popleft()
            sender.send(next(requests), due)
            busy.add(sender)
            sent, last_sent = sent + 1, now
        waits = sent < total and free
        timeout = max(started + sent / rate - now, 0.0) if waits else PATIENCE_SECONDS
        for sender in select.select(busy, [], [], timeout)[0]:
            right = sender.receive()
            if right is None:
                continue
            latencies.append(time.perf_counter() - (sender.due or now))
            failed += not right
            busy.remove(sender)
            free.append(sender)
    ranked = sorted(latencies) or [PATIENCE_SECONDS]
    p50, p99, longest = (ranked[round(share * (len(ranked) - 1))] * 1e3 for share in (0.5, 0.99, 1.0))
    held = (sent - 1) / (last_sent - started) if sent > 1 else 0.0
    return Arrivals(rate, held, p50, p99, longest, failed + total - len(latencies))


def unique_requests(url: str, bodies: Path, first: int) -> Iterator[bytes]:
    """Yield requests of which no two are equal, as `lua/unique.lua` does."""
    parts = urlsplit(url)
    lines = bodies.read_bytes().splitlines()
    templates = [post(parts.netloc, parts.path, line, {}).split(MARK.encode()) for line in lines]
    for number in itertools.count(first):
        mark = b"0.%07d" % number
        for template in templates:
            yield mark.join(template)


if __name__ == "__main__":
    url, bodies, rate, seconds, first = sys.argv[1:]
    unique = unique_requests(url, Path(bodies), int(first))
    outcome = run(url, unique, float(rate), float(seconds))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
