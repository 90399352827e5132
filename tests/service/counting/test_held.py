"""What a replica holds, at each scrape: versions, routes and the room that is left on disk."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from service.counting.held import HeldCollector
from service.versions.registry import Registry
from service.versions.route import Route
from tests.fakes import fake_version

M1, M2 = {"model": "m", "version": "1"}, {"model": "m", "version": "2"}
TIME = "2026-01-02T00:00:00+00:00"


@pytest.fixture
def registry() -> Registry:
    """Return a registry that holds version 1 of `m`, of which version 2 gets a fifth."""
    registry = Registry()
    registry.routes = {"m": route({"1": 80.0, "2": 20.0})}
    registry.wanted = (("m", "1"), ("m", "2"))
    registry.read = True
    registry.hold(fake_version(number=1))
    return registry


def route(weights: dict[str, float], time: str = TIME, breached: str = "") -> Route:
    """Return a route of `weights`."""
    return Route(weights=weights, time=time, user="", reason="", breached=breached)


def value(
    registry: Registry, name: str, folder: Path = Path("/nowhere"), **labels: str
) -> float | None:
    """Scrape, and return the value of one series, or None where there is none."""
    scraped = CollectorRegistry()
    scraped.register(HeldCollector(registry, folder))
    return scraped.get_sample_value(name, labels)


def test_versions(registry: Registry) -> None:
    """What is loaded is shown with its digest and engine, and no longer once it was let go of."""
    held = registry.find("m", "1")
    info = {**M1, "digest": held.manifest.digest[:12], "engine": held.engine.name}
    assert value(registry, "flotilla_model_info", **info) == 1
    assert value(registry, "flotilla_ready") == 0, "version 2 is missing"
    registry.hold(fake_version(number=2))
    assert value(registry, "flotilla_ready") == 1
    registry.release([("m", "1")])
    assert value(registry, "flotilla_model_info", **info) is None
    assert value(registry, "flotilla_ready") == 0


def test_damage(registry: Registry) -> None:
    """A loaded version is 0, and 1 while its files aren't what was published."""
    assert value(registry, "flotilla_model_damaged", **M1) == 0
    registry.damaged = {("m", "1"): "its SHA-256 is another one"}
    assert value(registry, "flotilla_model_damaged", **M1) == 1
    assert value(registry, "flotilla_model_damaged", **M2) is None, "it isn't loaded"


def test_refusals(registry: Registry) -> None:
    """A version that is wanted is 0, also while it is loaded, and 1 once it is refused."""
    for labels in (M1, M2):
        assert value(registry, "flotilla_version_refused", **labels) == 0
    registry.refused = {("m", "2"): "its SHA-256 is another one", ("n", "1"): "no room"}
    assert value(registry, "flotilla_version_refused", **M1) == 0
    assert value(registry, "flotilla_version_refused", **M2) == 1
    assert value(registry, "flotilla_version_refused", model="n", version="1") == 1


def test_route(registry: Registry) -> None:
    """Shares are shown as the route wants them, with the time when it was made."""
    assert value(registry, "flotilla_route_share", **M1) == 0.8
    assert value(registry, "flotilla_route_share", **M2) == 0.2
    assert value(registry, "flotilla_route_changed_timestamp_seconds", model="m") == 1767312000
    registry.routes = {"m": route({"1": 100.0}, time="yesterday")}
    assert value(registry, "flotilla_route_share", **M1) == 1
    assert value(registry, "flotilla_route_share", **M2) is None
    assert value(registry, "flotilla_route_changed_timestamp_seconds", model="m") == 0


def test_breach(registry: Registry) -> None:
    """A route that took a version back for its figures says when; any other one says 0."""
    assert value(registry, "flotilla_canary_breach_timestamp_seconds", model="m") == 0
    registry.routes = {"m": route({"1": 100.0}, breached="2")}
    assert value(registry, "flotilla_canary_breach_timestamp_seconds", model="m") == 1767312000


def test_disk(registry: Registry, tmp_path: Path) -> None:
    """The room of the registry's file system is shown; of one that is away no number is made up."""
    free, size = "flotilla_registry_free_bytes", "flotilla_registry_size_bytes"
    assert 0 < value(registry, free, tmp_path) <= value(registry, size, tmp_path)
    assert value(registry, free, tmp_path / "gone") is None
    assert value(registry, size, tmp_path / "gone") is None
