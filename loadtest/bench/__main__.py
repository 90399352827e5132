"""The command `python -m loadtest.bench`: start the servers, check them, measure them, report."""

import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import skops.io
from rich.console import Console

from loadtest.bench.machine import machine
from loadtest.bench.processes import StartError, free_ports
from loadtest.bench.report import Measurement, Report
from loadtest.bench.servers import Server, fastapi, flotilla, program, published_model, return_200
from loadtest.bench.workloads import NUMBERS, WORKLOADS, Workload, WrongAnswerError, check
from loadtest.bench.wrk import CONNECTIONS, THREADS, Run, measure

SECONDS, REPETITIONS = 8, 3
QUICK_SECONDS, QUICK_REPETITIONS = 2, 2

FilePath = click.Path(dir_okay=False, writable=True, path_type=Path)
console = Console()


@click.command()
@click.option("--quick", is_flag=True, help="Few and short runs: to see that it works.")
@click.option("--seconds", type=click.IntRange(1), help=f"Length of a run [default: {SECONDS}].")
@click.option("--repetitions", type=click.IntRange(1), help=f"Runs each [default: {REPETITIONS}].")
@click.option("--json", "json_file", type=FilePath, help="Write every run here as well.")
@click.option("--markdown", "markdown_file", type=FilePath, help="Write the table here as well.")
def main(
    quick: bool,
    seconds: int | None,
    repetitions: int | None,
    json_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Measure Flotilla beside nginx's return 200 and a hand-written FastAPI server, in one run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)  # clean up as after Ctrl-C
    try:
        for name in ("wrk", "nginx"):
            program(name)
        report = bench(
            seconds or (QUICK_SECONDS if quick else SECONDS),
            repetitions or (QUICK_REPETITIONS if quick else REPETITIONS),
        )
    except (StartError, WrongAnswerError) as error:
        raise click.ClickException(str(error)) from error
    console.print(report.table())
    if json_file:
        json_file.write_text(report.json())
    if markdown_file:
        markdown_file.write_text(report.markdown())
    if report.failed:
        raise click.ClickException(f"{report.failed} requests failed: the figures don't count")


def bench(seconds: int, repetitions: int) -> Report:
    """Run every workload against every server, in turns, and return what came of it."""
    hardware = machine()
    names = sorted({workload.model for workload in WORKLOADS})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flotilla-bench-")))
        port = free_ports()
        with console.status("Starting the servers"):
            stack_server = stack.enter_context(flotilla(folder, port, names))
            files = {name: published_model(folder, name) for name in names}
            servers = [
                stack_server,
                stack.enter_context(fastapi(folder, port + 38, files)),
                stack.enter_context(return_200(folder, port + 39)),
            ]
        models = {name: load(file) for name, file in files.items()}
        with console.status("Comparing the answers with scikit-learn's"):
            for workload in WORKLOADS:
                for server in servers[:-1]:
                    check(server, workload, models[workload.model])
        measurements = measure_all(folder, servers, seconds, repetitions)
    settings = {
        "threads": THREADS,
        "connections": CONNECTIONS,
        "runs each": repetitions,
        "seconds a run": seconds,
    }
    return Report(hardware, settings, measurements)


def measure_all(
    folder: Path, servers: list[Server], seconds: int, repetitions: int
) -> list[Measurement]:
    """Measure in turns, so that a machine that gets slower does so for everyone."""
    runs: dict[tuple[Workload, Server], list[Run]] = {}
    rounds = [(n, workload) for n in range(repetitions) for workload in WORKLOADS]
    step = NUMBERS // (THREADS * (len(rounds) + 1))
    for index, (repetition, workload) in enumerate(rounds, start=1):
        templates = folder / f"{workload.model}-{workload.rows_per_request}.txt"
        templates.write_text("\n".join(workload.templates()) + "\n")
        for server in servers:
            with console.status(f"{repetition + 1}/{repetitions} {workload.title}: {server.name}"):
                first = index * THREADS * step
                run = measure(workload.url(server), templates, seconds, first, step)
            runs.setdefault((workload, server), []).append(run)
    return [
        Measurement(workload, server.name, tuple(runs[workload, server]))
        for workload in WORKLOADS
        for server in servers
    ]


def load(file: Path) -> Any:
    """Load a model that the bench's own stack has published."""
    return skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))


if __name__ == "__main__":
    main()
