"""The audit of a door and replicas that really answer: exit codes, words, and what if they don't."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from deploy.audit import audit as audit_module
from deploy.audit.audit import audit
from deploy.audit.sources import read_ended
from deploy.cli import main
from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from monitoring.door.collector import DoorCollector
from monitoring.door.counts import Counts
from monitoring.door.line import Request
from service.counting.last_words import LastWords
from service.counting.metrics import Metrics

EDGE, ANSWERED = Request("m", "1", "200", "edge"), Request("m", "1", "200", "replica")


@contextmanager
def shows(registry: CollectorRegistry, replica: str = "") -> Iterator[int]:
    """Show metrics on a port, as a replica or the door does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = generate_latest(registry)
            self.send_response(200)
            self.send_header("X-Replica", replica)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Counted:
    """A door and one replica, and what they have counted."""

    def __init__(self, home: Path) -> None:
        self.door = Counts(requests=Counter({EDGE: 3, ANSWERED: 4}), attempts=Counter(answered=4))
        self.metrics = Metrics()
        self.replica = self.metrics.of("m", "1")
        self.answer(4)
        self.words = LastWords(home / "reports", "r-1", self.metrics.registry)
        self.home = home
        self.settings = LocalSettings()

    def answer(self, requests: int) -> None:
        """Let the replica answer so many requests of one row."""
        self.replica.requests["v1", 200] += requests
        self.replica.rows += requests
        self.replica.cache_rows["miss"] += requests


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Return a door and a replica that add up."""
    counted = Counted(tmp_path)
    for name in ("PATIENCE_SECONDS", "LAG_SECONDS"):
        monkeypatch.setattr(audit_module, name, 0.2)
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "replica-1.conf").touch()
    registry = CollectorRegistry()
    registry.register(DoorCollector(lambda: counted.door))
    with ExitStack() as stack:
        counted.settings = LocalSettings(
            flotilla_home=tmp_path,
            door_port=stack.enter_context(shows(registry)),
            replica_port=stack.enter_context(shows(counted.metrics.registry, "r-1")),
            prometheus_port=1,
        )
        yield counted


def run(counted: Counted, *words: str) -> tuple[int, str]:
    """Run the command, and return its exit code and what it printed."""
    settings = counted.settings
    environment = {
        "FLOTILLA_HOME": str(settings.flotilla_home),
        "DOOR_PORT": str(settings.door_port),
        "REPLICA_PORT": str(settings.replica_port),
        "PROMETHEUS_PORT": str(settings.prometheus_port),
    }
    done = CliRunner().invoke(main, ["audit", *words], env=environment)
    return done.exit_code, done.output


def test_adds_up(counted: Counted) -> None:
    """Where all adds up it says so, with the sums, and exits with 0; Prometheus need not be there."""
    code, said = run(counted)
    assert code == 0, said
    assert "7 = edge 3 + replica 4 + nginx 0" in said
    assert "The counts add up, exactly." in said


def test_differs(counted: Counted) -> None:
    """A request that the door knows nothing of is named, and it exits with 1."""
    counted.answer(1)
    code, said = run(counted)
    assert code == 1, said
    assert "1 more than nginx handed on" in said
    assert "The counts don't add up." in said


def test_json(counted: Counted) -> None:
    """For machines: verdict, sums, each replica, and what was compared."""
    code, said = run(counted, "--json")
    found = json.loads(said)
    assert (code, found["verdict"], found["quiet"]) == (0, "ok", True)
    assert found["requests"] == {"door": 7, "edge": 3, "replica": 4}
    (replica,) = found["replicas"]
    assert (replica["replica"], replica["state"], replica["requests"]) == ("r-1", "live", 4)
    counted.answer(1)
    code, said = run(counted, "--json")
    assert (code, json.loads(said)["verdict"]) == (1, "differs")


def test_a_door_that_lags(counted: Counted) -> None:
    """What nginx writes down a moment later is waited for."""
    counted.answer(1)
    later = Counts(requests=Counter({EDGE: 3, ANSWERED: 5}), attempts=Counter(answered=5))
    timer = threading.Timer(0.1, lambda: setattr(counted, "door", later))
    timer.start()
    found = audit(counted.settings, seconds=5)
    timer.join()
    assert (found.verdict, found.quiet) == ("ok", True)


def test_ended_and_killed(counted: Counted, tmp_path: Path) -> None:
    """An ended replica's last words are added; of a killed one it is said what may be missing."""
    counted.door.requests[ANSWERED] += 2
    counted.door.attempts["answered"] += 2
    assert audit(counted.settings, seconds=0).verdict == "differs"
    other = Metrics()
    other.of("m", "1").requests["v1", 200] += 2
    words = LastWords(tmp_path / "reports", "r-2", other.registry)
    words.begin()
    code, said = run(counted)
    assert code == 0, said
    assert "2 fewer than nginx has replies of: at most so many by r-2, killed" in said.replace(
        "\n", " "
    )
    assert "add up but for what replicas took with them" in said
    words.end()
    assert audit(counted.settings, seconds=0).verdict == "ok"


def test_only_of_this_stack(counted: Counted) -> None:
    """What ended before the door began to count is of another stack; who lives has its own book."""
    counted.words.begin()
    assert len(read_ended(counted.settings, [], since=0.0)) == 1
    counted.words.end()
    ended = read_ended(counted.settings, [], since=0.0)
    assert [book.state for book in ended] == ["ended"]
    assert read_ended(counted.settings, [], since=ended[0].ended + 1) == []
    assert read_ended(counted.settings, ended, since=0.0) == []


def test_no_door(counted: Counted) -> None:
    """Without the door's counter there is no audit, and it says which setting tells where it is."""
    settings = LocalSettings(door_url=f"http://127.0.0.1:{counted.settings.replica_port}")
    for where in (settings, LocalSettings(door_port=1)):
        with pytest.raises(Refused, match="DOOR_URL or DOOR_PORT"):
            audit(where)


def test_replicas_by_name(counted: Counted) -> None:
    """In containers a name has the address of each replica; one that leads nowhere is refused."""
    settings = counted.settings
    named = LocalSettings(
        reports_dir=str(counted.home / "reports"),
        door_port=settings.door_port,
        replicas_url=f"http://localhost:{settings.replica_port}",
        prometheus_port=1,
    )
    assert audit(named, seconds=0).verdict == "ok"
    with pytest.raises(Refused, match=r"REPLICAS_URL=http://nowhere\.invalid"):
        audit(LocalSettings(door_port=settings.door_port, replicas_url="http://nowhere.invalid"))
