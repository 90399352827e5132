"""The registry of a replica: what is loaded is found, and what isn't says why."""

import pytest

from service.errors import NotFound, NotReady
from service.versions.registry import Registry
from service.versions.route import Fallback, Route
from tests.fakes import fake_version


@pytest.fixture
def registry() -> Registry:
    """Return a registry that holds versions 1 and 10 of `m`, the first of them routed."""
    registry = Registry()
    registry.routes = {"m": routed({"1": 100.0}), "n": routed({"2": 100.0})}
    registry.read = True
    for number in (10, 1):
        registry.hold(fake_version(number=number))
    return registry


def routed(weights: dict[str, float], **more: object) -> Route:
    """Return a route of `weights`."""
    return Route(weights=weights, time="2026-01-01", user="", reason="", **more)


def test_not_read_yet() -> None:
    """Before the routes have been read nothing is ready, and nothing pretends not to exist."""
    registry = Registry()
    assert registry.missing() == {"registry": "its routes haven't been read yet"}
    assert registry.versions("m") == []
    with pytest.raises(NotReady, match="m version 1 is being loaded"):
        registry.get("m", "1", routed=True)


def test_loaded_versions_are_found(registry: Registry) -> None:
    """A loaded version is found by its number, and by its model where it is the routed one."""
    assert registry.get("m", "10", routed=False).number == "10"
    assert registry.get("m", "10", routed=True).number == "10"
    assert registry.current("m").number == "1"
    assert {each.number for each in registry.versions("m")} == {"1", "10"}
    assert registry.held() == {("m", "1"), ("m", "10")}


def test_unknown(registry: Registry) -> None:
    """An unknown model or version is named, with what there is instead."""
    with pytest.raises(NotFound, match="no model 'x'; there are: m, n"):
        registry.current("x")
    with pytest.raises(NotFound, match="no model 'x'; there are: m, n"):
        registry.get("x", "1", routed=False)
    with pytest.raises(NotFound, match="m version 7 isn't loaded; versions here: 10, 1"):
        registry.get("m", "7", routed=False)
    with pytest.raises(NotFound, match="n version 7 isn't loaded; versions here: none"):
        registry.get("n", "7", routed=False)


def test_not_here_yet(registry: Registry) -> None:
    """A version that a route chose and that isn't here is a matter of time: another replica."""
    with pytest.raises(NotReady, match="n version 2 is being loaded"):
        registry.current("n")
    registry.refused = {("n", "2"): "its files are gone"}
    for routed_ in (True, False):
        with pytest.raises(NotReady, match="n version 2 is refused: its files are gone"):
            registry.get("n", "2", routed=routed_)


def test_only_what_clients_get_is_missing(registry: Registry) -> None:
    """Shares and pins keep a replica from being ready; shadow, wishes and the way back don't."""
    registry.routes = {
        "m": routed({"1": 90.0, "2": 10.0}, pins={"k": "3"}, shadow="4", fallbacks=(Fallback(1, "5"),))
    }
    registry.wanted = tuple(("m", str(number)) for number in range(1, 7))
    registry.refused = {("m", "3"): "no", ("m", "4"): "no", ("m", "6"): "no"}
    assert registry.missing() == {"m/2": "being loaded", "m/3": "no"}
    for number in (2, 3):
        registry.hold(fake_version(number=number))
    assert registry.missing() == {}


def test_states(registry: Registry) -> None:
    """Whatever is loaded, wanted or refused has a state, by model and number, and a reason for it."""
    registry.wanted = (("n", "2"), ("m", "3"), ("m", "1"))
    registry.refused = {("m", "3"): "broken"}
    registry.damaged = {("m", "10"): "gone"}
    assert registry.states() == [
        ("m", "1", "READY", ""),
        ("m", "3", "UNAVAILABLE", "broken"),
        ("m", "10", "READY", "in memory; on disk: gone"),
        ("n", "2", "LOADING", "being loaded"),
    ]


def test_holding_and_releasing(registry: Registry) -> None:
    """What is held is no longer refused; what is released is no longer damaged; both are told."""
    registry.refused = {("m", "2"): "broken", ("m", "3"): "broken"}
    registry.damaged = {("m", "1"): "gone", ("m", "10"): "gone"}
    registry.changed.clear()
    registry.hold(fake_version(number=2))
    assert registry.refused == {("m", "3"): "broken"}
    assert registry.changed.is_set()
    registry.changed.clear()
    registry.release([("m", "1"), ("m", "2")])
    assert registry.held() == {("m", "10")}
    assert registry.damaged == {("m", "10"): "gone"}
    assert registry.changed.is_set()


def test_a_refusal_that_is_taken_back_meanwhile(registry: Registry) -> None:
    """A reader that comes between two changes of the follower's thread finds one of them, no error."""

    class TakenBack(dict[tuple[str, str], str]):
        """Holds a key until somebody has looked for it."""

        def __contains__(self, key: object) -> bool:
            return True

    registry.refused = TakenBack()
    registry.wanted = (("n", "2"),)
    with pytest.raises(NotReady, match="n version 2 is being loaded"):
        registry.get("n", "2", routed=True)
    assert registry.states()[-1].state == "LOADING"
