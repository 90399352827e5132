"""The command `python -m loadtest.bench.updates`: what updating a model costs, in figures of one run.

Rates of a settled route, a split one and one with a shadow, in turns; how long activating takes with
few and with many replicas; latencies while versions are activated beside those while nothing happens.
"""

import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from loadtest.bench.models import train
from loadtest.bench.processes import ROOT, StartError, free_ports
from loadtest.bench.servers import Server, defaults, flotilla
from loadtest.bench.workloads import MARK, Workload
from loadtest.bench.wrk import measure, write_bodies
from loadtest.client import Load, Payload

MODEL, VERSIONS = "digits", 12
BLOCK = 2 * 10**5
REPLICAS = (2, 8)
CALM_SECONDS, CALM_RATE = 2.0, 500.0
ROUTES: dict[str, Sequence[str]] = {
    "one version": ("activate", MODEL, "1"),
    "split 50/50": ("split", MODEL, "1=50", "2=50"),
    "one version, with a shadow": ("shadow", MODEL, "2"),
}

console = Console()


class Updates:
    """A running stack with many equal versions of one model."""

    def __init__(self, folder: Path, server: Server, port: int) -> None:
        self.folder, self.server = folder, server
        self._environment = {
            **defaults(),
            "FLOTILLA_HOME": str(folder / "flotilla"),
            "HTTP_PORT": str(port),
            "PROMETHEUS_PORT": str(port + 1),
            "REPLICA_PORT": str(port + 2),
        }

    def give(self, *words: str) -> float:
        """Give a command and return how many seconds it took, the start of Python included."""
        return give(self._environment, words)

    def publish(self) -> None:
        """Publish the model again and again: equal versions, so that only changing them is measured."""
        first = self.folder / "flotilla" / "registry" / MODEL / "1"
        for _ in range(VERSIONS - 1):
            files = (str(first / "model.skops"), "--sample", str(first / "sample.npz"))
            self.give("publish", files[0], "--name", MODEL, *files[1:])

    def rates(self, repetitions: int, seconds: int) -> dict[str, list[float]]:
        """Return requests a second on unique rows for each kind of route, measured in turns."""
        write_bodies(self.folder)
        found: dict[str, list[float]] = {name: [] for name in ROUTES}
        blocks = iter(range(BLOCK, 10**7, BLOCK))
        for _ in range(repetitions):
            for name, words in ROUTES.items():
                self.give(*ROUTES["one version"])
                self.give(*words)
                start = next(blocks)
                numbers = range(start, start + BLOCK)
                run = measure(self.server, Workload(MODEL, "unique"), self.folder, seconds, numbers)
                if run.non_2xx or run.socket_errors:
                    raise StartError(f"{name}: {run.non_2xx} answers weren't 200")
                found[name].append(run.requests_per_second)
        self.give(*ROUTES["one version"])
        return found

    def activations(self, replicas: int) -> tuple[list[float], list[float]]:
        """Return the seconds of activating versions that no replica holds, and of going back."""
        self.give("scale", str(replicas))
        new, back = [], []
        for version in range(3, VERSIONS + 1):
            new.append(self.give("activate", MODEL, str(version)))
            back.append(self.give("rollback", MODEL))
        self.give("scale", str(REPLICAS[0]))
        return new, back

    def latencies(self, payloads: Sequence[Payload]) -> tuple[list[float], list[float]]:
        """Return latencies (seconds) of requests due while nothing happened, and during activations."""
        load = Load(f"{self.server.url}/v1/models/{MODEL}:predict", 16, CALM_RATE, payloads, right)
        windows: list[tuple[float, float]] = []

        async def operate(operator: Executor) -> None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(operator, give, self._environment, ("routes",))
            async with load:
                for version in range(3, VERSIONS + 1):
                    await asyncio.sleep(CALM_SECONDS)
                    began, words = load.elapsed, ("activate", MODEL, str(version))
                    await loop.run_in_executor(operator, give, self._environment, words)
                    windows.append((began, load.elapsed))

        # A process of its own: starting one from here would hold up the load for milliseconds.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as operator:
            asyncio.run(operate(operator))
        if load.result.failed or load.result.unsent:
            raise StartError(f"requests failed: {load.result.failures}")
        calm: list[float] = []
        during: list[float] = []
        for due, latency in load.result.latencies:
            busy = any(began <= due < ended for began, ended in windows)
            (during if busy else calm).append(latency)
        return calm, during


def give(environment: Mapping[str, str], words: Sequence[str]) -> float:
    """Give a command and return how many seconds it took, the start of Python included."""
    command = [sys.executable, "-m", "deploy", *words]
    began = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartError(f"flotilla {' '.join(words)}: {done.stdout}{done.stderr}")
    return time.perf_counter() - began


def right(payload: Payload, status: int, headers: object, body: bytes) -> str | None:
    """Return None for a prediction."""
    return None if status == 200 and body.startswith(b'{"predictions"') else f"{status}: {body[:99]!r}"


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
