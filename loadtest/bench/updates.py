"""The command `python -m loadtest.bench.updates`: what updating a model costs, in figures of one run.

Rates of a settled route, a split one and one with a shadow, in turns; how long activating takes with
few and with many replicas; latencies while versions are activated beside those while nothing happens.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from loadtest.bench.models import train
from loadtest.bench.operations import MODEL, REPLICAS, Updates
from loadtest.bench.processes import StartError, free_ports
from loadtest.bench.servers import flotilla
from loadtest.bench.workloads import MARK, Workload
from loadtest.client import Payload

console = Console()


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile by nearest rank."""
    return sorted(values)[round(share * (len(values) - 1))]


@click.command()
@click.option("--seconds", type=click.IntRange(1, 60), default=6, show_default=True)
@click.option("--repetitions", type=click.IntRange(1, 20), default=5, show_default=True)
def main(seconds: int, repetitions: int) -> None:
    """Measure what split routes, shadows and activations cost."""
    port = free_ports()
    with tempfile.TemporaryDirectory(prefix="flotilla-bench-") as name:
        folder = Path(name)
        train(folder / "flotilla", MODEL)
        try:
            with flotilla(folder / "flotilla", port, {}) as server:
                updates = Updates(folder, server, port)
                updates.publish()
                _show_rates(updates.rates(repetitions, seconds))
                bodies = enumerate(Workload(MODEL, "unique").bodies())
                rows = [each.replace(MARK, f"0.{number:07d}") for number, each in bodies]
                calm, during = updates.latencies([Payload(each.encode()) for each in rows])
                _show_latencies(calm, during)
                for replicas in REPLICAS:
                    _show_activations(replicas, *updates.activations(replicas))
        except StartError as error:
            raise click.ClickException(str(error)) from error


def _show_rates(rates: dict[str, list[float]]) -> None:
    base = statistics.median(rates["one version"])
    table = Table("route", "unique rows a second, median", "spread", "of one version", box=None)
    for name, runs in rates.items():
        median = statistics.median(runs)
        spread = f"{min(runs):,.0f} to {max(runs):,.0f}"
        table.add_row(name, f"{median:,.0f}", spread, f"{median / base:.2f}")
    console.print(table, "")


def _show_latencies(calm: Sequence[float], during: Sequence[float]) -> None:
    table = Table("requests due", "number", "p50 ms", "p99 ms", "longest ms", box=None)
    for name, each in (("while nothing happened", calm), ("during activations", during)):
        shown = [f"{percentile(each, share) * 1e3:.2f}" for share in (0.5, 0.99, 1.0)]
        table.add_row(name, f"{len(each):,}", *shown)
    console.print(table, f"p99 ratio {percentile(during, 0.99) / percentile(calm, 0.99):.2f}", "")


def _show_activations(replicas: int, new: Sequence[float], back: Sequence[float]) -> None:
    for name, each in (("a new version", new), ("rollback", back)):
        median = statistics.median(each)
        console.print(
            f"{replicas} replicas, {name}: {median:.2f} s ({min(each):.2f} to {max(each):.2f}), "
            "from the command to its return"
        )


if __name__ == "__main__":
    main()
