"""A request that has been answered, as its spans need it: names and times, none of what was asked."""

from typing import NamedTuple

from service.request import Target
from service.tracing.parent import Parent


class Journey(NamedTuple):
    """One request. Times are of the clock `time.perf_counter`, 0 for stations that it didn't pass.

    `status` is 0 and `error` says so where the client left before it was answered.
    """

    parent: Parent | None
    target: Target
    request_id: str
    status: int
    error: str  # the class of what went wrong
    version: str
    engine: str
    cache: str
    rows: int
    batch_rows: int
    batch_requests: int
    started: float
    asked: float  # it was read, and the core was asked
    looked_up: float
    queued: float
    computing: float
    computed: float
    landed: float  # the core's answer was there
    finished: float
