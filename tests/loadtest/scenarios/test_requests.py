"""What a scenario asks for, and the judgement of replies."""

from collections import Counter

import msgspec
import pytest

from deploy.errors import Refused
from loadtest.payloads import MARK
from loadtest.scenarios.answers import Same
from loadtest.scenarios.bad_input import BAD
from loadtest.scenarios.book import Bank
from loadtest.scenarios.requests import Request, chooser, version_of, wrong
from loadtest.scenarios.scenarios import Asks

BODIES = [b'{"instances": [[%d.%s, 2.0]]}' % (number, MARK) for number in range(50)]


def bank(model: str = "m", *, unique: bool = True) -> Bank:
    """Return a bank of fifty rows."""
    return Bank(model, f"/v1/models/{model}:predict", unique, BODIES, Same())


def some(asks: Asks, *banks: Bank, count: int = 2000) -> list[Request]:
    """Return the first requests of a scenario."""
    choose = chooser(asks, banks or [bank()])
    return [choose() for _ in range(count)]


@pytest.mark.parametrize("asks", ["unique", "batch"])
def test_unique(asks: Asks) -> None:
    """No body comes twice, and each is JSON without a mark."""
    bodies = Counter(request.sent.body for request in some(asks))
    assert bodies.total() == len(bodies)
    assert all(MARK not in body and msgspec.json.decode(body) for body in bodies)


def test_favourites() -> None:
    """Repeats come by Zipf's law: the first about twice as often as the second, the last rarely."""
    places = Counter(request.place for request in some("favourites", count=9000))
    assert len({request.sent.body for request in some("favourites")}) <= len(BODIES)
    assert places[0] == pytest.approx(2000, rel=0.15)
    assert places[1] == pytest.approx(1000, rel=0.2)
    assert places[49] < 100


def test_mix() -> None:
    """Four of five rows are new, the others favourites."""
    numbers = [request.number for request in some("mix")]
    assert numbers.count(0) == pytest.approx(400, rel=0.25)


def test_all_models_get_their_share() -> None:
    """With several models each is asked for as often, by its own path."""
    paths = Counter(request.sent.path for request in some("mix", bank("a"), bank("b")))
    assert paths["/v1/models/a:predict"] == pytest.approx(1000, rel=0.15)
    assert paths["/v1/models/b:predict"] == pytest.approx(1000, rel=0.15)


def test_rows_that_cannot_be_unique() -> None:
    """They repeat where that does no harm, and are refused where it would make the scenario a lie."""
    fixed = bank("whole-numbers", unique=False)
    assert {request.number for request in some("mix", fixed)} == {0}
    with pytest.raises(Refused, match="no row of whole-numbers can be made unique"):
        chooser("unique", [fixed])


def test_bad() -> None:
    """Half of the requests are bad, of every kind."""
    requests = some("bad")
    kinds = Counter(request.bad.kind for request in requests if request.bad)
    assert kinds.total() == pytest.approx(1000, rel=0.15)
    assert set(kinds) == {bad.kind for bad in BAD}


def test_right_reply() -> None:
    """The same answer to the same row is right, a first one as well."""
    request = Request("n", some("favourites")[0].sent, bank())
    for _ in range(2):
        assert wrong(request, 200, 3, b'{"predictions": [1]}') is None
    found = wrong(request, 200, 3, b'{"predictions": [2]}')
    assert found == "version 3 answered [2], for the same row [1] before"
    assert wrong(request, 200, 4, b'{"predictions": [2]}') is None, "another version may differ"


@pytest.mark.parametrize(
    ("status", "version", "content", "said"),
    [
        (500, 3, b"out of order", "status 500: out of order"),
        (200, None, b'{"predictions": [1]}', "no version in X-Model-Version"),
        (200, 3, b"{}", "no predictions in b'{}'"),
        (200, 3, b"<html>", "no predictions in b'<html>'"),
    ],
)
def test_wrong_reply(status: int, version: int | None, content: bytes, said: str) -> None:
    """Status, version and predictions are all looked at, and the sentence says which one it is."""
    request = Request("n", some("favourites")[0].sent, bank())
    assert wrong(request, status, version, content) == said


@pytest.mark.parametrize(
    ("header", "version"), [("12", 12), ("", None), (None, None), ("x", None), ("-1", None)]
)
def test_version_of(header: str | None, version: int | None) -> None:
    """A version is a number; anything else is none."""
    assert version_of(header) == version
