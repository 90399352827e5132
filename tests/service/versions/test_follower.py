"""The follower: what routes and wishes name is loaded; what is broken is refused with its reason."""

import logging
import shutil
import threading
from pathlib import Path

import pytest

from deploy.routing.routes import activate
from service.errors import NotFound, NotReady
from service.version import LoadedVersion
from service.versions import follower as module
from service.versions.follower import LEAVE_SECONDS, RETRY_SECONDS
from service.versions.load_mark import REST_SECONDS, LoadMark
from service.versions.registry import Registry
from service.versions.route import Route
from tests.polling import PATIENCE_SECONDS, wait_until
from tests.published import damage
from tests.service.followed import Clock, Followed, answer, stage

MODEL = "model.skops"


@pytest.fixture
def it(own_lines: Path) -> Followed:
    """Return a followed registry that hasn't been read yet."""
    return Followed(own_lines)


def test_routed_versions_are_loaded(it: Followed) -> None:
    """What the routes name is loaded, can be asked for, and makes the replica ready."""
    assert it.registry.missing() == {"registry": "its routes haven't been read yet"}
    it.follow()
    assert it.registry.missing() == {}
    assert list(it.registry.routes) == ["a", "b"]
    for found in (
        it.registry.current("a"),
        it.registry.get("a", "1", routed=True),
        it.registry.get("a", "1", routed=False),
    ):
        assert (found.name, found.number, answer(found)) == ("a", "1", 1)


def test_empty_registry(tmp_path: Path) -> None:
    """A registry without routes is ready: there is nothing to wait for."""
    registry = Registry()
    module.Follower(tmp_path / "not there yet", registry, 32, LoadMark()).follow()
    assert registry.missing() == {}
    with pytest.raises(NotFound, match="no model 'a'; there are: none"):
        registry.current("a")


def test_what_nothing_names_is_not_loaded(it: Followed) -> None:
    """A published version costs no memory before a route or a wish names it."""
    it.follow()
    assert it.held() == {"a/1", "b/1"}
    with pytest.raises(NotFound, match="a version 3 isn't loaded; versions here: 1"):
        it.registry.get("a", "3", routed=False)


@pytest.mark.parametrize(
    ("weights", "more", "held"),
    [
        ((90, 10), {}, {"a/1", "a/2"}),
        ((0, 99.9, 0.1), {}, {"a/2", "a/3"}),
        ((100,), {"pins": {"tester": "3"}}, {"a/1", "a/3"}),
        ((100,), {"shadow": "2"}, {"a/1", "a/2"}),
        ((0, 100), {"fallback": "1"}, {"a/1", "a/2"}),
        ((0, 100), {"pins": {"k": "3"}, "shadow": "4", "fallback": "1"}, {f"a/{n}" for n in "1234"}),
    ],
)
def test_what_a_route_keeps_is_held(
    it: Followed, weights: tuple[float, ...], more: dict[str, object], held: set[str]
) -> None:
    """Shares, pins, the shadow and what rollback returns to are all in memory, each loaded once."""
    it.route("a", *weights, **more)
    it.follow()
    it.follow()
    assert it.held() == {*held, "b/1"}
    assert it.registry.missing() == {}
    assert it.loads == dict.fromkeys(it.held(), 1)


def test_the_largest_share_is_current(it: Followed) -> None:
    """Of several versions the one that most clients get stands for the model; each can be asked for."""
    it.route("a", 30, 70)
    it.follow()
    assert answer(it.registry.current("a")) == 2
    assert answer(it.registry.get("a", "1", routed=True)) == 1


def test_a_wish_is_loaded_and_echoed(it: Followed) -> None:
    """What a command wants is loaded before it is routed, and the command finds its word repeated."""
    it.follow()
    wish = stage(it.folder, "a", "2", command="c-1")
    it.follow()
    assert it.held() == {"a/1", "a/2", "b/1"}
    assert answer(it.registry.current("a")) == 1, "the route decides who answers"
    assert it.registry.commands == {"a": "c-1"}
    wish.unlink()
    it.route("a", 0, 100)
    it.follow()
    assert it.registry.commands == {}
    assert answer(it.registry.current("a")) == 2
    assert it.loads["a/2"] == 1, "nothing is loaded twice"


