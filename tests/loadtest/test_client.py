"""The load client against a real server that misbehaves on purpose."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from loadtest.client import Load, Payload
from loadtest.result import Result

PAYLOADS = [Payload(json.dumps({"instances": [n]}).encode(), [n]) for n in range(10)]
Answer = Callable[[int, bytes], bytes]


def reply(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    """Return the bytes of a reply that names a replica and a cache tier."""
    head = f"HTTP/1.1 {status}\r\nX-Replica: a\r\nX-Cache: miss\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def right(_: int, body: bytes) -> bytes:
    """Answer a request with its own rows as the predictions."""
    return reply(json.dumps({"predictions": json.loads(body)["instances"]}).encode())


@asynccontextmanager
async def server(answer: Answer, *, close_after: int = 0) -> AsyncIterator[str]:
    """Answer the n-th request with what `answer(n, body)` gives, and yield the URL.

    A part of a reply, and every `close_after`-th reply, ends the connection.
    """
    served = 0
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                served += 1
                out = answer(served, body)
                writer.write(out)
                await writer.drain()
                whole = out.partition(b"\r\n\r\n")[2]
                if b"Content-Length: %d\r\n" % len(whole) not in out and b"chunked" not in out:
                    break
                if b"Connection: close" in out or (close_after and served % close_after == 0):
                    break
        except (EOFError, ConnectionError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1/models/m:predict"
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def load_until(
    url: str, done: Callable[[Result], bool], *, connections: int = 3, rate: float | None = None
) -> Result:
    """Load a server until the result so far is enough, and return the final one."""
    async with asyncio.timeout(20), Load(url, connections, rate, PAYLOADS) as load:
        while not done(load.result):  # noqa: ASYNC110 - a load has no event for a count
            await asyncio.sleep(0.001)
    return load.result


def after_replies(count: int) -> Callable[[Result], bool]:
    """Return a condition that holds once so many requests are accounted for."""
    return lambda result: result.ok + result.failed >= count


def test_counts_every_right_reply() -> None:
    """Right replies are all ok, told apart by replica, cache and status, on few connections."""

    async def scenario() -> Result:
        async with server(right) as url:
            return await load_until(url, after_replies(200))

    result = asyncio.run(scenario())
    assert (result.failed, result.failures) == (0, [])
    assert result.ok == result.sent == len(result.latencies) >= 200
    assert result.by_replica == {"a": result.ok}
    assert result.by_cache == {"miss": result.ok}
    assert result.by_status == {200: result.ok}
    assert result.connections_opened == 3


def test_counts_a_lost_request_once_and_never_retries() -> None:
    """A connection that ends within a reply is one failure, and the server sees no second try."""
    seen: list[bytes] = []

    def drop_the_fifth(n: int, body: bytes) -> bytes:
        seen.append(body)
        return right(n, body)[: 20 if n == 5 else None]

    async def scenario() -> Result:
        async with server(drop_the_fifth) as url:
            return await load_until(url, after_replies(50), connections=1)

    result = asyncio.run(scenario())
    assert result.failed == 1
    assert "IncompleteReadError" in result.failures[0]
    assert result.sent == result.ok + 1 == len(seen)
    assert result.connections_opened == 2


def test_follows_an_announced_close() -> None:
    """A server that says `Connection: close` with each reply and closes loses nothing."""

    def closing(n: int, body: bytes) -> bytes:
        return right(n, body).replace(b"X-Replica", b"Connection: close\r\nX-Replica")

    async def scenario() -> Result:
        async with server(closing) as url:
            return await load_until(url, after_replies(50))

    result = asyncio.run(scenario())
    assert result.failures == []
    assert result.connections_opened == result.sent >= 50


def test_forgives_a_silent_close_that_loses_nothing() -> None:
    """A connection closed while nothing was in flight is opened again without a failure."""

    async def scenario() -> Result:
        async with server(right, close_after=2) as url:
            done = after_replies(10)
            return await load_until(url, done, connections=1, rate=50.0)

    result = asyncio.run(scenario())
    assert result.failures == []
    assert result.connections_opened >= 5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda n, body: reply(b'{"predictions": [-1]}'), "[-1] for ["),
        (lambda n, body: reply(b"<html>"), "no predictions in b'<html>'"),
        (lambda n, body: reply(b"[]"), "no predictions in b'[]'"),
        (lambda n, body: reply(b'{"error": "x"}', "500 Oops"), "status 500"),
        (lambda n, body: b"HTTP/1.1 200 OK\r\n\r\n", "without Content-Length"),
        (lambda n, body: b"SSH-2.0-x\r\n\r\n", "not HTTP/1.1"),
        (lambda n, body: b"", "lost: IncompleteReadError"),
    ],
)
def test_names_what_is_wrong_with_a_reply(answer: Answer, reason: str) -> None:
    """Each wrong reply is a failure with its time and reason; the first 20 are kept."""

    async def scenario() -> Result:
        async with server(answer) as url:
            return await load_until(url, after_replies(30))

    result = asyncio.run(scenario())
    assert result.ok == 0
    assert result.failed == result.sent >= 30
    assert len(result.failures) == 20
    assert all(" s: " in failure and reason in failure for failure in result.failures)


def test_reads_a_chunked_reply() -> None:
    """A reply in chunks is put together, and the connection stays in use."""

    def chunked(n: int, body: bytes) -> bytes:
        whole = right(n, body).partition(b"\r\n\r\n")[2]
        parts = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (whole[:3], whole[3:]))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"

    async def scenario() -> Result:
        async with server(chunked) as url:
            return await load_until(url, after_replies(50))

    result = asyncio.run(scenario())
    assert result.failures == []
    assert result.connections_opened == 3


def test_counts_requests_that_nobody_takes() -> None:
    """A refused connection is a lost request, not an exception and not a pause."""

    async def scenario() -> Result:
        async with server(right) as url:
            pass
        return await load_until(url, after_replies(5))

    result = asyncio.run(scenario())
    assert result.failed == result.sent >= 5
    assert "ConnectionRefusedError" in result.failures[0]


def test_gives_up_a_reply_that_never_comes() -> None:
    """A server that stays silent costs the timeout and a failure."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def scenario() -> Result:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            load = Load(
                f"http://127.0.0.1:{port}", 1, None, PAYLOADS, max_seconds=0.1, timeout_seconds=0.2
            )
            return await load.run(0.1)

    result = asyncio.run(scenario())
    assert (result.sent, result.failed) == (1, 1)
    assert "TimeoutError" in result.failures[0]


