"""The health check of a replica's container: what it says of each kind of answer."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from tests.stack.containers import ROOT

pytestmark = pytest.mark.needs("bash")


def check(port: int) -> tuple[int, str]:
    """Run it against a port and return its exit code and what it says."""
    command = ["bash", str(ROOT / "deploy" / "healthchecks" / "service.sh"), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout + done.stderr


@contextmanager
def replying(reply: bytes) -> Iterator[int]:
    """Give one reply, whatever is asked, and close; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as asked:
                assert asked.readline() == b"GET /health/ready HTTP/1.0\r\n"
                assert asked.readline() == b"\r\n"
                connection.sendall(reply)

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nloading 200 rows", 1),
        (b"", 1),
    ],
)
def test_replies(reply: bytes, code: int) -> None:
    """Only the status decides; what isn't ready says why."""
    with replying(reply) as port:
        found, said = check(port)
    assert found == code
    if code:
        assert (reply.decode().replace("\r\n", "\n") or "no reply") in said


def test_nobody_listens() -> None:
    """A port that nobody has is a reason."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code, said = check(port)
    assert code == 1
    assert "refused" in said
