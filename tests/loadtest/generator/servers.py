"""Small real servers for the generator's tests, and payloads that they know the answers to."""

import itertools
import json
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from loadtest.generator import Plan
from loadtest.payloads import MARK, Payloads, Template, write

# The n-th request, from 1, and its body: what is sent for it. A reply that isn't whole ends the
# connection, HANG answers nothing.
Answer = Callable[[int, bytes], bytes]
HANG = b"HANG"
CHUNKS = (
    b"HTTP/1.1 200 OK\r\nX-Model-Version: 1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
)


def reply(body: bytes, status: str = "200 OK", more: str = "X-Model-Version: 1\r\n") -> bytes:
    """Return the bytes of a reply from replica `a`."""
    head = f"HTTP/1.1 {status}\r\nX-Replica: a\r\nx-cache: miss\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def right_body(body: bytes) -> bytes:
    """Return what the model answers: the first number of each row, without its fraction."""
    return json.dumps({"predictions": [int(row[0]) for row in json.loads(body)["instances"]]}).encode()


def right(_: int, body: bytes) -> bytes:
    """Answer as the model does."""
    return reply(right_body(body))


def payloads_of(templates: int = 10, *, version: int = 1, padding: int = 0) -> Payloads:
    """Return unique requests of one row each."""
    return Payloads(
        model="m",
        version=version,
        path="/v1/models/m:predict",
        unique=True,
        rows=1,
        templates=[
            Template(b'{"instances": [[%d.5%s, 1]]%s}' % (place, MARK, b" " * padding), [place])
            for place in range(templates)
        ],
    )


def plan_for(address: str, folder: Path, payloads: Payloads | None = None, **more: Any) -> Plan:
    """Return a plan of a quarter of a second over one connection; closed unless `rate` is given."""
    write(payloads or payloads_of(), folder / "payloads")
    given = {"loop": "open" if "rate" in more else "closed", "connections": 1, "seconds": 0.25, **more}
    return Plan(address=address, host="test", payloads=str(folder / "payloads"), **given)


class Listening(socketserver.ThreadingTCPServer):
    """What was received, and how many connections there are and were."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.numbers = answer, itertools.count(1)
        self.received: list[bytes] = []
        self.accepted: list[Any] = []  # the other end of each connection
        self.closed: list[Any] = []
        self.ended = Event()
        self.address = f"127.0.0.1:{self.server_address[1]}"


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    server: Listening
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer one request after the other."""
        self.server.accepted.append(self.client_address)
        try:
            while self._one():
                pass
        except OSError:
            pass
        self.server.closed.append(self.client_address)

    def _one(self) -> bool:
        """Answer a request; say whether the connection goes on."""
        head = b""
        while (line := self.rfile.readline()) not in (b"", b"\r\n"):
            head += line
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        body = self.rfile.read(length)
        if not head or len(body) < length:
            return False
        self.server.received.append(body)
        out = self.server.answer(next(self.server.numbers), body)
        if out == HANG:
            self.server.ended.wait()
            return False
        self.wfile.write(out)
        begun, _, sent = out.partition(b"\r\n\r\n")
        whole = b"Content-Length: %d\r\n" % len(sent) in out or (b"chunked" in begun and sent)
        return bool(whole) and b"Connection: close" not in begun


@contextmanager
def serving(answer: Answer = right) -> Iterator[Listening]:
    """Serve while the context lasts."""
    with Listening(answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
