"""The command `python -m loadtest.generator`: load one model of a stack, and show what came of it."""

import os
import signal
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec
from rich.console import Console

from deploy.errors import Refused
from deploy.local.settings import LocalSettings
from loadtest.generator.generate import generate
from loadtest.generator.plan import Outcome, Pattern, Plan
from loadtest.generator.table import quantiles, table
from loadtest.histogram import Histogram
from loadtest.payloads import MARKS, make_payloads, write
from service.settings import SettingError
from service.versions.route import ROUTES, read_route

CONNECTIONS = 64
NUMBERS_PER_SECOND = 100


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--url", help="Of nginx, or of one replica.  [default: the local stack's]")
@click.option("--model", required=True, help="Name of a published model.")
@click.option("--version", type=int, help="Its version.  [default: the one that answers]")
@click.option(
    "--registry", type=click.Path(path_type=Path), help="Where it lies.  [default: the stack's]"
)
@click.option("--rate", type=float, help="Arrivals a second (open loop).")
@click.option("--closed", is_flag=True, help="Closed loop: each connection sends when it is answered.")
@click.option("--seconds", type=float, default=10.0, help="For which requests are sent.")
@click.option("--connections", type=int, default=CONNECTIONS, help="Of all processes together.")
@click.option("--processes", type=int, default=1, help="They share rate and connections.")
@click.option("--arrivals", type=click.Choice(["poisson", "even"]), default="poisson")
@click.option("--rows", type=int, default=1, help="Of each request.")
@click.option("--repeats", is_flag=True, help="Ask for the same rows again, so that caches answer.")
@click.option("--timeout", type=float, default=10.0, help="Seconds after which a request is lost.")
@click.option("--json", "as_json", is_flag=True, help="For machines: everything, histograms included.")
def main(
    url: str | None,
    model: str,
    version: int | None,
    registry: Path | None,
    rate: float | None,
    closed: bool,
    seconds: float,
    connections: int,
    processes: int,
    arrivals: Pattern,
    rows: int,
    repeats: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Load a model and check every reply; tell what was held, and how long replies took.

    With --rate requests arrive by a schedule, whatever the server does, and latencies count from it.
    With --closed a slow server is asked less: that finds its peak, not what its clients would feel.

    Exits with 1 where a reply was wrong or is missing, or what was due could not be sent.
    """
    if (rate is None) != closed:
        raise click.UsageError("give either --rate or --closed")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the processes, as Ctrl-C does
    try:
        settings = LocalSettings.read(os.environ)
        parts = urlsplit(url or settings.url)
        if parts.scheme != "http" or not parts.hostname:
            raise Refused(f"--url {url}: expected http://HOST:PORT")
        with tempfile.TemporaryDirectory(prefix="flotilla-load-") as folder:
            payloads = make_payloads(
                version_folder(registry or settings.registry, model, version),
                rows=rows,
                unique=not repeats,
            )
            write(payloads, Path(folder) / "payloads")
            plan = Plan(
                address=f"{parts.hostname}:{parts.port or 80}",
                host=parts.netloc,
                payloads=f"{folder}/payloads",
                loop="closed" if closed else "open",
                rate=rate,
                connections=connections,
                seconds=seconds,
                processes=processes,
                arrivals=arrivals,
                # Later than those of the last time, so that no cache knows a row.
                first_number=int(time.time() * NUMBERS_PER_SECOND) % (MARKS // 2),
                timeout_seconds=timeout,
            )
            outcome = generate(plan)
    except (Refused, SettingError) as error:
        raise click.ClickException(str(error)) from error
    show(plan, outcome, as_json)
    raise SystemExit(0 if outcome.good else 1)


def version_folder(registry: Path, model: str, version: int | None) -> Path:
    """Return the folder of a version, by default of the one that answers.

    Raises `Refused` where there is none, or several answer: replies are checked against one.
    """
    if version is None:
        try:
            route = read_route(registry / ROUTES / model)
        except (OSError, ValueError) as error:
            raise Refused(
                f"no model {model!r} answers from {registry}; flotilla models shows what is published"
            ) from error
        if not route.settled:
            raise Refused(
                f"versions {', '.join(sorted(route.answering))} of {model} answer, and replies are "
                f"checked against one: flotilla activate {model} {route.primary}, or give --version"
            )
        version = int(route.primary)
    return registry / model / str(version)


def show(plan: Plan, outcome: Outcome, as_json: bool) -> None:
    """Print what came of it."""
    if as_json:
        latency = quantiles(Histogram.decode(outcome.latency))
        everything = {"plan": plan, "outcome": outcome, "latency_seconds": latency}
        click.echo(msgspec.json.encode(everything))
    else:
        Console(highlight=False, soft_wrap=True).print(table(plan, outcome))


if __name__ == "__main__":
    main()
