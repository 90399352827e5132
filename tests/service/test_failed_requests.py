"""Requests that fail, are refused or take long, at a real replica: what client and log are told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import BREAK, REFUSE
from tests.polling import wait_until
from tests.published import published
from tests.service.replica_process import ReplicaProcess

LINE, TOLD = "/v1/models/line:predict", "/v1/models/told:predict"
LARGE = b" " * 300_000


@pytest.fixture(scope="module")
def watched(replica_registry: Path) -> Iterator[ReplicaProcess]:
    """Return a replica for which a third of a second is slow."""
    with ReplicaProcess(replica_registry, REDIS_URL="", SLOW_REQUEST_MS="300") as running:
        running.wait_until_ready()
        yield running


def logged(replica: ReplicaProcess, request_id: str) -> dict[str, Any]:
    """Wait for a request's line in the log and return it."""
    wait_until(lambda: f'"{request_id}"' in replica.log)
    return json.loads(next(line for line in replica.log.splitlines() if f'"{request_id}"' in line))


@pytest.mark.parametrize("padding", [b"", LARGE], ids=["by the lane", "by gunicorn"])
def test_an_error_names_its_request(watched: ReplicaProcess, padding: bytes) -> None:
    """Whoever gets an error gets the id of the request as well; an answer costs nothing more."""
    broken = padding + b'{"instances": [[%g, 0]]}' % BREAK
    reply = watched.ask("POST", TOLD, broken, X_Request_ID="abc-1")
    assert reply.status == 500
    assert reply.error == (
        "the model failed on this request; the replica's log says why (request abc-1)"
    )
    assert reply.headers.get_all("X-Request-ID") == ["abc-1"]
    refused = watched.ask("POST", LINE, padding + b"{", X_Request_ID="abc-2")
    assert (refused.status, refused.headers["X-Request-ID"]) == (400, "abc-2")
    right = watched.ask("POST", LINE, padding + b'{"instances": [[1, 2]]}', X_Request_ID="abc-3")
    assert (right.status, right.headers["X-Request-ID"]) == (200, None)


@pytest.mark.parametrize("given", ["", "x" * 65, 'a"b', "a b", "\xe9"])
def test_an_id_that_could_do_harm(watched: ReplicaProcess, given: str) -> None:
    """What isn't surely harmless is never repeated, in a header, a sentence or a log."""
    reply = watched.predict("told", [BREAK, 0], X_Request_ID=given)
    assert reply.error == "the model failed on this request; the replica's log says why"
    assert "X-Request-ID" not in reply.headers
    assert not given or given not in watched.log


def test_a_failure_is_logged(watched: ReplicaProcess) -> None:
    """A failed request is one line: whose it was, of which version, and the trace."""
    watched.predict("told", [BREAK, 0], X_Request_ID="failed-1")
    line = logged(watched, "failed-1")
    assert (line["level"], line["message"]) == ("error", "a request failed")
    assert (line["model"], line["version"]) == ("told", "1")
    assert line["exception"].endswith("RuntimeError: broken")


def test_refusals_are_summed_up(watched: ReplicaProcess) -> None:
    """Of many that are refused for the same the log has one at once, and nothing of their input."""
    for number in range(20):
        watched.predict("told", [REFUSE, 4711], X_Request_ID=f"refused-{number}")
    line = logged(watched, "refused-0")
    expected = {
        "level": "info",
        "logger": "service.requests",
        "message": "requests refused",
        "count": 1,
        "code": 400,
        "error": "BadInput",
        "request_id": "refused-0",
        "model": "told",
        "version": "1",
    }
    assert {name: value for name, value in line.items() if name != "time"} == expected
    assert '"refused-1"' not in watched.log
    assert "4711" not in watched.log


def test_a_slow_request_is_logged(watched: ReplicaProcess) -> None:
    """A slow request's line says where its time went; a quick one has none."""
    watched.predict("told", [0.4, 0], [1, 1], X_Request_ID="slow-1")
    watched.predict("told", [0.0, 0], X_Request_ID="quick-1")
    line = logged(watched, "slow-1")
    assert (line["level"], line["message"], line["count"]) == ("warning", "slow requests", 1)
    assert (line["model"], line["rows"], line["batch_rows"], line["cache"]) == ("told", 2, 2, "bypass")
    assert line["seconds"] >= line["inference_seconds"] + line["queue_seconds"]
    assert line["inference_seconds"] > 0.3
    assert "quick-1" not in watched.log


def test_counted_refusals_are_written_at_the_end(tmp_path: Path) -> None:
    """A replica that ends first says what it has counted; a higher level keeps it quiet."""
    published(tmp_path / "registry", "line", routed=True)
    for level, examples in (("info", ["0", "9"]), ("warning", [])):
        with ReplicaProcess(tmp_path / "registry", REDIS_URL="", LOG_LEVEL=level) as replica:
            replica.wait_until_ready()
            for number in range(10):
                replica.predict("line", [1], X_Request_ID=str(number))
            replica.terminate()
            assert replica.wait() == 0
            lines = [json.loads(line) for line in replica.log.splitlines()]
        refused = [line for line in lines if line["message"] == "requests refused"]
        assert [line["request_id"] for line in refused] == examples
        assert sum(line["count"] for line in refused) == (10 if examples else 0)
