"""Spans: the journey of a request comes in, the tree of its spans goes out.

One span of kind SERVER for the request and one for each station under it, named and described as the
semantic conventions have it: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

import random
import time
from collections.abc import Iterator
from importlib.metadata import version

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from service.tracing.journey import Journey

Attributes = dict[str, str | int]
Station = tuple[str, float, float, Attributes]

_ROUTES = {
    "v1": ("/v1/models/{model}:predict", "/v1/models/{model}/versions/{version}:predict"),
    "v2": ("/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"),
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_FIRST_FAILURE = 500


class Spans:
    """Makes the spans of one replica.

    They are made as they are sent, not by a tracer that starts and ends each: for a request's five
    spans that takes 40 µs instead of 7, with the interpreter held while others wait.
    """

    def __init__(self, service: str, replica: str) -> None:
        self._replica = replica
        self._resource = Resource(
            {
                "service.name": service,
                "service.version": version("flotilla"),
                "service.instance.id": replica,
                "telemetry.sdk.name": "opentelemetry",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.version": version("opentelemetry-sdk"),
            }
        )
        self._scope = InstrumentationScope("service.tracing")
        self._zero = time.time_ns() - time.perf_counter_ns()

    def of(self, journey: Journey) -> Iterator[ReadableSpan]:
        """Yield the request's span and those of its stations."""
        parent = journey.parent
        trace_id = parent.trace_id if parent else _random_id(128)
        above = SpanContext(trace_id, parent.span_id, True, _SAMPLED) if parent else None
        own = SpanContext(trace_id, _random_id(64), False, _SAMPLED)
        route = _ROUTES[journey.target.protocol][bool(journey.target.version)]
        failed = journey.status >= _FIRST_FAILURE
        yield self._span(
            (f"POST {route}", journey.started, journey.finished, self._describe(journey, route)),
            own,
            above,
            SpanKind.SERVER,
            Status(StatusCode.ERROR) if failed else Status(),
        )
        for station in stations(journey):
            yield self._span(station, SpanContext(trace_id, _random_id(64), False, _SAMPLED), own)

    def _span(
        self,
        station: Station,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind = SpanKind.INTERNAL,
        status: Status = Status(),  # noqa: B008  # never changed
    ) -> ReadableSpan:
        name, began, ended, attributes = station
        return ReadableSpan(
            name,
            context,
            parent,
            self._resource,
            attributes,
            kind=kind,
            status=status,
            start_time=self._zero + int(began * 1e9),
            end_time=self._zero + int(ended * 1e9),
            instrumentation_scope=self._scope,
        )

    def _describe(self, journey: Journey, route: str) -> Attributes:
        target = journey.target
        described: Attributes = {
            "http.request.method": "POST",
            "http.route": route,
            "url.path": route.format(model=target.model, version=target.version),
            "url.scheme": "http",
            "http.response.status_code": journey.status,
            "error.type": journey.error,
            "flotilla.request_id": journey.request_id,
            "flotilla.replica": self._replica,
            "flotilla.model": target.model,
            "flotilla.version": journey.version,
            "flotilla.cache": journey.cache,
            "flotilla.rows": journey.rows,
        }
        return {name: value for name, value in described.items() if value}


def stations(journey: Journey) -> Iterator[Station]:
    """Yield name, beginning, end and attributes of what a request passed, one after the other."""
    landed, finished = journey.landed, journey.finished
    asked = journey.asked or finished  # refused before the core was asked
    direct = journey.queued and not journey.looked_up
    read = min(asked, journey.queued) if direct else asked
    yield "parse", journey.started, read, {}
    if journey.looked_up:
        yield "cache", read, journey.looked_up, {"flotilla.cache": journey.cache}
    elif not journey.queued and journey.cache in ("redis", "partial", "miss"):
        # All its rows were on their way for others already.
        yield "cache", read, landed, {"flotilla.cache": journey.cache, "flotilla.joined": "true"}
    if journey.queued:
        yield "queue", journey.queued, journey.computing or landed, {}
    if journey.computing:
        batch: Attributes = {
            "flotilla.engine": journey.engine,
            "flotilla.batch.rows": journey.batch_rows,
            "flotilla.batch.requests": journey.batch_requests,
        }
        yield "inference", journey.computing, journey.computed, batch
    if landed and journey.status:
        yield "reply", landed, finished, {}


def _random_id(bits: int) -> int:
    return random.getrandbits(bits) or 1  # no secret; 0 would be none
