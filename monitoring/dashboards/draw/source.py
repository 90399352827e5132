"""Asks Prometheus what a panel would: expressions with variables come in, series over time go out.

https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import msgspec

from monitoring.dashboards.draw.spec import Dashboard, Target

# As in provisioning/datasources: Grafana chooses windows by it.
SCRAPE_SECONDS = 5
# Grafana draws a point for each pixel; this many are enough for a narrow panel.
POINTS = 240
PATIENCE_SECONDS = 30.0


class QueryError(Exception):
    """An expression that Prometheus refuses; the message has both its words and the expression."""


@dataclass(frozen=True)
class Series:
    """One series: Unix times in seconds, and a value for each."""

    name: str
    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


class Source:
    """Prometheus at `url`, looked at from `end - seconds` to `end`, with the variables' values."""

    def __init__(self, url: str, end: float, seconds: int) -> None:
        self._url = url.rstrip("/")
        self.end, self.start = end, end - seconds
        self._step = max(SCRAPE_SECONDS, -(-seconds // POINTS))
        self._values = {
            "__rate_interval": f"{max(self._step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)}s",
            "__range": f"{seconds}s",
        }

    def with_values(self, **values: str) -> "Source":
        """Return the same with more variables; several values are one expression, a|b."""
        source = Source(self._url, self.end, round(self.end - self.start))
        source._values = self._values | values
        return source

    def expand(self, text: str) -> str:
        """Return a text with all its variables replaced, as Grafana does before it sends a query.

        Raise `QueryError` for a variable that nobody has defined.
        """

        def value(found: re.Match[str]) -> str:
            if found[1] not in self._values:
                raise QueryError(f"no variable ${found[1]} in: {text}")
            return self._values[found[1]]

        return re.sub(r"\$(\w+)", value, text)

    def series(self, target: Target) -> list[Series]:
        """Return what a query gives: series over the whole time, or their newest values alone."""
        expr = self.expand(target.expr)
        if target.instant:
            found = self._ask("query", query=expr, time=self.end)["data"]["result"]
            samples = [(each["metric"], [each["value"]]) for each in found]
        else:
            # Whole steps, as Grafana aligns them: the same picture of the same time.
            start = self.start // self._step * self._step
            window = {"start": start, "end": self.end, "step": self._step}
            found = self._ask("query_range", query=expr, **window)["data"]["result"]
            samples = [(each["metric"], each["values"]) for each in found]
        return [
            Series(
                _name(target.legend_format, labels),
                labels,
                [float(time) for time, _ in points],
                [float(value) for _, value in points],
            )
            for labels, points in samples
        ]

    def annotation(self, expr: str) -> list[Series]:
        """Return what an annotation's query gives over the whole time."""
        return self.series(Target("Anno", expr))

    def label_values(self, query: str) -> list[str]:
        """Return what `label_values(series, label)` stands for: a variable's values, sorted."""
        found = re.fullmatch(r"label_values\((.*), (\w+)\)", query)
        if found is None:
            raise QueryError(f"not label_values(series, label): {query}")
        window = {"start": self.start, "end": self.end, "match[]": self.expand(found[1])}
        return sorted(filter(None, self._ask(f"label/{found[2]}/values", **window)["data"]))

    def _ask(self, path: str, **parameters: Any) -> Any:
        url = f"{self._url}/api/v1/{path}?{urlencode(parameters)}"
        try:
            with urlopen(url, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310  # the user's own address
                return msgspec.json.decode(reply.read())
        except HTTPError as error:
            said = msgspec.json.decode(error.read()).get("error", error.reason)
            raise QueryError(f"{said}, in: {parameters}") from error


def choose(source: Source, dashboard: Dashboard, chosen: Mapping[str, str]) -> Source:
    """Return the source with a dashboard's variables: what is chosen, else All, else the default."""
    values = {
        each.name: each.query if each.type == "textbox" else ".*" for each in dashboard.templating.list
    }
    return source.with_values(**values | {name: chosen[name] for name in values if name in chosen})


def _name(form: str, labels: Mapping[str, str]) -> str:
    """Return a series' name in the legend."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form)
