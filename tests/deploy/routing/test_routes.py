"""Routes: versions are made live by one rename, or nothing changes; the history stays."""

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import Refused
from deploy.routing import routes
from deploy.routing.buckets import BUCKETS, NAMES
from deploy.routing.changes import Draft
from deploy.routing.generations import (
    LINKED_GENERATIONS,
    current_route,
    generations,
    history,
    withdraw,
    write_route,
)
from deploy.routing.routes import activate, check, finished, locked, routed
from service.manifest import read_manifest
from service.versions.route import CURRENT, GENERATION, Fallback, Route, generation_of, read_routes
from tests.polling import wait_until
from tests.published import damage, published, tree


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry in which `line` has three versions and no route."""
    for _ in range(3):
        published(tmp_path / "registry", "line")
    return tmp_path / "registry"


def answering(registry: Path, model: str = "line") -> str:
    """Return the version that answers everybody, nothing where none does."""
    route = read_routes(registry).get(model)
    return route.primary if route and route.settled else ""


def digest(registry: Path, version: str) -> str:
    """Return what a route knows of a version's digest."""
    return read_manifest(registry / "line" / version).digest[:16]


def write(registry: Path, weights: dict[str, float], reason: str = "", **more: Any) -> Route:
    """Write a route of several versions of `line`, without waiting for anybody."""
    draft = Draft(weights, **more)
    with locked(registry, "line") as shelf:
        digests = {version: digest(registry, version) for version in draft.versions}
        route = finished(draft, digests, "split", reason)
        write_route(shelf, route)
    return route


def links(generation: Path) -> dict[str, str]:
    """Return where each link in a generation leads."""
    return {each.name: os.readlink(each) for each in generation.iterdir() if each.is_symlink()}


def test_first_route(registry: Path) -> None:
    """The first activation makes a generation whose name says all that nginx has to know."""
    assert not routed(registry, "line")
    route = activate(registry, "line", 2, "because")
    assert routed(registry, "line")
    assert read_routes(registry) == {"line": route}
    shelf = registry / "routes" / "line"
    name = f"000001-2.{digest(registry, '2')}.edge"
    assert os.readlink(shelf / "current") == name
    # What nginx does: the real path of `current` ends with the generation's name.
    assert (shelf / "current").resolve(strict=True).name == name
    assert links(shelf / name) == {}
    assert history(shelf) == {1: route}
    assert current_route(shelf) == (1, route)
    assert (route.weights, route.reason, route.command) == ({"2": 100.0}, "because", "activate")
    assert (route.digests, route.fallbacks) == ({"2": digest(registry, "2")}, ())
    assert datetime.fromisoformat(route.time).tzinfo is UTC


def test_route_stands_without_its_version(registry: Path) -> None:
    """A version's folder that is deleted by hand doesn't take the route along."""
    activate(registry, "line", 1, "")
    (registry / "line" / "1").rename(registry / "gone")
    assert (registry / "routes" / "line" / "current").resolve(strict=True).is_dir()
    assert answering(registry) == "1"


def test_history_is_kept(registry: Path) -> None:
    """Each activation is a generation of its own; earlier ones are never changed."""
    shelf = registry / "routes" / "line"
    before: dict[str, str] = {}
    for count, version in enumerate((1, 3, 2, 2), start=1):
        activate(registry, "line", version, f"reason {count}")
        assert answering(registry) == str(version)
        now = {name: held for name, held in tree(shelf).items() if name != "current"}
        assert now.items() >= before.items()
        before = now
    past = history(shelf)
    assert {n: route.reason for n, route in past.items()} == {n: f"reason {n}" for n in (1, 2, 3, 4)}
    assert [route.primary for route in past.values()] == ["1", "3", "2", "2"]
    one, three = (Fallback(n, v, digest(registry, v)) for n, v in ((1, "1"), (2, "3")))
    # The same version anew is no step.
    assert [route.fallbacks for route in past.values()] == [(), (one,), (three, one), (three, one)]


