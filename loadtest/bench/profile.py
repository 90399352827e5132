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

from loadtest.bench.cpu import costs
from loadtest.bench.machine import machine
from loadtest.bench.models import train
from loadtest.bench.processes import ROOT, StartError, free_ports, program
from loadtest.bench.profile_page import render
from loadtest.bench.report import Run
from loadtest.bench.servers import Server, flotilla
from loadtest.bench.stations import sampling, stations
from loadtest.bench.workloads import Workload
from loadtest.bench.wrk import measure, write_bodies
from loadtest.usage.proc import cpu_seconds, family

WORKLOAD = Workload("digits", "unique")
SECONDS, WARM_UP_SECONDS, SPARE_SECONDS = 10, 2, 2
FILE = ROOT / "loadtest" / "bench" / "PROFILE.md"
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


if __name__ == "__main__":
    main()
