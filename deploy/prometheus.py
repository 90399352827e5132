"""Prometheus over its HTTP API: a query comes in, the series of its answer go out.

https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
"""

from typing import NamedTuple
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


class Prometheus:
    """One server, at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def now(self) -> float:
        """Return the server's own time, in Unix seconds; raise `Refused` if it can't be reached."""
        return self.vector("vector(time())")[0].value

    def vector(self, query: str, at: float | None = None) -> list[Series]:
        """Return what an expression gives, now or at a Unix time; raise `Refused` where it can't."""
        given = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        try:
            url = f"{self._url}/api/v1/query?{urlencode(given)}"
            with urlopen(url, timeout=PATIENCE_SECONDS) as reply:  # noqa: S310  # a setting's address
                samples = msgspec.json.decode(reply.read(), type=_Reply).data.result
        except HTTPError as error:
            words = error.read(1000).decode(errors="replace")
            raise Refused(f"Prometheus at {self._url} answers {error.code}: {words}") from error
        except (OSError, ValueError) as error:  # ValueError: no URL, or no JSON of Prometheus'
            reason = getattr(error, "reason", error)
            raise Refused(
                f"Prometheus doesn't answer at {self._url}: {reason}. "
                "PROMETHEUS_URL or PROMETHEUS_PORT say where it is"
            ) from error
        return [Series(each.metric, float(each.value[1])) for each in samples]