def test_edge_cache(registry: Path) -> None:
    """A route keeps its answers at the edge or doesn't, as was said last; the history tells."""
    current = registry / "routes" / "line" / "current"
    for asked, expected in [(None, True), (False, False), (None, False), (True, True), (None, True)]:
        route = activate(registry, "line", 1, "", asked)
        assert route.edge_cache is expected
        assert os.readlink(current).endswith(".edge") is expected
        assert answering(registry) == "1"
    past = history(current.parent).values()
    assert [each.edge_cache for each in past] == [True, False, False, True, True]


def test_strangers_in_the_folder(registry: Path) -> None:
    """A file or folder that isn't a generation doesn't keep a route from being changed."""
    shelf = registry / "routes" / "line"
    activate(registry, "line", 1, "")
    for name in ("0-notes", "9x-y", "000009", "1e5-z"):
        (shelf / name).mkdir()
    activate(registry, "line", 2, "")
    assert os.readlink(shelf / "current").startswith("000002-2.")


def test_a_route_of_another_format(registry: Path) -> None:
    """A route that nobody can read any more counts as none; activating makes one that can be read."""
    shelf = registry / "routes" / "line"
    (shelf / "000001").mkdir(parents=True)
    (shelf / "current").symlink_to("000001")
    assert not routed(registry, "line")
    activate(registry, "line", 1, "")
    assert routed(registry, "line")
    assert answering(registry) == "1"


@pytest.mark.parametrize("before", [None, 1])
def test_broken_version_is_refused(registry: Path, before: int | None) -> None:
    """A version whose files aren't what was published is refused, and nothing changes."""
    if before:
        activate(registry, "line", before, "")
    damage(registry / "line" / "2" / "model.skops")
    was = tree(registry)
    with pytest.raises(Refused, match=r"^line version 2 can't be served: model\.skops: its SHA-256"):
        activate(registry, "line", 2, "")
    assert tree(registry) == was
    assert routed(registry, "line") == bool(before)


@pytest.mark.parametrize(("model", "version"), [("line", 4), ("line", 0), ("none", 1), ("routes", 1)])
def test_unknown_version_is_refused(registry: Path, model: str, version: int) -> None:
    """A version or model that isn't there is refused, and nothing changes."""
    activate(registry, "line", 1, "")
    was = tree(registry)
    for attempt in (
        lambda: check(registry, model, version),
        lambda: activate(registry, model, version, ""),
    ):
        with pytest.raises(
            Refused, match=f"^{model} version {version} can't be served: manifest.json: "
        ):
            attempt()
    assert tree(registry) == was


