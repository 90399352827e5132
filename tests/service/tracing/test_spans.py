"""Spans: what a request passed becomes its stations, one after the other, and nothing else."""

import pytest

from service.request import Target
from service.tracing.journey import Journey
from service.tracing.parent import Parent
from service.tracing.spans import Spans, stations

TARGET = Target("v1", "m", "")
# Computed without the cache.
COMPUTED = Journey(
    parent=None,
    target=TARGET,
    request_id="abc",
    status=200,
    error="",
    version="3",
    engine="linear",
    cache="bypass",
    rows=2,
    batch_rows=5,
    batch_requests=3,
    started=1.0,
    asked=2.1,
    looked_up=0.0,
    queued=2.0,
    computing=3.0,
    computed=4.0,
    landed=5.0,
    finished=6.0,
)
NO_CALL = {"computing": 0.0, "computed": 0.0, "batch_rows": 0, "batch_requests": 0}
CASES = {
    "computed": (
        COMPUTED,
        [("parse", 1.0, 2.0), ("queue", 2.0, 3.0), ("inference", 3.0, 4.0), ("reply", 5.0, 6.0)],
    ),
    "looked up and computed": (
        COMPUTED._replace(asked=1.5, looked_up=1.8, cache="miss"),
        [
            ("parse", 1.0, 1.5),
            ("cache", 1.5, 1.8),
            ("queue", 2.0, 3.0),
            ("inference", 3.0, 4.0),
            ("reply", 5.0, 6.0),
        ],
    ),
    "found": (
        COMPUTED._replace(asked=1.5, looked_up=1.8, cache="redis", queued=0.0, **NO_CALL),
        [("parse", 1.0, 1.5), ("cache", 1.5, 1.8), ("reply", 5.0, 6.0)],
    ),
    "on its way for others": (
        COMPUTED._replace(asked=1.5, cache="redis", queued=0.0, **NO_CALL),
        [("parse", 1.0, 1.5), ("cache", 1.5, 5.0), ("reply", 5.0, 6.0)],
    ),
    "too late in the queue": (
        COMPUTED._replace(status=504, error="TooLate", **NO_CALL),
        [("parse", 1.0, 2.0), ("queue", 2.0, 5.0), ("reply", 5.0, 6.0)],
    ),
    "refused": (
        COMPUTED._replace(status=400, error="BadInput", asked=0.0, queued=0.0, landed=0.0, **NO_CALL),
        [("parse", 1.0, 6.0)],
    ),
    "left": (
        COMPUTED._replace(status=0, error="ClientLeft", **NO_CALL),
        [("parse", 1.0, 2.0), ("queue", 2.0, 5.0)],
    ),
}


@pytest.mark.parametrize(("journey", "expected"), CASES.values(), ids=CASES)
def test_stations(journey: Journey, expected: list[tuple[str, float, float]]) -> None:
    """A station that wasn't passed has no span, and each begins where the one before ended."""
    assert [station[:3] for station in stations(journey)] == expected


def test_a_tree() -> None:
    """All spans are of one trace, the stations are children of the request, which is the client's."""
    parent = Parent(2**127 + 1, 77, True)
    request, *below = Spans("flotilla", "r1").of(COMPUTED._replace(parent=parent))
    assert {span.context.trace_id for span in (request, *below)} == {parent.trace_id}
    assert (request.parent.span_id, request.parent.is_remote) == (77, True)
    assert {span.parent.span_id for span in below} == {request.context.span_id}
    assert len({span.context.span_id for span in (request, *below)}) == 5
    assert all(request.start_time <= s.start_time <= s.end_time <= request.end_time for s in below)
    first, second = (next(Spans("flotilla", "r1").of(COMPUTED)) for _ in range(2))
    assert first.parent is None
    assert first.context.trace_id != second.context.trace_id


@pytest.mark.parametrize(
    ("target", "name", "path"),
    [
        (TARGET, "POST /v1/models/{model}:predict", "/v1/models/m:predict"),
        (
            Target("v2", "m", "4"),
            "POST /v2/models/{model}/versions/{version}/infer",
            "/v2/models/m/versions/4/infer",
        ),
    ],
)
def test_names(target: Target, name: str, path: str) -> None:
    """A span is named after the route, which is one of four; the path is an attribute."""
    request = next(Spans("flotilla", "r1").of(COMPUTED._replace(target=target)))
    assert request.name == name
    assert request.attributes["http.route"] == name.removeprefix("POST ")
    assert request.attributes["url.path"] == path


@pytest.mark.parametrize(
    ("status", "failed"), [(200, False), (400, False), (429, False), (500, True), (504, True)]
)
def test_status(status: int, failed: bool) -> None:
    """A request is marked as failed where that was the server's fault."""
    request = next(Spans("flotilla", "r1").of(COMPUTED._replace(status=status)))
    assert request.status.status_code.name == ("ERROR" if failed else "UNSET")
    assert request.attributes["http.response.status_code"] == status
