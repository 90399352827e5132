"""A request that fails in the model, and how its lines are found: from its id to the reason."""

import json

import pytest

from deploy.local.supervisor import wait_until
from tests.fakes import BREAK, Obedient
from tests.published import LINE_SAMPLE, published
from tests.stack.ask import Reply, ask
from tests.stack.local import LocalStack

pytestmark = pytest.mark.needs("nginx", "redis-server", "prometheus")

PATH = "/v1/models/obedient:predict"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def broken(local_stack: LocalStack) -> Reply:
    """Return the reply to a request with an id of its own that the model broke on."""
    obedient = Obedient().fit(LINE_SAMPLE)
    published(local_stack.registry, "obedient", obedient, trusted=["tests.fakes.Obedient"], routed=True)
    ready = {"instances": [[0.0, 1.0]]}
    assert wait_until(lambda: ask(local_stack.url, "POST", PATH, ready).status == 200, 30)
    row = {"instances": [[BREAK, 0.0]]}
    return ask(local_stack.url, "POST", PATH, row, X_Request_ID="find-me-7", traceparent=TRACEPARENT)


def test_the_reply_names_the_request(broken: Reply) -> None:
    """The client gets its id once as a header, and in the sentence, and none of the model's words."""
    assert broken.status == 500
    assert broken.headers.get_all("X-Request-ID") == ["find-me-7"]
    assert broken.json == {
        "error": "the model failed on this request; the replica's log says why (request find-me-7)"
    }


def test_logs_of_the_request(local_stack: LocalStack, broken: Reply) -> None:
    """`flotilla logs --request-id` has the replica's reason and nginx's line, in this order."""

    def found() -> list[dict[str, object]]:
        said = local_stack.flotilla("logs", "--request-id", "find-me-7", "--json")
        return [json.loads(line) for line in said.splitlines()]

    assert wait_until(lambda: len(found()) == 2, 10), found()
    failure, request = found()
    assert failure["part"] == request["replica"] == broken.headers["X-Replica"]
    assert (failure["level"], failure["model"], failure["version"]) == ("error", "obedient", "1")
    assert "RuntimeError: broken" in str(failure["exception"])
    assert (request["part"], request["status"], request["path"]) == ("access", 500, PATH)
    shown = local_stack.flotilla("logs", "--request-id", "find-me-7")
    assert "RuntimeError: broken" in shown
    assert f"POST {PATH} 500" in shown


def test_the_access_log_turned_over(local_stack: LocalStack, broken: Reply) -> None:
    """The request is still found when nginx's log has been turned over since."""
    log = local_stack.home / "logs" / "access.log"
    assert wait_until(lambda: "find-me-7" in log.read_text(), 10)
    log.rename(log.with_name("access.log.1"))
    try:
        said = local_stack.flotilla("logs", "--request-id", "find-me-7", "--json")
    finally:
        log.with_name("access.log.1").rename(log)
    assert [json.loads(line)["part"] for line in said.splitlines()][-1] == "access"


# supervisord, Redis, nginx's error log and, in Debian 12, nginx's exporter have forms of their own.
JSON_PARTS = ("slots", "door", "prometheus", "alertmanager", "redis-exporter", "access")


def test_all_parts_write_json(local_stack: LocalStack) -> None:
    """Every line of every part that can write JSON is an object."""
    written = {}
    for name in (*local_stack.replicas(), *JSON_PARTS):
        written[name] = (local_stack.home / "logs" / f"{name}.log").read_text().splitlines()
        assert all(isinstance(json.loads(line), dict) for line in written[name]), name
    # The door's counter speaks when something is wrong.
    assert [name for name, lines in written.items() if not lines] in ([], ["door"])


def test_the_keeper_says_whom_it_admits(local_stack: LocalStack) -> None:
    """Each replica's admission is an event."""
    said = local_stack.flotilla("logs", "slots", "--json", "--lines", "1000")
    lines = [json.loads(line) for line in said.splitlines()]
    admitted = {line["replica"] for line in lines if line["message"] == "a replica is admitted"}
    assert admitted >= local_stack.replicas()