def test_keeps_to_a_rate() -> None:
    """An open schedule sends what is due, no more, and nothing is left over."""

    async def scenario() -> Result:
        async with server(right) as url:
            return await Load(url, 4, 200.0, PAYLOADS).run(0.5)

    result = asyncio.run(scenario())
    assert result.failures == []
    assert 80 <= result.sent + result.unsent <= 102
    dues = sorted(due for due, _ in result.latencies)
    assert dues == [slot / 200 for slot in range(result.ok)]


def test_measures_from_when_a_request_was_due() -> None:
    """A stall counts in the latency of all the requests that it delayed, not of one alone."""
    stalled = asyncio.Event()

    async def stall_then_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(int(head.split(b"Length: ")[1]))
                await stalled.wait()
                writer.write(right(0, body))
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    async def scenario() -> Result:
        async with await asyncio.start_server(stall_then_answer, "127.0.0.1", 0) as listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            asyncio.get_running_loop().call_later(0.5, stalled.set)
            return await load_until(url, after_replies(55), connections=1, rate=100.0)

    result = asyncio.run(scenario())
    assert result.failures == []
    delayed = [latency for due, latency in result.latencies if due < 0.45]
    assert len(delayed) == 45
    assert all(later < earlier for earlier, later in itertools.pairwise(delayed))
    assert delayed[0] > 0.45
    assert result.percentiles(until=0.45)["p50"] > 0.2
    assert result.percentiles()["max"] == max(latency for _, latency in result.latencies)


def test_raises_what_a_check_raises() -> None:
    """A bug in a test's own check fails the test instead of looking like a bad reply."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with server(right) as url:
            await Load(url, 1, None, PAYLOADS, broken).run(0.05)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(scenario())


def test_has_no_percentiles_of_nothing() -> None:
    """Percentiles of a span without replies are an error, not a zero that looks fast."""
    with pytest.raises(ValueError, match="no reply"):
        Result().percentiles()
