"""Changing a route in use: every replica is ready first, and whatever fails, it is as it was."""

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from deploy.errors import Refused
from deploy.routing import rollout
from deploy.routing.changes import activated, rolled_back, shadowed, split
from deploy.routing.generations import current_route, history
from deploy.routing.rollout import Change, Make, Place, Terms, change_route
from service.version import LoadedVersion
from service.versions.route import STAGED, Route, read_routes, read_staged
from tests.fakes import FakeDoor, FakeReplica
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.published import damage, published, tree

# Without the trial, which starts a process: `tests.deploy.test_trial` has it.
TRIED = Terms(60, tried=True)
WIDE_SAMPLE = np.arange(30.0).reshape(10, 3)


def to(version: str) -> Make:
    """Return what drafts one version for everybody."""
    return lambda current: activated(current, version)


def shares(weights: dict[str, float], pins: dict[str, str] | None = None) -> Make:
    """Return what drafts shares."""
    return lambda current: split(current, weights, pins)


class Fleet:
    """A registry in which `line` has three versions and no route; a door, and replicas as needed."""

    def __init__(self, home: Path, started: ExitStack) -> None:
        self.registry = home / "registry"
        self.reports = home / "reports"
        self.shelf = self.registry / "routes" / "line"
        self.said: list[str] = []
        self._started = started
        for _ in range(3):
            published(self.registry, "line")
        self.door = started.enter_context(FakeDoor(self.registry))
        self.url = self.door.url

    def replica(self, name: str = "r1") -> FakeReplica:
        """Begin a replica."""
        return self._started.enter_context(FakeReplica(self.registry, self.reports, name))

    def publish_wide(self) -> None:
        """Publish a version whose rows have three numbers."""
        wide = LinearRegression().fit(WIDE_SAMPLE, WIDE_SAMPLE.sum(axis=1))
        published(self.registry, "line", wide, WIDE_SAMPLE)

    def change(
        self, make: Make, terms: Terms = TRIED, say: Callable[[str], None] | None = None
    ) -> Change:
        """Change the route."""
        place = Place(self.registry, self.reports, self.url)
        return change_route(place, "line", make, "test", "because", say or self.said.append, terms)

    def refusal(self, make: Make, terms: Terms = TRIED, error: type[BaseException] = Refused) -> str:
        """Return why a change is refused; nothing of the registry has changed by it."""
        before, past = tree(self.registry), self.history
        with pytest.raises(error) as refused:
            self.change(make, terms)
        after = tree(self.registry)
        withdrawn = {Path(name).parent for name in after if name.endswith("/withdrawn")}
        for name in after.keys() - before.keys():
            # What a command leaves that failed: its lock, and what it had to withdraw.
            assert name.endswith("/.lock") or withdrawn & {*Path(name).parents}, name
        assert {name: after.get(name) for name in before} == before
        assert self.history == past
        return str(refused.value)

    @property
    def history(self) -> dict[int, Route]:
        """Every route that was."""
        return history(self.shelf)

    @property
    def route(self) -> Route | None:
        """The route in force."""
        return read_routes(self.registry).get("line")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Return a registry without route and replicas; what a test begins ends with it."""
    with ExitStack() as started:
        yield Fleet(tmp_path, started)


def test_everybody_is_ready(fleet: Fleet) -> None:
    """Every replica holds the version before the route names it; then it is seen from outside."""
    replicas = [fleet.replica("r1"), fleet.replica("r2")]
    first = fleet.change(to("1"))
    routed_while_loading = []
    for each in replicas:
        each.on_load = lambda version: routed_while_loading.append(fleet.route)
    second = fleet.change(to("2"))
    assert routed_while_loading == [first.route] * 2
    assert fleet.route == second.route
    assert (first.number, second.number, first.before, second.before) == (1, 2, None, first.route)
    assert (second.route.command, second.route.reason) == ("test", "because")
    assert all(("line", "2") in each.registry.held() for each in replicas)
    assert [line.partition(" after")[0] for line in sorted(fleet.said)] == [
        "r1: ready",
        "r1: ready",
        "r2: ready",
        "r2: ready",
    ]
    assert len(fleet.door.asked) == 2
    assert not (fleet.shelf / STAGED).exists()


def test_what_is_held_needs_no_wait(fleet: Fleet) -> None:
    """Going back is a rename and a look: what is held still needs neither trial nor wish."""
    replica = fleet.replica()
    for version in ("1", "2"):
        fleet.change(to(version))
    fleet.said.clear()
    replica.on_load = lambda version: pytest.fail("nothing is to be loaded")
    back = fleet.change(lambda current: rolled_back(current), Terms(60))
    assert back.route.weights == {"1": 100}
    assert fleet.said == ["every replica holds version 1 already"]


def test_trial_comes_first(fleet: Fleet) -> None:
    """A version that nobody holds is opened on trial, before any replica is asked to load it."""
    replica = fleet.replica()
    fleet.change(to("1"))
    fleet.said.clear()
    fleet.change(to("2"), Terms(60))
    assert [line.partition(" after")[0] for line in fleet.said] == [
        "opening version 2 on trial",
        "r1: ready",
    ]
    replica.on_load = lambda version: pytest.fail("no replica is to load it")
    damage(fleet.registry / "line" / "3" / "model.skops")
    assert fleet.refusal(to("3"), Terms(60)).startswith("line version 3 can't be served: model.skops: ")


def test_failed_trial(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that doesn't pass its trial isn't wished for."""
    fleet.replica()
    fleet.change(to("1"))

    def crash(folder: Path, seconds: float) -> None:
        assert (folder, seconds) == (fleet.registry / "line" / "2", 60)
        raise Refused("it crashed")

    monkeypatch.setattr(rollout, "try_version", crash)
    assert fleet.refusal(to("2"), Terms(60)) == "it crashed"
    assert fleet.said[-1] == "opening version 2 on trial"


