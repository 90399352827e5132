"""What a replica should hold, and in which order where there isn't room for everything."""

import pytest

from service.versions.route import Fallback, Route, Staged
from service.versions.wanted import wanted


def route(time: str, *versions: str, shadow: str = "", fallback: str = "", pin: str = "") -> Route:
    """Return a route in which the first version has the largest share."""
    return Route(
        weights={version: 50.0 / 2**place for place, version in enumerate(versions)},
        time=time,
        user="",
        reason="",
        shadow=shadow,
        pins={"tester": pin} if pin else {},
        fallbacks=(Fallback(1, fallback),) if fallback else (),
    )


ROUTES = {
    "old": route("2026-01-01", "3", "2", shadow="4", fallback="1"),
    "new": route("2026-02-01", "10", "9", shadow="11", fallback="8", pin="7"),
}
STAGED = {"old": Staged(("6", "2"), "command", 0.0)}
# Answering, of the latest route first and its largest share before all; shadows; wishes.
NEEDED = ["new/10", "new/7", "new/9", "old/3", "old/2", "new/11", "old/4", "old/6"]
FALLBACKS = ["new/8", "old/1"]


@pytest.mark.parametrize(
    ("most", "held", "surplus"),
    [
        (32, NEEDED + FALLBACKS, []),
        (10, NEEDED + FALLBACKS, []),
        (9, NEEDED + FALLBACKS[:1], []),
        (8, NEEDED, []),
        (7, NEEDED[:7], NEEDED[7:]),
        (1, NEEDED[:1], NEEDED[1:]),
    ],
)
def test_order(most: int, held: list[str], surplus: list[str]) -> None:
    """Clients come before shadows, those before wishes; what rollback returns to takes what is left."""
    found = wanted(ROUTES, STAGED, most)
    assert ["/".join(key) for key in found.held] == held
    assert ["/".join(key) for key in found.surplus] == surplus


def test_nothing() -> None:
    """Without routes and wishes nothing is wanted."""
    assert wanted({}, {}, 32) == ((), ())


def test_a_model_without_a_route() -> None:
    """A wish for a model that has no route yet is one like any other."""
    assert wanted({}, {"m": Staged(("1",), "command", 0.0)}, 32).held == (("m", "1"),)


def test_a_fallback_that_is_needed_counts_once() -> None:
    """What rollback returns to may answer still; it isn't counted twice, and never lacks its room."""
    found = wanted({"m": route("2026-01-01", "2", "1", fallback="1")}, {}, 2)
    assert found == ((("m", "2"), ("m", "1")), ())
