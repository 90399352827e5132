"""Locust against real stacks: its verdict and exit code, updates meanwhile, and its own containers."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from deploy.local.supervisor import wait_until
from tests.stack.ask import ask
from tests.stack.containers import ROOT, ComposeStack, inspect
from tests.stack.lines import publish_line
from tests.stack.local import LocalStack
from tests.stack.stack import Stack

NAME = "loaded"


def run_locust(stack: Stack, *options: str) -> tuple[int, str]:
    """Run Locust for some seconds; return the exit code, and everything that was said."""
    words = [sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless"]
    words += ["--only-summary", "-u", "10", "-t", "3s", "--metrics-port", "0"]
    words += ["-H", stack.url, "--registry", str(stack.registry), *options]
    done = subprocess.run(
        words,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--scenario", "mixed"],
        ["--scenario", "bad"],
        ["--arrivals", "100", "--processes", "2"],
    ],
    ids=["mixed", "bad input", "open loop"],
)
def test_good_run(stack: Stack, options: list[str]) -> None:
    """Every answer is scikit-learn's, every bad request gets its refusal: exit code 0."""
    code, said = run_locust(stack, "--max-p99-ms", "5000", *options)
    assert code == 0, said
    assert re.search(r"failed requests +0.00% +0.00% +ok", said)
    assert f"Rows come from {stack.registry}" in said


def test_impossible_threshold(stack: Stack) -> None:
    """The same stack, and more than it can do: exit code 1, with what was measured."""
    code, said = run_locust(stack, "--max-p99-ms", "0.001")
    assert code == 1
    assert re.search(r"failed requests +0.00% +0.00% +ok", said)
    assert re.search(r"p99 +[\d.,]+ ms +0.001 ms +FAILED", said)


@pytest.mark.needs("nginx", "redis-server", "prometheus")
def test_stopped_stack(local_stack: LocalStack) -> None:
    """While nobody listens every request fails, and so does the run."""
    with local_stack.stopped("nginx"):
        code, said = run_locust(local_stack, "-u", "2")
    assert code == 1
    assert re.search(r"failed requests +100.00% +0.00% +FAILED", said)
    assert "Connection refused" in said


@pytest.mark.needs("nginx", "redis-server", "prometheus")
def test_updates_under_load(local_stack: LocalStack, tmp_path: Path) -> None:
    """Versions take turns by command while users run, and each reply is right for its version."""
    if not (local_stack.registry / NAME).exists():
        publish_line(local_stack, tmp_path, NAME, 1)
        publish_line(local_stack, tmp_path, NAME, 2)
    home = shlex.quote(str(local_stack.home))
    where = f"env FLOTILLA_HOME={home} FLOTILLA_URL={local_stack.url}"
    activate = f"{where} {sys.executable} -m deploy activate {NAME}"
    options = ["--scenario", "update", "--models", NAME, "-t", "8s", "--update-seconds", "1"]
    options += ["--update-command", f"{activate} 2", "--update-command", f"{activate} 1"]
    code, said = run_locust(local_stack, *options)
    assert code == 0, said
    assert re.search(rf"answered by {NAME} 1: [\d,]+, {NAME} 2: [\d,]+", said)


@pytest.fixture
def locust_page(docker_stack: ComposeStack) -> Iterator[str]:
    """Return the page of Locust with two workers in containers; they are gone afterwards."""
    profile = ("--profile", "loadtest")
    services = ("locust", "locust-worker")
    wait = ("--detach", "--wait", "--wait-timeout", "180", "--build", "--scale", "locust-worker=2")
    docker_stack.compose(*profile, "up", *wait, *services)
    try:
        yield f"http://127.0.0.1:{docker_stack.settings['LOCUST_PORT']}"
    finally:
        docker_stack.compose(*profile, "rm", "--stop", "--force", *services)


def page(url: str, path: str, **form: object) -> dict:
    """Ask Locust's page for a path, with a form if there is one."""
    with urlopen(url + path, urlencode(form).encode() if form else None, timeout=30) as reply:
        return json.load(reply)


@pytest.mark.needs("docker")
def test_profile(docker_stack: ComposeStack, locust_page: str) -> None:
    """The page knows both workers and what it is to load; a run of it fails nothing, and is counted."""
    wait_until(lambda: len(page(locust_page, "/stats/requests")["workers"]) == 2, 60)
    form = {"user_count": 10, "spawn_rate": 10, "scenario": "mixed", "host": "http://nginx:8080"}
    assert page(locust_page, "/swarm", **form)["success"]
    assert wait_until(
        lambda: page(locust_page, "/stats/requests")["stats"][-1]["num_requests"] > 50, 60
    )

    def counted() -> float:
        query = urlencode({"query": 'sum(flotilla_loadtest_requests_total{result="ok"})'})
        found = ask(docker_stack.prometheus_url, "GET", f"/api/v1/query?{query}").json["data"]["result"]
        return float(found[0]["value"][1]) if found else 0

    assert wait_until(lambda: counted() > 50, 60)
    with urlopen(f"{locust_page}/stop", b"", timeout=60):
        stats = page(locust_page, "/stats/requests")["stats"]
    assert [each["num_failures"] for each in stats] == [0] * len(stats)
    assert len(stats) > 2, "several models"
    said = docker_stack.compose("logs", "--no-log-prefix", "locust")
    assert "Rows come from /flotilla/registry" in said
    assert "closed loop" in said
    assert "\npassed" in said
    for service in ("locust", "locust-worker"):
        host = inspect(docker_stack.container(service))["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"]) == (True, ["ALL"])


@pytest.mark.needs("docker")
def test_run_in_a_container(docker_stack: ComposeStack) -> None:
    """Without a page it is one command, with the exit code of the verdict."""
    words = (
        "docker",
        "compose",
        "run",
        "--rm",
        "--build",
        "locust",
        "--headless",
        "-u",
        "5",
        "-t",
        "3s",
    )
    good = docker_stack.run(*words, "--max-p99-ms", "5000")
    assert good.stdout.rstrip().endswith("passed")
    bad = docker_stack.run(*words, "--max-p99-ms", "0.001", expect=1)
    assert re.search(r"p99 +[\d.,]+ ms +0.001 ms +FAILED", bad.stdout)