def test_a_replica_that_refuses(fleet: Fleet) -> None:
    """One replica that can't load the version keeps everybody on the old one; it may be tried again."""
    fleet.replica("r1")
    second = fleet.replica("r2")
    fleet.change(to("1"))

    def fail(version: LoadedVersion) -> None:
        raise MemoryError("not enough")

    second.on_load = fail
    said = "r2 can't serve line version 2: MemoryError: not enough; nothing has changed"
    assert fleet.refusal(to("2")) == said
    assert fleet.refusal(shares({"1": 90, "2": 10})) == said
    assert fleet.refusal(lambda current: shadowed(current, "2")) == said
    second.on_load = lambda version: None
    assert fleet.change(to("2")).number == 2


def test_a_replica_that_is_late(fleet: Fleet) -> None:
    """After the deadline nothing has changed, and the wish is gone."""
    replica = fleet.replica()
    fleet.change(to("1"))
    may_go_on = threading.Event()
    replica.on_load = lambda version: may_go_on.wait(PATIENCE_SECONDS)
    try:
        said = fleet.refusal(to("2"), Terms(0.5, tried=True))
    finally:
        may_go_on.set()
    # A report lags behind by a beat: it may not say yet that it is being loaded.
    late = r"not every replica got ready in time: r1: version 2 (being|not) loaded; nothing has changed"
    assert re.fullmatch(late, said)


def test_interrupted(fleet: Fleet) -> None:
    """Ctrl-C while replicas load leaves the route as it is, and no wish."""
    replica = fleet.replica()
    fleet.change(to("1"))
    before = tree(fleet.registry)

    def interrupt(line: str) -> None:
        assert read_staged(fleet.shelf)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fleet.change(to("2"), say=interrupt)
    assert tree(fleet.registry) == before
    assert ("line", "2") in replica.registry.held()


@pytest.mark.parametrize("status", [400, 404, 500])
def test_outside_fails(fleet: Fleet, status: int) -> None:
    """A route that fails for clients is withdrawn: the one before is in force again."""
    fleet.replica()
    first = fleet.change(to("1"))
    fleet.door.status = status
    assert fleet.refusal(to("2")) == (
        f'seen from outside the new route fails with {status}: {{"predictions": [1.0]}}; '
        "the route is as it was before"
    )
    assert current_route(fleet.shelf) == (1, first.route)
    fleet.door.status = 200
    assert fleet.change(to("2")).number == 3
    assert list(fleet.history) == [1, 3]


