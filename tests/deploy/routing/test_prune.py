"""Retention: what nobody can need is deleted, everything that a route could need stays."""

import os
import threading
import time
from pathlib import Path

import pytest

from deploy.errors import Refused
from deploy.routing.changes import shadowed, split
from deploy.routing.generations import current_route, write_route
from deploy.routing.prune import ABANDONED_SECONDS, prune
from deploy.routing.routes import activate, check, finished, locked
from tests.published import published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry in which `line` has eight versions: 4 routed, 2 before it."""
    for _ in range(8):
        published(tmp_path / "registry", "line")
    activate(tmp_path / "registry", "line", 2, "")
    activate(tmp_path / "registry", "line", 4, "")
    return tmp_path / "registry"


def versions(registry: Path) -> list[str]:
    """Return the versions that are there."""
    return sorted(each.name for each in (registry / "line").iterdir())


def test_keeps_newest_routed_and_fallback(registry: Path) -> None:
    """The newest stay, the routed one, and the one that rollback returns to; the rest goes."""
    done = prune(registry, "line", 3)
    assert done.deleted == ["1", "3", "5"]
    assert versions(registry) == ["2", "4", "6", "7", "8"]
    assert done.kept == {
        "2": "rollback returns to it",
        "4": "routed",
        **dict.fromkeys("678", "among the newest"),
    }
    check(registry, "line", 2)


def test_keeps_shares_pins_and_shadow(registry: Path) -> None:
    """Every version that a route names in any way stays."""
    shelf = registry / "routes" / "line"
    digests = {str(number): "0123456789abcdef" for number in range(1, 9)}
    for make in (
        lambda current: split(current, {"4": 90.0, "3": 10.0}, {"qa": "1"}),
        lambda current: shadowed(current, "5"),
    ):
        write_route(shelf, finished(make(current_route(shelf)), digests, "", ""))
    assert prune(registry, "line", 1).deleted == ["2", "6", "7"], "rollback would return to 4"
    assert versions(registry) == ["1", "3", "4", "5", "8"]


def test_without_a_route(tmp_path: Path) -> None:
    """A model without a route keeps its newest versions."""
    for _ in range(3):
        published(tmp_path / "registry", "line")
    assert prune(tmp_path / "registry", "line", 1).deleted == ["1", "2"]
    assert versions(tmp_path / "registry") == ["3"]


def test_dry_run_deletes_nothing(registry: Path) -> None:
    """A dry run says the same and deletes nothing."""
    before = versions(registry)
    said = prune(registry, "line", 3, dry_run=True)
    assert versions(registry) == before
    assert prune(registry, "line", 3) == said


def test_what_killed_commands_left(registry: Path) -> None:
    """A publisher's folder of long ago goes; one that may still be at work stays."""
    old, new = registry / "line" / ".publishing-old", registry / "line" / ".publishing-new"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, time.time() - ABANDONED_SECONDS - 1))
    assert prune(registry, "line", 8).abandoned == 1
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("model", ["none", "routes"])
def test_unknown_model(registry: Path, model: str) -> None:
    """A model that isn't there is refused, and no folder is made for it."""
    with pytest.raises(Refused, match=f"no model '{model}'"):
        prune(registry, model, 1)
    assert not (registry / "routes" / model).exists()


def test_waits_for_a_command(registry: Path) -> None:
    """While a command changes the route nothing is deleted: it may want an old version."""
    with locked(registry, "line"):
        thread = threading.Thread(target=prune, args=(registry, "line", 1))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        assert len(versions(registry)) == 8
    thread.join(10)
    assert versions(registry) == ["2", "4", "8"]
