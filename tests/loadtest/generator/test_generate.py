"""The generator against real servers, good ones and bad ones: nothing is lost from its account."""

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from socket import create_server
from threading import Event, Lock

import pytest

from deploy.errors import Refused
from loadtest.generator import Outcome, generate
from loadtest.histogram import Histogram
from tests.loadtest.generator.servers import (
    CHUNKS,
    HANG,
    Answer,
    Listening,
    payloads_of,
    plan_for,
    reply,
    right,
    right_body,
    serving,
)
from tests.polling import wait_until


def accounted(outcome: Outcome, server: Listening) -> Outcome:
    """Return an outcome in which each request is once, and of which the server saw each once."""
    assert outcome.sent == outcome.ok + outcome.failed + outcome.lost
    assert Histogram.decode(outcome.latency).count == outcome.ok + outcome.failed
    assert sum(outcome.by_status.values()) == outcome.ok + outcome.failed
    assert sum(each.ok for each in outcome.by_second) == outcome.ok
    assert len(set(server.received)) == len(server.received), "a request came twice"
    return outcome


def middle(outcome: Outcome) -> float:
    """Return what half of the requests took at most, in seconds."""
    return Histogram.decode(outcome.latency).quantile_seconds(0.5)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_open_loop_sends_what_is_due(tmp_path: Path, processes: int) -> None:
    """Exactly as many requests as the rate says, none twice, however many processes share them."""
    with serving() as server:
        plan = plan_for(server.address, tmp_path, rate=400.0, connections=5, processes=processes)
        outcome = accounted(generate(plan), server)
    assert outcome.good
    assert (outcome.sent, outcome.unsent) == (100, 0)
    assert outcome.by_replica == {"a": 100}
    assert outcome.by_version == {"1": 100}
    assert outcome.by_cache == {"miss": 100}
    assert outcome.generator.processes == processes
    assert outcome.generator.cpu_seconds > 0
    assert outcome.numbers_used == 10
    assert len(server.accepted) == 5


def test_a_closed_loop_sends_when_it_is_answered(tmp_path: Path) -> None:
    """Each connection has one request under way, as sampled; headers of the plan are with each."""
    with serving() as server:
        plan = plan_for(server.address, tmp_path, connections=3, headers={"X-Key": "k"})
        outcome = accounted(generate(plan), server)
    assert outcome.good
    assert outcome.sent == len(server.received) > 3
    assert 2.0 < outcome.in_flight <= 3.0
    assert outcome.seconds == 0.25


def test_a_stall_shows_in_the_open_loop_alone(tmp_path: Path) -> None:
    """A second without replies delays all that was due then; a closed loop asks less instead."""

    def stalling() -> Answer:
        turn, pause = Lock(), Event()

        def answer(n: int, body: bytes) -> bytes:
            with turn:
                if n == 2:
                    pause.wait(1.0)
            return right(n, body)

        return answer

    with serving(stalling()) as server:
        opened = generate(plan_for(server.address, tmp_path, rate=60.0, connections=4, seconds=1.2))
    with serving(stalling()) as server:
        closed = generate(plan_for(server.address, tmp_path, connections=1, seconds=1.2))
    assert opened.failures == closed.failures == []
    assert middle(opened) > 0.2
    assert middle(closed) < middle(opened), "one request stalled, and none was due meanwhile"
    assert opened.in_flight > 4, "what waits for a connection is under way as well"
    assert 0.8 < closed.in_flight <= 1.0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda n, body: reply(b'{"predictions": [-1]}'), "predictions [-1], expected ["),
        (lambda n, body: reply(right_body(body), more=""), "X-Model-Version none, expected 1"),
        (lambda n, body: reply(b"<html>"), "no predictions"),
        (lambda n, body: reply(b'{"error": 1}', "500 Oops"), "status 500"),
    ],
)
def test_a_wrong_reply_is_a_failure(tmp_path: Path, answer: Answer, reason: str) -> None:
    """It is counted as failed, its latency too, and the first ones are told with their second."""
    with serving(answer) as server:
        outcome = accounted(generate(plan_for(server.address, tmp_path, rate=200.0)), server)
    assert outcome.failed == outcome.sent >= 1
    assert not outcome.good
    assert len(outcome.failures) == min(outcome.sent, 20)
    assert all(" s: " in each and reason in each for each in outcome.failures)