def test_outside_fails_for_the_first_route(fleet: Fleet) -> None:
    """Where there was no route there is none after."""
    fleet.replica()
    fleet.door.status = 500
    assert fleet.refusal(to("1")).startswith("seen from outside the new route fails with 500")
    assert fleet.route is None
    assert not os.path.lexists(fleet.shelf / "current")
    fleet.door.status = 200
    assert fleet.change(to("1")).number == 2


def test_another_version_answers(fleet: Fleet) -> None:
    """Where clients get another version, that door is one of another registry."""
    fleet.replica()
    fleet.door.version = "3"
    assert fleet.refusal(shares({"1": 90, "2": 10})) == (
        f"seen from outside version 3 answers instead of 1 or 2: is {fleet.url} of this registry?; "
        "the route is as it was before"
    )
    fleet.door.version = "2"
    assert fleet.change(shares({"1": 90, "2": 10})).number == 2


def test_no_door(fleet: Fleet) -> None:
    """Where replicas run and nginx doesn't, nobody would notice whether the route is right."""
    fleet.replica()
    with socket.create_server(("127.0.0.1", 0)) as server:
        fleet.url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert fleet.refusal(to("1")) == (
        f"nginx doesn't answer at {fleet.url} ([Errno 111] Connection refused); "
        "FLOTILLA_URL says where it is; the route is as it was before"
    )


