"""Figures of a version: what Prometheus has of it comes in, numbers to judge by go out.

`increase()` knows nothing of what a series held when it was first seen, and a version's first errors
are just that. So a series that wasn't there when the window began counts from 0 (and from its replica's
start where Prometheus itself wasn't there). A replica that restarts in the window loses what it counted
between Prometheus' last look and its end, and, of the sums of predictions, what it counted in the
window before; one that has ended for good takes its sums with it. A restart that Prometheus can't see,
because a count has overtaken its old value by the next look, is the limit of all of this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, sqrt

from deploy.prometheus import Prometheus

# A one-sided bound that is wrong in 5 of 100 cases.
NORMAL_95 = 1.645
SETTLED_SECONDS = 1.0
# A restart between the last look before the window and the first in it is one in the window.
MARGIN_SECONDS = 15.0
# Of the 4xx what tells of load, and of clients who left: no refusal of the version's.
NOT_REFUSED = ("429", "499")


@dataclass(frozen=True)
class Answers:
    """What a version has predicted: rows by label, or the count, sum and sum of squares of numbers."""

    labels: Mapping[str, float] = field(default_factory=dict)
    count: float = 0.0
    total: float = 0.0
    squares: float = 0.0


@dataclass(frozen=True)
class Shadowed:
    """Rows of which both versions were asked, whichever answered.

    `disagreeing` of `compared` were answered otherwise; `failed` are those that were in a call in which
    the canary, as the shadow, failed, of `asked`.
    """

    compared: float = 0.0
    disagreeing: float = 0.0
    asked: float = 0.0
    failed: float = 0.0


@dataclass(frozen=True)
class Figures:
    """One version over a window. Rates are shares from 0 to 1, None where there were no requests.

    `error_rate` is of 5xx. `refused_rate` is of 4xx, because another model may refuse inputs that the
    live one takes; 429 isn't in it, which tells of load. `p99_low_seconds` is what the true p99
    is at least, in 95 of 100 cases: with 100 requests, p99 itself is one request.
    """

    requests: float
    error_rate: float | None = None
    refused_rate: float | None = None
    p99_seconds: float | None = None
    p99_low_seconds: float | None = None
    answers: Answers = Answers()
    shadowed: Shadowed = Shadowed()


def read_figures(
    prometheus: Prometheus, model: str, version: str, seconds: float, at: float
) -> Figures:
    """Return a version's figures over the `seconds` until `at`, a Unix time; raise `Refused`.

    Several queries make one set of figures. They belong together if no look of Prometheus' at the
    replicas comes in between, so `at` should be `SETTLED_SECONDS` ago.
    """
    window = _window(seconds)
    which = f'{{model="{model}",version="{version}"}}'
    counted = _grown(f"flotilla_requests_total{which}", window)
    found = prometheus.vector(f"sum by (code) ({counted})", at)
    codes = {each.labels["code"]: each.value for each in found}
    requests = sum(codes.values())
    answers = _read_answers(prometheus, which, seconds, at)
    if not requests:
        return Figures(0.0, answers=answers)
    errors = sum(count for code, count in codes.items() if code.startswith("5"))
    refused = sum(n for code, n in codes.items() if code.startswith("4") and code not in NOT_REFUSED)
    buckets = _grown(f"flotilla_request_duration_seconds_bucket{which}", window)

    def quantile(share: float) -> float | None:
        found = prometheus.vector(f"histogram_quantile({share:.6f}, sum by (le) ({buckets}))", at)
        return found[0].value if found and not isnan(found[0].value) else None

    # The quantile that is p99's lower confidence bound, whatever the distribution: W. J. Conover,
    # Practical Nonparametric Statistics, 3rd edition, section 3.2.
    low = max(0.0, 0.99 - NORMAL_95 * sqrt(0.99 * 0.01 / requests))
    return Figures(
        requests, errors / requests, refused / requests, quantile(0.99), quantile(low), answers
    )


def read_shadowed(
    prometheus: Prometheus, model: str, live: str, canary: str, seconds: float, at: float
) -> Shadowed:
    """Return how both versions answered the same rows over the `seconds` until `at`."""
    grown = _grown(f'flotilla_shadow_rows_total{{model="{model}"}}', _window(seconds))
    rows = {"agree": 0.0, "disagree": 0.0}
    asked = failed = 0.0
    for labels, value in prometheus.vector(f"sum by (version, shadow, result) ({grown})", at):
        result, shadow = labels["result"], labels["shadow"]
        if {labels["version"], shadow} != {live, canary} or result == "dropped":
            continue
        if result in rows:
            rows[result] += value
        if shadow == canary:
            asked += value
            failed += value if result == "failed" else 0.0
    return Shadowed(sum(rows.values()), rows["disagree"], asked, failed)


def _read_answers(prometheus: Prometheus, which: str, seconds: float, at: float) -> Answers:
    window, longer = _window(seconds), _window(seconds + MARGIN_SECONDS)
    counted = _grown(f"flotilla_predictions_total{which}", window)
    found = prometheus.vector(f"sum by (label) ({counted})", at)
    labels = {each.labels["label"]: each.value for each in found if each.value > 0}
    if labels:
        return Answers(labels, sum(labels.values()))
    count = f"flotilla_prediction_count{which}"

    def moved(name: str) -> float:
        """Return by how much a sum has changed; it may fall, so that only the count tells restarts."""
        sums = f"{name}{which}"
        before = f"(({sums} offset {window}) unless (resets({count}[{longer}]) > 0))"
        found = prometheus.vector(f"sum(({sums} - {before}) or {sums})", at)
        return found[0].value if found else 0.0

    names = ("flotilla_prediction_count", "flotilla_prediction_sum")
    return Answers({}, *map(moved, (*names, "flotilla_prediction_sum_of_squares")))


def _window(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"


def _grown(series: str, window: str) -> str:
    """Return the expression for the growth of counters, of which some are new in the window."""
    return f"(({series} unless {series} offset {window}) or increase({series}[{window}]))"
