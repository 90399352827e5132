"""Operate a stack under measurement as its users do: commands in, seconds and latencies out.

`updates.py` calls.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

from loadtest.bench.processes import StartError, output_of
from loadtest.bench.servers import Server, environment_of
from loadtest.bench.workloads import Workload
from loadtest.bench.wrk import measure, write_bodies
from loadtest.client import Load, Payload

MODEL, VERSIONS = "digits", 12
BLOCK = 2 * 10**5
PATIENCE_SECONDS = 180.0
REPLICAS = (2, 8)
CALM_SECONDS, CALM_RATE = 2.0, 500.0
ROUTES: dict[str, Sequence[str]] = {
    "one version": ("activate", MODEL, "1"),
    "split 50/50": ("split", MODEL, "1=50", "2=50"),
    "one version, with a shadow": ("shadow", MODEL, "2"),
}


class Updates:
    """A running stack with many equal versions of one model."""

    def __init__(self, folder: Path, server: Server, port: int) -> None:
        self.folder, self.server = folder, server
        self._environment = environment_of(folder / "flotilla", port)

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
    began = time.perf_counter()
    output_of("deploy", *words, patience_seconds=PATIENCE_SECONDS, environment=environment)
    return time.perf_counter() - began


def right(payload: Payload, status: int, headers: object, body: bytes) -> str | None:
    """Return None for a prediction."""
    return None if status == 200 and body.startswith(b'{"predictions"') else f"{status}: {body[:99]!r}"