def test_interrupted_look(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while nobody knows yet whether the route is right withdraws it."""
    fleet.replica()
    fleet.change(to("1"))

    def interrupt(*words: object) -> None:
        assert read_routes(fleet.registry)["line"].primary == "2"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rollout, "look", interrupt)
        fleet.refusal(to("2"), error=KeyboardInterrupt)
    assert fleet.change(to("2")).number == 3


def test_pins_are_looked_at(fleet: Fleet) -> None:
    """Each pinned key is asked with, and somebody whose key isn't pinned."""
    fleet.replica()
    fleet.change(shares({"1": 100}, {"qa": "2", "ops": "3"}))
    keys = [headers.get("X-Client-Id") for headers, _ in fleet.door.asked]
    assert keys == ["flotilla/check", "qa", "ops"]
    fleet.door.version = "1"
    assert fleet.refusal(shares({"1": 100}, {"qa": "2"})).startswith(
        "seen from outside version 1 answers instead of 2: "
    )


def test_no_replicas(fleet: Fleet) -> None:
    """Where nothing runs a route is changed at once, and holds from the next start on."""
    fleet.door.status = 503
    assert fleet.change(to("1")).number == 1
    assert fleet.said == ["no replica runs: it holds from the next start on"]
    assert fleet.door.asked == []


def test_replicas_that_do_not_report(fleet: Fleet) -> None:
    """Where replicas answer but none reports, they would be passed over: that is refused."""
    assert fleet.refusal(to("1")) == (
        f"replicas answer at {fleet.url}, but none reports in {fleet.reports}: REPORTS_DIR says where "
        "they do, --no-wait changes the route without them"
    )
    assert fleet.change(to("1"), Terms(60, wait=False, tried=True)).number == 1


def test_without_waiting(fleet: Fleet) -> None:
    """Who doesn't want to wait gets the route at once, nobody is asked; a broken version is refused."""
    replica = fleet.replica()
    may_go_on = threading.Event()
    replica.on_load = lambda version: may_go_on.wait(PATIENCE_SECONDS)
    terms = Terms(60, wait=False, tried=True)
    try:
        assert fleet.change(to("1"), terms).number == 1
    finally:
        may_go_on.set()
    assert (fleet.said, fleet.door.asked) == ([], [])
    damage(fleet.registry / "line" / "2" / "model.skops")
    assert fleet.refusal(to("2"), terms).startswith("line version 2 can't be served: model.skops: its")


def test_another_signature(fleet: Fleet) -> None:
    """A version that takes other rows is refused in every role, unless that is what is meant."""
    fleet.replica()
    fleet.publish_wide()
    fleet.change(to("1"))
    said = (
        "line version 4 has another signature than version 1, its clients' requests would fail: "
        "a row had 2 numbers, now it has 3. If that is meant: --new-signature"
    )
    makes: list[Make] = [
        to("4"),
        shares({"1": 90, "4": 10}),
        shares({"1": 100}, {"qa": "4"}),
        lambda current: shadowed(current, "4"),
    ]
    for make in makes:
        assert fleet.refusal(make) == said
    assert fleet.change(to("4"), Terms(60, new_signature=True, tried=True)).route.primary == "4"


def test_first_version_has_any_signature(fleet: Fleet) -> None:
    """Where nobody asks yet there is nothing to compare with."""
    fleet.replica()
    fleet.publish_wide()
    assert fleet.change(to("4")).route.primary == "4"


def test_signatures_side_by_side(fleet: Fleet) -> None:
    """Versions that take other rows are looked at with rows of their own."""
    fleet.replica()
    fleet.publish_wide()
    fleet.change(to("1"))
    terms = Terms(60, new_signature=True, tried=True)
    fleet.change(shares({"1": 100}, {"qa": "4"}), terms)
    fleet.door.version = "4"  # the bucket of whoever looks
    assert fleet.change(shares({"1": 90, "4": 10}, {}), terms).route.weights == {"1": 90, "4": 10}


def test_live_version_is_gone(fleet: Fleet) -> None:
    """A live version whose folder was deleted doesn't keep the next one away."""
    fleet.replica()
    fleet.change(to("1"))
    (fleet.registry / "line" / "1").rename(fleet.registry.parent / "gone")
    assert fleet.change(to("2")).route.primary == "2"
    back = fleet.change(to("1"))
    assert back.route.primary == "1", "replicas hold it still, its sample is on nobody's disk"


def test_a_route_that_makes_no_sense(fleet: Fleet) -> None:
    """What the draft refuses, and a version that isn't there, is refused before anybody is asked."""
    fleet.replica()
    fleet.change(to("1"))
    fleet.said.clear()
    assert fleet.refusal(shares({"1": 50})) == "the shares have to add up to 100 percent, these make 50"
    assert fleet.refusal(to("9")).startswith("line version 9 can't be served: manifest.json: ")
    assert fleet.said == []


def test_unknown_model(fleet: Fleet) -> None:
    """A mistyped name leaves nothing behind."""
    before = sorted(fleet.registry.parent.rglob("*"))
    place = Place(fleet.registry, fleet.reports, fleet.url)
    for name in ("lime", "../outside"):
        with pytest.raises(Refused, match=r"^no model "):
            change_route(place, name, to("1"), "test", "", fleet.said.append)
    assert sorted(fleet.registry.parent.rglob("*")) == before


def test_one_command_after_the_other(fleet: Fleet) -> None:
    """Of two commands at once the second waits, says so, and goes on from the first's route."""
    replica = fleet.replica()
    fleet.change(to("1"))
    loading, may_go_on = threading.Event(), threading.Event()

    def hold_up(version: LoadedVersion) -> None:
        loading.set()
        assert may_go_on.wait(PATIENCE_SECONDS)

    replica.on_load = hold_up
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(fleet.change, to("2"))
        wait_until(loading.is_set)
        said: list[str] = []
        # Its deadline begins when the other is done.
        second = threads.submit(fleet.change, shares({"2": 90, "3": 10}), TRIED, said.append)
        wait_until(lambda: bool(said))
        assert said == ["another command is changing the route of line; waiting for it"]
        assert not second.done()
        may_go_on.set()
        assert second.result().before == first.result().route
    assert (first.result().number, second.result().number) == (2, 3)
    assert second.result().route.fallback is not None
    assert second.result().route.fallback.version == "2"
    assert fleet.route == second.result().route


def test_deadline_begins_with_the_waiting(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a trial, or another command, took isn't taken from the replicas' time."""
    fleet.replica()
    fleet.change(to("1"))
    clock = rollout.time.monotonic

    def slow_trial(folder: Path, seconds: float) -> None:
        monkeypatch.setattr(rollout.time, "monotonic", lambda: clock() + 3600)

    monkeypatch.setattr(rollout, "try_version", slow_trial)
    assert fleet.change(to("2"), Terms(60)).route.primary == "2"


def test_shadow(fleet: Fleet) -> None:
    """A shadow is loaded by everybody before the route names it."""
    replica = fleet.replica()
    fleet.change(to("1"))
    route = fleet.change(lambda current: shadowed(current, "3")).route
    assert (route.weights, route.shadow) == ({"1": 100}, "3")
    assert ("line", "3") in replica.registry.held()
