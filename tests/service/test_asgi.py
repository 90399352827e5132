"""A whole replica: a real gunicorn process on a Unix socket, asked over HTTP."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.compile.parity import TOLERANCE
from deploy.routing.routes import activate
from service.engine import dense, load_estimator
from service.manifest import Manifest, read_manifest
from service.protocols.v2_data import DATATYPES
from service.rows import TableRows
from service.version import SAMPLE, read_sample
from tests.fakes import BREAK, REFUSE, STOP
from tests.polling import wait_until
from tests.published import damage, published
from tests.service.redis_server import RedisServer
from tests.service.replica_process import NAME, ReplicaProcess, Reply, send

SAMPLES = ("digits", "digits-forest", "spam", "house-prices", "movies")
N_ROWS = 200


class Reference:
    """A sample model in this process: rows as JSON takes them, and what scikit-learn makes of them."""

    def __init__(self, registry: Path, name: str) -> None:
        folder = registry / name / "1"
        self.manifest: Manifest = read_manifest(folder)
        self.signature = self.manifest.signature
        self.rows = read_sample(folder / SAMPLE, self.signature, N_ROWS)
        self._estimator = load_estimator(folder / self.manifest.artifact, self.manifest.trusted)
        self.outputs = [each.name for each in self.signature.outputs]

    def expected(self, output: str) -> Any:
        """Return what scikit-learn answers."""
        return dense(getattr(self._estimator, output)(self.rows.model_input()))

    def v1_rows(self) -> list[Any]:
        """Return the rows for V1: objects for a table."""
        if isinstance(self.rows, TableRows):
            return [dict(zip(self.signature.columns, row, strict=True)) for row in self.rows.values]
        return list(np.asarray(self.rows.model_input()).tolist())

    def v2_inputs(self) -> list[dict[str, Any]]:
        """Return the rows for V2: an input for each column."""
        if isinstance(self.rows, TableRows):
            columns = [list(column) for column in zip(*self.rows.values, strict=True)]
        else:
            columns = [self.v1_rows()]
        return [
            {
                "name": each.name,
                "shape": [len(self.rows), *each.shape[1:]],
                "datatype": DATATYPES[each.dtype],
                "data": data,
            }
            for each, data in zip(self.signature.inputs, columns, strict=True)
        ]


# ONNX's operators for boosted trees and texts hand out float32; every other sample is exact.
SINGLE_PRECISION = ("house-prices", "spam")


def assert_equal(name: str, answer: Any, expected: Any) -> None:
    """Labels and titles are equal, numbers to the last digits or within what compiling promises."""
    if expected.dtype.kind == "f":
        tolerance = TOLERANCE if name in SINGLE_PRECISION else 1e-12
        np.testing.assert_allclose(np.array(answer), expected, rtol=tolerance, atol=tolerance)
    else:
        assert np.array(answer).tolist() == expected.tolist()


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_equals_scikit_learn_by_v1(
    replica: ReplicaProcess, sample_registry: Path, name: str
) -> None:
    """Every output of a sample model for 200 rows by V1 is what scikit-learn gives in this process."""
    reference = Reference(sample_registry, name)
    assert len(reference.rows) == N_ROWS
    body = {"instances": reference.v1_rows(), "outputs": reference.outputs}
    reply = replica.ask("POST", f"/v1/models/{name}:predict", body)
    assert reply.status == 200, reply.body
    first, *others = reference.outputs
    assert set(reply.json) == {"predictions", *others}
    assert_equal(name, reply.json["predictions"], reference.expected(first))
    for output in others:
        assert_equal(name, reply.json[output], reference.expected(output))


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_equals_scikit_learn_by_v2(
    replica: ReplicaProcess, sample_registry: Path, name: str
) -> None:
    """The same by V2, with shapes and datatypes as the metadata says."""
    reference = Reference(sample_registry, name)
    outputs = [{"name": output} for output in reference.outputs]
    body = {"id": "7", "inputs": reference.v2_inputs(), "outputs": outputs}
    reply = replica.ask("POST", f"/v2/models/{name}/infer", body)
    assert reply.status == 200, reply.body
    assert (reply.json["model_name"], reply.json["model_version"]) == (name, "1")
    assert reply.json["id"] == "7"
    metadata = {each["name"]: each for each in replica.ask("GET", f"/v2/models/{name}").json["outputs"]}
    assert [each["name"] for each in reply.json["outputs"]] == reference.outputs
    for output in reply.json["outputs"]:
        expected = reference.expected(output["name"])
        assert output["shape"] == list(expected.shape)
        assert output["shape"][1:] == metadata[output["name"]]["shape"][1:]
        assert output["datatype"] == metadata[output["name"]]["datatype"]
        assert_equal(name, np.array(output["data"]).reshape(output["shape"]), expected)


@pytest.mark.parametrize("name", SAMPLES)
def test_single_rows(replica: ReplicaProcess, sample_registry: Path, name: str) -> None:
    """Rows that come alone, many at a time and on kept-alive connections, get their own answers."""
    reference = Reference(sample_registry, name)
    rows, expected = reference.v1_rows()[:24], reference.expected("predict")[:24]

    def ask(positions: range) -> list[Any]:
        connection = replica.connect()
        try:
            path = f"/v1/models/{name}:predict"
            replies = [send(connection, "POST", path, {"instances": [rows[i]]}) for i in positions]
            return [reply.json["predictions"][0] for reply in replies]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, [range(first, 24, 8) for first in range(8)]))
    for first, answer in enumerate(answers):
        assert_equal(name, answer, expected[first::8])


@pytest.mark.parametrize(
    "path", ["/health/live", "/v2/health/live", "/health/ready", "/v2/health/ready"]
)
def test_healthy(replica: ReplicaProcess, path: str) -> None:
    """A replica that holds what is routed is alive and ready, by our paths and the protocol's."""
    assert replica.ask("GET", path).status == 200


