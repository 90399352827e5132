"""Alerts, end to end: a real fault, Prometheus, Alertmanager, and a webhook that is called.

On stacks of its own, because an alert that another test's fault has raised would go on for a while.
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from deploy.local.supervisor import wait_until
from tests.monitoring.rules import FOREIGN
from tests.stack import webhook
from tests.stack.ask import ask
from tests.stack.containers import ComposeStack, docker
from tests.stack.local import LocalStack
from tests.stack.stack import Stack, free_ports
from tests.stack.test_faults import load
from tests.stack.traffic import assert_nothing_lost, under_load

# A scrape, 30 s until it fires, 10 s until it is sent: about 50 s, and 40 s until it is resolved.
DEADLINE_SECONDS = 150
SCRIPT = Path(webhook.__file__)


@dataclass
class Watched:
    """A stack, and what its webhook has received so far, one message a line."""

    stack: Stack
    received: Callable[[], str]

    def told(self, status: str, name: str) -> bool:
        """Tell whether the webhook has been called with an alert that is "firing" or "resolved"."""
        messages = [json.loads(line) for line in self.received().splitlines()]
        alerts = [alert for message in messages for alert in message["alerts"]]
        return any((each["status"], each["labels"]["alertname"]) == (status, name) for each in alerts)

    def query(self, query: str) -> list[dict[str, str]]:
        """Return the labels of what a query gives."""
        path = f"/api/v1/query?query={quote(query)}"
        found = ask(self.stack.prometheus_url, "GET", path).json["data"]["result"]
        return [each["metric"] for each in found]

    def have_fired(self) -> set[str]:
        """Return the names of alerts that have fired since the stack was started."""
        found = self.query('max by (alertname) (max_over_time(ALERTS{alertstate="firing"}[1h]))')
        return {each["alertname"] for each in found}


@contextmanager
def local() -> Iterator[Watched]:
    """Run a stack without Docker, and a webhook in a process."""
    (port,) = free_ports(1, 25000)
    url = f"http://127.0.0.1:{port}/"
    with LocalStack(samples="digits", CACHE="always", ALERT_WEBHOOK_URL=url) as stack:
        output = stack.home / "webhook.log"
        with output.open("w") as file:
            receiver = subprocess.Popen([sys.executable, str(SCRIPT), str(port)], stdout=file)
        try:
            yield Watched(stack, output.read_text)
        finally:
            receiver.terminate()
            receiver.wait()


@contextmanager
def containers() -> Iterator[Watched]:
    """Run a stack in containers, and a webhook in one that is beside Alertmanager."""
    url = "http://webhook:8000/"
    with ComposeStack(CACHE="always", ALERT_WEBHOOK_URL=url) as stack:
        beside = ("--network", f"{stack.project}_front", "--network-alias", "webhook")
        script = ("--volume", f"{SCRIPT}:/webhook.py:ro", "--entrypoint", "python")
        image = stack.settings["SERVICE_IMAGE"]
        receiver = docker("run", "--detach", *beside, *script, image, "/webhook.py", "8000").strip()
        try:
            yield Watched(stack, lambda: docker("logs", receiver))
        finally:
            docker("rm", "--force", receiver)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            local,
            marks=pytest.mark.needs(
                "nginx",
                "redis-server",
                "prometheus",
                "prometheus-alertmanager",
                "prometheus-redis-exporter",
                "prometheus-nginx-exporter",
            ),
            id="local",
        ),
        pytest.param(containers, marks=pytest.mark.needs("docker"), id="docker"),
    ],
)
def watched(request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Return one after the other: jobs and labels are the same, and so are the rules."""
    with request.param() as running:
        yield running


def test_a_healthy_stack_is_silent(watched: Watched) -> None:
    """Under load only the alert fires that always does; every part is watched, every rule works."""
    result, _, _ = under_load(load(watched.stack, 100), 40, lambda: None)
    assert_nothing_lost(result)
    assert watched.have_fired() == {"Watchdog"}
    assert {each["job"] for each in watched.query("up == 1")} == {
        "service", "nginx", "redis", "door", "prometheus", "alertmanager"
    }  # fmt: skip
    assert watched.query("up == 0") == []
    assert watched.query("prometheus_rule_evaluation_failures_total > 0") == []


