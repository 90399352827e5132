"""Prometheus over its HTTP API: a query comes in, the series of its answer go out.

Asked by canaries (`deploy.canary`), `flotilla top` and `flotilla status`.
https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries
"""

from collections.abc import Mapping
from math import isnan
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from deploy.errors import Refused

PATIENCE_SECONDS = 5.0


class Series(NamedTuple):
    """One series at one moment."""

    labels: dict[str, str]
    value: float


class _Sample(Struct):
    metric: dict[str, str]
    value: tuple[float, str]  # the time, and the number as text: JSON has no NaN


class _Vector(Struct):
    result: list[_Sample]


class _Reply(Struct):
    data: _Vector


class _Range(Struct):
    values: list[tuple[float, str]]


class _Matrix(Struct):
    result: list[_Range]


class _RangeReply(Struct):
    data: _Matrix


class Prometheus:
    """One server, at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def now(self) -> float:
        """Return the server's own time, in Unix seconds; raise `Refused` if it can't be reached."""
        return self.vector("vector(time())")[0].value

    def vector(self, query: str, at: float | None = None) -> list[Series]:
        """Return what an expression gives, now or at a Unix time; raise `Refused` where it can't."""
        given = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        samples = self.ask("query", given, _Reply).data.result
        return [Series(each.metric, float(each.value[1])) for each in samples]

    def curve(self, query: str, end: float, points: int, step_seconds: int) -> list[float | None]:
        """Return an expression's only series at `points` moments up to `end`, None where it has none.

        Moments are whole multiples of the step, so that a curve asked for again has the same points.
        Raise `Refused` where it can't be asked.
        """
        last = int(end // step_seconds) * step_seconds
        first = last - (points - 1) * step_seconds
        given = {"query": query, "start": str(first), "end": str(last), "step": str(step_seconds)}
        found: list[float | None] = [None] * points
        for each in self.ask("query_range", given, _RangeReply).data.result[:1]:
            for when, text in each.values:
                value = float(text)
                found[round((when - first) / step_seconds)] = None if isnan(value) else value
        return found

    def ask(self, what: str, given: Mapping[str, str], kind: type[Any]) -> Any:
        """Return the reply of one endpoint as a `kind`; raise `Refused` where there is none."""
        try:
            url = f"{self.url}/api/v1/{what}?{urlencode(given)}".removesuffix("?")
            with urlopen(url, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310  # a setting's address
                return msgspec.json.decode(reply.read(), type=kind)
        except HTTPError as error:
            words = error.read(1000).decode(errors="replace")
            raise Refused(f"Prometheus at {self.url} answers {error.code}: {words}") from error
        except (OSError, ValueError) as error:  # ValueError: no URL, or no JSON of Prometheus'
            reason = getattr(error, "reason", error)
            raise Refused(
                f"Prometheus doesn't answer at {self.url}: {reason}. "
                "PROMETHEUS_URL or PROMETHEUS_PORT say where it is"
            ) from error
