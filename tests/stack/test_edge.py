"""The edge cache: what nginx may answer by itself, and that it never answers anything else."""

import asyncio
import gzip
import json
import random
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from loadtest.client import Load, Payload
from service.engine import load_estimator
from service.manifest import read_manifest
from tests.stack.ask import Reply, ask
from tests.stack.local import LocalStack
from tests.stack.stack import Stack
from tests.stack.traffic import assert_nothing_lost

PATH = "/v1/models/digits-forest:predict"


def new_row() -> list[float]:
    """Return a row that nobody has asked for before."""
    return [random.random() * 16 for _ in range(64)]


def body(*rows: list[float]) -> bytes:
    """Return a request's body."""
    return json.dumps({"instances": rows}).encode()


def ask_thrice(stack: Stack, sent: bytes, path: str = PATH, **headers: str) -> list[Reply]:
    """Ask for the same three times: the third answer is the first that may come from the edge."""
    return [ask(stack.url, "POST", path, sent, **headers) for _ in range(3)]


def by_edge(replies: list[Reply]) -> list[bool]:
    """Tell which replies nginx gave by itself."""
    return [reply.headers["X-Cache"] == "edge" for reply in replies]


def test_third_time(stack: Stack) -> None:
    """What has been asked for twice is answered without a replica, with an id of its own."""
    replies = ask_thrice(stack, body(new_row()))
    assert by_edge(replies) == [False, False, True]
    assert len({reply.body for reply in replies}) == 1
    assert {reply.headers["X-Model-Version"] for reply in replies} == {"1"}
    assert len({reply.headers["X-Request-ID"] for reply in replies}) == 3
    assert [reply.headers["X-Replica"] is None for reply in replies] == [False, False, True]
    for header in ("X-Cache", "X-Request-ID"):
        assert len(replies[2].headers.get_all(header)) == 1


def test_own_request_id(stack: Stack) -> None:
    """An answer from the edge carries the id of its own request, and that is what the log says."""
    sent = body(new_row())
    ask_thrice(stack, sent, X_Request_ID="first")
    reply = ask(stack.url, "POST", PATH, sent, X_Request_ID="second")
    assert (reply.headers["X-Cache"], reply.headers["X-Request-ID"]) == ("edge", "second")


def test_other_requests_have_other_answers(stack: Stack) -> None:
    """Another body, output, protocol or model is another entry."""
    row = new_row()
    ask_thrice(stack, body(row))
    outputs = json.dumps({"instances": [row], "outputs": ["predict_proba"]}).encode()
    v2 = {"inputs": [{"name": "x", "shape": [1, 64], "datatype": "FP64", "data": row}]}
    for path, sent in [
        (PATH, outputs),
        (PATH, body(row) + b" "),
        ("/v2/models/digits-forest/infer", json.dumps(v2).encode()),
        ("/v1/models/digits:predict", body(row)),
    ]:
        assert by_edge(ask_thrice(stack, sent, path)) == [False, False, True]
    proba = ask(stack.url, "POST", PATH, outputs)
    assert len(proba.json["predictions"][0]) == 10


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache_Control": "no-cache"},
        {"Cache_Control": "max-age=0"},
        {"Content_Type": "application/json;x"},
    ],
)
def test_past_the_edge(stack: Stack, headers: dict[str, str]) -> None:
    """A client that wants its answer computed gets that, also where the edge has one."""
    sent = body(new_row())
    assert by_edge(ask_thrice(stack, sent)) == [False, False, True]
    assert by_edge(ask_thrice(stack, sent, **headers)) == [False] * 3


def test_only_right_answers_are_kept(stack: Stack) -> None:
    """An error is never answered from the edge."""
    short = ask_thrice(stack, body([1.0]))
    assert {reply.status for reply in short} == {400}
    assert by_edge(short) == [False] * 3
    late = ask_thrice(stack, body(new_row()), X_Request_Timeout_Ms="soon")
    assert {reply.status for reply in late} == {400}
    assert by_edge(late) == [False] * 3


def test_a_named_version_is_not_kept(stack: Stack) -> None:
    """The digest of a version that the client names isn't known to nginx, which asks a replica."""
    path = PATH.replace(":", "/versions/1:")
    assert by_edge(ask_thrice(stack, body(new_row()), path)) == [False] * 3


def test_large_bodies_that_differ_in_one_byte(stack: Stack) -> None:
    """However large bodies are and wherever they differ, each gets its own answer."""
    folder = stack.registry / "digits-forest" / "1"
    manifest = read_manifest(folder)
    estimator = load_estimator(folder / manifest.artifact, manifest.trusted)
    with np.load(folder / "sample.npz") as sample:
        zeros = sample["x"]
    first, other = zeros[0].tolist(), zeros[1].tolist()
    assert estimator.predict([first]) != estimator.predict([other])
    for rows in (1, 20, 30, 60, 400):
        for last, expected in ((first, 0), (other, 1)):
            sent = body(*[first] * (rows - 1), last)
            for reply in ask_thrice(stack, sent):
                assert reply.status == 200
                answer = reply.json["predictions"][-1]
                assert answer == estimator.predict(zeros[expected : expected + 1])[0]