def test_one_rename(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the one rename at the end the old version answers, whatever happens before."""
    activate(registry, "line", 1, "")
    renames: list[tuple[str, str]] = []

    def fail(path: Path, target: Path) -> Path:
        renames.append((path.name, target.name))
        assert answering(registry) == "1"
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(KeyboardInterrupt):
            activate(registry, "line", 2, "interrupted")
    assert renames == [(".current", "current")]
    assert answering(registry) == "1"
    activate(registry, "line", 3, "again")
    assert answering(registry) == "3"
    assert os.readlink(registry / "routes" / "line" / "current").startswith("000003-3.")


def test_concurrent_activations(registry: Path) -> None:
    """Activations at the same time come one after the other: each has its generation.

    The last one wins, and whoever reads meanwhile always finds a version.
    """
    activate(registry, "line", 1, "first")
    versions = [1 + n % 3 for n in range(30)]
    seen: set[str] = set()
    with ThreadPoolExecutor(8) as threads:
        jobs = [
            threads.submit(activate, registry, "line", v, f"job {n}") for n, v in enumerate(versions)
        ]
        while not all(job.done() for job in jobs):
            seen.add(answering(registry))
        assert all(job.result() for job in jobs)
    shelf = registry / "routes" / "line"
    past = history(shelf)
    reasons = [route.reason for route in past.values()]
    assert list(past) == list(range(1, 32))
    assert set(reasons) == {"first", *(f"job {n}" for n in range(30))}
    assert os.readlink(shelf / "current").startswith("000031-")
    assert read_routes(registry)["line"] == past[31]
    assert seen <= {"1", "2", "3"}


@pytest.mark.parametrize("edge_cache", [True, False])
def test_split(registry: Path, edge_cache: bool) -> None:
    """A route of several versions links each bucket to what nginx has to know of its version."""
    shelf = registry / "routes" / "line"
    route = write(registry, {"1": 89.9, "3": 10.1}, edge_cache=edge_cache)
    assert os.readlink(shelf / CURRENT) == "000001-split"
    targets = {v: f"{v}.{digest(registry, v)}{'.edge' * edge_cache}" for v in ("1", "3")}
    made = links(shelf / "000001-split")
    assert set(made) == set(NAMES)
    assert Counter(made.values()) == {targets["1"]: 899, targets["3"]: 101}
    # What nginx does: the real path of a bucket ends with the version's name.
    for bucket in NAMES:
        real = (shelf / CURRENT / bucket).resolve(strict=True)
        assert real.is_dir()
        assert real.name == made[bucket]
    assert read_routes(registry) == {"line": route}
    assert not route.settled


def test_pinned_keys(registry: Path) -> None:
    """A pinned key has a link of its own, also to a version that has no share."""
    write(registry, {"1": 100}, pins={"qa": "2", "a:b._-9": "1"})
    current = registry / "routes" / "line" / CURRENT
    assert os.readlink(current) == "000001-split"
    made = links(current.resolve())
    keys = {name: target for name, target in made.items() if name.startswith("key-")}
    assert keys == {
        "key-qa": f"2.{digest(registry, '2')}.edge",
        "key-a:b._-9": f"1.{digest(registry, '1')}.edge",
    }
    assert len(made) == BUCKETS + 2
    assert all((current / name).resolve(strict=True).is_dir() for name in made)


def test_clients_stay(registry: Path) -> None:
    """When shares change, buckets stay: from one version on, and over a withdrawn route."""
    shelf = registry / "routes" / "line"

    def with_new() -> set[str]:
        return {name for name, to in links((shelf / CURRENT).resolve()).items() if to[0] == "2"}

    activate(registry, "line", 1, "")
    write(registry, {"1": 95, "2": 5})
    few = with_new()
    assert len(few) == 50
    before = os.readlink(shelf / CURRENT)
    write(registry, {"2": 100}, pins={"qa": "1"})
    with locked(registry, "line"):
        withdraw(shelf, 3, before, "a test")
    write(registry, {"1": 75, "2": 25})
    assert len(with_new()) == 250
    assert with_new() > few


def test_old_links_are_removed(registry: Path) -> None:
    """Links are for requests on their way: older generations keep their name and their route."""
    shelf = registry / "routes" / "line"
    for count in range(LINKED_GENERATIONS + 3):
        write(registry, {"1": 90, "2": 10}, f"reason {count}", pins={"qa": "2"})
    folders = [folder for _, folder in generations(shelf)]
    assert [len(links(each)) for each in folders] == [0] * 3 + [BUCKETS + 1] * LINKED_GENERATIONS
    assert {each.name for each in folders[0].iterdir()} == {"route.json"}
    assert [route.reason for route in history(shelf).values()] == [
        f"reason {n}" for n in range(LINKED_GENERATIONS + 3)
    ]


def test_what_is_in_force_keeps_its_links(registry: Path) -> None:
    """However many attempts are withdrawn, the split that they leave in force keeps its buckets."""
    shelf = registry / "routes" / "line"
    write(registry, {"1": 90, "2": 10})
    for number in range(2, LINKED_GENERATIONS + 4):
        activate(registry, "line", 3, "")
        with locked(registry, "line"):
            withdraw(shelf, number, "000001-split", "a test")
    assert len(links(shelf / CURRENT)) == BUCKETS
    assert (shelf / CURRENT / "000").resolve(strict=True).is_dir()


def test_withdraw(registry: Path) -> None:
    """A route that didn't do is none that was: the one before is in force, its number is used up."""
    shelf = registry / "routes" / "line"
    first = activate(registry, "line", 1, "good")
    before = os.readlink(shelf / CURRENT)
    activate(registry, "line", 2, "bad")
    withdraw(shelf, 2, before, "it failed")
    assert current_route(shelf) == (1, first)
    assert history(shelf) == {1: first}
    assert [(folder / "withdrawn").read_text() for _, folder in generations(shelf)[1:]] == ["it failed"]
    third = activate(registry, "line", 3, "better")
    assert history(shelf) == {1: first, 3: third}
    assert third.fallback == Fallback(1, "1", digest(registry, "1"))


def test_withdraw_the_first(registry: Path) -> None:
    """Where there was no route before, there is none after."""
    shelf = registry / "routes" / "line"
    activate(registry, "line", 1, "bad")
    withdraw(shelf, 1, "", "it failed")
    assert generation_of(shelf) is None
    assert not routed(registry, "line")
    assert (read_routes(registry), history(shelf)) == ({}, {})
    activate(registry, "line", 1, "good")
    assert os.readlink(shelf / CURRENT).startswith("000002-1.")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"{}", b'{"weights": {"1": "all"}}', b'{"user": "\xff"}']
)
def test_damaged_route(registry: Path, content: bytes) -> None:
    """A damaged route takes neither the history along nor the routes of other models."""
    published(registry, "other", routed=True)
    shelf = registry / "routes" / "line"
    activate(registry, "line", 1, "first")
    second = activate(registry, "line", 2, "second")
    damaged = shelf / os.readlink(shelf / CURRENT) / "route.json"
    was = damaged.read_bytes()
    damaged.write_bytes(content)
    assert [route.reason for route in history(shelf).values()] == ["first"]
    assert set(read_routes(registry)) == {"other"}
    assert not routed(registry, "line")
    damaged.write_bytes(was)
    assert read_routes(registry)["line"] == second