@pytest.mark.parametrize("name", sorted(FOREIGN))
def test_metrics_of_other_programs_are_there(watched: Watched, name: str) -> None:
    """What rules use of nginx', Redis', Prometheus' and Alertmanager's metrics is really shown."""
    assert wait_until(lambda: watched.query(name) != [], 30)


@pytest.mark.parametrize(
    "name",
    [
        "model:flotilla_requests:rate1m",
        "model:flotilla_requests_failed:ratio_rate1h",
        "model:flotilla_requests_slow:ratio_rate1h",
        "model:flotilla_request_duration_seconds:p99",
        "model:flotilla_cache_hit:ratio_rate5m",
        "flotilla:edge_hit:ratio_rate5m",
        "flotilla:replicas_up:count",
    ],
)
def test_records_are_there(watched: Watched, name: str) -> None:
    """What alerts and dashboards are made of is computed from the stack's own figures."""
    assert wait_until(lambda: watched.query(f"{name} >= 0") != [], 60)


def test_redis_down_is_told_and_resolved(watched: Watched) -> None:
    """Redis goes and comes back: the webhook is told of both, nothing else fires, no request fails."""

    def fault() -> None:
        with watched.stack.stopped("redis"):
            assert wait_until(lambda: watched.told("firing", "RedisDown"), DEADLINE_SECONDS, 1.0)
            alerts = ask(watched.stack.alertmanager_url, "GET", "/api/v2/alerts").json
            (alert,) = [each for each in alerts if each["labels"]["alertname"] == "RedisDown"]
            assert (alert["status"]["state"], alert["labels"]["severity"]) == ("active", "warning")
            assert alert["annotations"]["runbook_url"] == "monitoring/RUNBOOK.md#redisdown"
            if isinstance(watched.stack, LocalStack):
                assert "warning: RedisDown: Redis hasn't" in watched.stack.flotilla("status")
        assert wait_until(lambda: watched.told("resolved", "RedisDown"), DEADLINE_SECONDS, 1.0)

    result, _, _ = under_load(load(watched.stack, 50), 1, fault)
    assert_nothing_lost(result)
    assert watched.have_fired() == {"Watchdog", "RedisDown"}
    assert not watched.told("firing", "Watchdog"), "that goes to whoever asks for it"
    if isinstance(watched.stack, LocalStack):
        assert "RedisDown" not in watched.stack.flotilla("status")


NEEDED = ("nginx", "redis-server", "prometheus")


@pytest.mark.needs(*NEEDED)
def test_up_without_what_only_watches(tmp_path: Path) -> None:
    """Where exporters and Alertmanager aren't installed, the stack runs; `up` says what is missing."""
    for name in NEEDED[1:]:  # nginx is where only root's PATH looks
        (tmp_path / name).symlink_to(shutil.which(name))
    with LocalStack(replicas=1, samples="digits", PATH=str(tmp_path)) as stack:
        assert "prometheus-alertmanager: not installed" in stack.up_output
        assert "sudo apt-get install prometheus-nginx-exporter" in stack.up_output
        assert {"alertmanager", "nginx-exporter", "redis-exporter"} & stack.processes().keys() == set()
        assert ask(stack.url, "GET", "/health/ready").status == 200
        watched = Watched(stack, str)
        assert wait_until(lambda: watched.query('up{job="prometheus"} == 1') != [], 30)


@pytest.mark.needs(*NEEDED, "prometheus-alertmanager")
def test_taken_port_of_a_watcher_is_named() -> None:
    """A taken port stops the start before anything runs, and names the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = LocalStack(samples="none", ALERTMANAGER_PORT=str(port))
        try:
            said = stack.flotilla("up", "--samples", "none", expect=1)
        finally:
            stack.__exit__()
    assert f"port {port} on 127.0.0.1 can't be used" in said
    assert "ALERTMANAGER_PORT" in said