@pytest.mark.parametrize("size", [5_000, 9_990, 10_010, 200_000, 1_000_000])
def test_padded_bodies(stack: Stack, size: int) -> None:
    """Bodies of one length that differ in their last byte never share an answer."""
    rows = [new_row(), new_row()]
    answers = set()
    for row in rows:
        row[0] = 0.0
        sent = body(row)
        sent = b" " * (size - len(sent)) + sent
        assert len(sent) == size or size < 5_000
        replies = ask_thrice(stack, sent)
        assert by_edge(replies)[2] == (size < 10_000)
        probabilities = ask_thrice(
            stack, sent.replace(b'{"instances"', b'{"outputs":["predict_proba"],"instances"')
        )
        assert len({reply.body for reply in probabilities}) == 1
        answers.add(probabilities[0].body)
    assert len(answers) == 2


def chunked(stack: Stack, sent: bytes, *headers: bytes) -> tuple[bytes, bytes]:
    """Send a body in chunks over a connection of its own; return head and body of the reply."""
    host, _, port = stack.url.removeprefix("http://").partition(":")
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head % PATH.encode() + b"".join(headers))
        connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        half = len(sent) // 2
        for part in (sent[:half], sent[half:], b""):
            connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        with connection.makefile("rb") as reply:
            before, _, after = reply.read().partition(b"\r\n\r\n")
            return before, after


def test_chunked_bodies(stack: Stack) -> None:
    """A body in chunks is never answered with another one's, small or large."""
    answers = set()
    for padding in (0, 300_000):
        for row in (new_row(), new_row()):
            sent = json.dumps({"instances": [row], "outputs": ["predict_proba"]}).encode()
            sent = b" " * padding + sent
            expected = ask_thrice(stack, sent)[0].body
            for _ in range(3):
                head, answer = chunked(stack, sent)
                assert b"200 OK" in head
                assert answer == expected
            answers.add(expected)
    assert len(answers) == 4


def test_compressed_bodies(stack: Stack) -> None:
    """A compressed body is refused each time, also where the edge knows what is in it."""
    sent = body(new_row())
    ask_thrice(stack, sent)
    packed = gzip.compress(sent)
    replies = ask_thrice(stack, packed, Content_Encoding="gzip")
    assert {reply.status for reply in replies} == {415}
    plain = ask_thrice(stack, sent, Content_Encoding="gzip")
    assert {reply.status for reply in plain} == {415}


def test_an_id_in_the_body(stack: Stack) -> None:
    """V2 repeats the id in its body, so a request with another id is another entry, with its own id."""
    row = new_row()

    def v2(number: int) -> bytes:
        tensor = {"name": "x", "shape": [1, 64], "datatype": "FP64", "data": row}
        return json.dumps({"id": str(number), "inputs": [tensor]}).encode()

    for number in (1, 2):
        replies = ask_thrice(stack, v2(number), "/v2/models/digits-forest/infer")
        assert by_edge(replies) == [False, False, True]
        assert {reply.json["id"] for reply in replies} == {str(number)}


def test_the_route_switches_it(stack: Stack) -> None:
    """A route without the edge cache has every answer computed; switching needs no reload."""
    sent = body(new_row())
    assert by_edge(ask_thrice(stack, sent)) == [False, False, True]
    try:
        said = stack.flotilla("activate", "digits-forest", "1", "--no-edge-cache")
        assert "nginx keeps no answers" in said
        assert by_edge(ask_thrice(stack, sent)) == [False] * 3
    finally:
        stack.flotilla("activate", "digits-forest", "1", "--edge-cache")
    assert ask(stack.url, "POST", PATH, sent).headers["X-Cache"] == "edge"


def test_many_at_once_cost_little(stack: Stack) -> None:
    """Forty clients who ask for the same at once get their answers, and soon from the edge."""
    sent = body(new_row())
    expected = ask(stack.url, "POST", PATH, sent).json["predictions"]

    async def rush() -> Load:
        load = Load(f"{stack.url}{PATH}", 40, None, [Payload(sent, expected)])
        async with load:
            await asyncio.sleep(0.5)
        return load

    result = asyncio.run(rush()).result
    assert_nothing_lost(result)
    assert result.by_cache["edge"] > result.sent * 0.9


@pytest.fixture(scope="module")
def small_zone() -> Iterator[LocalStack]:
    """Return a stack whose edge cache has room for few keys, for the shortest time."""
    with LocalStack(samples="digits", EDGE_CACHE_KEYS="1m", EDGE_CACHE_TTL_SECONDS="1") as running:
        yield running


@pytest.mark.needs("nginx", "redis-server", "prometheus")
def test_more_keys_than_fit(small_zone: LocalStack) -> None:
    """Unique requests fill the zone of keys several times over, and none of them fails."""
    rows = np.random.default_rng().random((30_000, 64)).round(3)
    sent = [Payload(body(row)) for row in rows.tolist()]

    def any_answer(payload: Payload, status: int, headers: object, answer: bytes) -> str | None:
        return None if status == 200 else f"{status} {answer!r}"

    async def soak() -> Load:
        url = f"{small_zone.url}/v1/models/digits:predict"
        load = Load(url, 16, None, sent, any_answer, max_seconds=15)
        async with load:
            await asyncio.sleep(15)
        return load

    result = asyncio.run(soak()).result
    assert result.sent > 3 * 8_000  # keys in one MiB
    assert_nothing_lost(result)
