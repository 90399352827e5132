"""Traces of a real replica: its spans at a receiver in this process, and what it is without one."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from service.tracing.sender import OnceAMinute, Sender
from tests.fakes import BREAK, Importing
from tests.polling import wait_until
from tests.published import LINE_SAMPLE, published
from tests.service.otlp_receiver import InProcessOtlpReceiver, ReceivedSpan
from tests.service.redis_server import RedisServer
from tests.service.replica_process import NAME, ReplicaProcess
from tests.service.tracing.test_spans import COMPUTED

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
LINE = "/v1/models/line:predict"
SERVER = 2  # SpanKind
TRACES = "opentelemetry.sdk.trace"


@pytest.fixture
def receiver() -> Iterator[InProcessOtlpReceiver]:
    """Return an OTLP/HTTP receiver that has received nothing."""
    with InProcessOtlpReceiver() as open_:
        yield open_


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with nothing but `line`, which is loaded in no time."""
    registry = tmp_path_factory.mktemp("traced") / "registry"
    published(registry, "line", routed=True)
    return registry


@pytest.fixture(scope="module")
def all_traced(
    replica_registry: Path,
) -> Iterator[tuple[ReplicaProcess, InProcessOtlpReceiver]]:
    """Return a replica that traces every request, and where it sends them."""
    with InProcessOtlpReceiver() as receiver:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_SERVICE_NAME": "tested"}
        with ReplicaProcess(replica_registry, REDIS_URL="", **settings) as running:
            running.wait_until_ready()
            yield running, receiver


@pytest.fixture
def traced(
    all_traced: tuple[ReplicaProcess, InProcessOtlpReceiver],
) -> tuple[ReplicaProcess, InProcessOtlpReceiver]:
    """Return both, after whatever was sent before: every test waits for all that it has caused."""
    all_traced[1].spans.clear()
    return all_traced


def trees(receiver: InProcessOtlpReceiver) -> dict[str, list[ReceivedSpan]]:
    """Return the spans of each trace."""
    found: dict[str, list[ReceivedSpan]] = {}
    for span in receiver.spans:
        found.setdefault(span.trace_id, []).append(span)
    return found


def received(receiver: InProcessOtlpReceiver, requests: int) -> dict[str, list[ReceivedSpan]]:
    """Wait until so many requests have arrived and return their spans."""
    wait_until(lambda: len([span for span in receiver.spans if span.kind == SERVER]) >= requests)
    return trees(receiver)


def assert_tree(spans: list[ReceivedSpan], parent: str, *names: str) -> ReceivedSpan:
    """Check one request's spans, the stations in their order, and return its own."""
    request, *below = spans
    assert request.kind == SERVER
    assert request.parent == parent
    assert [span.name for span in below] == list(names)
    assert {span.parent for span in below} == {request.span_id}
    times = [request.began, *(time for span in below for time in (span.began, span.ended))]
    assert times == sorted(times)
    assert times[-1] <= request.ended
    return request


@pytest.mark.parametrize(
    "padding", [0, 300_000], ids=["by the lane", "by gunicorn, because the body is large"]
)
def test_one_request_is_one_tree(
    traced: tuple[ReplicaProcess, InProcessOtlpReceiver], padding: int
) -> None:
    """A request is one span, part of its client's trace, and has one for each station under it."""
    replica, receiver = traced
    body = b" " * padding + json.dumps({"instances": [[1, 2], [3, 4]]}).encode()
    reply = replica.ask("POST", LINE, body, traceparent=PARENT, X_Request_ID="find-me")
    assert reply.status == 200
    tree = received(receiver, 1)[TRACE]
    request = assert_tree(tree, SPAN, "parse", "queue", "inference", "reply")
    assert request.name == "POST /v1/models/{model}:predict"
    assert not request.failed
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/models/{model}:predict",
        "url.path": LINE,
        "url.scheme": "http",
        "http.response.status_code": 200,
        "flotilla.request_id": "find-me",
        "flotilla.replica": NAME,
        "flotilla.model": "line",
        "flotilla.version": "1",
        "flotilla.cache": "bypass",
        "flotilla.rows": 2,
    }
    inference = tree[3].attributes
    assert inference == {
        "flotilla.engine": "linear",
        "flotilla.batch.rows": 2,
        "flotilla.batch.requests": 1,
    }
    assert (request.resource["service.name"], request.resource["service.instance.id"]) == (
        "tested",
        NAME,
    )


def test_requests_without_a_parent(traced: tuple[ReplicaProcess, InProcessOtlpReceiver]) -> None:
    """Each request begins a trace of its own, also one whose traceparent is nonsense."""
    replica, receiver = traced
    for headers in ({}, {}, {"traceparent": "nonsense"}):
        assert replica.predict("line", [1, 2], **headers).status == 200
    found = received(receiver, 3)
    assert len(found) == 3
    for tree in found.values():
        assert_tree(tree, "", "parse", "queue", "inference", "reply")


def test_the_clients_decision_holds(traced: tuple[ReplicaProcess, InProcessOtlpReceiver]) -> None:
    """A request that its client doesn't trace isn't traced, even where all others are."""
    replica, receiver = traced
    replica.predict("line", [1, 2], traceparent=PARENT.removesuffix("01") + "00")
    replica.predict("line", [1, 2])
    assert len(received(receiver, 1)) == 1
    assert TRACE not in trees(receiver)


