"""One moment of Prometheus: expressions come in, numbers by labels go out.

A metric that nobody exports is an empty answer, and so is a quantile of nothing.
"""

import json
from collections.abc import Iterable
from math import isfinite
from typing import Literal

from deploy.prometheus import Prometheus

# Prometheus looks every 5 s: six looks are steady, and a change is seen within seconds.
WINDOW = "30s"
CURVE_POINTS = 90
CURVE_STEP_SECONDS = 10
VERSION = ("model", "version")

Rates = dict[tuple[str, ...], float]


class Moment:
    """Prometheus' now, of one model where it is named. All methods raise `Refused` if it goes away."""

    def __init__(self, prometheus: Prometheus, model: str | None) -> None:
        self.at = prometheus.now()
        self.which = f"{{model={json.dumps(model)}}}" if model else ""  # JSON's quoting is PromQL's
        self._prometheus = prometheus
        self._buckets = f"rate(flotilla_request_duration_seconds_bucket{self.which}[{WINDOW}])"

    def by(self, query: str, *labels: str) -> Rates:
        """Return the finite values of an expression, by some of its labels."""
        return {
            tuple(each.labels.get(label, "") for label in labels): each.value
            for each in self._prometheus.vector(query, self.at)
            if isfinite(each.value)
        }

    def rates(self, name: str, *labels: str) -> Rates:
        """Return the rates of a counter a second, summed by some labels."""
        return self.by(f"sum by ({', '.join(labels)}) ({self._rate(name)})", *labels)

    def quantile(self, share: float, *labels: str) -> Rates:
        """Return a quantile of the seconds that requests take in the replicas, by some labels."""
        summed = f"sum by ({', '.join((*labels, 'le'))}) ({self._buckets})"
        return self.by(f"histogram_quantile({share}, {summed})", *labels)

    def rate_curve(self, name: str) -> tuple[float | None, ...]:
        """Return the last minutes of a counter's rate."""
        return self._curve(f"sum({self._rate(name)})")

    def quantile_curve(self, share: float) -> tuple[float | None, ...]:
        """Return the last minutes of a quantile of the seconds in the replicas."""
        return self._curve(f"histogram_quantile({share}, sum by (le) ({self._buckets}))")

    def _rate(self, name: str) -> str:
        return f"rate({name}{self.which}[{WINDOW}])"

    def _curve(self, query: str) -> tuple[float | None, ...]:
        return tuple(self._prometheus.curve(query, self.at, CURVE_POINTS, CURVE_STEP_SECONDS))


class Requests:
    """The rates of requests by version: as the door counts them, else as the replicas do."""

    counted_at: Literal["door", "replicas"]

    def __init__(self, moment: Moment) -> None:
        labels = (*VERSION, "code", "source")
        self.counted_at, self.metric = "door", "flotilla_door_requests_total"
        self._rates = moment.rates(self.metric, *labels)
        if not self._rates:
            self.counted_at, self.metric = "replicas", "flotilla_requests_total"
            self._rates = moment.rates(self.metric, *labels)
        self.versions = {(model, version) for model, version, *_ in self._rates if model and version}

    def total(self, *of: str) -> float | None:
        """Return the rate of a version, a model or, without words, all; None where none is counted."""
        found = [rate for labels, rate in self._rates.items() if labels[: len(of)] == of]
        return sum(found) if found else None

    def error_ratio(self, *of: str) -> float | None:
        """Return the share of 5xx; None where there were no requests."""
        failed = (labels for labels in self._rates if labels[2].startswith("5"))
        return ratio(self._sum(failed, of), self.total(*of))

    def edge_share(self, *of: str) -> float | None:
        """Return the share that nginx's cache answered; None where only the door could tell."""
        if self.counted_at != "door":
            return None
        kept = (labels for labels in self._rates if labels[3] == "edge")
        return ratio(self._sum(kept, of), self.total(*of))

    def _sum(self, which: Iterable[tuple[str, ...]], of: tuple[str, ...]) -> float:
        return sum(self._rates[labels] for labels in which if labels[: len(of)] == of)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return a share; None where it would be one of nothing."""
    return part / whole if part is not None and whole else None
