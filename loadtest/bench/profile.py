"""The command `python -m loadtest.bench.profile`: where a request's microseconds go, into PROFILE.md.

It loads the local stack with unique rows of `digits` twice: once to read the processes' own counts of
processor time, once while py-spy samples a worker.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from loadtest.bench.cpu import Cost, costs
from loadtest.bench.machine import in_short, machine
from loadtest.bench.models import train
from loadtest.bench.proc import cpu_seconds, family
from loadtest.bench.processes import ROOT, StartError, free_ports, program
from loadtest.bench.report import Run, short
from loadtest.bench.servers import Server, flotilla
from loadtest.bench.stations import SAMPLES_PER_SECOND, Station, sampling, stations
from loadtest.bench.table import Rows, markdown_table
from loadtest.bench.workloads import Workload
from loadtest.bench.wrk import measure, write_bodies

WORKLOAD = Workload("digits", "unique")
SECONDS, WARM_UP_SECONDS, SPARE_SECONDS = 10, 2, 2
FILE = ROOT / "loadtest" / "bench" / "PROFILE.md"
LEAST_SHARE = 0.005
REPLICA = "replica-1"

console = Console()


@click.command()
@click.option("--seconds", type=click.IntRange(1, 60), default=SECONDS, show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=FILE)
def main(seconds: int, output: Path) -> None:
    """Write a table of where the microseconds of a request go."""
    try:
        program("wrk")
        text = profile(seconds)
    except StartError as error:
        raise click.ClickException(str(error)) from error
    output.write_text(text)
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def profile(seconds: int) -> str:
    """Start a stack, load it twice, and return the tables in Markdown."""
    hardware = machine()
    with (
        tempfile.TemporaryDirectory(prefix="flotilla-profile-") as scratch,
        console.status("Training and publishing a model") as status,
    ):
        folder = Path(scratch)
        home = folder / "flotilla"
        train(home, WORKLOAD.original)
        write_bodies(folder)
        status.update("Starting the servers")
        with flotilla(home, free_ports(), {}) as server:
            pids = _pids(home)
            load(server, folder, WARM_UP_SECONDS, 0)
            status.update("Counting processor time")
            run, spent = costs(pids, lambda: load(server, folder, seconds, 1), seconds)
            status.update("Sampling a worker")
            samples, worker = folder / "samples.raw", family(pids[REPLICA])[1]
            before = sum(cpu_seconds(worker))
            with sampling(worker, seconds, samples):
                load(server, folder, seconds + SPARE_SECONDS, 2)
                had = (sum(cpu_seconds(worker)) - before) / (seconds + SPARE_SECONDS)
        return render(hardware, run, spent, stations(samples.read_text()), seconds, had)


def load(server: Server, folder: Path, seconds: int, turn: int) -> Run:
    """Send unique rows; raise StartError when one failed."""
    first = (turn + 1) * 100_000
    run = measure(server, WORKLOAD, folder, seconds, range(first, first + 100_000))
    if run.failed:
        raise StartError(f"{run.failed} requests failed: the figures wouldn't count")
    return run


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


def _pids(home: Path) -> dict[str, int]:
    """Ask the stack for its processes."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "status", "--json"],
        cwd=ROOT,
        env={**os.environ, "FLOTILLA_HOME": str(home)},
        capture_output=True,
        check=True,
    )
    return {row["name"]: row["pid"] for row in json.loads(done.stdout)}


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


if __name__ == "__main__":
    main()
