"""A replica's counts add up: each request once, each row answered with one thing that the cache did.

Whatever comes of a request: answered, refused, failed, too late, one too many, or left by its client.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.counting.last_words import Life, read_lives
from tests.fakes import BREAK, REFUSE
from tests.polling import wait_until
from tests.service.redis_server import RedisServer
from tests.service.replica_process import ReplicaProcess
from tests.service.test_lane import connected, in_flight, request

LINE = "/v1/models/line:predict"


def shown(replica: ReplicaProcess, name: str, label: str = "") -> Counter[str]:
    """Return a counter's sum by one label, in all under "" without one."""
    text = replica.ask("GET", "/metrics").body.decode()
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                found[sample.labels.get(label, "")] += int(sample.value)
    return found


def told(life: Life, name: str) -> int:
    """Return the sum of a counter in last words."""
    return int(sum(each.value for each in life.counts if each.name == name))


@pytest.fixture(params=["cached", "uncached"])
def replica(
    request: pytest.FixtureRequest, replica_registry: Path, tmp_path: Path, redis_server: RedisServer
) -> Iterator[ReplicaProcess]:
    """Return a replica with or without a cache, with room for few rows, that leaves last words."""
    cache = {"CACHE": "always", "CACHE_TIMEOUT_MS": "1000"} if request.param == "cached" else {}
    url = redis_server.url if cache else ""
    limits = {"MAX_QUEUE_ROWS": "16", "REPORTS_DIR": str(tmp_path / "reports")}
    with ReplicaProcess(replica_registry, REDIS_URL=url, **cache, **limits) as running:
        running.wait_until_ready()
        yield running


@pytest.mark.needs("redis-server")
def test_rows_and_requests(replica: ReplicaProcess, tmp_path: Path) -> None:
    """Only rows that were answered count, each once; requests by status, those left by 499.

    Last words say what the metrics said, and what came until the end.
    """
    codes = Counter(
        [
            *(replica.predict("line", [i, 1], [i, 2], [0, 0]).status for i in range(5)),
            replica.predict("line", [1, 2], [1, 2]).status,
            replica.predict("line", [1]).status,
            replica.predict("nobody", [1]).status,
            replica.predict("told", [REFUSE, 0], [1, 1]).status,
            replica.predict("told", [BREAK, 0]).status,
            replica.predict("told", *([[i, 3] for i in range(17)])).status,
            replica.predict("told", [0.3, 9], X_Request_Timeout_Ms="20").status,
            replica.ask("GET", LINE).status,
        ]
    )
    assert codes == {200: 6, 400: 2, 404: 1, 500: 1, 429: 1, 504: 1, 405: 1}
    wait_until(lambda: in_flight(replica) == 0)
    with connected(replica) as first:
        first.socket.sendall(request(0.3, model=b"told"))
        wait_until(lambda: in_flight(replica) == 1)
        with connected(replica) as leaves:
            leaves.socket.sendall(request(0.1, model=b"told"))
            wait_until(lambda: in_flight(replica) == 2)
        assert first.read().status == 200
    wait_until(lambda: shown(replica, "flotilla_requests_total", "code")["499"] == 1)
    codes.update([200, 499])
    found = shown(replica, "flotilla_requests_total", "code")
    assert found == {str(code): count for code, count in codes.items()}
    rows = shown(replica, "flotilla_rows_total")[""]
    assert rows == 5 * 3 + 2 + 1
    cached = shown(replica, "flotilla_cache_rows_total", "result")
    assert cached.total() == rows, cached
    assert shown(replica, "flotilla_request_duration_seconds_count").total() == codes.total() - 1

    with connected(replica) as idle, connected(replica) as busy:
        assert idle.ask(request(7)).status == 200
        busy.socket.sendall(request(0.5, model=b"told"))
        wait_until(lambda: in_flight(replica) == 1)
        replica.terminate()
        assert busy.read().status == 200
        # `idle` is held open, as nginx does.
        assert replica.wait() == 0
    (life,) = read_lives(tmp_path / "reports")
    assert life.ended > life.started
    assert told(life, "flotilla_requests") == codes.total() + 2
    assert told(life, "flotilla_rows") == told(life, "flotilla_cache_rows") == rows + 2


def test_a_killed_replica_leaves_no_counts(replica_registry: Path, tmp_path: Path) -> None:
    """Of a replica that was killed it is known that it lived, and no more."""
    reports = tmp_path / "reports"
    with ReplicaProcess(replica_registry, REDIS_URL="", REPORTS_DIR=str(reports)) as replica:
        replica.wait_until_ready()
        assert replica.predict("line", [1, 2]).status == 200
        (worker,) = _children(replica._process.pid)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(read_lives(reports)) == 2)  # gunicorn's master has made another worker
    killed, ended = read_lives(reports)
    assert (killed.ended, killed.counts) == (0.0, [])
    assert ended.ended > ended.started > killed.started


def _children(process: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("path", ["//v1/models/line:predict", "/v1/./models/x/../line:predict"])
def test_a_path_written_oddly(replica_registry: Path, path: str) -> None:
    """What nginx takes for a prediction is one here as well, and is counted."""
    with ReplicaProcess(replica_registry, REDIS_URL="") as replica:
        replica.wait_until_ready()
        reply = replica.ask("POST", path, {"instances": [[1, 2]]})
        assert (reply.status, reply.json["predictions"]) == (200, [pytest.approx(3)])
        for page in (f"{path}/", "//v1/models"):
            assert replica.ask("POST", page, {"instances": [[1, 2]]}).status in (404, 405), page
        assert shown(replica, "flotilla_requests_total").total() == 1


@pytest.mark.needs("redis-server")
def test_two_who_want_the_same_row(replica_registry: Path, redis_server: RedisServer) -> None:
    """A row that joins another's computation is counted for both requests, also when one leaves."""
    settings = {"REDIS_URL": redis_server.url, "CACHE": "always", "CACHE_TIMEOUT_MS": "1000"}
    with ReplicaProcess(replica_registry, **settings) as replica:
        replica.wait_until_ready()
        answered = []
        threads = [
            threading.Thread(target=lambda: answered.append(replica.predict("told", [0.4, 4]).status))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: in_flight(replica) == 3)
        with connected(replica) as leaves:
            leaves.socket.sendall(request(body=b'{"instances": [[0.4, 4]]}', model=b"told"))
            wait_until(lambda: in_flight(replica) == 4)
        for thread in threads:
            thread.join()
        assert answered == [200] * 3
        cached = shown(replica, "flotilla_cache_rows_total", "result")
        assert cached == {"miss": 1, "joined": 2}
        assert shown(replica, "flotilla_rows_total").total() == 3
        assert shown(replica, "flotilla_requests_total", "code") == {"200": 3, "499": 1}
