"""A look from outside: what a client would see, however wrong that is."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
import pytest

from deploy import outside
from deploy.outside import TRIES, Seen, answers, example_body, look
from tests.fakes import FakeDoor
from tests.published import published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with one routed version of `line`."""
    published(tmp_path / "registry", "line", routed=True)
    return tmp_path / "registry"


@pytest.fixture
def door(registry: Path) -> Iterator[FakeDoor]:
    """Return what answers for the registry."""
    with FakeDoor(registry) as door:
        yield door


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that would have been made between tries."""
    made: list[float] = []
    monkeypatch.setattr(outside.time, "sleep", made.append)
    return made


@contextmanager
def stranger(says: bytes) -> Iterator[str]:
    """Give the address of something that answers whoever connects with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def closed_port() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_prediction(registry: Path, door: FakeDoor) -> None:
    """The first row of a version's sample is asked for, past the edge cache, with headers."""
    body = example_body(registry, "line", "1")
    assert body is not None
    assert msgspec.json.decode(body) == {"instances": [[0, 1]]}
    seen = look(door.url, "line", body, {"X-Client-ID": "qa"})
    assert seen == Seen(200, "1", '{"predictions": [1.0]}')
    ((headers, asked),) = door.asked
    assert asked == body
    assert (headers["Cache-Control"], headers["X-Client-Id"]) == ("no-cache", "qa")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_failure_is_seen_once(registry: Path, door: FakeDoor, status: int, pauses: list[float]) -> None:
    """A failure has its status, its version and its words, and is asked for once."""
    door.status = status
    seen = look(door.url, "line", b'{"instances": [[0, 1]]}', {})
    assert seen == Seen(status, "1", '{"predictions": [1.0]}')
    assert (len(door.asked), pauses) == (1, [])


@pytest.mark.parametrize("status", [429, 503, 504])
def test_busy_is_asked_again(registry: Path, door: FakeDoor, status: int, pauses: list[float]) -> None:
    """Who is refused because there is no time is asked again, some times."""
    door.status = status
    assert look(door.url, "line", b'{"instances": [[0, 1]]}', {}).status == status
    assert (len(door.asked), len(pauses)) == (TRIES, TRIES)

    def recover() -> None:
        door.status = 200

    door.status, door.before_answer = status, recover
    assert look(door.url, "line", b'{"instances": [[0, 1]]}', {}).status == 200


def test_nobody_there(pauses: list[float]) -> None:
    """Where nobody listens the status is 0, with the reason."""
    url = closed_port()
    assert look(url, "line", b"{}", {}) == Seen(0, "", "[Errno 111] Connection refused")
    assert len(pauses) == TRIES
    assert not answers(url)


@pytest.mark.parametrize("says", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02", b""])
def test_not_http(says: bytes, pauses: list[float]) -> None:
    """What speaks another protocol isn't nginx."""
    with stranger(says) as url:
        seen = look(url, "line", b"{}", {})
        assert (seen.status, seen.version, bool(seen.words)) == (0, "", True)
        assert not answers(url)


def test_reply_that_ends_early(pauses: list[float]) -> None:
    """A reply that isn't whole is none."""
    with stranger(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfew") as url:
        assert look(url, "line", b"{}", {}).status == 0


def test_reply_of_any_bytes() -> None:
    """A reply that isn't UTF-8 can be shown."""
    with stranger(b"HTTP/1.1 500 Oh\r\ncontent-length: 3\r\n\r\n\xffno") as url:
        assert look(url, "line", b"{}", {}) == Seen(500, "", "\N{REPLACEMENT CHARACTER}no")


def test_answers(door: FakeDoor) -> None:
    """Replicas are behind an address where one of them says that it is ready."""
    assert answers(door.url)
    door.status = 503
    assert not answers(door.url)


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "sample.npz").unlink(),
        lambda folder: (folder / "sample.npz").write_bytes(b""),
        lambda folder: (folder / "sample.npz").write_bytes(b"PK\x03\x04 and no more"),
        lambda folder: (folder / "sample.npz").write_bytes(b"\xff" * 100),
        lambda folder: np.savez(folder / "sample.npz", other=np.zeros(3)),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_bytes(b"{"),
        lambda folder: folder.rename(folder.parent / "gone"),
    ],
)
def test_version_that_cannot_be_read(registry: Path, harm: Callable[[Path], object]) -> None:
    """A version that was damaged or deleted since has no request of its own."""
    harm(registry / "line" / "1")
    assert example_body(registry, "line", "1") is None
