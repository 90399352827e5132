"""The registry: follows the routes on disk; whatever is broken is refused with its reason."""

import logging
import shutil
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from deploy.routes import activate
from service import registry as module
from service.errors import NotFound, NotReady
from service.registry import Registry, newest_version, read_routes
from service.rows import TensorRows
from service.version import LoadedVersion
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.published import damage, published


class Followed:
    """A registry folder with the lines `a` and `b`, and what follows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("a", "b"):
            published(folder, name, routed=True)
        self.loads: Counter[str] = Counter()
        self.registry = Registry(folder, self._count)

    def _count(self, version: LoadedVersion) -> None:
        self.loads[f"{version.name}/{version.number}"] += 1

    def publish(self, name: str) -> str:
        """Publish the next version and return its number."""
        return str(published(self.folder, name).version)

    def held(self, name: str) -> set[str]:
        """Return the numbers of the loaded versions."""
        return {version.number for version in self.registry.versions(name)}


@pytest.fixture
def it(tmp_path: Path) -> Followed:
    """Return a followed registry that hasn't been read yet."""
    return Followed(tmp_path / "registry")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at refused versions again at once."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)


def answer(version: LoadedVersion) -> float:
    """Return what a line of `tests.published` gives for (1, 0): its slope, which is its number."""
    return round(version.engine.run(TensorRows(np.array([[1.0, 0.0]])), ("predict",))["predict"][0], 6)


def test_not_read_yet(it: Followed) -> None:
    """Before the routes have been read nothing is ready, and nothing pretends not to exist."""
    assert it.registry.missing() == {"registry": "its routes haven't been read yet"}
    assert it.registry.versions("a") == []


def test_routed_versions_are_loaded(it: Followed) -> None:
    """What the routes name is loaded, can be asked for, and makes the replica ready."""
    it.registry.follow()
    assert it.registry.missing() == {}
    assert it.registry.routed == {"a": "1", "b": "1"}
    for found in (
        it.registry.current("a"),
        it.registry.get("a", "1", routed=True),
        it.registry.get("a", "1", routed=False),
    ):
        assert (found.name, found.number, answer(found)) == ("a", "1", 1)


def test_empty_registry(tmp_path: Path) -> None:
    """A registry without routes is ready: there is nothing to wait for."""
    registry = Registry(tmp_path / "not there yet")
    registry.follow()
    assert registry.missing() == {}
    with pytest.raises(NotFound, match="no model 'a'; there are: none"):
        registry.current("a")


def test_unknown(it: Followed) -> None:
    """An unknown model or version is named, with what there is instead."""
    it.registry.follow()
    with pytest.raises(NotFound, match="no model 'c'; there are: a, b"):
        it.registry.current("c")
    with pytest.raises(NotFound, match="no model 'c'"):
        it.registry.get("c", "1", routed=False)
    with pytest.raises(NotFound, match="a version 7 isn't loaded; versions here: 1"):
        it.registry.get("a", "7", routed=False)


def test_routed_but_not_loaded(it: Followed) -> None:
    """A version that nginx chose and that isn't here yet is a matter of time: another replica."""
    with pytest.raises(NotReady, match="a version 1 is being loaded"):
        it.registry.get("a", "1", routed=True)


def test_newest_is_loaded_before_it_is_routed(it: Followed) -> None:
    """A published version is there before the route names it; the route decides who answers."""
    it.registry.follow()
    it.publish("a")
    it.registry.follow()
    assert it.held("a") == {"1", "2"}
    assert answer(it.registry.current("a")) == 1
    assert answer(it.registry.get("a", "2", routed=False)) == 2
    activate(it.folder, "a", 2, "test")
    it.registry.follow()
    assert answer(it.registry.current("a")) == 2
    assert it.loads == {"a/1": 1, "a/2": 1, "b/1": 1}, "nothing is loaded twice"


