"""Waiting for replicas: all of those that live are asked, none holds things up that is gone."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from deploy.errors import Refused
from deploy.routing.readiness import GONE_SECONDS, Readiness
from deploy.routing.routes import activate
from service.version import LoadedVersion
from service.versions.registry import VersionState
from service.versions.report import SILENT_SECONDS, Report
from service.versions.route import STAGED, read_staged
from tests.fakes import FakeReplica
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.published import published

# Deadlines that pass: one that nobody can meet, and one in which a replica that works gets ready.
SHORT_SECONDS, ENOUGH_SECONDS = 0.3, 3.0
LONG_AGO_SECONDS, A_WHILE_SECONDS = 2 * GONE_SECONDS, 2 * SILENT_SECONDS


class Waiting:
    """A registry in which version 1 of `line` answers and 2 to 4 are published, and who waits there."""

    def __init__(self, home: Path, started: ExitStack) -> None:
        self.registry = home / "registry"
        self.reports = home / "reports"
        self.shelf = self.registry / "routes" / "line"
        self.said: list[str] = []
        self._started = started
        published(self.registry, "line", routed=True)
        for _ in range(3):
            published(self.registry, "line")

    def replica(self, name: str = "r1", most_loaded: int = 8) -> FakeReplica:
        """Begin a replica."""
        return self._started.enter_context(FakeReplica(self.registry, self.reports, name, most_loaded))

    def write(
        self, name: str, *states: VersionState, command: str = "", age_seconds: float = 0
    ) -> Path:
        """Write the report of a replica of which nothing more is heard."""
        self.reports.mkdir(exist_ok=True)
        path = self.reports / f"{name}.json"
        path.write_bytes(msgspec.json.encode(Report(name, list(states), {"line": command})))
        age(path, age_seconds)
        return path

    def look(self) -> Readiness:
        """Begin to wait."""
        return Readiness(self.reports, self.shelf, "line", self.said.append)

    def wait(self, *versions: str, seconds: float = PATIENCE_SECONDS, steady: str = "") -> list[str]:
        """Wait for versions and return which replicas were said to be ready."""
        self.look().wait_for(versions, time.monotonic() + seconds, set(steady))
        return self.ready

    def refusal(self, *versions: str, seconds: float = PATIENCE_SECONDS) -> str:
        """Return why waiting ended; the wish is gone in any case."""
        with pytest.raises(Refused) as refused:
            self.wait(*versions, seconds=seconds)
        assert not (self.shelf / STAGED).exists()
        return str(refused.value)

    @property
    def ready(self) -> list[str]:
        """The replicas that were said to be ready."""
        return [line.partition(":")[0] for line in self.said if ": ready after " in line]


def age(path: Path, seconds: float) -> None:
    """Make a file as old as that."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Waiting]:
    """Return a registry without replicas; those that a test begins end with it."""
    with ExitStack() as started:
        yield Waiting(tmp_path, started)


def test_no_replica(it: Waiting) -> None:
    """Where no replica runs there is nothing to wait for, and nothing is wished."""
    assert it.wait("2") == []
    assert it.said == ["no replica runs: it holds from the next start on"]
    assert not it.look().everywhere("1")


def test_every_replica_loads_it(it: Waiting) -> None:
    """A version is wished for, every replica loads it and says so; then the wish is gone."""
    first, second = it.replica("r1"), it.replica("r2")
    wishes = []
    first.on_load = lambda version: wishes.append(read_staged(it.shelf))
    assert sorted(it.wait("1", "2")) == ["r1", "r2"]
    assert {"2"} < {version for each in (first, second) for _, version in each.registry.held()}
    (wish,) = wishes
    assert wish.versions == ("1", "2")
    assert wish.until > time.time()
    assert not (it.shelf / STAGED).exists()


def test_everywhere(it: Waiting) -> None:
    """A version is everywhere where every replica that lives holds it, not one less."""
    it.replica("r1")
    assert it.look().everywhere("1")
    assert not it.look().everywhere("2")
    it.write("r2", VersionState("line", "2", "READY"))
    assert not it.look().everywhere("1")
    it.write("r2", VersionState("line", "1", "LOADING", "being loaded"))
    assert not it.look().everywhere("1")
    report = it.write("r2", VersionState("line", "1", "READY"))
    assert it.look().everywhere("1")
    it.write("r2", age_seconds=LONG_AGO_SECONDS)
    assert it.look().everywhere("1"), "one that ended without a word doesn't count"
    report.unlink()
    assert it.look().replicas == {"r1"}


def test_held_already(it: Waiting) -> None:
    """What every replica holds, and the route keeps, needs no wish: rollback takes no time."""
    activate(it.registry, "line", 2, "")
    it.replica("r1")
    assert it.wait("1", steady="12") == []
    assert it.said == ["every replica holds version 1 already"]
    assert it.wait("1", "2", steady="12") == []
    assert it.said[-1] == "every replica holds versions 1, 2 already"


def test_held_but_on_its_way_out(it: Waiting) -> None:
    """A version that is held and no route keeps is wished for: it may be let go at any moment."""
    activate(it.registry, "line", 2, "")
    replica = it.replica("r1")
    assert it.wait("1") == ["r1"]
    assert ("line", "1") in replica.registry.held()


def test_a_replica_that_refuses(it: Waiting) -> None:
    """One that can't load it is enough: its own words are passed on, at once."""
    first, second = it.replica("r1"), it.replica("r2")

    def fail(version: LoadedVersion) -> None:
        raise MemoryError("not enough")

    second.on_load = fail
    assert it.refusal("2") == (
        "r2 can't serve line version 2: MemoryError: not enough; nothing has changed"
    )
    assert first.registry.refused == {}