ROW = {"instances": [[1, 2]]}
LINE = "/v1/models/line:predict"
LINE_V2 = "/v2/models/line/infer"
TOLD = "/v1/models/told:predict"
MANY = {"instances": [[1, 2]] * 1001}


def assert_refused(replica: ReplicaProcess, reply: Reply, status: int, message: str) -> None:
    """Check an error: one JSON sentence with its status; and that the next request is answered."""
    assert reply.status == status, reply.body
    assert reply.error.startswith(message)
    assert "Traceback" not in reply.error
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Replica"] == NAME
    assert reply.headers["Retry-After"] == ("1" if status in (429, 503) else None)
    assert "X-Cache" not in reply.headers
    assert replica.predict("line", [1, 2]).status == 200


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (LINE, b"{", "body: not valid JSON: "),
        (LINE, b"", "body: not valid JSON: "),
        (LINE, b"\xff", "body: not valid JSON: "),
        (LINE, b"{}", 'body: expected a member "instances"'),
        (LINE, {"instances": []}, "instances: expected a list of length >= 1, got an empty list"),
        (LINE, {"instances": [[1]]}, "instances[0]: expected a list of 2 numbers, got a list of 1"),
        (LINE, {"instances": [[1, "a"]]}, "instances[0][1]: expected a number, got the string 'a'"),
        (LINE, b'{"instances": [[1, NaN]]}', "body: not valid JSON: "),
        (LINE, b'{"instances": [[1, 1e999]]}', "instances[0][1]: number out of range"),
        (LINE, MANY, "instances: expected a list of length <= 1000, got a list of 1001"),
        (LINE, ROW | {"outputs": ["x"]}, "outputs[0]: this model has no output 'x'; it has predict"),
        (LINE_V2, {"inputs": []}, "inputs: expected a list of length >= 1, got an empty list"),
        ("/v1/models/house-prices:predict", {"instances": [{"rooms": 3}]}, "instances[0]: object miss"),
        ("/v1/models/spam:predict", {"instances": [5]}, "instances[0]: expected a string, got 5"),
        (TOLD, {"instances": [[REFUSE, 0]]}, "told can't use this input: can't take it"),
    ],
)
def test_bad_input(replica: ReplicaProcess, path: str, body: Any, message: str) -> None:
    """What a model can't take is a 400 that names the field, what came and what was expected."""
    assert_refused(replica, replica.ask("POST", path, body), 400, message)


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("POST", "/v1/models/none:predict", "no model 'none'; there are: digits, "),
        ("POST", "/v2/models/none/infer", "no model 'none'; there are: digits, "),
        ("POST", "/v1/models/%ed%a0%80:predict", "no model "),
        ("POST", "/v1/models/line/versions/9:predict", "line version 9 isn't loaded; versions here: "),
        ("POST", "/v1/models/line/versions/%ff:predict", "line version "),
        ("GET", "/v2/models/none", "no model 'none'; there are: digits, "),
        ("GET", "/v2/models/line/versions/9", "line version 9 isn't loaded"),
        ("GET", "/v1/models/none", "no model 'none'"),
        ("GET", "/nothing/here", "GET /nothing/here: Not Found"),
    ],
)
def test_not_found(replica: ReplicaProcess, method: str, path: str, message: str) -> None:
    """An unknown model, version or page is a 404 that says what there is, whatever its name."""
    assert_refused(replica, replica.ask(method, path, ROW if method == "POST" else None), 404, message)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", LINE), ("PUT", LINE_V2), ("DELETE", LINE), ("POST", "/v2/models/line"), ("PUT", "/docs")],
)
def test_wrong_method(replica: ReplicaProcess, method: str, path: str) -> None:
    """A path that exists is a 405 for other methods; a prediction's says which one is right."""
    reply = replica.ask(method, path)
    assert_refused(replica, reply, 405, path if ":" in path or "infer" in path else method)
    if path in (LINE, LINE_V2):
        assert reply.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        (LINE, ROW, {"X-Request-Timeout-Ms": "soon"}, 400, "X-Request-Timeout-Ms: expected a whole"),
        (LINE, b"x" * 500_001, {}, 413, "body: expected at most 500000 bytes, got more"),
        (
            LINE,
            b"",
            {"Content-Type": "text/csv"},
            415,
            "Content-Type: expected application/json, got t",
        ),
        (LINE, ROW, {"Content-Encoding": "gzip"}, 415, "Content-Encoding: expected none, got gzip"),
        (LINE, {"instances": [[1, 2]] * 257}, {}, 429, "0 rows wait already and 256 may"),
        (TOLD, {"instances": [[BREAK, 0]]}, {}, 500, "the model failed on this request"),
        (TOLD, {"instances": [[STOP, 0]]}, {}, 500, "the model failed on this request"),
        (LINE, ROW, {"X-Model-Version": "9"}, 503, "line version 9 is being loaded"),
        (TOLD, {"instances": [[0.4, 0]]}, {"X-Request-Timeout-Ms": "50"}, 504, "the deadline passed"),
    ],
)
def test_refused(
    replica: ReplicaProcess, path: str, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    """Too large, of another type, too much, broken, not here yet, too late: each has its status."""
    assert_refused(replica, replica.ask("POST", path, body, **headers), status, message)


def test_failure_is_logged_with_the_request_id(replica: ReplicaProcess) -> None:
    """What a broken model says stays inside: the log has its trace and the request's id."""
    reply = replica.predict("told", [BREAK, 0], X_Request_ID="find-me")
    assert "broken" not in reply.error
    wait_until(lambda: "find-me" in replica.log)
    line = next(line for line in replica.log.splitlines() if "find-me" in line)
    entry = json.loads(line)
    assert (entry["level"], entry["request_id"]) == ("error", "find-me")
    assert "RuntimeError: broken" in entry["exception"]


def test_headers_of_an_answer(replica: ReplicaProcess) -> None:
    """An answer says which version and replica gave it, and that no cache was asked."""
    reply = replica.predict("line", [1, 2])
    assert reply.json["predictions"] == [pytest.approx(3)]
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Replica"] == NAME
    assert reply.headers["X-Model-Version"] == "1"
    assert reply.headers["X-Cache"] == "bypass"


@pytest.mark.parametrize(
    ("path", "headers", "version"),
    [
        (LINE, {}, 1),
        (LINE, {"X-Model-Version": "1"}, 1),
        (LINE, {"X-Model-Version": "2"}, 2),
        ("/v1/models/line/versions/2:predict", {}, 2),
        ("/v1/models/line/versions/1:predict", {"X-Model-Version": "2"}, 1),
    ],
)
def test_version(replica: ReplicaProcess, path: str, headers: dict[str, str], version: int) -> None:
    """The path chooses the version, else nginx's header, else the route; the reply says which."""
    reply = replica.ask("POST", path, {"instances": [[1, 1]]}, **headers)
    assert reply.headers["X-Model-Version"] == str(version)
    assert reply.json["predictions"] == [pytest.approx(2 * version)]


def test_chunked_body(replica: ReplicaProcess) -> None:
    """A body in chunks, without a length, is read as any other; one that is too large is refused."""
    connection = replica.connect()
    try:
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        chunks = [b'{"instances": ', b"[[1, 2]]", b"}"]
        connection.request("POST", LINE, iter(chunks), headers, encode_chunked=True)
        assert Reply(connection.getresponse()).status == 200
        spaces = (b" " * 10_000 for _ in range(51))
        connection.request("POST", LINE, spaces, headers, encode_chunked=True)
        assert Reply(connection.getresponse()).status == 413
    finally:
        connection.close()


def test_a_busy_engine_does_not_block_the_loop(replica: ReplicaProcess) -> None:
    """While a model works, health is answered; a hasty client is told at its deadline."""
    answered: list[Reply] = []
    slow = threading.Thread(target=lambda: answered.append(replica.predict("told", [0.7, 0])))
    slow.start()
    try:
        assert replica.ask("GET", "/health/live").status == 200
        hasty = replica.predict("told", [0.7, 1], X_Request_Timeout_Ms="20")
        assert hasty.status == 504
        assert not answered, "the slow one still works"
    finally:
        slow.join()
    assert answered[0].json["predictions"] == [pytest.approx(0.7)]


def test_metadata(replica: ReplicaProcess) -> None:
    """Models are listed and described, as both protocols say."""
    names = sorted([*SAMPLES, "line", "told"])
    assert replica.ask("GET", "/v1/models").json == {"models": names}
    assert replica.ask("GET", "/v2/models").json == {"models": names}
    assert replica.ask("GET", "/v1/models/digits").json == {"name": "digits", "ready": True}
    for path in ("/v2", "/v2/"):
        assert set(replica.ask("GET", path).json) == {"name", "version", "extensions"}
    for path in ("/v2/models/digits", "/v2/models/digits/versions/1"):
        digits = replica.ask("GET", path).json
        assert digits["versions"] == ["1"]
        assert digits["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1, 64]}]
        assert digits["outputs"][0] == {"name": "predict", "datatype": "INT64", "shape": [-1]}
        assert digits["parameters"]["classes"] == list(range(10))
        assert replica.ask("GET", f"{path}/ready").json == {"name": "digits", "ready": True}
    houses = replica.ask("GET", "/v2/models/house-prices").json["inputs"]
    assert {"name": "location", "datatype": "BYTES", "shape": [-1]} in houses
    assert replica.ask("GET", "/v2/models/line").json["versions"] == ["1", "2"]
    index = replica.ask("POST", "/v2/repository/index", {"ready": True}).json
    assert {"name": "line", "version": "2", "state": "READY", "reason": ""} in index
    assert len(index) == len(names) + 1


def metric(replica: ReplicaProcess, name: str, **labels: str) -> float:
    """Return a metric of the replica: the sum over all series that have these labels."""
    text = replica.ask("GET", "/metrics").body.decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


LINE_1 = {"model": "line", "version": "1"}
LINE_2 = {"model": "line", "version": "2"}
NOBODY = {"model": "", "version": ""}


def test_metrics_count_what_was_sent(replica: ReplicaProcess) -> None:
    """Each request is counted once, by model, version, protocol and status; so are its rows."""
    expected = [
        ("flotilla_requests_total", {}, 8),
        ("flotilla_requests_total", {**LINE_1, "protocol": "v1", "code": "200"}, 3),
        ("flotilla_requests_total", {**LINE_2, "protocol": "v1", "code": "200"}, 1),
        ("flotilla_requests_total", {**LINE_1, "protocol": "v1", "code": "400"}, 1),
        ("flotilla_requests_total", {**NOBODY, "protocol": "v1", "code": "404"}, 1),
        ("flotilla_requests_total", {**NOBODY, "protocol": "v2", "code": "405"}, 1),
        ("flotilla_requests_total", {**LINE_1, "protocol": "v2", "code": "200"}, 1),
        ("flotilla_request_duration_seconds_count", {}, 8),
        ("flotilla_rows_total", LINE_1, 7),
        ("flotilla_rows_total", LINE_2, 1),
        ("flotilla_inference_duration_seconds_count", LINE_1, 4),
        ("flotilla_batch_rows_sum", LINE_1, 7),
        ("flotilla_batch_rows_count", LINE_1, 4),
        ("flotilla_prediction_count", LINE_1, 7),
        ("flotilla_prediction_count", LINE_2, 1),
        ("flotilla_cache_rows_total", {"model": "line", "result": "bypass"}, 8),
    ]
    before = [metric(replica, name, **labels) for name, labels, _ in expected]
    for _ in range(3):
        replica.predict("line", [1, 2], [3, 4])
    replica.predict("line", [1, 2], X_Model_Version="2")
    replica.predict("line", [1])
    replica.predict("unknown", [1])
    replica.ask("GET", LINE_V2)
    inputs = [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]
    assert replica.ask("POST", LINE_V2, {"inputs": inputs}).status == 200
    for (name, labels, grown), value in zip(expected, before, strict=True):
        assert metric(replica, name, **labels) - value == grown, (name, labels)


def test_stations_of_every_sixteenth_request_are_timed(replica: ReplicaProcess) -> None:
    """Of 32 requests one after the other, two are timed while they are read, and two while written."""
    names = [f"flotilla_{station}_duration_seconds" for station in ("parse", "reply")]
    before = {name: metric(replica, f"{name}_count", **LINE_1) for name in names}
    for _ in range(32):
        replica.predict("line", [1, 2])
    for name, count in before.items():
        assert metric(replica, f"{name}_count", **LINE_1) == count + 2
        assert 0 < metric(replica, f"{name}_sum", **LINE_1) < 1


def test_open_connections_are_counted(replica: ReplicaProcess) -> None:
    """A connection counts from when it is made until it is lost, whether it is used or not."""
    open_ = metric(replica, "flotilla_connections")
    connection = replica.connect()
    connection.connect()
    wait_until(lambda: metric(replica, "flotilla_connections") == open_ + 1)
    connection.close()
    wait_until(lambda: metric(replica, "flotilla_connections") == open_)


def test_metrics_show_the_replica(replica: ReplicaProcess) -> None:
    """What is loaded, whether it is ready, and that nothing waits, can be read from the metrics."""
    assert metric(replica, "flotilla_ready") == 1
    assert metric(replica, "flotilla_requests_in_flight") == 0
    assert metric(replica, "flotilla_queue_rows") == 0
    assert metric(replica, "flotilla_queue_limit_rows") == 256, "as the fixture sets it"
    assert metric(replica, "process_resident_memory_bytes") > 0
    assert metric(replica, "flotilla_model_info") == len(SAMPLES) + 3
    for name in (*SAMPLES, "line", "told"):
        info = {"model": name, "version": "1"}
        assert metric(replica, "flotilla_model_info", **info) == 1


def test_route_is_followed(tmp_path: Path) -> None:
    """A version that isn't what was published is refused, and ready says why; the route is followed."""
    registry = tmp_path / "registry"
    for _ in range(2):
        published(registry, "line", routed=True)
    damage(registry / "line" / "2" / "model.skops")
    with ReplicaProcess(registry, REDIS_URL="") as replica:
        wait_until(lambda: "refused" in replica.predict("line", [1, 1]).error)
        refused = replica.predict("line", [1, 1])
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        health = replica.ask("GET", "/health/ready")
        assert health.status == 503
        assert health.json["missing"]["line/2"].startswith("model.skops: its SHA-256 is")
        assert replica.ask("GET", "/health/live").status == 200
        assert metric(replica, "flotilla_ready") == 0

        activate(registry, "line", 1, "back")
        replica.wait_until_ready()
        assert replica.ask("GET", "/health/ready").json == {"ready": True, "missing": {}}
        assert replica.predict("line", [1, 1]).json["predictions"] == [pytest.approx(2)]
        assert metric(replica, "flotilla_ready") == 1

        published(registry, "line", routed=True)
        wait_until(lambda: replica.predict("line", [1, 1]).headers["X-Model-Version"] == "3")
        assert replica.predict("line", [1, 1]).json["predictions"] == [pytest.approx(6)]
        assert replica.predict("line", [1, 1], X_Model_Version="1").status == 200


@pytest.fixture
def cached(replica_registry: Path, redis_server: RedisServer) -> Iterator[ReplicaProcess]:
    """Return a replica with a cache, ready."""
    with ReplicaProcess(
        replica_registry, REDIS_URL=redis_server.url, CACHE="always", CACHE_TIMEOUT_MS="1000"
    ) as running:
        running.wait_until_ready()
        yield running


@pytest.mark.needs("redis-server")
def test_cache_and_stop(cached: ReplicaProcess, redis_server: RedisServer) -> None:
    """An answer from Redis is the computed one, and says so; without Redis nothing fails.

    The end of it: whoever is being answered when it stops is answered, then it exits without an error.
    """
    rows = [[float(i), 0.5] for i in range(3)]
    computed = cached.predict("line", *rows)
    wait_until(lambda: redis_server.tell("DBSIZE") == 3)
    before = metric(cached, "flotilla_batch_rows_sum")
    again = cached.predict("line", *rows)
    partial = cached.predict("line", *rows, [9.0, 9.0])
    assert [each.headers["X-Cache"] for each in (computed, again, partial)] == [
        "miss",
        "redis",
        "partial",
    ]
    assert computed.body == again.body
    assert partial.json["predictions"][:3] == computed.json["predictions"]
    assert metric(cached, "flotilla_batch_rows_sum") - before == 1, "only the new row was computed"
    assert metric(cached, "flotilla_cache_rows_total", model="line", result="hit") == 6
    look_ups = metric(cached, "flotilla_cache_lookup_duration_seconds_count")
    cached.predict("line", *rows)
    assert metric(cached, "flotilla_cache_lookup_duration_seconds_count") == look_ups + 1

    other = cached.predict("line", *rows, X_Model_Version="2")
    assert other.headers["X-Cache"] == "miss"
    assert other.json["predictions"] == [
        pytest.approx(2 * each) for each in computed.json["predictions"]
    ]

    redis_server.stop()
    for _ in range(5):
        without = cached.predict("line", *rows)
        assert (without.status, without.headers["X-Cache"]) == (200, "bypass")
        assert without.json == computed.json
    redis_server.start()
    wait_until(lambda: cached.predict("line", *rows).headers["X-Cache"] == "redis")

    answered: list[Reply] = []
    slow = threading.Thread(target=lambda: answered.append(cached.predict("told", [0.5, 0])))
    slow.start()
    wait_until(lambda: metric(cached, "flotilla_requests_in_flight") == 1)
    cached.terminate()
    slow.join()
    assert answered[0].json["predictions"] == [0.5]
    assert cached.wait() == 0


def test_the_cache_is_used_where_it_pays(
    replica_registry: Path, redis_server: RedisServer, sample_registry: Path
) -> None:
    """Of two models that are asked for the same rows, Redis answers for the dear one alone."""
    digit = Reference(sample_registry, "digits").v1_rows()[0]
    dear = [0.004, 1.0]  # `told` takes 4 ms for it
    with ReplicaProcess(replica_registry, REDIS_URL=redis_server.url, CACHE="auto") as gated:
        gated.wait_until_ready()
        for _ in range(300):
            assert gated.predict("digits", digit).json["predictions"] == [2]
            assert gated.predict("told", dear).json["predictions"] == [1.004]
        # Polled, because on a slow machine the gate's next trial comes within these requests.
        wait_until(lambda: gated.predict("digits", digit).headers["X-Cache"] == "bypass")
        assert gated.predict("told", dear).headers["X-Cache"] == "redis"
        said = {
            model: gated.ask("GET", f"/v2/models/{model}").json["parameters"]["cache"]
            for model in ("digits", "told")
        }
        assert said["digits"].startswith("auto: bypassed; a look-up costs ")
        assert said["told"].startswith("auto: rows are looked up; a look-up costs ")
        metrics = gated.ask("GET", "/metrics").body.decode()
        assert 'flotilla_cache_open{model="digits",version="1"} 0.0' in metrics
        assert 'flotilla_cache_open{model="told",version="1"} 1.0' in metrics


def test_binary_tensors_by_http(replica: ReplicaProcess) -> None:
    """V2 takes and gives tensors as bytes behind the JSON; the headers say where they begin."""
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    tensor = {"name": "x", "shape": [2, 2], "datatype": "FP64"}
    asked = {
        "inputs": [{**tensor, "parameters": {"binary_data_size": rows.nbytes}}],
        "outputs": [{"name": "predict", "parameters": {"binary_data": True}}],
    }
    head = json.dumps(asked).encode()
    size = {"Inference_Header_Content_Length": str(len(head))}
    reply = replica.ask(
        "POST",
        "/v2/models/line/infer",
        head + rows.tobytes(),
        Content_Type="application/octet-stream",
        **size,
    )
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == "application/octet-stream"
    begin = int(reply.headers["Inference-Header-Content-Length"])
    assert json.loads(reply.body[:begin])["outputs"][0]["shape"] == [2]
    np.testing.assert_allclose(np.frombuffer(reply.body[begin:]), [3.0, 7.0])
    refused = replica.ask("POST", "/v1/models/line:predict", head, **size)
    assert refused.status == 400
    assert "V2" in refused.error
