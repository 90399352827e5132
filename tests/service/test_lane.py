"""The fast lane: raw bytes on real connections to a real replica, in whatever order and pieces.

gunicorn writes `Date:`, the lane `date:`, so a reply tells which of them gave it.
"""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.polling import PATIENCE_SECONDS, wait_until
from tests.service.replica_process import ReplicaProcess

BODY = b'{"instances": [[%g, 1]]}'


def request(first: float = 1, *fields: bytes, model: bytes = b"line", body: bytes = b"") -> bytes:
    """Return a request for one row, by default of `line`, which answers with its sum."""
    body = body or BODY % first
    lines = [b"POST /v1/models/%s:predict HTTP/1.1" % model, b"Host: a", *fields]
    lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class RawReply:
    """A reply as it came: status, whether the lane gave it, its head and body."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.status = int(head.split(b" ", 2)[1])
        self.by_lane = b"\r\ndate: " in head
        self.closes = b"\r\nconnection: close" in head.lower()
        self.head, self.body = head, body

    @property
    def answer(self) -> tuple[int, float]:
        """Status and the prediction for the one row, but for what rounding has added."""
        return self.status, round(json.loads(self.body)["predictions"][0], 9)


class Raw:
    """A connection on which a test sends what it likes."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_SECONDS)
        self.socket.connect(str(path))
        self._file = self.socket.makefile("rb")

    def read(self) -> RawReply:
        """Return the next reply."""
        lines = []
        while (line := self._file.readline()) not in (b"\r\n", b""):
            lines.append(line)
        assert lines, "the connection was closed"
        head = b"".join(lines)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return RawReply(head, self._file.read(size))

    def ask(self, *pieces: bytes) -> RawReply:
        """Send a request in pieces and return its reply."""
        with suppress(BrokenPipeError):  # what is refused by its head is answered before it is read
            for piece in pieces:
                self.socket.sendall(piece)
        return self.read()

    def closed(self) -> bool:
        """Wait until the other side closes."""
        return self._file.read(1) == b""


@contextmanager
def connected(replica: ReplicaProcess) -> Iterator[Raw]:
    """Return a connection and close it."""
    raw = Raw(replica.socket)
    try:
        yield raw
    finally:
        raw._file.close()
        raw.socket.close()


def test_a_plain_request_takes_the_lane(replica: ReplicaProcess) -> None:
    """A whole request is answered in the lane, again and again on one connection."""
    with connected(replica) as raw:
        for first in range(5):
            reply = raw.ask(request(first))
            assert reply.by_lane
            assert reply.answer == (200, first + 1)


def test_body_in_pieces(replica: ReplicaProcess) -> None:
    """A body that comes piece by piece is waited for."""
    sent = request(2)
    with connected(replica) as raw:
        for cut in (len(sent) - 1, len(sent) - 10, sent.index(b"\r\n\r\n") + 4):
            reply = raw.ask(sent[:cut], sent[cut:])
            assert reply.by_lane
            assert reply.answer == (200, 3)


def test_head_in_pieces(replica: ReplicaProcess) -> None:
    """A head in pieces is gunicorn's; the next request on the connection is the lane's again."""
    sent = request(2)
    with connected(replica) as raw:
        raw.socket.sendall(sent[:20])
        assert raw.ask(sent[20:]).answer == (200, 3)
        wait_until(lambda: raw.ask(sent).by_lane)


def test_taking_turns_with_gunicorn(replica: ReplicaProcess) -> None:
    """On one connection, pages, chunked bodies and plain requests are each answered by their own."""
    chunked = b"POST /v1/models/line:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    body = BODY % 4
    chunked += b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    page = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(replica) as raw:
        for _ in range(3):
            assert raw.ask(request(3)).answer == (200, 4)
            live = raw.ask(page)
            assert (live.status, live.by_lane) == (200, False)
            reply = raw.ask(chunked)
            assert (reply.answer, reply.by_lane) == ((200, 5), False)
            assert raw.ask(request(6)).answer == (200, 7)
        # What comes before gunicorn has noticed that its reply is out is gunicorn's as well.
        wait_until(lambda: raw.ask(request(1)).by_lane)