def test_previous_is_kept(it: Followed) -> None:
    """The version before stays for requests on their way, whatever else changes; older ones go."""
    it.registry.follow()
    for number in (2, 3):
        it.publish("a")
        activate(it.folder, "a", number, "test")
        it.registry.follow()
    assert it.held("a") == {"2", "3"}
    it.publish("b")
    it.registry.follow()
    assert it.held("a") == {"2", "3"}
    with pytest.raises(NotFound):
        it.registry.get("a", "1", routed=False)


def test_back_to_an_older_version(it: Followed) -> None:
    """A route may go back: the older version is loaded again and answers."""
    for _ in range(2):
        it.publish("a")
    activate(it.folder, "a", 3, "test")
    it.registry.follow()
    assert it.held("a") == {"3"}
    activate(it.folder, "a", 1, "rollback")
    it.registry.follow()
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}


def test_model_that_is_no_longer_routed(it: Followed) -> None:
    """A model whose route is taken away is forgotten."""
    it.registry.follow()
    shutil.rmtree(it.folder / "routes" / "a")
    it.registry.follow()
    assert it.registry.missing() == {}
    with pytest.raises(NotFound, match="no model 'a'; there are: b"):
        it.registry.current("a")


def test_wrong_digest_is_refused_and_repaired(it: Followed, eager: None) -> None:
    """A changed file is refused with its name, the others serve; once it is right it is loaded."""
    file = it.folder / "a" / "1" / "model.skops"
    before = damage(file)
    it.registry.follow()
    assert set(it.registry.missing()) == {"a/1"}
    assert it.registry.missing()["a/1"].startswith("model.skops: its SHA-256 is ")
    for routed in (True, False):
        with pytest.raises(NotReady, match=r"a version 1 is refused: model\.skops: its SHA-256"):
            it.registry.get("a", "1", routed=routed)
    assert answer(it.registry.current("b")) == 1
    it.registry.follow()
    assert "a/1" not in it.loads
    file.write_bytes(before)
    it.registry.follow()
    assert it.registry.missing() == {}
    assert answer(it.registry.current("a")) == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("manifest.json", b'{"name": "\xff"}', "manifest.json: "),
        ("manifest.json", b"{}", "manifest.json: Object missing required field"),
        ("sample.npz", b"", "sample.npz: its SHA-256"),
    ],
)
def test_one_broken_version_stops_no_other(
    it: Followed, name: str, content: bytes, reason: str
) -> None:
    """However a version is broken, the models after it in the alphabet are loaded."""
    (it.folder / "a" / "1" / name).write_bytes(content)
    it.registry.follow()
    assert it.registry.missing()["a/1"].startswith(reason)
    assert answer(it.registry.current("b")) == 1