def each_second(bad: Callable[[bytes], bytes]) -> Answer:
    """Return what answers each second request with something made of the right reply."""
    return lambda n, body: right(n, body) if n % 2 else bad(right(n, body))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lambda whole: whole[: len(whole) // 2], "EOFError: the connection ended after"),
        (lambda whole: whole[:-1], "EOFError: the connection ended after"),
        (lambda whole: b"", "EOFError: the connection ended without a reply"),
        (lambda whole: b"SSH-2.0-x\r\n", "ValueError: not the head of a reply"),
        (lambda whole: b"HTTP/1.1 200 OK\r\n\r\n", "without Content-Length or chunks"),
        (lambda whole: whole + b"more", "ValueError: a body of"),
    ],
)
def test_half_a_reply_is_a_loss(tmp_path: Path, bad: Callable[[bytes], bytes], reason: str) -> None:
    """It is lost, once, and never sent again; the connection is opened anew and the rest is right."""
    with serving(each_second(bad)) as server:
        plan = plan_for(server.address, tmp_path, rate=200.0, connections=4)
        outcome = accounted(generate(plan), server)
    assert len(server.received) == outcome.sent >= 2
    assert (outcome.failed, outcome.lost) == (0, outcome.sent // 2)
    assert outcome.sent + outcome.unsent == 50
    assert all("lost: " in each and reason in each for each in outcome.failures)


def test_a_reply_that_never_comes_is_lost(tmp_path: Path) -> None:
    """It costs the timeout, its connection, and nobody else's reply."""
    with serving(lambda n, body: HANG if n == 3 else right(n, body)) as server:
        plan = plan_for(server.address, tmp_path, rate=100.0, connections=2, timeout_seconds=1.0)
        outcome = accounted(generate(plan), server)
    assert (outcome.sent + outcome.unsent, outcome.lost) == (25, 1)
    assert "lost: TimeoutError: nothing for 1 s" in outcome.failures[0]


def test_a_server_that_hangs_does_not_hang_the_generator(tmp_path: Path) -> None:
    """With no reply at all it ends by itself: what was sent is lost, what was due is unsent."""
    with serving(lambda n, body: HANG) as server:
        plan = plan_for(server.address, tmp_path, rate=100.0, connections=3, timeout_seconds=0.5)
        outcome = accounted(generate(plan), server)
    assert (outcome.ok, outcome.sent) == (0, 3)
    assert outcome.lost == 3
    assert outcome.sent + outcome.unsent == 25


def test_follows_an_announced_close(tmp_path: Path) -> None:
    """A server that ends each connection, and says so, loses nothing."""

    def ending(n: int, body: bytes) -> bytes:
        return right(n, body).replace(b"X-Replica", b"Connection: close\r\nX-Replica")

    with serving(ending) as server:
        outcome = accounted(generate(plan_for(server.address, tmp_path, connections=2)), server)
    assert outcome.good
    assert outcome.sent > 2
    assert len(server.accepted) >= outcome.sent


def test_reads_chunks(tmp_path: Path) -> None:
    """A reply in chunks is as good as any, and its connection stays."""

    def chunked(n: int, body: bytes) -> bytes:
        answer = right_body(body)
        return CHUNKS % (len(answer), answer)

    with serving(chunked) as server:
        outcome = accounted(generate(plan_for(server.address, tmp_path)), server)
    assert outcome.good
    assert len(server.accepted) == 1


def test_sends_large_requests_whole(tmp_path: Path) -> None:
    """What doesn't fit into a socket's buffer at once is sent on as it empties."""
    payloads = payloads_of(2, padding=4 << 20)
    with serving() as server:
        outcome = generate(plan_for(server.address, tmp_path, payloads, connections=2))
    assert outcome.good
    assert all(len(body) > 4 << 20 and json.loads(body) for body in server.received)


def test_a_server_that_goes_away(tmp_path: Path) -> None:
    """What was due then is unsent, not lost: nobody took it. The refused connections are told."""
    ended = Event()

    def last(n: int, body: bytes) -> bytes:
        if n == 2:
            server.socket.close()
            ended.set()
            return b""
        return b"" if ended.is_set() else right(n, body)

    with serving(last) as server:
        plan = plan_for(server.address, tmp_path, rate=20.0, seconds=1.0)
        outcome = generate(plan)
    assert (outcome.ok, outcome.lost, outcome.unsent) == (1, 1, 18)
    assert "no connection: [Errno 111] Connection refused" in outcome.failures[1]


def test_a_rate_that_nobody_could_send(tmp_path: Path) -> None:
    """A generator that can't keep up says so: what it didn't send is unsent."""
    with serving() as server:
        plan = plan_for(server.address, tmp_path, rate=4e6, connections=4)
        outcome = accounted(generate(plan), server)
    assert outcome.sent + outcome.unsent == 1_000_000
    assert outcome.unsent > 0
    assert not outcome.good


def test_where_nothing_listens(tmp_path: Path) -> None:
    """It is refused with the address."""
    with closing(create_server(("127.0.0.1", 0))) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(Refused, match=f"nothing listens on {address}"):
        generate(plan_for(address, tmp_path))


def test_numbers_that_are_used_up(tmp_path: Path) -> None:
    """A run that would repeat a row is refused, whatever it has measured so far."""
    with serving() as server, pytest.raises(Refused, match="used up"):
        generate(plan_for(server.address, tmp_path, payloads_of(1), first_number=10**9 - 1))


def test_leaves_no_descriptors(tmp_path: Path) -> None:
    """Pipes and processes are gone once it returns."""
    with serving() as server:
        plan = plan_for(server.address, tmp_path, connections=2, processes=2)
        generate(plan)
        wait_until(lambda: len(server.closed) == len(server.accepted))
        before = len(os.listdir("/proc/self/fd"))
        generate(plan)
        wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)
