"""The door: what a client sees of nginx and the replicas behind it, and what it doesn't see."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from deploy.compile.parity import TOLERANCE
from deploy.local.supervisor import wait_until
from service.engine import load_estimator
from service.manifest import read_manifest
from service.protocols.v2_data import DATATYPES
from service.rows import TableRows
from service.version import read_sample
from tests.stack.ask import ask
from tests.stack.local import LocalStack
from tests.stack.stack import Stack, scraped

SAMPLES = ("digits", "digits-forest", "spam", "house-prices", "movies")


@pytest.mark.needs("nginx", "redis-server", "prometheus")
def test_curl_of_up(local_stack: LocalStack) -> None:
    """The curl that `flotilla up` prints recognises a digit; the third time nginx does by itself."""
    command = local_stack.up_output[local_stack.up_output.index("curl -i") :]
    words = shlex.split(command.replace("\\\n", " "))
    url, body = words[2], json.loads(words[words.index("-d") + 1])
    body["instances"][0][0] = 0.125  # a row that no other test has asked for
    path = url.removeprefix(local_stack.url)
    first, second, third = (ask(local_stack.url, "POST", path, body) for _ in range(3))
    assert first.status == second.status == third.status == 200
    assert first.json == second.json == third.json == {"predictions": [2]}
    assert [each.headers["X-Cache"] for each in (first, second, third)] == ["miss", "redis", "edge"]
    assert first.headers["X-Model-Version"] == "1"
    assert first.headers["X-Replica"] in local_stack.replicas()


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@pytest.mark.parametrize("model", SAMPLES)
def test_samples_equal_scikit_learn(stack: Stack, model: str, protocol: str) -> None:
    """All samples answer through nginx as scikit-learn does in process, for 200 rows."""
    folder = stack.registry / model / "1"
    manifest = read_manifest(folder)
    rows = read_sample(folder / "sample.npz", manifest.signature, 200)
    given = rows.model_input()
    expected = load_estimator(folder / manifest.artifact, manifest.trusted).predict(given)
    values = rows.values.tolist() if manifest.signature.kind == "tensor" else rows.values
    if protocol == "v1":
        reply = ask(stack.url, "POST", f"/v1/models/{model}:predict", {"instances": values})
        answers = reply.json["predictions"]
    else:
        if isinstance(rows, TableRows):
            columns = zip(manifest.signature.inputs, zip(*rows.values, strict=True), strict=True)
            inputs = [
                {"name": c.name, "shape": [200], "datatype": DATATYPES[c.dtype], "data": list(d)}
                for c, d in columns
            ]
        else:
            shape = [200, 64] if manifest.signature.kind == "tensor" else [200]
            datatype = DATATYPES[manifest.signature.inputs[0].dtype]
            inputs = [{"name": "x", "shape": shape, "datatype": datatype, "data": values}]
        reply = ask(stack.url, "POST", f"/v2/models/{model}/infer", {"inputs": inputs})
        answers = reply.json["outputs"][0]["data"]
        expected = expected.ravel()
    assert reply.status == 200
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(answers, expected, rtol=TOLERANCE)
    else:
        assert answers == expected.tolist()


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/v1/../metrics", "/admin", "/admin/x"]
)
def test_hidden(stack: Stack, path: str) -> None:
    """Metrics and admin routes don't exist for clients, however they spell them."""
    reply = ask(stack.url, "GET", path)
    assert (reply.status, reply.json) == (404, {"error": "not found"})


def test_pages_are_not_hidden(stack: Stack) -> None:
    """What clients need is there: page, docs, health, metadata."""
    pages = ("/", "/docs", "/health/live", "/v2/health/ready", "/v2", "/v1/models", "/v2/models/digits")
    for path in pages:
        assert ask(stack.url, "GET", path).status == 200, path