def test_failures(traced: tuple[ReplicaProcess, InProcessOtlpReceiver]) -> None:
    """A model's failure marks its span and a refusal doesn't; both say what kind, not what was said."""
    replica, receiver = traced
    assert replica.predict("told", [BREAK, 0], traceparent=PARENT).status == 500
    assert replica.predict("line", ["secret"]).status == 400
    assert replica.ask("GET", LINE).status == 405
    found = received(receiver, 3)
    broken = assert_tree(found.pop(TRACE), SPAN, "parse", "queue", "inference", "reply")
    assert broken.failed
    assert broken.attributes["error.type"] == "RuntimeError"
    refused, wrong_method = (assert_tree(tree, "", "parse") for tree in found.values())
    for request, kind, status in (
        (refused, "BadInput", 400),
        (wrong_method, "MethodNotAllowed", 405),
    ):
        assert not request.failed
        assert request.attributes["error.type"] == kind
        assert request.attributes["http.response.status_code"] == status
    assert "secret" not in str(receiver.spans)


def test_a_row_from_the_cache(registry: Path, receiver: InProcessOtlpReceiver) -> None:
    """A look-up has a span; a row that was found has neither queue nor inference."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "CACHE": "always"}
    with (
        RedisServer() as redis,
        ReplicaProcess(registry, REDIS_URL=redis.url, **settings) as replica,
    ):
        replica.wait_until_ready()
        assert replica.predict("line", [1, 2], traceparent=PARENT).headers["X-Cache"] == "miss"
        missed = received(receiver, 1)[TRACE]
        wait_until(lambda: replica.predict("line", [1, 2]).headers["X-Cache"] == "redis")
    assert_tree(missed, SPAN, "parse", "cache", "queue", "inference", "reply")
    hit = [*trees(receiver).values()][-1]
    assert assert_tree(hit, "", "parse", "cache", "reply").attributes["flotilla.cache"] == "redis"


def test_share(registry: Path, receiver: InProcessOtlpReceiver) -> None:
    """With share 0 nothing is sent but what clients trace."""
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_TRACES_SAMPLER_ARG": "0"}
    with ReplicaProcess(registry, REDIS_URL="", **settings) as replica:
        replica.wait_until_ready()
        for _ in range(100):
            assert replica.predict("line", [1, 2]).status == 200
        replica.predict("line", [1, 2], traceparent=PARENT)
    assert list(trees(receiver)) == [TRACE]


def test_a_collector_that_is_gone(registry: Path) -> None:
    """Predictions are answered, the log says once what is wrong, and the replica ends as it should."""
    with InProcessOtlpReceiver() as closed:
        pass
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": closed.url}
    with ReplicaProcess(registry, REDIS_URL="", **settings) as replica:
        replica.wait_until_ready()
        for _ in range(50):
            assert replica.predict("line", [1, 2]).status == 200
        wait_until(lambda: "traces are lost" in replica.log)
        replica.terminate()
        assert replica.wait() == 0
        lines = [json.loads(line) for line in replica.log.splitlines()]
    assert [line["message"][:15] for line in lines].count("traces are lost") == 1


def test_off(tmp_path: Path) -> None:
    """Where nothing is traced a replica imports nothing that makes or sends traces.

    redis-py takes in OpenTelemetry's metrics wherever they are installed: 2 MB, and never used.
    """
    told = Importing(TRACES).fit(LINE_SAMPLE)
    published(tmp_path / "registry", "told", told, trusted=["tests.fakes.Importing"], routed=True)
    assert imports_it(tmp_path / "registry") == 0.0


def test_on(tmp_path: Path, receiver: InProcessOtlpReceiver) -> None:
    """Where something is, it does: the test above can tell."""
    told = Importing(TRACES).fit(LINE_SAMPLE)
    published(tmp_path / "registry", "told", told, trusted=["tests.fakes.Importing"], routed=True)
    assert imports_it(tmp_path / "registry", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url) == 1.0


def imports_it(registry: Path, **settings: str) -> float:
    """Return what the model `told` says in a running replica, once it has answered before."""
    with ReplicaProcess(registry, REDIS_URL="", **settings) as replica:
        replica.wait_until_ready()
        replica.predict("told", [1, 2], traceparent=PARENT)
        return replica.predict("told", [1, 2]).json["predictions"][0]


def test_headers_for_the_collector(receiver: InProcessOtlpReceiver) -> None:
    """What a collector wants to be told is sent along; what waits at the end is sent before it."""
    sender = Sender(
        Settings(
            otel_exporter_otlp_endpoint=receiver.url + "/",
            otel_exporter_otlp_headers="x-key=a%20b,x-team=1",
        )
    )
    sender.trace(COMPUTED)
    sender.stop()
    assert len(receiver.spans) == 5
    assert (receiver.headers["x-key"], receiver.headers["x-team"]) == ("a b", "1")


def test_a_refusal_of_the_collector_loses_one_message(receiver: InProcessOtlpReceiver) -> None:
    """A collector that refuses a message gets the next one."""
    sender = Sender(Settings(otel_exporter_otlp_endpoint=receiver.url))
    receiver.status = 400
    sender.trace(COMPUTED)
    wait_until(lambda: receiver.messages == 1)
    receiver.status = 200
    sender.trace(COMPUTED)
    sender.stop()
    assert len(receiver.spans) == 5


def test_complaints_are_few(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the exporter's complaints the log has one a minute."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    handler = OnceAMinute()
    for seconds in (0, 1, 58, 2, 1):
        now[0] += seconds
        handler.handle(logging.LogRecord("x", logging.ERROR, "x.py", 1, "gone", (), None))
    assert caplog.messages == ["traces are lost: gone"] * 2
