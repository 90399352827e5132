"""Tests of service/web/feedback.py: two real replicas that share a folder, asked over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.feedback.database import FILE
from tests.polling import wait_until
from tests.published import published
from tests.service.replica_process import ReplicaProcess

LINE = "/v1/models/line:feedback"
KEPT = {"duplicate": 0, "corrected": 0, "unknown_label": 0, "unknown_request": 0}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with `line`, which gives sums."""
    registry = tmp_path_factory.mktemp("feedback") / "registry"
    published(registry, "line", routed=True, metrics={"mae": 0.5})
    return registry


@pytest.fixture
def pair(registry: Path, tmp_path: Path) -> Iterator[tuple[ReplicaProcess, ReplicaProcess]]:
    """Return two replicas that keep feedback in the same folder."""
    settings = {"REDIS_URL": "", "FEEDBACK_DIR": str(tmp_path), "MAX_BODY_BYTES": "2048"}
    with ReplicaProcess(registry, **settings) as one, ReplicaProcess(registry, **settings) as other:
        one.wait_until_ready()
        other.wait_until_ready()
        yield one, other


def metric(replica: ReplicaProcess, name: str, **labels: str) -> float:
    """Return the sum over all series of a metric that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(replica.ask("GET", "/metrics").body.decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_any_replica_takes_it(pair: tuple[ReplicaProcess, ReplicaProcess]) -> None:
    """A label for what one replica answered may go to another, once; both have it after a restart."""
    one, other = pair
    one.predict("line", [1, 2], X_Request_ID="a")
    one.predict("line", [1, 2], [3, 4], X_Request_ID="b")
    said = other.ask("POST", LINE, {"request_id": "a", "label": 4})
    assert said.status == 200, said.body
    assert said.json == {"accepted": 1, **KEPT, "unknown_request_ids": []}
    assert said.headers["X-Replica"]
    both = {"feedback": [{"request_id": "a", "label": 4}, {"request_id": "b", "labels": [3, 7]}]}
    assert one.ask("POST", LINE, both).json == {
        "accepted": 2,
        **KEPT,
        "duplicate": 1,
        "unknown_request_ids": [],
    }
    assert metric(other, "flotilla_feedback_absolute_error_total") == pytest.approx(1)
    assert metric(one, "flotilla_feedback_values_total", model="line", version="1") == 2
    assert metric(one, "flotilla_model_score", metric="mae") == 0.5
    for each in pair:
        each.stop()
        each.start()
        wait_until(each.lives)
        each.wait_until_ready()
        assert each.ask("POST", LINE, both).json["duplicate"] == 3
        assert metric(each, "flotilla_feedback_values_total") == 0


def test_the_last_second_before_an_end_is_kept(pair: tuple[ReplicaProcess, ReplicaProcess]) -> None:
    """What was answered just before a replica was told to end is remembered."""
    one, other = pair
    one.predict("line", [1, 2], X_Request_ID="last")
    one.stop()
    assert other.ask("POST", LINE, {"request_id": "last", "label": 3}).json["accepted"] == 1
    one.start()
    wait_until(one.lives)


def test_refusals(pair: tuple[ReplicaProcess, ReplicaProcess]) -> None:
    """Every refusal is one JSON error with the status that predictions have for it."""
    replica = pair[0]
    row = {"instance": [1, 2], "label": 3}
    refused = [
        (404, "no answer to 'x' is remembered", ("POST", LINE, {"request_id": "x", "label": 1}), {}),
        (404, "no model 'nope'", ("POST", "/v1/models/nope:feedback", row), {}),
        (404, "version 9 isn't loaded", ("POST", "/v1/models/line/versions/9:feedback", row), {}),
        (400, "not valid JSON", ("POST", LINE, b"{"), {}),
        (400, "label: expected a number", ("POST", LINE, {**row, "label": "3"}), {}),
        (405, "takes POST, got GET", ("GET", LINE), {}),
        (413, "at most 2048 bytes", ("POST", LINE, b" " * 2049), {}),
        (
            415,
            "expected application/json, got text/csv",
            ("POST", LINE, b"1"),
            {"Content_Type": "text/csv"},
        ),
        (415, "Content-Encoding", ("POST", LINE, b"1"), {"Content_Encoding": "gzip"}),
    ]
    for status, words, asked, headers in refused:
        reply = replica.ask(*asked, **headers)
        assert (reply.status, words in reply.error) == (status, True), reply.body
    assert replica.ask("POST", "/v1/models/line/versions/1:feedback", row).json["accepted"] == 1


def test_a_damaged_file(pair: tuple[ReplicaProcess, ReplicaProcess], tmp_path: Path) -> None:
    """With a damaged file predictions are answered as ever, and feedback is a 503 that says so."""
    one, other = pair
    row = {"instance": [1, 2], "label": 3}
    assert one.ask("POST", LINE, row).json["accepted"] == 1
    for each in pair:
        each.stop()
    for path in tmp_path.glob("*.sqlite3*"):
        path.unlink()
    (tmp_path / FILE).write_bytes(b"damaged" * 1000)
    one.start()
    wait_until(one.lives)
    one.wait_until_ready()
    for number in range(20):
        assert one.predict("line", [1, 2], X_Request_ID=f"{number}").status == 200
    refused = one.ask("POST", LINE, row)
    assert (refused.status, refused.error.startswith("feedback can't be kept")) == (503, True)
    assert metric(one, "flotilla_feedback_errors_total") > 0
    assert "file is not a database" in one.log
    (tmp_path / FILE).unlink()
    assert one.ask("POST", LINE, row).json["accepted"] == 1
    other.start()
    wait_until(other.lives)


def test_feedback_is_off(replica: ReplicaProcess) -> None:
    """A replica without a folder says so."""
    reply = replica.ask("POST", "/v1/models/digits:feedback", {"request_id": "a", "label": 1})
    assert (reply.status, reply.error.startswith("feedback is off")) == (404, True)
