"""What each command makes of a route: shares, pins, shadow, and where rollback leads."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from deploy.errors import Refused
from deploy.routing.changes import PINNED_KEY, Draft, activated, promoted, rolled_back, shadowed, split
from deploy.routing.routes import finished
from service.versions.route import Route

NO_ROUTE = "the model has no route yet; make one with: flotilla activate MODEL VERSION"


@dataclass
class Model:
    """A model whose route is changed by one command after the other; nothing is on disk."""

    routes: dict[int, Route] = field(default_factory=dict)

    @property
    def current(self) -> tuple[int, Route] | None:
        """Number and route of the last change."""
        return (len(self.routes), self.routes[len(self.routes)]) if self.routes else None

    @property
    def route(self) -> Route:
        """The last route."""
        return self.routes[len(self.routes)]

    def make(self, draft: Draft) -> Route:
        """Put a draft in force."""
        number = len(self.routes) + 1
        digests = dict.fromkeys(draft.versions, "0" * 16)
        self.routes[number] = finished(draft, digests, "test", "")
        return self.routes[number]

    def do(self, *commands: str) -> Route:
        """Carry out commands: '2', '1=90 2=10', '1=90 2=10 qa:2', 'shadow 3', 'promote', 'back'."""
        for command in commands:
            self.make(self._draft(command))
        return self.route

    def _draft(self, command: str) -> Draft:
        if command == "promote":
            return promoted(self.current)
        if command == "back":
            return rolled_back(self.current)
        if command.startswith("shadow"):
            return shadowed(self.current, command.removeprefix("shadow").strip())
        if "=" not in command:
            return activated(self.current, command)
        words = command.split()
        weights = dict(word.split("=") for word in words if "=" in word)
        pins = dict(word.split(":") for word in words if ":" in word)
        return split(self.current, {v: float(share) for v, share in weights.items()}, pins or None)


def refusal(change: Callable[[], object]) -> str:
    """Return the sentence with which a change is refused."""
    with pytest.raises(Refused) as refused:
        change()
    return str(refused.value)


@pytest.mark.parametrize(
    ("commands", "weights", "shadow", "pins"),
    [
        (["1"], {"1": 100}, "", {}),
        (["1", "2"], {"2": 100}, "", {}),
        (["1=90 2=10"], {"1": 90, "2": 10}, "", {}),
        (["1", "1=99.9 2=0.1"], {"1": 99.9, "2": 0.1}, "", {}),
        (["1", "1=33.3 2=33.3 3=33.4"], {"1": 33.3, "2": 33.3, "3": 33.4}, "", {}),
        (["1", "1=0 2=100"], {"2": 100}, "", {}),
        # A change of shares leaves pins and shadow, which may have a share as well, but not all.
        (["1", "1=90 2=10 qa:3", "1=50 2=50"], {"1": 50, "2": 50}, "", {"qa": "3"}),
        (["1", "shadow 3", "1=90 2=10"], {"1": 90, "2": 10}, "3", {}),
        (["1", "shadow 3", "1=90 3=10"], {"1": 90, "3": 10}, "3", {}),
        (["1", "1=90 3=10", "shadow 3"], {"1": 90, "3": 10}, "3", {}),
        (["1", "shadow 3", "3=100"], {"3": 100}, "", {}),
        # A change of the shadow leaves shares and pins.
        (["1", "1=90 2=10 qa:2", "shadow 3"], {"1": 90, "2": 10}, "3", {"qa": "2"}),
        (["1", "shadow 3", "shadow 4"], {"1": 100}, "4", {}),
        (["1", "1=90 2=10 qa:2", "shadow 3", "shadow"], {"1": 90, "2": 10}, "", {"qa": "2"}),
        # One version for everybody ends everything that was tried.
        (["1", "1=90 2=10 qa:2", "shadow 3", "2"], {"2": 100}, "", {}),
        (["1", "shadow 3", "3"], {"3": 100}, "", {}),
        (["1", "1=90 2=10 qa:3", "shadow 4", "back"], {"1": 100}, "", {}),
        (["1", "1=90 2=10", "promote"], {"2": 100}, "", {}),
        (["1", "1=50 2=50", "promote"], {"2": 100}, "", {}),
        (["1", "1=10 2=90", "promote"], {"2": 100}, "", {}),
        (["2", "1=50 2=50", "promote"], {"1": 100}, "", {}),
        (["2", "1=90 2=10", "promote"], {"1": 100}, "", {}),
        (["1=90 2=10", "promote"], {"2": 100}, "", {}),
        (["1", "2=60 3=40", "promote"], {"3": 100}, "", {}),
        (["1", "shadow 3", "promote"], {"3": 100}, "", {}),
        (["1", "2", "shadow 3", "promote"], {"3": 100}, "", {}),
        (["1", "1=100 qa:2", "promote"], {"2": 100}, "", {}),
    ],
)
def test_what_answers(
    commands: list[str], weights: dict[str, float], shadow: str, pins: dict[str, str]
) -> None:
    """After these commands these versions answer, in these shares, to these keys, with this shadow."""
    route = Model().do(*commands)
    assert route.weights == weights
    assert (route.shadow, route.pins) == (shadow, pins)


@pytest.mark.parametrize(
    ("commands", "fallback"),
    [
        (["1"], None),
        (["1", "1"], None),
        (["1", "2"], (1, "1")),
        (["1", "2", "2"], (1, "1")),
        (["1", "2", "3"], (2, "2")),
        # What is being tried doesn't count as a step, however often it changes.
        (["1", "1=90 2=10"], (1, "1")),
        (["1", "1=90 2=10", "1=50 2=50", "1=10 2=90"], (1, "1")),
        (["1", "1=90 2=10", "1=50 2=50", "2=100"], (1, "1")),
        (["1", "1=90 2=10", "promote"], (1, "1")),
        (["1", "1=90 2=10", "3"], (1, "1")),
        (["1", "2", "shadow 3"], (1, "1")),
        (["1", "2", "shadow 3", "shadow"], (1, "1")),
        (["1", "2", "shadow 3", "promote"], (3, "2")),
        (["1", "1=100 qa:2"], (1, "1")),
        (["1=90 2=10"], None),
        (["1=90 2=10", "2"], None),
        # Going back leads to where that one would have gone back to.
        (["1", "2", "back"], None),
        (["1", "2", "3", "back"], (1, "1")),
        (["1", "2", "3", "back", "3"], (4, "2")),
    ],
)
def test_fallback(commands: list[str], fallback: tuple[int, str] | None) -> None:
    """A route knows the last one in which another version answered everybody."""
    route = Model().do(*commands)
    found = route.fallback
    assert (found and (found.generation, found.version)) == fallback
    if found:
        assert found.digest == "0" * 16, "so that going back needs nothing from disk"


@pytest.mark.parametrize(
    ("commands", "versions"),
    [
        (["1", "2"], ["1"]),
        (["1", "2", "3"], ["2", "1"]),
        (["1", "2", "3", "4"], ["3", "2", "1"]),
        (["1", "2", "1", "2"], ["1", "2", "1"]),
        (["1", "2", "2=90 3=10"], ["2", "1"]),
        (["1", "2", "2=90 3=10", "2=50 3=50 qa:4", "shadow 5"], ["2", "1"]),
        (["1", "2", "2=90 3=10", "promote"], ["2", "1"]),
        (["1", "2", "shadow 3", "promote", "4"], ["3", "2", "1"]),
        (["1", "2", "shadow 3", "shadow"], ["1"]),
        # A trial that was ended by activating the version from before: that one answers already.
        (["1", "2", "2=90 3=10", "2"], ["1"]),
        (["1", "2", "2=90 3=10", "2", "2=90 3=10", "2=100"], ["1"]),
        (["1", "2", "2=90 3=10", "2", "3"], ["2", "1"]),
        (["1", "1=90 2=10", "1"], []),
        # Forward again after going back.
        (["1", "2", "3", "back", "4"], ["2", "1"]),
        (["1", "2", "3", "back", "back", "4"], ["1"]),
    ],
)
def test_rollback(commands: list[str], versions: list[str]) -> None:
    """Rollback goes to the last version that answered everybody, again goes further back, and ends."""
    model = Model()
    model.do(*commands)
    for version in versions:
        route = model.do("back")
        assert (route.weights, route.pins, route.shadow) == ({version: 100}, {}, "")
    last = model.route.primary
    assert refusal(lambda: model.do("back")) == (
        f"nothing to go back to: version {last} has answered from the beginning"
    )


def test_a_long_history() -> None:
    """Rollback goes back a number of times; a route doesn't grow with every change."""
    model = Model()
    model.do(*(str(number) for number in range(1, 30)))
    assert [each.version for each in model.route.fallbacks] == [str(n) for n in range(28, 18, -1)]


