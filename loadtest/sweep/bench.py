"""One run: what is to be sent comes in; what came of it, with everything seen meanwhile, goes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import Refused
from loadtest.generator.plan import Outcome, Plan
from loadtest.study.study import Loop, Purpose, Run, Server, Settings
from loadtest.sweep.instruments import By, Counts, Instruments
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
    _labels: dict[str, str] = field(default_factory=dict)  # names by what Prometheus calls replicas
    _counts: Counts | None = None

    def meet(self, names: Iterable[str]) -> None:
        """Measure these replicas from now on."""
        self._labels = {self.stack.prometheus_replica(name): name for name in names}
        self._counts = None

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
        Raises `Refused` where a replica has ended meanwhile.
        """
        loop: Loop = "closed" if rate is None else "open"
        counts = self._counts_for(purpose)
        pids = self.stack.parts()
        by: By = "cgroup" if self.stack.kind == "docker" else "process"
        usage = self.instruments.usage(pids, by)
        usage.start()
        patience = TRIED_PATIENCE_SECONDS if purpose == "search" else PATIENCE_SECONDS
        outcome = self._generate(loop, connections, rate, seconds, patience)
        parts, host = usage.stop()
        self._check_alive(pids)
        by_replica, at_the_door = counts.end() if counts else (None, None)
        # Where Prometheus couldn't be asked, the next window has no begin.
        self._counts = counts if by_replica is not None else None
        server = Server(
            requests_by_replica=by_replica,
            requests_at_the_door=at_the_door,
            parts=parts,
            host=host,
        )
        run = _run_of(outcome, purpose, loop, repetition, connections, rate, server)
        run.findings = self.instruments.check_run(run, self.settings)
        return run

    def _counts_for(self, purpose: Purpose) -> Counts | None:
        """Return the stack's counts with their window open, None for a run that does without.

        The end of one run's window is the begin of the next one's, if nothing was sent in between.
        """
        if purpose not in ("peak", "objective"):
            return None
        if self._counts is None:
            of = self.stack.prometheus, self._labels, self.settings.model
            counts = self.instruments.counts(*of)
            counts.begin()
            return counts
        return self._counts

    def _check_alive(self, pids: Mapping[str, int]) -> None:
        """Raise `Refused` where a replica, or what is before it, has ended or was started anew."""
        after = self.stack.parts()
        lost = set(self._labels.values()) - set(self.stack.replicas())
        lost |= {name for name, pid in pids.items() if after.get(name) != pid}
        if lost:
            raise Refused(f"{', '.join(sorted(lost))} ended during a run, which isn't kept")

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
