"""A canary: a version gets more and more of the requests as long as its figures are good, else none.

Each step is a route of its own. What goes wrong on the way, a bad figure, no figures or a signal, ends
in a rollback; only when somebody else has changed the route it is left alone.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from deploy.errors import Refused
from deploy.routing.changes import Current, Draft, activated, rolled_back, split
from deploy.routing.generations import current_route
from deploy.routing.rollout import Change, Make, Place, Say, Terms, change_route
from service.versions.route import ROUTES

# A bad version shouldn't go on until its step is over.
LOOK_EVERY_SECONDS = 15.0
WATCH_EVERY_SECONDS = 1.0
# With too few requests a step is prolonged by as much again, so many times.
PROLONGED = 2


class Verdict(Protocol):
    """What figures say: a sentence for each that is bad, and whether there were enough requests."""

    breaches: Sequence[str]
    enough: bool
    summary: str


# The version that answered until now, the one on trial, and the seconds to look back on.
Judge = Callable[[str, str, float], Verdict]


@dataclass(frozen=True)
class Plan:
    """The shares in percent that a version gets one after the other, and how long each is watched."""

    version: str
    steps: tuple[float, ...]
    every_seconds: float
    shadow: bool = True  # compare with the live version's answers as well

    def __post_init__(self) -> None:
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise Refused(f"--steps: expected growing shares, got {', '.join(map(str, self.steps))}")
        if not 0 < self.steps[0] <= self.steps[-1] <= 100:
            raise Refused("--steps: a share is more than 0 and at most 100 percent")


class Canary:
    """One canary of one model."""

    def __init__(
        self,
        place: Place,
        model: str,
        plan: Plan,
        judge: Judge,
        say: Say,
        terms: Terms,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._place, self._model, self._plan = place, model, plan
        self._judge, self._say, self._terms, self._wait = judge, say, terms, wait
        self._shelf: Path = place.registry / ROUTES / model
        self._live = self._live_version()
        self._number = 0  # of the route that this canary has made last

    def run(self) -> None:
        """Go through the steps; raise `Refused` with the reason where it was rolled back."""
        try:
            for share in self._plan.steps:
                made = self._step(share)
                self._say(f"{share:g} % for {self._plan.every_seconds:g} s (route {made.number})")
                self._watch()
        except Taken:
            raise
        except BaseException as error:
            if self._number:
                breached = self._plan.version if isinstance(error, Breach) else ""
                self._roll_back(str(error) or type(error).__name__, breached)
                outcome = f"Rolled back: version {self._live} answers everybody"
                if isinstance(error, Refused):
                    raise Refused(f"{error}. {outcome}") from error
                self._say(outcome)
            raise

    def _live_version(self) -> str:
        current = current_route(self._shelf)
        if current is None:
            raise Refused("the model has no route yet; make one with: flotilla activate MODEL VERSION")
        route = current[1]
        if not route.settled or route.primary == self._plan.version:
            raise Refused(
                f"a canary begins with another version answering everybody; now the shares are "
                f"{', '.join(f'{v}: {w:g} %' for v, w in route.weights.items())}"
            )
        return route.primary

    def _step(self, share: float) -> Change:
        plan = self._plan

        def make(current: Current) -> Draft:
            self._check_own(current)
            if share == 100:
                return activated(current, plan.version)
            draft = split(current, {self._live: 100 - share, plan.version: share})
            return replace(draft, shadow=plan.version if plan.shadow else "")

        made = self._change(make, f"{share:g} % for version {plan.version}", self._terms)
        self._number = made.number
        return made

    def _watch(self) -> None:
        """Return when a step's time is over and its figures were good; raise `Refused` for bad ones."""
        every, passed = self._plan.every_seconds, 0.0
        for round_ in range(PROLONGED + 1):
            until = (round_ + 1) * every
            while passed < until:
                pause = min(WATCH_EVERY_SECONDS, until - passed)
                self._wait(pause)
                passed += pause
                self._check_own(current_route(self._shelf))
                look = passed % LOOK_EVERY_SECONDS < pause
                if look and passed < until:
                    self._look(passed)
            if self._look(passed).enough:
                return
        raise Refused(f"too few requests to judge version {self._plan.version} in {passed:g} s")

    def _look(self, seconds: float) -> Verdict:
        verdict = self._judge(self._live, self._plan.version, seconds)
        self._say(f"  after {seconds:3.0f} s  {verdict.summary}")
        if verdict.breaches and verdict.enough:
            raise Breach(f"version {self._plan.version}: {'; '.join(verdict.breaches)}")
        return verdict

    def _check_own(self, current: Current) -> None:
        if self._number and (current is None or current[0] != self._number):
            route = current[1] if current else None
            who = f"{route.user} ({route.command})" if route else "somebody"
            raise Taken(
                f"{who} has changed the route meanwhile; the canary ends and leaves it as it is"
            )

    def _roll_back(self, why: str, breached: str) -> None:
        def make(current: Current) -> Draft:
            self._check_own(current)
            return replace(rolled_back(current), breached=breached)

        # Come what may: it is the version that answered all the time.
        self._change(make, f"canary: {why}", replace(self._terms, wait=False))

    def _change(self, make: Make, reason: str, terms: Terms) -> Change:
        return change_route(self._place, self._model, make, "canary", reason, self._say, terms)


class Taken(Refused):
    """The route isn't the canary's any more."""


class Breach(Refused):
    """The version's figures are bad. An alert tells of that, not of a canary that somebody ended."""