def test_edge_cache() -> None:
    """A change leaves it to nginx to keep answers, or not, as it was; rollback as it was back then."""
    model = Model()
    for asked, expected in [(None, True), (False, False), (None, False), (True, True)]:
        assert model.make(activated(model.current, "1", asked)).edge_cache is expected
    model.make(activated(model.current, "2", False))
    assert not model.do("2=90 3=10").edge_cache
    assert not model.do("shadow 4").edge_cache
    assert not model.do("3").edge_cache
    assert not model.do("back").edge_cache
    assert model.do("back").edge_cache
    assert not activated(None, "1", False).edge_cache


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"1": 90, "2": 11}, "the shares have to add up to 100 percent, these make 101"),
        ({"1": 90}, "the shares have to add up to 100 percent, these make 90"),
        ({}, "the shares have to add up to 100 percent, these make 0"),
        (
            {"1": 99.95, "2": 0.05},
            "version 1: its share is 0 to 100 percent in steps of 0.1, got 99.95",
        ),
        ({"1": 110, "2": -10}, "version 1: its share is 0 to 100 percent in steps of 0.1, got 110"),
        ({"2": -10, "1": 110}, "version 2: its share is 0 to 100 percent in steps of 0.1, got -10"),
        (
            {"1": float("nan"), "2": 10},
            "version 1: its share is 0 to 100 percent in steps of 0.1, got nan",
        ),
        (
            {"1": float("inf"), "2": 10},
            "version 1: its share is 0 to 100 percent in steps of 0.1, got inf",
        ),
    ],
)
def test_shares_that_cannot_be(weights: dict[str, float], said: str) -> None:
    """Shares are refused unless they are tenths of a percent that make 100."""
    assert refusal(lambda: split(None, weights)) == said


