"""Measure in turns, so that a machine that gets slower does so for everyone; show how far it is.

In: the servers, what they were published with, how long and how often. Out: measurements for the
`Report`. `__main__.py` calls it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.bench.arrivals import arrive, write_payloads
from loadtest.bench.check import warm_up
from loadtest.bench.in_process import engine_alone
from loadtest.bench.report import ENGINE, FLOTILLA, RETURN_200, Arrivals, Measurement, Run
from loadtest.bench.servers import Server
from loadtest.bench.workloads import WORKLOADS, Workload
from loadtest.bench.wrk import measure, write_bodies

# Numbers that make rows unique, a block for each run; more than wrk can use up in a minute.
NUMBERS, BLOCK = 10**7, 20_000
ENGINE_SECONDS = 0.5
PEAK_WORKLOAD, PEAK_SHARE = Workload("digits", "unique"), 0.5

Say = Callable[[str], None]


@dataclass
class Bench:
    """What is measured and how; `versions` has each model's folder in the registry."""

    folder: Path
    servers: Sequence[Server]
    models: Mapping[str, Any]
    versions: Mapping[str, Path]
    seconds: int
    repetitions: int
    say: Say
    blocks: Iterator[int] = field(default_factory=lambda: iter(range(BLOCK, NUMBERS, BLOCK)))

    def measure_all(self) -> list[Measurement]:
        """Run every workload against every server that has it, again and again."""
        write_bodies(self.folder)
        measurements: dict[tuple[Workload, str], Measurement] = {}
        for repetition in range(1, self.repetitions + 1):
            for workload in WORKLOADS:
                for server in (each for each in self.servers if each.has(workload)):
                    self.say(f"{repetition}/{self.repetitions} {workload.title}: {server.name}")
                    key = workload, server.name
                    measurement = measurements.setdefault(key, Measurement(*key, []))
                    self._run(server, measurement)
                if workload.shape != "repeats":
                    key = workload, ENGINE
                    measurements.setdefault(key, Measurement(*key, [])).runs.append(
                        self._engine(workload)
                    )
        return list(measurements.values())

    def arrive_all(self, measurements: Sequence[Measurement]) -> dict[str, list[Arrivals]]:
        """Send arrivals at half of each server's own peak, in turns."""
        rates = {each.server: each.rate for each in measurements if each.workload == PEAK_WORKLOAD}
        arrivals: dict[str, list[Arrivals]] = {}
        for repetition in range(1, self.repetitions + 1):
            for server in self.servers:
                if server.name == RETURN_200:
                    continue
                rate = rates[server.name] * PEAK_SHARE
                self.say(f"{repetition}/{self.repetitions} {rate:.0f} arrivals a second: {server.name}")
                payloads, model = self.folder / "payloads", self.models[PEAK_WORKLOAD.model]
                write_payloads(server, PEAK_WORKLOAD, model, payloads)
                run = arrive(server, payloads, rate, self.seconds, self._numbers().start)
                arrivals.setdefault(server.name, []).append(run)
        return arrivals

    def _run(self, server: Server, measurement: Measurement) -> None:
        workload = measurement.workload
        if workload.shape == "repeats" and server.name == FLOTILLA:
            tiers = warm_up(server, workload, self.models[workload.model])
            measurement.tiers.clear()
            measurement.tiers.update(tiers)
        run = measure(server, workload, self.folder, self.seconds, self._numbers())
        measurement.runs.append(run)

    def _engine(self, workload: Workload) -> Run:
        bodies = self.folder / f"{workload.shape}.txt"
        return engine_alone(self.versions[workload.model], bodies, ENGINE_SECONDS)

    def _numbers(self) -> range:
        """Return numbers that no run had before."""
        first = next(self.blocks)
        return range(first, first + BLOCK)