def test_pipelined(replica: ReplicaProcess) -> None:
    """Requests sent behind one another are answered in their order, however they are cut."""
    sent = b"".join(request(first) for first in range(6))
    for cut in (len(sent), len(sent) // 2, len(request()) + 30, len(request()) - 3):
        with connected(replica) as raw:
            raw.socket.sendall(sent[:cut])
            raw.socket.sendall(sent[cut:])
            answers = [raw.read().answer for _ in range(6)]
            assert answers == [(200, i + 1) for i in range(6)]


def test_a_client_that_does_not_wait(replica: ReplicaProcess) -> None:
    """What comes while a request is being answered is answered after it."""
    with connected(replica) as raw:
        raw.socket.sendall(request(0.2, model=b"told"))
        wait_until(lambda: in_flight(replica) == 1)
        raw.socket.sendall(request(1) + request(2))
        assert [raw.read().answer for _ in range(3)] == [(200, 1.2), (200, 2), (200, 3)]


def in_flight(replica: ReplicaProcess) -> int:
    """Return how many predictions are being answered."""
    text = replica.ask("GET", "/metrics").body.decode()
    return int(float(text.partition("\nflotilla_requests_in_flight ")[2].partition("\n")[0]))


def test_errors_leave_the_connection_open(replica: ReplicaProcess) -> None:
    """A refused request costs the client nothing but its answer."""
    with connected(replica) as raw:
        assert raw.ask(request(body=b"{")).status == 400
        assert raw.ask(request(model=b"nobody")).status == 404
        assert raw.ask(request().replace(b"application/json", b"text/csv")).status == 415
        assert raw.ask(request(1, b"X-Request-Timeout-Ms: soon")).status == 400
        reply = raw.ask(request())
        assert (reply.status, reply.by_lane) == (200, True)


def test_a_large_body(replica: ReplicaProcess) -> None:
    """A body beyond the lane's limit is gunicorn's; one beyond the replica's is refused."""
    with connected(replica) as raw:
        body = b" " * 300_000 + BODY % 1
        reply = raw.ask(request(body=body))
        assert (reply.answer, reply.by_lane) == ((200, 2), False)
    with connected(replica) as raw:
        assert raw.ask(request(body=b" " * 600_000)).status == 413


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        request().replace(b"Host: a", b"Host: a\r\n folded"),
        request(1, b"Content-Length: 3"),
        request(1, b"Transfer-Encoding: gzip"),
        request(1, b"X-Bare: a\nb: c"),
    ],
)
def test_malformed(replica: ReplicaProcess, sent: bytes) -> None:
    """What can be read in two ways is refused by gunicorn, which then closes."""
    with connected(replica) as raw:
        reply = raw.ask(sent)
        assert reply.status in (400, 501)
        assert not reply.by_lane
        assert raw.closed()


def test_who_leaves_is_not_computed_for(replica: ReplicaProcess) -> None:
    """A request whose client has gone while it waited never reaches the engine."""
    calls = computed(replica)
    with connected(replica) as first:
        first.socket.sendall(request(0.3, model=b"told"))
        wait_until(lambda: in_flight(replica) == 1)
        with connected(replica) as leaves:
            leaves.socket.sendall(request(0.1, model=b"told"))
            wait_until(lambda: in_flight(replica) == 2)
        wait_until(lambda: in_flight(replica) == 1)
        assert first.read().status == 200
    wait_until(lambda: in_flight(replica) == 0)
    assert computed(replica) == calls + 1


def computed(replica: ReplicaProcess) -> int:
    """Return how often the engine of `told` was called."""
    text = replica.ask("GET", "/metrics").body.decode()
    name = '\nflotilla_inference_duration_seconds_count{model="told",version="1"} '
    return int(float(text.partition(name)[2].partition("\n")[0] or 0))


def test_stopping(replica_registry: Path) -> None:
    """A replica that is to end answers what it has, and tells kept-alive clients that it closes."""
    with ReplicaProcess(replica_registry, REDIS_URL="") as leaving:
        leaving.wait_until_ready()
        with connected(leaving) as busy, connected(leaving) as idle:
            assert idle.ask(request(1)).by_lane
            busy.socket.sendall(request(1.0, model=b"told"))
            wait_until(lambda: in_flight(leaving) == 1)
            leaving.terminate()
            wait_until(lambda: "shutting down" in leaving.log)
            last = idle.ask(request(2))
            assert (last.answer, last.closes) == ((200, 3), True)
            assert busy.read().answer == (200, 2)
        assert leaving.wait() == 0


def test_idle_connections_are_closed(replica_registry: Path) -> None:
    """A connection that the lane uses stays open beyond the keep-alive time; an idle one doesn't."""
    with ReplicaProcess(replica_registry, "--keep-alive", "1", REDIS_URL="") as short:
        short.wait_until_ready()
        with connected(short) as idle, connected(short) as used:
            assert idle.ask(request(1)).by_lane
            gone = threading.Event()
            watcher = threading.Thread(target=lambda: idle.closed() and gone.set())
            watcher.start()
            while not gone.wait(0.1):
                assert used.ask(request(1)).by_lane
            watcher.join()
            assert used.ask(request(1)).status == 200


def test_a_connection_that_is_never_used_is_closed(replica_registry: Path) -> None:
    """Nobody can hold a connection without asking for anything."""
    with ReplicaProcess(replica_registry, "--keep-alive", "1", REDIS_URL="") as short:
        short.wait_until_ready()
        with connected(short) as silent, connected(short) as half:
            half.socket.sendall(request(1)[:-1])
            assert silent.closed()
            assert half.closed()
