"""Damage: a version whose files change or vanish serves on, and says so until they are back."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from service.manifest import Manifest
from service.versions import damage as module
from service.versions.damage import EVERY_SECONDS
from tests.published import damage
from tests.service.followed import Clock, Followed, answer

A = ("a", "1")


@pytest.fixture
def it(own_lines: Path, clock: Clock) -> Followed:
    """Return a registry that has been followed, its files looked at."""
    followed = Followed(own_lines)
    followed.follow()
    return followed


@pytest.fixture
def hashed(it: Followed, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often the files of a model have been hashed since it was loaded."""
    counted: Counter[str] = Counter()
    verify = module.verify

    def counting(folder: Path) -> Manifest:
        counted[folder.parent.name] += 1
        return verify(folder)

    monkeypatch.setattr(module, "verify", counting)
    return counted


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Return what is logged as an error."""
    messages: list[tuple[object, ...]] = []
    monkeypatch.setattr(module.log, "error", lambda *arguments: messages.append(arguments))
    return messages


def look(it: Followed, clock: Clock) -> dict[tuple[str, str], str]:
    """Let the follower look at the files again, and return what it finds wrong."""
    clock.forward(EVERY_SECONDS)
    it.follow()
    return dict(it.registry.damaged)


def state(it: Followed) -> tuple[str, str]:
    """Return what is said of `a` version 1."""
    found = next(each for each in it.registry.states() if (each.model, each.version) == A)
    return found.state, found.reason


def test_untouched_files_are_not_opened(it: Followed, clock: Clock, hashed: Counter[str]) -> None:
    """As long as files look as they did nothing is hashed, and nothing is damaged."""
    for _ in range(3):
        assert look(it, clock) == {}
    assert hashed == {}
    assert state(it) == ("READY", "")


def test_a_changed_file(it: Followed, clock: Clock, hashed: Counter[str]) -> None:
    """A version with a changed file serves on, is ready, and says which file; mended, it is fine."""
    file = it.folder / "a" / "1" / "model.skops"
    before = damage(file)
    found = look(it, clock)
    assert list(found) == [A]
    assert found[A].startswith("model.skops: its SHA-256 is ")
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}
    assert state(it) == ("READY", f"in memory; on disk: {found[A]}")
    file.write_bytes(before)
    assert look(it, clock) == {}
    assert state(it) == ("READY", "")
    assert it.loads["a/1"] == 1, "it was right in memory all the time"
    assert hashed["b"] == 0


def test_a_deleted_folder(it: Followed, clock: Clock) -> None:
    """The same where the files are gone, and where they are copied back."""
    folder = it.folder / "a" / "1"
    shutil.move(folder, it.folder.parent / "away")
    assert look(it, clock) == {A: "manifest.json: No such file or directory"}
    assert answer(it.registry.current("a")) == 1
    assert it.registry.missing() == {}
    shutil.copytree(it.folder.parent / "away", folder)
    assert look(it, clock) == {}


def test_a_deleted_file(it: Followed, clock: Clock) -> None:
    """One file that is gone is named."""
    (it.folder / "a" / "1" / "sample.npz").unlink()
    assert look(it, clock) == {A: "sample.npz: No such file or directory"}


def test_touched_files_are_no_damage(it: Followed, clock: Clock, hashed: Counter[str]) -> None:
    """Files that were touched, or copied, and are equal are hashed once and then believed."""
    folder = it.folder / "a" / "1"
    os.utime(folder / "model.skops", (0, 0))
    for _ in range(3):
        assert look(it, clock) == {}
    assert hashed == {"a": 1}
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    shutil.rmtree(folder)
    copy.rename(folder)
    for _ in range(3):
        assert look(it, clock) == {}
    assert hashed == {"a": 2}


def test_damage_is_not_hashed_all_day(
    it: Followed, clock: Clock, hashed: Counter[str], errors: list[tuple[object, ...]]
) -> None:
    """Damage that stays is hashed once and logged once; after it was mended it would be again."""
    file = it.folder / "a" / "1" / "model.skops"
    before = damage(file)
    for _ in range(5):
        assert list(look(it, clock)) == [A]
    assert hashed == {"a": 1}
    assert [each[1:3] for each in errors] == [A]
    file.write_bytes(before)
    assert look(it, clock) == {}
    damage(file)
    assert list(look(it, clock)) == [A]
    assert [each[1:3] for each in errors] == [A, A]


def test_looked_at_now_and_then(it: Followed, clock: Clock) -> None:
    """Files are looked at every few seconds, not at every turn of the follower."""
    damage(it.folder / "a" / "1" / "model.skops")
    clock.forward(EVERY_SECONDS / 2)
    it.follow()
    assert it.registry.damaged == {}
    assert list(look(it, clock)) == [A]


def test_damage_is_told(it: Followed, clock: Clock) -> None:
    """Metrics and the report hear of damage, and of its end, once each."""
    file = it.folder / "a" / "1" / "model.skops"
    before = damage(file)
    counts = []
    for content in (None, before):
        if content:
            file.write_bytes(content)
        told = len(it.told)
        for _ in range(3):
            look(it, clock)
        counts.append(len(it.told) - told)
    assert counts == [1, 1]


def test_changed_while_it_was_loaded(own_lines: Path, clock: Clock) -> None:
    """Files that change between being looked at and the end of loading are noticed afterwards."""
    it = Followed(own_lines)
    it.follower._on_load = lambda version: (
        version.name == "a" and damage(own_lines / "a" / "1" / "model.skops")
    )
    it.follow()
    assert list(look(it, clock)) == [A]


def test_what_left_is_not_damaged(it: Followed, clock: Clock) -> None:
    """A version that is let go of takes its damage along."""
    damage(it.folder / "a" / "1" / "model.skops")
    it.route("a", 0, 100)
    assert list(look(it, clock)) == [A]
    clock.forward(60)
    assert look(it, clock) == {}
    assert it.held() == {"a/2", "b/1"}