ROW = [0.0] * 64
PREDICT = "/v1/models/digits:predict"
# Method, path, body, headers, and what comes of it.
REFUSED = {
    "unknown model": ("POST", "/v1/models/nope:predict", {}, {}, 404, "no model 'nope'"),
    "unknown version": ("POST", "/v1/models/digits/versions/9:predict", {}, {}, 404, "version 9"),
    "strange name": ("POST", "/v1/models/a%20b:predict", {}, {}, 404, "no model"),
    "not a POST": ("GET", PREDICT, None, {}, 405, "POST"),
    "too large": ("POST", PREDICT, b" " * (5 << 20), {}, 413, "4 MiB"),
    "not JSON": ("POST", PREDICT, b"{", {}, 400, "not valid JSON"),
    "wrong type": ("POST", PREDICT, b"1,2", {"Content_Type": "text/csv"}, 415, "application/json"),
    "wrong width": ("POST", PREDICT, {"instances": [[1]]}, {}, 400, "64 numbers"),
    "unknown page": ("GET", "/nope", None, {}, 404, "Not Found"),
    "huge header": ("GET", "/", None, {"X_Large": "x" * 40_000}, 400, "too large"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refusals_are_json(stack: Stack, case: tuple) -> None:
    """Whoever refuses, nginx or a replica: one JSON error that names what was wrong."""
    method, path, body, headers, status, words = case
    reply = ask(stack.url, method, path, body, **headers)
    assert reply.status == status
    assert words in reply.json["error"]


def test_client_cannot_name_a_version_in_a_header(stack: Stack) -> None:
    """The version header is nginx's own; a client's is overwritten."""
    body = {"instances": [ROW]}
    reply = ask(stack.url, "POST", "/v1/models/digits:predict", body, X_Model_Version="9")
    assert (reply.status, reply.headers["X-Model-Version"]) == (200, "1")


def test_request_id(stack: Stack) -> None:
    """A client's id comes back and is in the log; a harmful one is replaced."""
    kept = ask(stack.url, "GET", "/health/live", X_Request_ID="abc-123")
    assert kept.headers.get_all("X-Request-ID") == ["abc-123"]
    assert wait_until(lambda: '"request_id":"abc-123"' in stack.access_log(), 5)
    made = ask(stack.url, "GET", "/health/live", X_Request_ID='x" onload="')
    assert re.fullmatch("[0-9a-f]{32}", made.headers["X-Request-ID"])


def test_access_log_is_json(stack: Stack) -> None:
    """Each line of the access log is an object with status, replica and version."""
    ask(stack.url, "POST", "/v1/models/digits:predict", {"instances": [ROW]}, X_Request_ID="logged")
    assert wait_until(lambda: '"logged"' in stack.access_log(), 5)
    line = next(line for line in stack.access_log().splitlines() if '"logged"' in line)
    entry = json.loads(line)
    assert (entry["status"], entry["version"], entry["method"]) == (200, "1", "POST")
    assert entry["replica"] in stack.replicas()


def test_publishing_while_serving(stack: Stack, tmp_path: Path) -> None:
    """A model published into a running stack answers; its next version only once it is activated."""
    from sklearn.dummy import DummyRegressor
    from skops.io import dump

    sample = tmp_path / "sample.csv"
    sample.write_text("a,b\n1,2\n3,4\n")

    def publish(answer: float) -> None:
        model = DummyRegressor(strategy="constant", constant=answer).fit([[1, 2], [3, 4]], [0, 0])
        file = tmp_path / "model.skops"
        dump(model, file)
        stack.flotilla("publish", str(file), "--name", "constant", "--sample", str(sample))

    def answer() -> object:
        reply = ask(stack.url, "POST", "/v1/models/constant:predict", {"instances": [[1, 2]]})
        return reply.json.get("predictions"), reply.headers["X-Model-Version"]

    publish(1.0)
    assert answer() == ([1.0], "1")
    publish(2.0)
    assert answer() == ([1.0], "1")
    stack.flotilla("activate", "constant", "2")
    assert answer() == ([2.0], "2")


def test_prometheus_scrapes_every_replica(stack: Stack) -> None:
    """Prometheus has one target for each replica, each of them up."""
    assert wait_until(lambda: scraped(stack) == ["up"] * len(stack.replicas()), 30), scraped(stack)
