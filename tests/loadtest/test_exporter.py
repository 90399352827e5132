"""A load test's metrics, of a real Locust against a small server: exactly its own totals."""

import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.loadtest.fakes import Reply, answering
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.stack.stack import free_ports

ROOT = Path(__file__).resolve().parents[2]
RIGHT: Reply = (200, {"X-Model-Version": "3"}, b'{"predictions": [1]}')
WRONG: Reply = (500, {}, b"out of order")
USERS = 6
PREFIX = "flotilla_loadtest_"
SCENARIO = "tests/loadtest/scenario.py"


class Locust:
    """A test with Locust's own page, on which it can be stopped and says what it has counted."""

    def __init__(self, url: str, home: Path, *options: str, scenario: str) -> None:
        self.port, page, master = free_ports(3, 30000)
        self.page = f"http://127.0.0.1:{page}"
        command = [sys.executable, "-m", "locust", "-f", scenario, "--autostart"]
        command += ["-u", str(USERS), "-r", str(USERS), "--stop-timeout", "10", "-H", url]
        command += ["--web-host", "127.0.0.1", "--web-port", str(page)]
        command += ["--master-bind-port", str(master), "--master-port", str(master)]
        command += ["--metrics-port", str(self.port), *options]
        self.log = home / "locust.log"
        environment = {**os.environ, "FLOTILLA_HOME": str(home)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return the samples by name and label values; none where nobody answers yet."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as reply:
                families = text_string_to_metric_families(reply.read().decode())
        except OSError:
            return {}
        samples = [sample for family in families for sample in family.samples]
        return {(each.name.removeprefix(PREFIX), *each.labels.values()): each.value for each in samples}

    def own(self) -> dict[str, tuple[int, int]]:
        """Return Locust's own requests and failures by name, all in `Aggregated`."""
        report = self._ask("/stats/requests")
        return {each["name"]: (each["num_requests"], each["num_failures"]) for each in report["stats"]}

    def stop(self) -> None:
        """End the test, each user's request before; Locust and its page live on."""
        self._ask("/stop", b"")
        wait_until(lambda: self._ask("/stats/requests")["state"] == "stopped")

    def _ask(self, path: str, sent: bytes | None = None) -> dict:
        with urlopen(f"{self.page}{path}", sent, timeout=10) as reply:
            return json.load(reply)


@contextmanager
def running(url: str, home: Path, *options: str, scenario: str = SCENARIO) -> Iterator[Locust]:
    """Run a test, in which users are at work; end Locust with a signal, as Docker does."""
    locust = Locust(url, home, *options, scenario=scenario)
    try:
        wait_until(lambda: bool(locust.metrics()))
        wait_until(lambda: locust.metrics()["users",] == USERS)
        yield locust
    finally:
        locust.process.terminate()
        locust.process.wait(2 * PATIENCE_SECONDS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a local stack, as far as its Prometheus' targets go."""
    (tmp_path / "prometheus" / "targets").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("processes", [1, 2])
def test_counts_are_locusts_own(processes: int, home: Path) -> None:
    """Users, requests and failures are exactly what Locust itself says and the server received."""
    turns = itertools.cycle([RIGHT, RIGHT, RIGHT, WRONG])
    options = ["--processes", str(processes)] if processes > 1 else []
    with answering(lambda _: next(turns)) as (url, received), running(url, home, *options) as locust:
        wait_until(lambda: len(received) > 40)
        locust.stop()
        wait_until(lambda: locust.own()["Aggregated"][0] == len(received))
        own, metrics = locust.own(), locust.metrics()
    requests, failures = own.pop("Aggregated")
    assert requests == len(received)
    assert failures == len(received) // 4
    assert set(own) == {"/first", "/second"}
    for name, (all_, failed) in own.items():
        assert metrics["requests_total", name, "ok"] == all_ - failed
        assert metrics["requests_total", name, "failed"] == failed
        assert metrics["request_duration_seconds_count", name] == all_
        assert 0 < metrics["request_duration_seconds_sum", name] < all_
    assert metrics["users",] == 0


def test_local_prometheus_is_told(home: Path) -> None:
    """While Locust runs a file among the targets says where it is; afterwards there is none."""
    targets = home / "prometheus" / "targets"
    real = "loadtest/locustfile.py"
    with answering(lambda _: RIGHT) as (url, _), running(url, home, scenario=real) as locust:
        (told,) = targets.iterdir()
        assert told.suffix == ".json"
        address = f"127.0.0.1:{locust.port}"
        assert json.loads(told.read_text()) == [{"targets": [address], "labels": {"job": "loadtest"}}]
    assert list(targets.iterdir()) == []


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    """Where there is no local stack nothing is written, and the metrics are there all the same."""
    with answering(lambda _: RIGHT) as (url, _), running(url, tmp_path) as locust:
        pass
    assert [each.name for each in tmp_path.iterdir()] == [locust.log.name]


def run_headless(url: str, home: Path, port: str, received: list[bytes]) -> tuple[int, str]:
    """Run a test until some requests have come, or it ends by itself; return exit code and log."""
    command = [sys.executable, "-m", "locust", "-f", SCENARIO, "--headless", "-u", "2", "-r", "2"]
    command += ["-H", url, "--metrics-port", port]
    environment = {**os.environ, "FLOTILLA_HOME": str(home)}
    written = home / "locust.log"
    with written.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: len(received) > 5 or process.poll() is not None)
    finally:
        process.terminate()
        code = process.wait(2 * PATIENCE_SECONDS)
    return code, written.read_text()


def test_port_in_use(home: Path) -> None:
    """A taken port costs the metrics, which a sentence says, and not the test; nobody is told of it."""
    with socket.socket() as taken, answering(lambda _: RIGHT) as (url, received):
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, log = run_headless(url, home, str(port), received)
    assert (code, len(received) > 5) == (0, True), log
    assert list((home / "prometheus" / "targets").iterdir()) == []
    assert f"port {port} on 127.0.0.1 can't be used (Address already in use)" in log
    assert "Traceback" not in log


def test_switched_off(home: Path) -> None:
    """Port 0 shows nothing and says nothing."""
    with answering(lambda _: RIGHT) as (url, received):
        code, log = run_headless(url, home, "0", received)
    assert (code, len(received) > 5) == (0, True), log
    assert "metrics" not in log


@pytest.mark.parametrize("port", ["65536", "http"])
def test_port_that_is_none(port: str, home: Path) -> None:
    """What is no port ends the command with a sentence, before any load."""
    code, log = run_headless("http://127.0.0.1:1", home, port, [])
    assert code == 2
    assert "expected a port, or 0 for no metrics" in log
