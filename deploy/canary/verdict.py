"""The verdict on a canary: figures of both versions and limits come in, what is wrong goes out.

Called by `deploy.canary.canary`. What each figure is held against is in `deploy.canary.checks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from deploy.canary import checks
from deploy.canary.checks import Line
from deploy.canary.figures import SETTLED_SECONDS, Figures, read_figures, read_shadowed
from deploy.prometheus import Prometheus
from service.settings import Environment, setting

# How long before the canary the live version's p99 is looked at.
BEFORE_SECONDS = 300.0


@dataclass(frozen=True)
class Thresholds(Environment):
    """The limits of a canary."""

    canary_max_error_rate: float = setting(0.01, "Share of 5xx above the live version's.", 0, 1)
    canary_max_refused_rate: float = setting(
        0.05, "Share of 4xx (without 429) above the live version's.", 0, 1
    )
    canary_max_p99_ratio: float = setting(2.0, "p99, in multiples of the live version's.", 1)
    canary_min_p99_seconds: float = setting(0.005, "A p99 below this is always good enough.")
    canary_max_disagreement: float = setting(
        0.05, "Share of rows that it answers otherwise than the live version.", 0, 1
    )
    canary_max_drift: float = setting(
        0.2, "Labels: total variation distance, 0 to 1. Numbers: means, in standard deviations."
    )
    canary_min_requests: int = setting(
        100, "With fewer requests there is no verdict, with fewer rows none on them.", 1
    )


@dataclass
class Verdict:
    """What is wrong, a sentence each; nothing where there were too few requests to say so.

    `summary` has the figures in one line, the live version's in brackets; `lines` are for a table.
    """

    breaches: Sequence[str]
    enough: bool
    summary: str
    lines: Sequence[Line]

    @property
    def outcome(self) -> Literal["pass", "breach", "too few"]:
        """The verdict in a word."""
        return "too few" if not self.enough else "breach" if self.breaches else "pass"


def judge(
    live: Figures, canary: Figures, thresholds: Thresholds, before: Figures | None = None
) -> Verdict:
    """Compare a canary's figures with the live version's, now and `before` it began.

    Where the live version has too few requests by now, it is judged by those before. Its p99 is the
    smaller of both, because the two share replicas' cores: a canary that is slow slows both.
    """
    floor, fewest = thresholds.canary_min_p99_seconds, thresholds.canary_min_requests
    enough = canary.requests >= fewest
    known = [each for each in (live, before) if each and each.requests >= fewest]
    reference = known[0] if known else live
    p99s = [each.p99_seconds for each in known if each.p99_seconds]
    lines = (
        checks.requests(live, canary, fewest),
        checks.errors(reference, canary, thresholds.canary_max_error_rate),
        checks.refused(reference, canary, thresholds.canary_max_refused_rate),
        checks.p99(min(p99s, default=None), canary, thresholds.canary_max_p99_ratio, floor),
        checks.disagreement(canary, thresholds.canary_max_disagreement, fewest),
        checks.failed(canary),
        checks.drift(reference, canary, thresholds.canary_max_drift, fewest),
    )
    breaches = [line.breach for line in lines if line.breach] if enough else []
    return Verdict(breaches, enough, _summary(lines, enough), lines)


def _summary(lines: Sequence[Line], enough: bool) -> str:
    told = [each for each in lines if each.canary]
    words = [f"{each.figure} {each.canary}" + f" ({each.live})" * bool(each.live) for each in told]
    return ", ".join(words) + ("" if enough else ": too few to judge")


class PrometheusJudge:
    """Judges a canary by what Prometheus has. Made before the canary begins.

    Raises `Refused` where Prometheus can't be reached: then a canary shouldn't begin.
    """

    def __init__(self, url: str, model: str, thresholds: Thresholds) -> None:
        self._prometheus, self._model, self._thresholds = Prometheus(url), model, thresholds
        self._began = self._prometheus.now()
        self._before: Figures | None = None

    def __call__(self, live: str, canary: str, seconds: float) -> Verdict:
        """Return the verdict on the last `seconds`; raise `Refused` where Prometheus can't tell."""
        source, model = self._prometheus, self._model
        if self._before is None:
            self._before = read_figures(source, model, live, BEFORE_SECONDS, self._began)
        at = source.now() - SETTLED_SECONDS
        answering = read_figures(source, model, live, seconds, at)
        shadowed = read_shadowed(source, model, live, canary, seconds, at)
        tried = replace(read_figures(source, model, canary, seconds, at), shadowed=shadowed)
        return judge(answering, tried, self._thresholds, self._before)