@pytest.mark.parametrize(
    ("commands", "command", "said"),
    [
        ([], "shadow 2", NO_ROUTE),
        ([], "promote", NO_ROUTE),
        ([], "back", NO_ROUTE),
        (
            ["1", "2"],
            "shadow 2",
            "version 2 answers everybody already; a shadow is another version",
        ),
        (["1"], "promote", "nothing to promote: version 1 is the only one that the route names"),
        (["1", "2"], "promote", "nothing to promote: version 2 is the only one that the route names"),
        (
            ["1", "1=80 2=10 10=10"],
            "promote",
            "versions 2, 10 are being tried; say which one: flotilla activate MODEL VERSION",
        ),
        (
            ["1", "1=90 2=10", "shadow 3"],
            "promote",
            "versions 2, 3 are being tried; say which one: flotilla activate MODEL VERSION",
        ),
        (["1"], "back", "nothing to go back to: version 1 has answered from the beginning"),
    ],
)
def test_refusals(commands: list[str], command: str, said: str) -> None:
    """What makes no sense for the route in force is refused with a sentence."""
    model = Model()
    if commands:
        model.do(*commands)
    assert refusal(lambda: model.do(command)) == said


def test_pins_are_replaced_or_forgotten() -> None:
    """Pins that are given take the place of all others; none, given as such, end them."""
    model = Model()
    model.do("1", "1=90 2=10 qa:2 dev:1")
    assert split(model.current, {"1": 100}, {"ops": "2"}).pins == {"ops": "2"}
    assert split(model.current, {"1": 100}, {}).pins == {}
    assert split(model.current, {"1": 100}).pins == {"qa": "2", "dev": "1"}


def test_versions_of_a_draft() -> None:
    """A draft names the versions that answer and its shadow, not where rollback leads."""
    model = Model()
    model.do("1", "2", "2=90 3=10 qa:4")
    assert shadowed(model.current, "5").versions == {"2", "3", "4", "5"}


def test_changes_are_pure() -> None:
    """What a change is made from stays as it was."""
    model = Model()
    model.do("1", "1=90 2=10 qa:2")
    before = repr(model.routes)
    for change in (lambda: activated(model.current, "3"), lambda: promoted(model.current)):
        change()
    shadowed(model.current, "3")
    rolled_back(model.current)
    assert repr(model.routes) == before


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("qa", True),
        ("192.168.0.1", True),
        ("::1", True),
        ("A_b-9", True),
        ("k" * 64, True),
        ("k" * 65, False),
        ("", False),
        ("a/b", False),
        ("a b", False),
        ("é", False),
        ("a\n", False),
    ],
)
def test_pinned_key(key: str, fits: bool) -> None:
    """A key that is pinned becomes part of a path: nothing in it could lead elsewhere."""
    assert bool(PINNED_KEY.fullmatch(key)) is fits
