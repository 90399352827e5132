"""One run: what is to be sent comes in; what came of it, with everything seen meanwhile, goes out."""

from dataclasses import dataclass
from pathlib import Path

from loadtest.generator.plan import Outcome, Plan
from loadtest.study.study import Loop, Purpose, Run, Server, Settings
from loadtest.sweep.instruments import By, Instruments
from loadtest.sweep.stack import Stack

PATIENCE_SECONDS = 10.0
# A rate that is only tried is given up soon: what comes this late has missed any objective.
TRIED_PATIENCE_SECONDS = 2.0


@dataclass
class Bench:
    """Measures a stack with the payloads in a file; `number` is the first that no request has had."""

    stack: Stack
    settings: Settings
    payloads: Path
    instruments: Instruments
    number: int

    def warm_up(self, connections: int) -> None:
        """Send requests of which nothing is kept."""
        self._generate("closed", connections, None, self.settings.warmup_seconds, PATIENCE_SECONDS)

    def run(
        self,
        purpose: Purpose,
        repetition: int,
        connections: int,
        seconds: float,
        rate: float | None = None,
    ) -> Run:
        """Send for so many seconds, at a rate where one is given; return the run, checked.

        The stack's own counts are read for what figures are made of only: that waits for Prometheus.
        """
        loop: Loop = "closed" if rate is None else "open"
        counts = None
        if purpose in ("peak", "objective"):
            names = {self.stack.prometheus_replica(name): name for name in self.stack.replicas()}
            counts = self.instruments.counts(self.stack.prometheus, names, self.settings.model)
            counts.begin()
        by: By = "cgroup" if self.stack.kind == "docker" else "process"
        usage = self.instruments.usage(self.stack.parts(), by)
        usage.start()
        patience = TRIED_PATIENCE_SECONDS if purpose == "search" else PATIENCE_SECONDS
        outcome = self._generate(loop, connections, rate, seconds, patience)
        parts, host = usage.stop()
        by_replica, at_the_door = counts.end() if counts else (None, None)
        server = Server(
            requests_by_replica=by_replica,
            requests_at_the_door=at_the_door,
            parts=parts,
            host=host,
        )
        run = _run_of(outcome, purpose, loop, repetition, connections, rate, server)
        run.findings = self.instruments.check_run(run, self.settings)
        return run

    def _generate(
        self, loop: Loop, connections: int, rate: float | None, seconds: float, patience_seconds: float
    ) -> Outcome:
        outcome = self.instruments.generate(
            Plan(
                address=self.stack.address,
                host=self.stack.host,
                payloads=str(self.payloads),
                loop=loop,
                rate=rate,
                connections=connections,
                seconds=seconds,
                processes=self.settings.processes,
                first_number=self.number,
                timeout_seconds=patience_seconds,
            )
        )
        self.number += outcome.numbers_used
        return outcome


def _run_of(
    outcome: Outcome,
    purpose: Purpose,
    loop: Loop,
    repetition: int,
    connections: int,
    rate: float | None,
    server: Server,
) -> Run:
    return Run(
        purpose=purpose,
        loop=loop,
        repetition=repetition,
        connections=connections,
        rate=rate,
        started=outcome.started,
        seconds=outcome.seconds,
        sent=outcome.sent,
        ok=outcome.ok,
        failed=outcome.failed,
        lost=outcome.lost,
        unsent=outcome.unsent,
        failures=outcome.failures,
        latency=outcome.latency,
        by_second=outcome.by_second,
        by_replica=outcome.by_replica,
        by_version=outcome.by_version,
        by_cache=outcome.by_cache,
        in_flight=outcome.in_flight,
        generator=outcome.generator,
        server=server,
    )