def test_no_room(it: Waiting) -> None:
    """A replica that holds as many versions as it may says so."""
    it.replica("r1", most_loaded=1)
    assert it.refusal("2") == (
        "r1 can't serve line version 2: MAX_LOADED_VERSIONS=1 others are routed or wanted before it; "
        "nothing has changed"
    )


def test_what_was_mended(it: Waiting) -> None:
    """A refusal of an earlier attempt doesn't count: the version may have been mended since."""
    replica = it.replica("r1")
    failing = True

    def fail(version: LoadedVersion) -> None:
        if failing:
            raise MemoryError("not enough")

    replica.on_load = fail
    assert "not enough" in it.refusal("2")
    assert it.look()._first["r1"].state_of(("line", "2")).state == "UNAVAILABLE"
    failing = False
    assert it.wait("2") == ["r1"]


def test_refusal_of_another_command(it: Waiting) -> None:
    """What a replica says that hasn't seen this wish is no answer, right or wrong."""
    it.write("r1", VersionState("line", "2", "UNAVAILABLE", "broken"), command="an earlier one")
    assert it.refusal("2", seconds=SHORT_SECONDS) == (
        "not every replica got ready in time: r1: version 2 broken; nothing has changed"
    )
    it.write("r1", VersionState("line", "2", "READY"), command="an earlier one")
    assert it.refusal("2", seconds=SHORT_SECONDS) == (
        "not every replica got ready in time: r1: it has not seen the wish; nothing has changed"
    )


def test_slow_replicas(it: Waiting) -> None:
    """Those that aren't ready in time are named, and what each was at; those that are, aren't."""
    it.replica("r1")
    slow = it.replica("r2")
    may_go_on = threading.Event()
    slow.on_load = lambda version: may_go_on.wait(PATIENCE_SECONDS)  # type: ignore[assignment]
    it.write("r3")
    try:
        said = it.refusal("2", seconds=ENOUGH_SECONDS)
    finally:
        may_go_on.set()
    assert it.ready == ["r1"]
    assert said == (
        "not every replica got ready in time: r2: version 2 being loaded, "
        "r3: version 2 not loaded; nothing has changed"
    )


def test_one_that_was_silent_before(it: Waiting) -> None:
    """A report that somebody left who ended long ago holds nobody up."""
    it.replica("r1")
    it.write("r0", age_seconds=LONG_AGO_SECONDS)
    assert it.wait("2") == ["r1"]


def test_one_that_falls_silent(it: Waiting) -> None:
    """One that falls silent meanwhile may have died of this version: without it nothing changes."""
    report = it.write("r0")
    it.replica("r1")
    readiness = it.look()
    age(report, A_WHILE_SECONDS)
    with pytest.raises(Refused, match=r"^not every replica got .*: r0 has been silent for \d+ s; "):
        readiness.wait_for(["2"], time.monotonic() + ENOUGH_SECONDS)
    assert it.ready == ["r1"]
    assert not (it.shelf / STAGED).exists()


def test_one_that_was_killed_for_good(it: Waiting) -> None:
    """One that has been silent for long won't come back: the others needn't wait for it."""
    report = it.write("r0")
    it.replica("r1")
    readiness = it.look()
    age(report, LONG_AGO_SECONDS)
    readiness.wait_for(["2"], time.monotonic() + PATIENCE_SECONDS)
    assert it.ready == ["r1"]


def test_all_fall_silent(it: Waiting) -> None:
    """If all fall silent the version may have killed them: that is no success."""
    reports = [it.write(name) for name in ("r0", "r1")]
    readiness = it.look()
    for report in reports:
        age(report, LONG_AGO_SECONDS)
    with pytest.raises(Refused, match=r"^every replica has fallen silent; nothing has changed$"):
        readiness.wait_for(["2"], time.monotonic() + PATIENCE_SECONDS)


def test_one_that_comes_back(it: Waiting) -> None:
    """One that died meanwhile and comes back is waited for."""
    report = it.write("r0")
    readiness = it.look()
    age(report, A_WHILE_SECONDS)
    waiting = threading.Thread(target=readiness.wait_for, args=(["2"], time.monotonic() + 60))
    waiting.start()
    wait_until(lambda: read_staged(it.shelf) is not None)
    it.replica("r0")
    waiting.join(PATIENCE_SECONDS)
    assert it.ready == ["r0"]


def test_one_that_ends_meanwhile(it: Waiting) -> None:
    """One that ends in good order isn't waited for any longer."""
    it.replica("r1")
    leaving = it.replica("r2")
    may_go_on = threading.Event()
    leaving.on_load = lambda version: may_go_on.wait(PATIENCE_SECONDS)  # type: ignore[assignment]

    def say(line: str) -> None:
        it.said.append(line)
        leaving.end()

    readiness = Readiness(it.reports, it.shelf, "line", say)
    try:
        readiness.wait_for(["2"], time.monotonic() + 60)
    finally:
        may_go_on.set()
    assert it.ready == ["r1"]


def test_one_that_begins_meanwhile(it: Waiting) -> None:
    """One that begins meanwhile is waited for as well: it will answer clients."""
    first = it.replica("r1")
    begun: list[FakeReplica] = []

    def begin(version: LoadedVersion) -> None:
        begun.append(it.replica("r2"))

    first.on_load = begin
    assert sorted(it.wait("2")) == ["r1", "r2"]
    assert ("line", "2") in begun[0].registry.held()


def test_interrupted(it: Waiting) -> None:
    """Ctrl-C takes the wish back."""
    it.replica("r1")

    def interrupt(line: str) -> None:
        assert (it.shelf / STAGED).exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Readiness(it.reports, it.shelf, "line", interrupt).wait_for(["2"], time.monotonic() + 60)
    assert not (it.shelf / STAGED).exists()