def test_a_wish_of_a_killed_command_ends(it: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wish that nobody takes back is none any more once its time is over."""
    stage(it.folder, "a", "2")
    it.follow()
    assert ("a", "2") in it.registry.wanted
    later = module.time.time() + 601
    monkeypatch.setattr(module.time, "time", lambda: later)
    it.follow()
    assert ("a", "2") not in it.registry.wanted
    assert it.registry.commands == {}


def test_a_new_wish_clears_an_old_refusal(it: Followed, clock: Clock) -> None:
    """Who mended a version and asks again isn't told the old reason, nor has to wait for the retry."""
    file = it.folder / "a" / "2" / MODEL
    before = damage(file)
    stage(it.folder, "a", "2", command="first")
    it.follow()
    assert it.reason("a", "2").startswith(f"{MODEL}: its SHA-256 is ")
    file.write_bytes(before)
    it.follow()
    assert it.reason("a", "2"), "the same wish is an old one"
    stage(it.folder, "a", "2", command="second")
    it.follow()
    assert it.reason("a", "2") == ""
    assert "a/2" in it.held()
    assert it.registry.commands == {"a": "second"}


def test_what_is_left_goes_later(it: Followed, clock: Clock) -> None:
    """A version that lost its route serves what is on its way to it, and then leaves the memory."""
    it.follow()
    it.route("a", 0, 100)
    it.follow()
    clock.forward(LEAVE_SECONDS - 1)
    it.follow()
    assert answer(it.registry.get("a", "1", routed=True)) == 1
    clock.forward(1)
    it.follow()
    assert it.held() == {"a/2", "b/1"}
    assert it.loads["b/1"] == 1


def test_what_is_wanted_again_stays(it: Followed, clock: Clock) -> None:
    """A version that comes back in time is neither dropped nor loaded once more."""
    it.follow()
    it.route("a", 0, 100)
    it.follow()
    clock.forward(LEAVE_SECONDS - 1)
    it.route("a", 100)
    it.follow()
    clock.forward(LEAVE_SECONDS)
    it.follow()
    assert answer(it.registry.current("a")) == 1
    assert it.loads["a/1"] == 1


def test_a_model_that_is_no_longer_routed(it: Followed, clock: Clock) -> None:
    """A model whose route is taken away is unknown, and later out of memory."""
    it.follow()
    shutil.rmtree(it.folder / "routes" / "a")
    it.follow()
    assert it.registry.missing() == {}
    with pytest.raises(NotFound, match="no model 'a'; there are: b"):
        it.registry.get("a", "7", routed=False)
    clock.forward(LEAVE_SECONDS)
    it.follow()
    assert it.held() == {"b/1"}
    with pytest.raises(NotFound, match="no model 'a'; there are: b"):
        it.registry.current("a")


def test_room_is_made_when_it_is_needed(own_lines: Path, clock: Clock) -> None:
    """With all room taken, what lost its route first goes at once; the rest stays as long as it may."""
    it = Followed(own_lines, most=4)
    it.follow()
    for shares in ((0, 100), (0, 0, 100)):
        it.route("a", *shares)
        clock.forward(1)
        it.follow()
    assert it.held() == {"a/1", "a/2", "a/3", "b/1"}
    it.route("a", 0, 0, 0, 100)
    it.follow()
    assert it.held() == {"a/2", "a/3", "a/4", "b/1"}


def test_a_broken_version_takes_no_room_twice(own_lines: Path, clock: Clock) -> None:
    """What isn't tried again, because it ended the process, costs no other version its place."""
    mark = LoadMark()
    mark.begin(("b", "2"))
    it = Followed(own_lines, most=2, mark=mark)
    it.follow()
    it.route("b", 0, 100)
    it.follow()
    assert "the process that loaded it died" in it.reason("b", "2")
    assert it.held() == {"a/1", "b/1"}


def test_no_more_than_may_be_loaded(own_lines: Path, clock: Clock) -> None:
    """What there is no room for is refused with the setting's name; once there is room it is loaded."""
    it = Followed(own_lines, most=2)
    it.route("a", 100, shadow="2")
    it.follow()
    assert it.held() == {"a/1", "b/1"}
    assert it.reason("a", "2") == "MAX_LOADED_VERSIONS=2 others are routed or wanted before it"
    assert it.registry.missing() == {}, "nobody gets a shadow's answers"
    with pytest.raises(NotReady, match="a version 2 is refused: MAX_LOADED_VERSIONS=2 others"):
        it.registry.get("a", "2", routed=False)
    shutil.rmtree(it.folder / "routes" / "b")
    it.follow()
    assert it.reason("a", "2") == ""
    assert it.held() == {"a/1", "a/2"}


def test_a_routed_version_without_room_keeps_from_being_ready(own_lines: Path) -> None:
    """Where clients get more versions than may be loaded, ready says so; the latest route is served."""
    it = Followed(own_lines, most=1)
    activate(it.folder, "a", 1, "later than b")
    it.follow()
    assert it.held() == {"a/1"}
    assert it.registry.missing() == {
        "b/1": "MAX_LOADED_VERSIONS=1 others are routed or wanted before it"
    }


def test_wrong_digest_is_refused_and_repaired(it: Followed, clock: Clock) -> None:
    """A changed file is refused with its name, the others serve; once it is right it is loaded."""
    file = it.folder / "a" / "1" / MODEL
    before = damage(file)
    it.follow()
    assert set(it.registry.missing()) == {"a/1"}
    assert it.registry.missing()["a/1"].startswith(f"{MODEL}: its SHA-256 is ")
    for routed in (True, False):
        with pytest.raises(NotReady, match=r"a version 1 is refused: model\.skops: its SHA-256"):
            it.registry.get("a", "1", routed=routed)
    assert answer(it.registry.current("b")) == 1
    clock.forward(RETRY_SECONDS)
    it.follow()
    assert "a/1" not in it.loads
    file.write_bytes(before)
    clock.forward(RETRY_SECONDS)
    it.follow()
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
    it.follow()
    assert it.registry.missing()["a/1"].startswith(reason)
    assert answer(it.registry.current("b")) == 1


def test_a_refused_version_is_not_hashed_all_day(
    it: Followed, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused version is looked at again only after a while, and logged only once."""
    looked: list[Path] = []
    load = module.load_version
    monkeypatch.setattr(module, "load_version", lambda folder: looked.append(folder) or load(folder))
    damage(it.folder / "a" / "1" / MODEL)
    messages: list[logging.LogRecord] = []
    monkeypatch.setattr(module.log, "error", lambda *arguments: messages.append(arguments))
    for _ in range(5):
        it.follow()
    assert looked.count(it.folder / "a" / "1") == 1
    clock.forward(RETRY_SECONDS)
    for _ in range(5):
        it.follow()
    assert looked.count(it.folder / "a" / "1") == 2
    assert len(messages) == 1


def test_route_to_a_broken_version(it: Followed) -> None:
    """When the route moves to a broken version the replica says so; the version before stays."""
    it.follow()
    it.route("a", 0, 100)
    damage(it.folder / "a" / "2" / MODEL)
    it.follow()
    assert set(it.registry.missing()) == {"a/2"}
    with pytest.raises(NotReady):
        it.registry.current("a")
    assert answer(it.registry.get("a", "1", routed=True)) == 1
    it.route("a", 100)
    it.follow()
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}
    assert it.registry.refused == {}, "nobody wants it any more"


def test_a_half_copied_version_is_refused(it: Followed) -> None:
    """A version that is wished for while its files still come doesn't disturb the one that serves."""
    it.follow()
    half = it.folder / "a" / "7"
    half.mkdir()
    (half / MODEL).write_bytes(b"")
    stage(it.folder, "a", "7")
    it.follow()
    assert it.held() == {"a/1", "b/1"}
    assert it.registry.missing() == {}
    with pytest.raises(NotReady, match=r"a version 7 is refused: manifest\.json: No such file"):
        it.registry.get("a", "7", routed=False)


def test_copy_under_another_number(it: Followed) -> None:
    """A copy of a version under another number is refused: it would answer under a wrong one."""
    shutil.copytree(it.folder / "a" / "1", it.folder / "a" / "7")
    stage(it.folder, "a", "7")
    it.follow()
    assert it.held() == {"a/1", "b/1"}
    assert "it is the one of a version 1" in it.reason("a", "7")


def test_folder_that_is_away(it: Followed, clock: Clock) -> None:
    """When the registry's folder vanishes, what is loaded still serves; later it is followed again."""
    it.follow()
    away = it.folder.with_name("away")
    it.folder.rename(away)
    clock.forward(LEAVE_SECONDS)
    it.follow()
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}
    away.rename(it.folder)
    it.route("a", 0, 100)
    it.follow()
    assert answer(it.registry.current("a")) == 2


def test_changes_are_told(it: Followed) -> None:
    """Who wants to know is told of each change, and not told when nothing changed."""
    it.follow()
    assert it.told[-1] == {}
    for change in (lambda: it.route("a", 100, shadow="2"), lambda: stage(it.folder, "b", "1")):
        told = len(it.told)
        for _ in range(3):
            it.follow()
        assert len(it.told) == told
        change()
        it.registry.changed.clear()
        it.follow()
        assert len(it.told) > told
        assert it.registry.changed.is_set()


def test_an_unforeseen_error(it: Followed, clock: Clock) -> None:
    """An error that nobody thought of refuses that version with its reason, and is tried again."""
    tried: list[str] = []

    def fail_once(version: LoadedVersion) -> None:
        tried.append(version.name)
        if len(tried) == 1:
            raise RuntimeError("once")

    registry = Registry()
    follower = module.Follower(it.folder, registry, 32, LoadMark(), fail_once)
    follower.follow()
    assert registry.missing() == {"b/1": "RuntimeError: once"}, "it was routed last, and comes first"
    assert answer(registry.current("a")) == 1
    clock.forward(RETRY_SECONDS)
    follower.follow()
    assert registry.missing() == {}


def test_follow_forever(it: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread brings new versions, survives an error, and ends when told."""
    read, failed = it.follower._routes.routes, threading.Event()

    def fail_once() -> dict[str, Route]:
        if not failed.is_set():
            failed.set()
            raise OSError("once")
        return read()

    monkeypatch.setattr(it.follower._routes, "routes", fail_once)
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)
    thread = threading.Thread(target=it.follower.follow_forever)
    thread.start()
    try:
        wait_until(lambda: not it.registry.missing())
        it.route("a", 0, 100)
        wait_until(lambda: it.held() >= {"a/2"})
        assert it.registry.missing() == {}
    finally:
        it.follower.stop()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_what_ended_the_process_is_refused(own_lines: Path, clock: Clock) -> None:
    """After a worker died of a version the next one serves the others, and tries it again later."""
    mark = LoadMark()
    mark.begin(("a", "1"))  # the worker before had no time to say more
    it = Followed(own_lines, mark=mark)
    it.follow()
    reason = "the process that loaded it died (see the replica's log); out of memory?"
    assert it.registry.missing() == {"a/1": reason}
    assert answer(it.registry.current("b")) == 1
    clock.forward(REST_SECONDS - 1)
    it.follow()
    assert it.registry.missing() == {"a/1": reason}
    clock.forward(RETRY_SECONDS)
    it.follow()
    assert it.registry.missing() == {}
    assert mark.inherit() is None, "nothing is being loaded any more"


def test_a_refused_version_is_not_taken_for_a_deadly_one(it: Followed) -> None:
    """A version that is broken in an ordinary way leaves no mark behind."""
    mark = LoadMark()
    damage(it.folder / "a" / "1" / MODEL)
    module.Follower(it.folder, Registry(), 32, mark).follow()
    assert mark.inherit() is None