@pytest.mark.parametrize("model", ["lime", "../outside", "..", "routes", "", "line/1", "*"])
def test_no_such_model(registry: Path, model: str) -> None:
    """A model that isn't there, or can't be, is refused before anything is made for it."""
    activate(registry, "line", 1, "")
    everything = sorted(registry.parent.rglob("*"))
    said = r"^no model .* in .*; flotilla models shows what is published$"
    with pytest.raises(Refused, match=said), locked(registry, model):
        raise AssertionError
    assert sorted(registry.parent.rglob("*")) == everything


def test_model_whose_folder_is_gone(registry: Path) -> None:
    """A model whose folder was deleted has its route still, which can be changed."""
    activate(registry, "line", 1, "")
    (registry / "line").rename(registry.parent / "gone")
    with locked(registry, "line") as shelf:
        assert shelf == registry / "routes" / "line"


def test_one_at_a_time(registry: Path) -> None:
    """Who has to wait for another command is told before; who doesn't isn't."""
    told = threading.Event()
    order: list[str] = []

    def change() -> None:
        with locked(registry, "line", told.set):
            order.append("second")

    with ThreadPoolExecutor(1) as threads:
        with locked(registry, "line", lambda: order.append("told")):
            job = threads.submit(change)
            wait_until(told.is_set)
            order.append("first")
        job.result()
    assert order == ["first", "second"]


def test_name_of_a_generation() -> None:
    """Names that nginx reads are told from others."""
    for name in ("000001-split", "1000000-12.0123456789abcdef.edge", "000002-3.0123456789abcdef"):
        assert GENERATION.fullmatch(name)
    for name in ("000001", "1-split", "000001-split.edge", "000001-1", "000001-1.0123.edge", "current"):
        assert not GENERATION.fullmatch(name)


def test_user_without_a_name(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user need not have a name: then the route has its number."""
    monkeypatch.setattr(routes.getpass, "getuser", lambda: {}["no name"])
    assert activate(registry, "line", 1, "").user == str(os.getuid())
