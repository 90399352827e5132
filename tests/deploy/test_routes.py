"""Routes: a version is made live by one rename, or nothing changes; the history stays."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from deploy import routes
from deploy.errors import Refused
from deploy.routes import Route, activate, check, routed
from service.manifest import read_manifest
from service.registry import read_routes
from tests.published import damage, published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry in which `line` has three versions and no route."""
    for _ in range(3):
        published(tmp_path / "registry", "line")
    return tmp_path / "registry"


def tree(folder: Path) -> dict[str, str]:
    """Return everything in a folder: links with where they point, files with what they hold."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes().hex()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def history(shelf: Path) -> list[Route]:
    """Return what the generations say, the oldest first."""
    return [
        msgspec.json.decode(path.read_bytes(), type=Route)
        for path in sorted(shelf.glob("[0-9]*/route.json"))
    ]


def test_first_route(registry: Path) -> None:
    """The first activation makes a generation whose name says all that nginx has to know."""
    assert not routed(registry, "line")
    route = activate(registry, "line", 2, "because")
    assert routed(registry, "line")
    assert read_routes(registry) == {"line": "2"}
    shelf = registry / "routes" / "line"
    digest = read_manifest(registry / "line" / "2").digest[:16]
    assert os.readlink(shelf / "current") == f"000001-2.{digest}.edge"
    # What nginx does: the real path of `current` ends with the generation's name.
    assert (shelf / "current").resolve(strict=True).name == f"000001-2.{digest}.edge"
    assert history(shelf) == [route]
    assert (route.weights, route.reason) == ({"2": 100.0}, "because")


def test_route_stands_without_its_version(registry: Path) -> None:
    """A version's folder that is deleted by hand doesn't take the route along."""
    activate(registry, "line", 1, "")
    (registry / "line" / "1").rename(registry / "gone")
    assert (registry / "routes" / "line" / "current").resolve(strict=True).is_dir()
    assert read_routes(registry) == {"line": "1"}


def test_history_is_kept(registry: Path) -> None:
    """Each activation is a generation of its own; earlier ones are never changed."""
    shelf = registry / "routes" / "line"
    before: dict[str, str] = {}
    for count, version in enumerate((1, 3, 2, 2), start=1):
        activate(registry, "line", version, f"reason {count}")
        assert read_routes(registry) == {"line": str(version)}
        now = {name: held for name, held in tree(shelf).items() if name != "current"}
        assert now.items() >= before.items()
        before = now
    assert [route.reason for route in history(shelf)] == [f"reason {n}" for n in (1, 2, 3, 4)]
    assert [list(route.weights) for route in history(shelf)] == [["1"], ["3"], ["2"], ["2"]]


def test_edge_cache(registry: Path) -> None:
    """A route keeps its answers at the edge or doesn't, as was said last; the history tells."""
    current = registry / "routes" / "line" / "current"
    for asked, expected in [(None, True), (False, False), (None, False), (True, True), (None, True)]:
        route = activate(registry, "line", 1, "", asked)
        assert route.edge_cache is expected
        assert os.readlink(current).endswith(".edge") is expected
        assert read_routes(registry) == {"line": "1"}
    assert [each.edge_cache for each in history(current.parent)] == [True, False, False, True, True]


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
    assert read_routes(registry) == {"line": "1"}


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
        assert read_routes(registry) == {"line": "1"}
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(KeyboardInterrupt):
            activate(registry, "line", 2, "interrupted")
    assert renames == [(".current", "current")]
    assert read_routes(registry) == {"line": "1"}
    activate(registry, "line", 3, "again")
    assert read_routes(registry) == {"line": "3"}
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
            seen.add(read_routes(registry).get("line", "none"))
        assert all(job.result() for job in jobs)
    shelf = registry / "routes" / "line"
    reasons = [route.reason for route in history(shelf)]
    assert len(reasons) == 31
    assert set(reasons) == {"first", *(f"job {n}" for n in range(30))}
    assert os.readlink(shelf / "current").startswith("000031-")
    assert [read_routes(registry)["line"]] == list(history(shelf)[-1].weights)
    assert seen <= {"1", "2", "3"}


def test_user_without_a_name(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user need not have a name: then the route has its number."""
    monkeypatch.setattr(routes.getpass, "getuser", lambda: {}["no name"])
    assert activate(registry, "line", 1, "").user == str(os.getuid())
