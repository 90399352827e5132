"""The command `python -m loadtest.bench`: start the servers, check them, measure them, report."""

import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from deploy.errors import Refused
from loadtest.bench.chart import draw
from loadtest.bench.check import WrongAnswerError, check
from loadtest.bench.machine import machine
from loadtest.bench.measure import Bench
from loadtest.bench.models import SAMPLES, load_all, publish_all, version_folder
from loadtest.bench.processes import ROOT, StartError, free_ports, program
from loadtest.bench.readme import NoPlaceError, write_readme
from loadtest.bench.replica import measure_replica
from loadtest.bench.report import RETURN_200, Report
from loadtest.bench.servers import fastapi, flotilla, return_200
from loadtest.bench.table import for_terminal, markdown
from loadtest.bench.workloads import MODELS, WORKLOADS, Workload
from loadtest.bench.wrk import CONNECTIONS, THREADS

SECONDS, REPETITIONS = 8, 3
QUICK_SECONDS, QUICK_REPETITIONS = 2, 1
CHART = "loadtest/bench/figures/bench.png"

FilePath = click.Path(dir_okay=False, path_type=Path)
console = Console()


@click.command()
@click.option("--quick", is_flag=True, help="Few and short runs: to see that it works.")
@click.option("--seconds", type=click.IntRange(1, 60), help=f"Length of a run [default: {SECONDS}].")
@click.option("--repetitions", type=click.IntRange(1, 20), help=f"Runs each [default: {REPETITIONS}].")
@click.option("--setting", "settings", multiple=True, help="A setting of Flotilla's, as CACHE=off.")
@click.option("--from", "source", type=FilePath, help="Measure nothing: take the runs of this JSON.")
@click.option("--json", "json_file", type=FilePath, help="Write every run here as well.")
@click.option("--markdown", "markdown_file", type=FilePath, help="Write the tables here as well.")
@click.option("--chart", "chart_file", type=FilePath, help="Draw the rates as a PNG here.")
@click.option("--readme", is_flag=True, help="Write the figures and the chart into the README.")
def main(
    quick: bool,
    seconds: int | None,
    repetitions: int | None,
    settings: tuple[str, ...],
    source: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
    chart_file: Path | None,
    readme: bool,
) -> None:
    """Measure Flotilla beside nginx's return 200 and a hand-written FastAPI server, in one run."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)  # clean up as after Ctrl-C
    try:
        report = (
            Report.from_json(source.read_bytes())
            if source
            else bench(
                seconds or (QUICK_SECONDS if quick else SECONDS),
                repetitions or (QUICK_REPETITIONS if quick else REPETITIONS),
                {name: value for name, _, value in (each.partition("=") for each in settings)},
            )
        )
        console.print(for_terminal(report))
        if json_file:
            json_file.write_bytes(report.json())
        if markdown_file:
            markdown_file.write_text(markdown(report))
        if report.failed:
            raise click.ClickException(f"{report.failed} requests failed: the figures don't count")
        for file in filter(None, [chart_file, ROOT / CHART if readme else None]):
            draw(report, file)
        if readme:
            write_readme(report, ROOT / "README.md", CHART)
    except (
        StartError,
        WrongAnswerError,
        Refused,
        NoPlaceError,
        OSError,
        msgspec.MsgspecError,
    ) as error:
        raise click.ClickException(str(error)) from error


def bench(seconds: int, repetitions: int, settings: dict[str, str]) -> Report:
    """Run every workload against every server, in turns, and return what came of it."""
    for name in ("wrk", "nginx", "redis-server"):
        program(name)
    hardware = machine()
    with ExitStack() as stack:
        progress = stack.enter_context(console.status(""))

        def say(text: str) -> None:
            """Show what goes on; where nothing can be overwritten, a line each."""
            progress.update(text)
            if not console.is_terminal:
                console.print(f"[dim]{text}")

        say("Training and publishing the models")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flotilla-bench-")))
        home, alone = folder / "flotilla", folder / "alone"
        publish_all(home, alone)
        models = load_all(home)
        port = free_ports()

        def use(server: Any) -> None:
            check(server, Workload("digits", "unique"), models["digits"])

        say("Starting one replica alone")
        replica = measure_replica(folder, alone / "registry", port, repetitions, use)
        say("Starting the servers")
        files = {name: version_folder(home, name) / "model.skops" for name in SAMPLES}
        servers = [
            stack.enter_context(flotilla(home, port, settings)),
            stack.enter_context(fastapi(folder, port + 38, files)),
            stack.enter_context(return_200(folder, port + 39)),
        ]
        say("Comparing the answers with scikit-learn's")
        for workload in WORKLOADS:
            for server in servers:
                if server.has(workload) and server.name != RETURN_200:
                    check(server, workload, models[workload.model])
        versions = {name: version_folder(home, name) for name in MODELS}
        measuring = Bench(folder, servers, models, versions, seconds, repetitions, say)
        measurements = measuring.measure_all()
        arrivals = measuring.arrive_all(measurements)
    conditions = {
        "wrk threads": str(THREADS),
        "connections": str(CONNECTIONS),
        "runs": str(repetitions),
        "seconds each": str(seconds),
        **settings,
    }
    return Report(hardware, conditions, measurements, arrivals, replica)


if __name__ == "__main__":
    main()
