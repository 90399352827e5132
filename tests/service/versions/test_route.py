"""Routes as replicas read them: what they say, and that a broken one is none and stops no other."""

import time
from pathlib import Path

import msgspec
import pytest

from service.versions.route import (
    Fallback,
    Route,
    RouteReader,
    Staged,
    generation_of,
    read_route,
    read_routes,
    read_staged,
)
from tests.service.followed import route_to, stage


def test_one_version() -> None:
    """A route to one version is settled, and that version is all that is kept."""
    route = Route(weights={"7": 100.0}, time="", user="", reason="")
    assert (route.primary, route.settled) == ("7", True)
    assert route.answering == route.kept == {"7"}


def test_several_versions() -> None:
    """A split names who answers, who is kept besides, and the one with the largest share."""
    route = Route(
        weights={"9": 40.0, "10": 40.0, "8": 20.0},
        time="",
        user="",
        reason="",
        shadow="11",
        pins={"k": "12"},
        fallbacks=(Fallback(3, "7"),),
    )
    assert (route.primary, route.settled) == ("9", False), "of equal ones the oldest"
    assert route.answering == {"8", "9", "10", "12"}
    assert route.kept == {*route.answering, "11", "7"}


def test_pins_unsettle() -> None:
    """One version for all but a tester isn't one for everybody."""
    route = Route(weights={"1": 100.0}, time="", user="", reason="", pins={"k": "1"})
    assert not route.settled


def test_read_routes(own_lines: Path) -> None:
    """Only whole routes of well-named models are read."""
    routes = own_lines / "routes"
    (routes / "being-made").mkdir()
    (routes / ".hidden").mkdir()
    (routes / ".hidden" / "current").symlink_to((routes / "a" / "current").resolve())
    (routes / "dangling").mkdir()
    (routes / "dangling" / "current").symlink_to("000001-1.0123456789abcdef.edge")
    (routes / "foreign" / "000001").mkdir(parents=True)
    (routes / "foreign" / "current").symlink_to("000001")
    found = read_routes(own_lines)
    assert list(found) == ["a", "b"]
    assert [route.weights for route in found.values()] == [{"1": 100.0}, {"1": 100.0}]


BROKEN = [
    b"",
    b"{",
    b"\xff",
    b'{"weights": {"1": 100}, "time": "", "user": "\xff", "reason": ""}',
    b'{"weights": {}, "time": "", "user": "", "reason": ""}',
    b'{"weights": {"one": 100}, "time": "", "user": "", "reason": ""}',
    b'{"weights": {"1": 100}, "time": "", "user": "", "reason": "", "shadow": "../x"}',
    b'{"weights": {"1": 100}, "time": "", "user": "", "reason": "", "pins": {"k": ""}}',
    b'{"weights": {"1": 100}, "time": "", "user": "", "reason": "", "breached": "../x"}',
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_route_stops_no_other(own_lines: Path, content: bytes) -> None:
    """A route that can't be read, or names what can't be a version, counts as none."""
    shelf = own_lines / "routes" / "a"
    (shelf / "current" / "route.json").write_bytes(content)
    assert list(read_routes(own_lines)) == ["b"]
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        read_route(shelf)


def test_an_old_route_is_read(own_lines: Path) -> None:
    """A route of a release that knew less of it is read; what is lacking has its default."""
    shelf = own_lines / "routes" / "a"
    content = b'{"weights": {"1": 100}, "time": "", "user": "", "reason": ""}'
    (shelf / "current" / "route.json").write_bytes(content)
    found = read_route(shelf)
    assert (found.weights, found.shadow, found.breached) == ({"1": 100.0}, "", "")


def test_a_split_is_read(own_lines: Path) -> None:
    """A route of several versions is found under its generation's name."""
    route_to(own_lines, "a", {"1": 90.0, "2": 10.0}, shadow="3")
    shelf = own_lines / "routes" / "a"
    assert generation_of(shelf)["split"] == "split"
    assert read_routes(own_lines)["a"] == read_route(shelf)
    assert read_route(shelf).kept == {"1", "2", "3"}


def test_a_generation_is_read_once(own_lines: Path) -> None:
    """What never changes isn't read again four times a second; a new generation is."""
    reader = RouteReader(own_lines)
    before = reader.routes()
    (own_lines / "routes" / "a" / "current" / "route.json").unlink()
    assert reader.routes() == before
    route_to(own_lines, "a", {"2": 100.0})
    assert reader.routes()["a"].primary == "2"


def test_staged(own_lines: Path) -> None:
    """What a command wants loaded is read by model."""
    assert RouteReader(own_lines).staged() == {}
    stage(own_lines, "a", "3", "4", command="c")
    wish = RouteReader(own_lines).staged()
    assert list(wish) == ["a"]
    assert (wish["a"].versions, wish["a"].command) == (("3", "4"), "c")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"{}",
        msgspec.json.encode(Staged(("1",), "c", time.time() - 1)),
        msgspec.json.encode(Staged(("one",), "c", time.time() + 600)),
    ],
)
def test_no_wish(own_lines: Path, content: bytes) -> None:
    """A wish that is over, or can't be read, is none."""
    stage(own_lines, "a", "1").write_bytes(content)
    assert read_staged(own_lines / "routes" / "a") is None
    assert RouteReader(own_lines).staged() == {}