def test_refused_version_is_not_hashed_all_day(it: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused version is looked at again only after a while, and logged only once."""
    looked: list[Path] = []
    load = module.load_version
    monkeypatch.setattr(module, "load_version", lambda folder: looked.append(folder) or load(folder))
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    damage(it.folder / "a" / "1" / "model.skops")
    messages: list[logging.LogRecord] = []
    monkeypatch.setattr(module.log, "error", lambda *arguments: messages.append(arguments))
    for _ in range(5):
        it.registry.follow()
    assert looked.count(it.folder / "a" / "1") == 1
    now += module.RETRY_SECONDS
    for _ in range(5):
        it.registry.follow()
    assert looked.count(it.folder / "a" / "1") == 2
    assert len(messages) == 1


def test_route_to_a_broken_version(it: Followed) -> None:
    """When the route moves to a broken version the replica says so; the version before stays."""
    it.registry.follow()
    it.publish("a")
    activate(it.folder, "a", 2, "test")
    damage(it.folder / "a" / "2" / "model.skops")
    it.registry.follow()
    assert set(it.registry.missing()) == {"a/2"}
    with pytest.raises(NotReady):
        it.registry.current("a")
    assert answer(it.registry.get("a", "1", routed=True)) == 1
    activate(it.folder, "a", 1, "back")
    it.registry.follow()
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}


def test_half_written_version_is_ignored(it: Followed) -> None:
    """What a publisher is writing, or has half copied, doesn't disturb the version that serves."""
    shutil.copytree(it.folder / "a" / "1", it.folder / "a" / ".publishing-x" / "version")
    it.registry.follow()
    assert it.held("a") == {"1"}
    half = it.folder / "a" / "2"
    half.mkdir()
    (half / "model.skops").write_bytes(b"")
    it.registry.follow()
    assert it.held("a") == {"1"}
    assert it.registry.missing() == {}
    with pytest.raises(NotReady, match=r"a version 2 is refused: manifest\.json: No such file"):
        it.registry.get("a", "2", routed=False)


def test_copy_under_another_number(it: Followed) -> None:
    """A copy of a version under another number is refused: it would answer under a wrong one."""
    shutil.copytree(it.folder / "a" / "1", it.folder / "a" / "2")
    it.registry.follow()
    assert it.held("a") == {"1"}
    assert "it is the one of a version 1" in it.registry.refused["a", "2"]


def test_folder_that_is_away(it: Followed) -> None:
    """When the registry's folder vanishes, what is loaded still serves; later it is followed again."""
    it.registry.follow()
    away = it.folder.with_name("away")
    it.folder.rename(away)
    it.registry.follow()
    assert answer(it.registry.current("a")) == 1
    away.rename(it.folder)
    it.publish("a")
    activate(it.folder, "a", 2, "test")
    it.registry.follow()
    assert answer(it.registry.current("a")) == 2


def test_changes_are_told(tmp_path: Path) -> None:
    """Who wants to know is told of each change, and not told when nothing changed."""
    folder = tmp_path / "registry"
    published(folder, "a", routed=True)
    told: list[dict[str, str]] = []
    registry = Registry(folder, on_change=lambda it: told.append(it.missing()))
    registry.follow()
    assert told[-1] == {}
    count = len(told)
    for _ in range(3):
        registry.follow()
    assert len(told) == count


def test_unforeseen_error(it: Followed, eager: None) -> None:
    """An error that nobody thought of refuses that version with its reason, and is tried again."""

    def fail_once(version: LoadedVersion) -> None:
        it.loads[version.name] += 1
        if it.loads.total() == 1:
            raise RuntimeError("once")

    registry = Registry(it.folder, fail_once)
    registry.follow()
    assert registry.missing() == {"a/1": "RuntimeError: once"}
    assert answer(registry.current("b")) == 1
    registry.follow()
    assert registry.missing() == {}


def test_follow_forever(it: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread brings new versions, survives an error, and ends when told."""
    read, failed = module.read_routes, threading.Event()

    def fail_once(folder: Path) -> dict[str, str]:
        if not failed.is_set():
            failed.set()
            raise OSError("once")
        return read(folder)

    monkeypatch.setattr(module, "read_routes", fail_once)
    it.publish("a")
    thread = threading.Thread(target=it.registry.follow_forever, args=(0.01,))
    thread.start()
    try:
        wait_until(lambda: not it.registry.missing())
        activate(it.folder, "a", 2, "test")
        wait_until(lambda: it.registry.routed["a"] == "2")
        assert it.registry.missing() == {}
    finally:
        it.registry.stop()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_read_routes(it: Followed) -> None:
    """Only whole routes of well-named models are read."""
    routes = it.folder / "routes"
    (routes / "being-made").mkdir()
    (routes / ".hidden").mkdir()
    (routes / ".hidden" / "current").symlink_to((routes / "a" / "current").resolve())
    (routes / "dangling").mkdir()
    (routes / "dangling" / "current").symlink_to("000001-1.0123456789abcdef.edge")
    (routes / "foreign" / "000001").mkdir(parents=True)
    (routes / "foreign" / "current").symlink_to("000001")
    assert read_routes(it.folder) == {"a": "1", "b": "1"}


@pytest.mark.parametrize(
    ("names", "newest"),
    [
        ([], None),
        (["1"], "1"),
        (["9", "10", "2"], "10"),
        (["1", ".publishing-x", "notes", "2.bak"], "1"),
    ],
)
def test_newest_version(tmp_path: Path, names: list[str], newest: str | None) -> None:
    """The newest version has the largest number; other folders don't count."""
    for name in names:
        (tmp_path / name).mkdir()
    assert newest_version(tmp_path) == newest
