"""The command that shows routes: the ones in force and before, for people and for machines."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from deploy.routing.changes import Draft
from deploy.routing.generations import current_route, withdraw, write_route
from deploy.routing.routes import activate, finished, locked
from service.versions.route import read_routes
from tests.published import published


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """Return a registry: `line` has been split after two routes, `other` has one, `never` none."""
    registry = tmp_path / "registry"
    for name in ("line", "line", "other", "never"):
        published(registry, name)
    activate(registry, "line", 1, "first")
    activate(registry, "line", 2, "see [/ticket 7] and [red]", edge_cache=False)
    draft = Draft({"1": 99.5, "2": 0.5}, edge_cache=False, shadow="2", pins={"qa": "2"})
    with locked(registry, "line") as shelf:
        current = current_route(shelf)
        assert current
        digests = {"1": "0" * 16, "2": "1" * 16}
        write_route(shelf, finished(draft, digests, "split", "a canary"))
    activate(registry, "other", 1, "")
    return registry


def show(registry: Path, command: str = "") -> Result:
    """Show routes."""
    environ = {"FLOTILLA_HOME": str(registry.parent)}
    return CliRunner().invoke(main, ["routes", *command.split()], env=environ)


def as_json(registry: Path, command: str = "") -> list[dict[str, Any]]:
    """Return what machines are shown."""
    result = show(registry, f"{command} --json")
    assert result.exit_code == 0, result.output
    entries: list[dict[str, Any]] = json.loads(result.output)
    return entries


def test_for_people(registry: Path) -> None:
    """Each model's routes are lines of a table, the latest first, the one in force marked."""
    result = show(registry)
    assert result.exit_code == 0
    head, *lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert head == "model route versions shadow edge since who how why"
    user = read_routes(registry)["line"].user
    expected = [
        ("line 3 active 1: 99.5 %, 2: 0.5 %, qa → 2 2 off", f"{user} split a canary"),
        ("line 2 2: 100 % off", f"{user} activate see [/ticket 7] and [red]"),
        ("line 1 1: 100 % on", f"{user} activate first"),
        ("other 1 active 1: 100 % on", f"{user} activate"),
    ]
    for line, (start, end) in zip(lines, expected, strict=True):
        assert line.startswith(start)
        assert line.endswith(end)
    since = read_routes(registry)["line"].time[:19].replace("T", " ")
    assert f" {since} " in lines[0]


def test_for_machines(registry: Path) -> None:
    """An entry has everything that the route says."""
    entries = as_json(registry)
    assert [(e["model"], e["number"], e["active"]) for e in entries] == [
        ("line", 3, True),
        ("line", 2, False),
        ("line", 1, False),
        ("other", 1, True),
    ]
    route = read_routes(registry)["line"]
    assert entries[0] == {
        "model": "line",
        "number": 3,
        "active": True,
        "weights": {"1": 99.5, "2": 0.5},
        "time": route.time,
        "user": route.user,
        "reason": "a canary",
        "command": "split",
        "edge_cache": False,
        "shadow": "2",
        "pins": {"qa": "2"},
        "digests": {"1": "0" * 16, "2": "1" * 16},
        "fallbacks": [],
        "breached": "",
    }
    assert [each["version"] for each in entries[1]["fallbacks"]] == ["1"]


def test_one_model(registry: Path) -> None:
    """Only the routes of a model that is named are shown."""
    assert {entry["model"] for entry in as_json(registry, "other")} == {"other"}
    assert "other" not in show(registry, "line").output


@pytest.mark.parametrize("model", ["never", "lime", "*", "/line", "../registry", "li*"])
def test_model_without_a_route(registry: Path, model: str) -> None:
    """A model that has no route, or doesn't exist, is named."""
    result = show(registry, model)
    assert (result.exit_code, result.output) == (
        1,
        f"Error: no model {model!r} has a route in {registry}\n",
    )


def test_no_routes(tmp_path: Path) -> None:
    """Where nothing is routed there is an empty table, and an empty list for machines."""
    assert as_json(tmp_path / "registry") == []
    assert len(show(tmp_path / "registry").output.splitlines()) == 1


def test_last(registry: Path) -> None:
    """Of each model only so many routes are shown, ten unless told otherwise."""
    assert [e["number"] for e in as_json(registry, "line -n 2")] == [3, 2]
    for _ in range(10):
        activate(registry, "line", 1, "")
    assert [e["number"] for e in as_json(registry, "line")] == list(range(13, 3, -1))
    wrong = show(registry, "-n 0")
    assert wrong.exit_code == 2
    assert wrong.output.endswith(
        "Error: Invalid value for '-n' / '--last': 0 is not in the range x>=1.\n"
    )


def test_withdrawn_route(registry: Path) -> None:
    """A route that didn't do was none."""
    activate(registry, "line", 2, "bad")
    with locked(registry, "line") as shelf:
        withdraw(shelf, 4, "000003-split", "it failed")
    assert [(e["number"], e["active"]) for e in as_json(registry, "line")] == [
        (3, True),
        (2, False),
        (1, False),
    ]
