"""The canary: its share grows while verdicts are good; anything else ends where it began.

No replica runs here: the routes are real, the verdicts are given. tests/stack has it with real figures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.canary.canary import PROLONGED, Canary, Plan
from deploy.errors import Refused
from deploy.routing.generations import current_route, history
from deploy.routing.rollout import Place, Terms
from deploy.routing.routes import activate
from tests.published import published


@dataclass
class Given:
    """A verdict that a test gives."""

    breaches: list[str] = field(default_factory=list)
    enough: bool = True
    summary: str = "figures"


GOOD, BAD, TOO_FEW = Given(), Given(["p99 is 61 ms"]), Given(enough=False)


class Trial:
    """A registry with a route to version 1, and a canary of version 2."""

    def __init__(self, folder: Path) -> None:
        self.registry = folder / "registry"
        for _ in range(3):
            published(self.registry, "line")
        activate(self.registry, "line", 1, "")
        self.said: list[str] = []
        self.waited = 0.0
        self.asked: list[tuple[str, str, float]] = []
        self.on_wait: Callable[[], None] = lambda: None

    def run(self, verdict: Callable[[int], Given], plan: Plan) -> None:
        """Run it; `verdict` is given the number of verdicts before."""

        def judge(live: str, version: str, seconds: float) -> Given:
            self.asked.append((live, version, seconds))
            return verdict(len(self.asked) - 1)

        def wait(seconds: float) -> None:
            self.waited += seconds
            self.on_wait()

        place = Place(self.registry, self.registry.parent / "reports", "http://127.0.0.1:9")
        Canary(place, "line", plan, judge, self.said.append, Terms(tried=True), wait).run()

    def weights(self) -> list[dict[str, float]]:
        """Return the shares of every route there was."""
        return [route.weights for route in history(self.registry / "routes" / "line").values()]

    @property
    def route(self) -> object:
        """The route in force."""
        return current_route(self.registry / "routes" / "line")[1]


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """Return a canary that hasn't begun."""
    return Trial(tmp_path)


def test_good_figures(trial: Trial) -> None:
    """With good figures every step is gone through and watched, and the version answers everybody."""
    trial.run(lambda _: GOOD, Plan("2", (5.0, 25.0, 100.0), 20.0))
    assert trial.weights() == [
        {"1": 100},
        {"1": 95, "2": 5},
        {"1": 75, "2": 25},
        {"2": 100},
    ]
    assert trial.waited == 60
    # In the middle of each step, and at its end.
    assert trial.asked == [("1", "2", seconds) for seconds in (15.0, 20.0)] * 3
    assert trial.route.shadow == ""
    assert trial.route.fallback.version == "1", "rollback goes back to before the canary"


@pytest.mark.parametrize("shadow", [True, False])
def test_shadow(trial: Trial, shadow: bool) -> None:
    """While it is on trial the version is compared with the live one, unless that isn't wanted."""
    trial.run(lambda _: GOOD, Plan("2", (5.0,), 10.0, shadow))
    assert trial.route.weights == {"1": 95, "2": 5}
    assert trial.route.shadow == ("2" if shadow else "")


@pytest.mark.parametrize("at", range(6))
def test_a_breach_rolls_back(trial: Trial, at: int) -> None:
    """A bad figure at any look ends it: back to the live version; the reason is told and kept."""
    with pytest.raises(Refused, match=r"^version 2: p99 is 61 ms\. Rolled back: version 1 answers"):
        trial.run(lambda number: BAD if number == at else GOOD, Plan("2", (5.0, 25.0, 100.0), 20.0))
    assert len(trial.asked) == at + 1
    assert (trial.route.weights, trial.route.shadow) == ({"1": 100}, "")
    assert trial.route.reason == "canary: version 2: p99 is 61 ms"
    assert trial.route.breached == "2", "an alert needs no prose"


def test_too_few_requests(trial: Trial) -> None:
    """A version that nobody asked is no good one: the step is prolonged, then rolled back."""
    with pytest.raises(Refused, match="too few requests to judge version 2 in 60 s"):
        trial.run(lambda _: TOO_FEW, Plan("2", (5.0, 100.0), 20.0))
    assert trial.waited == 20 * (1 + PROLONGED)
    assert (trial.route.weights, trial.route.breached) == ({"1": 100}, "")


def test_enough_after_a_while(trial: Trial) -> None:
    """A step that is prolonged goes on once there are enough requests."""
    trial.run(lambda number: TOO_FEW if number < 2 else GOOD, Plan("2", (5.0,), 20.0))
    assert trial.waited == 40
    assert trial.route.weights == {"1": 95, "2": 5}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no figures"), Refused("no figures")])
def test_whatever_happens_rolls_back(trial: Trial, error: BaseException) -> None:
    """A canary that nobody watches any more must not stay: a signal or lost figures end it as well."""

    def verdict(number: int) -> Given:
        raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        trial.run(verdict, Plan("2", (5.0, 100.0), 20.0))
    assert trial.weights() == [{"1": 100}, {"1": 95, "2": 5}, {"1": 100}]
    told = isinstance(error, Refused) or "Rolled back: version 1 answers everybody" in trial.said
    assert told, "whoever interrupts it sees what became of it"
    assert trial.route.breached == "", "its figures weren't bad"


def test_somebody_else_changed_the_route(trial: Trial) -> None:
    """A route that isn't the canary's any more is left alone."""
    trial.on_wait = lambda: activate(trial.registry, "line", 3, "") and None
    with pytest.raises(Refused, match=r"\(activate\) has changed the route meanwhile"):
        trial.run(lambda _: GOOD, Plan("2", (5.0, 100.0), 20.0))
    assert trial.route.weights == {"3": 100}


def test_needs_a_settled_route(trial: Trial) -> None:
    """A canary begins with another version answering everybody, or not at all."""
    for _ in range(2):
        with pytest.raises(Refused, match="begins with another version answering everybody"):
            trial.run(lambda _: GOOD, Plan("1", (5.0,), 20.0))
        with pytest.raises(Refused, match=r"manifest\.json: No such file"):
            trial.run(lambda _: GOOD, Plan("9", (5.0,), 20.0))
    assert trial.weights() == [{"1": 100}]
    assert trial.asked == []


@pytest.mark.parametrize("steps", [(), (5.0, 5.0), (25.0, 5.0), (0.0, 5.0), (5.0, 101.0)])
def test_bad_plan(steps: tuple[float, ...]) -> None:
    """Steps that don't grow, or aren't shares, are refused."""
    with pytest.raises(Refused, match=r"^--steps: "):
        Plan("2", steps, 20.0)
