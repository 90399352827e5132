"""The server's own counts by way of a real Prometheus, to the request, whatever the series do."""

import threading
from collections.abc import Iterator

import pytest

from loadtest.usage import ServerCounts
from tests.loadtest.usage.scraping import Shown, scraped

pytestmark = pytest.mark.needs("prometheus")

NAMES = {"10.0.0.1": "a", "10.0.0.2": "b"}


def asked(code: str = "200", model: str = "digits", version: str = "1") -> str:
    """Return a series of a replica's."""
    labels = f'model="{model}",version="{version}",protocol="v1",code="{code}"'
    return f"flotilla_requests_total{{{labels}}}"


def at_door(code: str = "200", model: str = "digits", source: str = "replica") -> str:
    """Return a series of the door's."""
    labels = f'model="{model}",version="1",code="{code}",source="{source}"'
    return f"flotilla_door_requests_total{{{labels}}}"


class Stack:
    """Two replicas, one that was left over, and the door."""

    def __init__(self) -> None:
        self.a, self.b, self.left_over, self.door = Shown(), Shown(), Shown(), Shown()
        self.url = ""

    def counts(self, **names: str) -> ServerCounts:
        """Return the counts of the two."""
        return ServerCounts(self.url, {**NAMES, **names}, "digits")


@pytest.fixture(scope="module")
def scraped_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the stack with Prometheus, whatever it counts."""
    stack = Stack()
    parts = {("service", "10.0.0.1"): stack.a, ("service", "10.0.0.2"): stack.b}
    parts |= {("service", "10.0.0.3"): stack.left_over, ("door", ""): stack.door}
    with scraped(tmp_path_factory.mktemp("prometheus"), parts) as stack.url:
        yield stack


@pytest.fixture
def stack(scraped_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Return the stack with all its parts up, and nothing counted; its door counts at once."""
    monkeypatch.setattr("loadtest.usage.server_counts.DOOR_LAG_SECONDS", 0.0)
    for shown in (scraped_stack.a, scraped_stack.b, scraped_stack.left_over, scraped_stack.door):
        shown.series, shown.up = {}, True
    return scraped_stack


def test_what_came_meanwhile(stack: Stack) -> None:
    """All versions and codes of that model count, other models and what came before don't."""
    stack.a.series = {asked(): 1000.0, asked(model="iris"): 5.0}
    stack.b.series = {asked(): 2000.0}
    stack.door.series = {at_door(): 3000.0}
    counts = stack.counts()
    counts.begin()
    stack.a.series = {asked(): 1300.0, asked(model="iris"): 50.0, asked("400"): 7.0}
    stack.b.series = {asked(): 2300.0, asked(version="2"): 20.0}
    stack.door.series = {at_door(): 3620.0, at_door("400"): 7.0, at_door(source="edge"): 11.0}
    stack.door.series[at_door(model="iris")] = 45.0
    assert counts.end() == ({"a": 307, "b": 320}, 638)
    assert counts.unknown == ""


def test_windows_that_follow_each_other(stack: Stack) -> None:
    """Where one ends the next begins, without a look of its own."""
    counts = stack.counts()
    counts.begin()
    for in_all, since in ((10.0, 10), (25.0, 15)):
        stack.a.series = {asked(): in_all}
        stack.door.series = {at_door(): in_all}
        assert counts.end() == ({"a": since, "b": 0}, since)


def test_a_fresh_replica(stack: Stack) -> None:
    """A series that isn't there yet is 0: a replica that was never asked is in it with nothing."""
    counts = stack.counts()
    counts.begin()
    stack.a.series = {asked(): 12.0}
    stack.door.series = {at_door(): 12.0}
    assert counts.end() == ({"a": 12, "b": 0}, 12)


def test_a_replica_that_was_started_anew(stack: Stack) -> None:
    """A counter that fell began at 0, also where another of the same replica has grown."""
    stack.a.series = {asked(): 1000.0, asked("400"): 0.0}
    counts = stack.counts()
    counts.begin()
    stack.a.series = {asked(): 40.0, asked("400"): 2.0}
    assert counts.end() == ({"a": 42, "b": 0}, 0)


def test_a_replica_that_nobody_named(stack: Stack) -> None:
    """One that is left over is there if it was asked: its requests would be missed."""
    stack.left_over.series = {asked(): 10.0}
    counts = stack.counts()
    counts.begin()
    assert counts.end() == ({"a": 0, "b": 0}, 0)
    stack.left_over.series = {asked(): 13.0}
    assert counts.end() == ({"a": 0, "b": 0, "10.0.0.3": 3}, 0)


def test_a_door_that_counts_late(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nginx notes a moment after the last reply is waited for."""
    counts = stack.counts()
    counts.begin()
    monkeypatch.setattr("loadtest.usage.server_counts.DOOR_LAG_SECONDS", 1.5)
    late = threading.Timer(1.0, stack.door.series.update, [{at_door(): 8.0}])
    late.start()
    assert counts.end() == ({"a": 0, "b": 0}, 8)
    late.join()


def test_without_the_door(stack: Stack) -> None:
    """A door that doesn't answer Prometheus is unknown, and nobody waits for it."""
    stack.door.up = False
    counts = stack.counts()
    counts.begin()
    stack.b.series = {asked(): 5.0}
    assert counts.end() == ({"a": 0, "b": 5}, None)


def test_a_replica_that_prometheus_does_not_see(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is known, and why is said, after a while: it may answer again."""
    monkeypatch.setattr("loadtest.usage.server_counts.PATIENCE_SECONDS", 1.0)
    counts = stack.counts(**{"10.0.0.9": "nobody"})
    counts.begin()
    assert counts.end() == (None, None)
    assert "nobody" in counts.unknown
    stack.a.up = False
    monkeypatch.setattr("loadtest.usage.server_counts.PATIENCE_SECONDS", 2.5)
    counts = stack.counts()
    counts.begin()
    assert counts.end() == (None, None)
    assert "hasn't seen a since" in counts.unknown


def test_no_prometheus() -> None:
    """Where none answers, or none was asked before the run, nothing is known."""
    counts = ServerCounts("http://127.0.0.1:9", NAMES, "digits")
    counts.begin()
    assert counts.end() == (None, None)
    assert "Prometheus doesn't answer at http://127.0.0.1:9" in counts.unknown
