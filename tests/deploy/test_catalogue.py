"""The catalogue: everything that is published, and what is wrong with what can't be read."""

import re
from pathlib import Path

import pytest
from msgspec import to_builtins

from deploy.catalogue import Entry, read_catalogue, role_of
from deploy.routing.routes import activate
from service.versions.route import Route
from tests.published import published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry with eleven versions of `b` and one of `a`."""
    registry = tmp_path / "registry"
    for _ in range(11):
        published(registry, "b")
    published(registry, "a", metrics={"r2": 0.87654})
    activate(registry, "b", 10, "test")
    return registry


def test_everything_by_model_and_number(registry: Path) -> None:
    """All versions, and nothing else, are listed by number, with the one that answers marked."""
    (registry / "b" / "2.bak").mkdir()
    (registry / "b" / ".publishing-x").mkdir()
    entries = read_catalogue(registry)
    assert [(entry.model, entry.version) for entry in entries] == [
        ("a", 1),
        *(("b", number) for number in range(1, 12)),
    ]
    assert [(entry.model, entry.version) for entry in entries if entry.active] == [("b", 10)]


def test_entry(registry: Path) -> None:
    """An entry can be read by machines and by people."""
    entry = read_catalogue(registry)[0]
    assert entry.as_json() == {
        "model": "a",
        "version": 1,
        "active": False,
        "role": "",
        "created": entry.manifest.created,
        "digest": entry.manifest.digest,
        "engine": "linear",
        "compilation": to_builtins(entry.manifest.compilation, str_keys=True),
        "metrics": {"r2": 0.87654},
    }
    assert entry.cells()[:3] == ("a", "1", "")
    assert entry.cells()[5:] == ("2 numbers", "predict", "r2 0.8765")


def test_engine_cell(registry: Path) -> None:
    """A compiled version is shown with how many times as fast it is, any other without."""
    published(registry, "a", engine="sklearn")
    compiled, asked = (entry.cells()[4] for entry in read_catalogue(registry)[:2])
    assert re.fullmatch(r"linear, [\d.]+x", compiled)
    assert asked == "sklearn"


def test_what_cannot_be_read(registry: Path) -> None:
    """A version that can't be read is listed with its problem, beside the others."""
    (registry / "b" / "3" / "manifest.json").write_bytes(b'{"name": "\xff"}')
    (registry / "b" / "4" / "manifest.json").unlink()
    entries = {(entry.model, entry.version): entry for entry in read_catalogue(registry)}
    assert len(entries) == 12
    assert "manifest.json: " in entries["b", 3].as_json()["problem"]
    assert entries["b", 4].cells()[-1] == "manifest.json: No such file or directory"


def test_empty(tmp_path: Path) -> None:
    """A registry that isn't there yet has nothing in it."""
    assert read_catalogue(tmp_path / "registry") == []


def test_roles(registry: Path) -> None:
    """What a route makes of a version is said in a word; only versions that clients get are active."""
    route = Route(
        weights={"1": 99.5, "2": 0.5}, pins={"qa": "3"}, shadow="4", time="", user="", reason=""
    )
    said = {version: role_of(route, version) for version in "12345"}
    assert said == {"1": "99.5 %", "2": "0.5 %", "3": "pinned", "4": "shadow", "5": ""}
    assert role_of(None, "1") == ""
    assert [Entry("a", 1, role, None).active for role in said.values()] == [
        True,
        True,
        True,
        False,
        False,
    ]
