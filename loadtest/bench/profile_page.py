"""The page of a profile: processor time by process and samples by station in, Markdown out.

`profile.py` calls it.
"""

from loadtest.bench.cpu import Cost
from loadtest.bench.machine import in_short
from loadtest.bench.report import Run, short
from loadtest.bench.stations import SAMPLES_PER_SECOND, Station
from loadtest.markdown import Rows, markdown_table

LEAST_SHARE = 0.005
PAGE = """\
# Where a request's microseconds go

Written by `make profile`: unique single rows of `digits` through nginx and two replicas, as the kit
comes; wrk on the same cores, {seconds} s, {rate} requests a second. {machine}.

## By process

Microseconds of processor time by `/proc/PID/stat`, divided by all requests. A replica is its master and
its worker and answers about half of them: a request costs the sum of both rows, in one of the two.

{processes}

## In a replica's worker

{samples} samples by py-spy, of threads that ran or wanted to ({busy} of the time, while the worker had
{had} of a core), by the file of the innermost Python frame; what is below {least} is left out. The
worker isn't stopped for a sample, so a single one may be wrong. C code counts for the Python line that
calls it: msgspec for `service/protocols/`; the parser, uvloop's writes and the kernel's part of them
for `gunicorn` and `asyncio`. What uvloop does between two callbacks, the kernel for it, and some of
the waiting can't be split.

{stations}
"""


def render(
    hardware: dict[str, str],
    run: Run,
    spent: dict[str, Cost],
    found: dict[str, Station],
    seconds: int,
    had: float,
) -> str:
    """Return the page: processes, then stations of a worker."""
    dearest = sorted(spent.items(), key=lambda item: -item[1].total)
    total = Cost(sum(each.user for each in spent.values()), sum(each.system for each in spent.values()))
    processes: Rows = [
        (name, f"{cost.user:.1f}", f"{cost.system:.1f}", f"{cost.total:.1f}")
        for name, cost in [*dearest, ("all", total)]
    ]
    samples = sum(station.samples for station in found.values())
    shares: Rows = [
        (name, f"{station.samples / samples:.1%}", _heaviest(station))
        for name, station in found.items()
        if station.samples / samples >= LEAST_SHARE
    ]
    return PAGE.format(
        machine=in_short(hardware),
        rate=short(run.requests_per_second),
        seconds=seconds,
        processes=markdown_table(("process", "user µs", "system µs", "together"), processes),
        stations=markdown_table(("station", "share", "most of it in"), shares),
        samples=samples,
        busy=f"{samples / (seconds * SAMPLES_PER_SECOND):.0%}",
        had=f"{had:.0%}",
        least=f"{LEAST_SHARE:.1%}",
    )


def _heaviest(station: Station) -> str:
    """Name the functions that most samples of a station were in."""
    top = station.functions.most_common(2)
    return ", ".join(f"`{name}` {count / station.samples:.0%}" for name, count in top)
