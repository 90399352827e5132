"""The command: a table for people, JSON for machines, an exit code, and sentences for bad input."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.routing.generations import write_route
from loadtest.generator.__main__ import main
from service.versions.route import ROUTES, Route
from tests.loadtest.generator.servers import Listening, reply, serving
from tests.published import published


def lines(n: int, body: bytes) -> bytes:
    """Answer as the first version of `line` does: with the sum of a row."""
    return reply(
        json.dumps({"predictions": [sum(row) for row in json.loads(body)["instances"]]}).encode()
    )


def wrong(n: int, body: bytes) -> bytes:
    """Answer something else."""
    return reply(b'{"predictions": [-1.0]}')


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which `line` has two versions, of which the first answers."""
    folder = tmp_path_factory.mktemp("published") / "registry"
    published(folder, "line", routed=True)
    published(folder, "line")
    return folder


@pytest.fixture
def server() -> Iterator[Listening]:
    """Yield a server that answers right."""
    with serving(lines) as listening:
        yield listening


def run(server: Listening, registry: Path, *words: str) -> Result:
    """Run the command for a moment."""
    given = ("--url", f"http://{server.address}", "--registry", str(registry), "--model", "line")
    return CliRunner().invoke(main, [*given, "--seconds", "0.2", "--connections", "2", *words])


def test_shows_an_open_loop(server: Listening, registry: Path) -> None:
    """The table says which loop it was, what was held of its schedule, since when latencies count."""
    done = run(server, registry, "--rate", "50")
    assert done.exit_code == 0, done.output
    assert "Open loop: 50 arrivals a second, at random (Poisson)" in done.output
    assert "50.0 a second, +0.00% from what was asked" in done.output
    assert "from the scheduled start (open loop)" in done.output
    assert "10 sent: 10 right, 0 wrong, 0 lost; 0 due but unsent" in done.output
    assert len(server.received) == len(set(server.received)) == 10


def test_shows_a_closed_loop(server: Listening, registry: Path) -> None:
    """Nothing is said of a schedule that there was none of."""
    done = run(server, registry, "--closed")
    assert done.exit_code == 0, done.output
    assert "from sending (closed loop: 2 connections)" in done.output
    assert "schedule" not in done.output


def test_json_has_everything(server: Listening, registry: Path) -> None:
    """Machines get the plan, the outcome and the percentiles in seconds."""
    done = run(server, registry, "--rate", "50", "--json", "--arrivals", "even", "--repeats")
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["plan"]["arrivals"] == "even"
    assert said["outcome"]["sent"] == 10
    assert said["outcome"]["by_version"] == {"1": 10}
    assert 0 < said["latency_seconds"]["p50"] <= said["latency_seconds"]["longest"]
    assert {json.loads(each)["instances"][0][0] for each in server.received} <= set(range(0, 20, 2))


def test_runs_differ(server: Listening, registry: Path) -> None:
    """A later run has no row of an earlier one, which a cache would know."""
    for _ in range(2):
        assert run(server, registry, "--rate", "50").exit_code == 0
    assert len(set(server.received)) == 20


def test_wrong_replies_are_an_exit_code(registry: Path) -> None:
    """The table is there, with the reasons, and the exit code is 1."""
    with serving(wrong) as server:
        done = run(server, registry, "--rate", "50")
    assert done.exit_code == 1
    assert "0 right, 10 wrong" in done.output
    assert "predictions [-1.0], expected [" in done.output


def test_bad_input_is_a_sentence(server: Listening, registry: Path) -> None:
    """What is missing or contradicts itself is named, and nothing is sent."""
    for words, code, sentence in (
        ((), 2, "give either --rate or --closed"),
        (("--rate", "5", "--closed"), 2, "give either --rate or --closed"),
        (("--model", "lime", "--closed"), 1, "no model 'lime' answers from"),
        (("--version", "9", "--closed"), 1, "manifest.json"),
        (("--url", "localhost:1", "--closed"), 1, "expected http://HOST:PORT"),
        (("--rate", "-5"), 1, "an open loop needs a rate"),
        (("--connections", "1", "--processes", "2", "--closed"), 1, "1 connections for 2 processes"),
    ):
        done = run(server, registry, *words)
        assert (done.exit_code, sentence in done.output) == (code, True), done.output
    assert server.received == []


def test_nothing_listens(registry: Path) -> None:
    """An address at which nobody is names itself."""
    with serving(lines) as server:
        pass
    done = run(server, registry, "--closed")
    assert done.exit_code == 1
    assert f"nothing listens on {server.address}" in done.output


def test_several_versions_that_answer(server: Listening, registry: Path, tmp_path: Path) -> None:
    """Replies are checked against one version: of a split, the one to check against has to be named."""
    divided = tmp_path / "registry"
    shutil.copytree(registry, divided, symlinks=True)
    digests = {"1": "0" * 16, "2": "1" * 16}
    route = Route(weights={"1": 60.0, "2": 40.0}, digests=digests, time="", user="", reason="")
    write_route(divided / ROUTES / "line", route)
    done = run(server, divided, "--closed")
    assert done.exit_code == 1
    assert "versions 1, 2 of line answer" in done.output
    assert run(server, divided, "--closed", "--version", "1").exit_code == 0
