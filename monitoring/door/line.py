"""A line of nginx's tally comes in, what it counts goes out. nginx/tally.conf says what it holds."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Source = Literal["edge", "replica", "nginx"]
Result = Literal["answered", "failed", "silent", "abandoned"]

_STATUS = re.compile(rb"[1-5][0-9]{2}")
# Between attempts, and between those before and after an internal redirect (@again).
_ATTEMPTS = re.compile(rb", | : ")


class Request(NamedTuple):
    """A series of requests. Model and version are empty unless a replica's reply named the version."""

    model: str
    version: str
    code: str
    source: Source


class Line(NamedTuple):
    """What a line counts: one request, and how often each came of asking a replica for it."""

    request: Request
    attempts: tuple[tuple[Result, int], ...]


# Traffic makes some dozens of lines that differ, again and again; those with a name that a client made
# up come and go.
@lru_cache(maxsize=4096)
def read_line(line: bytes) -> Line:
    """Return what a line, without its end, counts; raise ValueError for one that isn't nginx's."""
    try:
        model, version, status, cache, replica, upstream, connects = line.split(b"\t")
    except ValueError as error:
        raise ValueError(f"expected 7 fields, got {line[:100]!r}") from error
    if not _STATUS.fullmatch(status):
        raise ValueError(f"expected a status, got {status[:20]!r}")
    tries = _ATTEMPTS.split(upstream) if upstream else []
    times = _ATTEMPTS.split(connects) if connects else []
    if len(times) != len(tries):
        raise ValueError(f"expected a time for each of {upstream[:100]!r}, got {connects[:100]!r}")
    results = [_before(*each) for each in zip(tries[:-1], times[:-1], strict=True)]
    source: Source = "nginx"
    if cache == b"HIT":
        source = "edge"
    elif tries:
        results.append(_last(tries[-1], times[-1], status, replica))
        if results[-1] == "answered":
            source = "replica"
    if not version or source == "nginx":  # its reply may still show headers of a replica's before it
        model = version = b""
    request = Request(model.decode(), version.decode("latin-1"), status.decode(), source)
    return Line(request, tuple((each, results.count(each)) for each in dict.fromkeys(results)))


def _before(upstream: bytes, connected: bytes) -> Result:
    """Tell what came of an attempt that nginx wasn't content with: only a 503 is a replica's own."""
    if upstream == b"503":
        return "answered"
    # Silent is who took a request: one to whom there was no connection never had it.
    return "silent" if upstream == b"504" and connected != b"-" else "failed"


def _last(upstream: bytes, connected: bytes, status: bytes, replica: bytes) -> Result:
    """Tell what came of the attempt that ended the request.

    A replica never sends 502. nginx sends its own 502 and 504 as 503, so that a 504 which reaches the
    client is the replica's. Without a status there was no reply yet when the client left. A reply that
    names no replica is its web server's, for what it couldn't read.
    """
    if upstream == b"-":
        return "abandoned"
    if upstream != b"502" and replica and status in (upstream, b"499"):
        return "answered"
    return "failed" if upstream == b"503" else _before(upstream, connected)
