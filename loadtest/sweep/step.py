"""One step: so many replicas are started, saturated, and loaded up to the objective.

A run that the step has already, from a sweep that was interrupted, is taken instead of measured: both
searches go the same way again and find where they were.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from loadtest.payloads import Payloads
from loadtest.study.figures import peak
from loadtest.study.study import Event, Purpose, Run, Step
from loadtest.sweep.bench import Bench
from loadtest.sweep.duration import COOL_SECONDS, run_seconds
from loadtest.sweep.objective import kept, nearly_kept
from loadtest.sweep.search import NOTCHES, highest, saturating
from loadtest.sweep.traffic import wait_for_replies
from loadtest.sweep.watcher import Watcher

CONNECTIONS_EACH = 8  # for each replica, to begin with
MOST_CONNECTIONS = 512  # by default a process may have 1024 files open
FIRST_GUESS = 0.7
# A step before this one that kept the objective at next to nothing says nothing of this one.
LEAST_GUESS = 0.3


@dataclass
class StepMeasurement:
    """Measures a step on a bench; `keep` is given each new run, `cool` waits between two.

    `guess`: the share of the peak that probably keeps the objective.
    """

    bench: Bench
    payloads: Payloads
    step: Step
    keep: Callable[[Run], None]
    watcher: Watcher
    guess: float = FIRST_GUESS
    cool: Callable[[float], None] = time.sleep

    def measure(self) -> None:
        """Measure what the step lacks; raise `Refused` where a replica is lost or doesn't start."""
        self._prepare()
        connections = self._connections()
        for repetition in self._repetitions():
            self._run("peak", connections, repetition)
        self._keep_objective(connections)
        settings = self.bench.settings
        self.step.findings = self.bench.instruments.check_step(self.step, settings)
        self.step.complete = True

    def _prepare(self) -> None:
        stack, step, settings = self.bench.stack, self.step, self.bench.settings
        began = time.time()
        stack.limit(None)  # what is to start or end needs its processor time
        self._note(f"scaling to {step.replicas}")
        stack.scale(step.replicas, self.watcher.say)
        names = sorted(stack.replicas())
        self._note("ready")
        self.bench.number = wait_for_replies(stack, self.payloads, names, self.bench.number)
        step.ready_seconds = time.time() - began
        self._note("every replica answers")
        if settings.cpus is not None:
            stack.limit(settings.cpus)
            self._note(f"quota {settings.cpus:g} CPUs each")
        self.bench.meet(names)
        self.bench.warm_up(self._first_connections())
        self._note("warm")

    def _first_connections(self) -> int:
        return (self.bench.settings.connections or CONNECTIONS_EACH) * self.step.replicas

    def _connections(self) -> int:
        """Return with how many connections the replicas give their most."""
        first = self._first_connections()
        if self.bench.settings.connections is not None:
            return first
        return saturating(
            lambda count: self._run("saturation", count).achieved, first, MOST_CONNECTIONS
        )

    def _keep_objective(self, connections: int) -> None:
        """Measure at the highest rate that keeps the objective in every repetition."""
        figure = peak(self.step)
        if figure is None or not figure.median:
            self._note("no peak that could be believed, so no rate within the objective")
            return
        settings = self.bench.settings
        notch = figure.median / NOTCHES
        guess = round(max(self.guess, LEAST_GUESS) * NOTCHES)
        while rate := notch * highest(lambda number: self._passes(connections, number * notch), guess):
            enough = self._enough(connections, rate)
            if all(
                kept(self._run("objective", enough, repetition, rate), settings)
                for repetition in self._repetitions()
            ):
                return
            self._note(f"a repetition at {rate:,.0f}/s missed the objective: a lower rate is tried")
            for run in self.step.runs:  # none of them is the figure; the search takes them into account
                run.purpose = "search" if run.purpose == "objective" else run.purpose
        self._note("no rate of arrivals keeps the objective")

    def _passes(self, connections: int, rate: float) -> bool:
        enough = self._enough(connections, rate)
        runs = self._there("search", enough, rate) or [self._run("search", enough, 1, rate)]
        if len(runs) == 1 and nearly_kept(runs[0], self.bench.settings):
            runs.append(self._run("search", enough, 2, rate))
        # The last one decides: it is the second try, or a repetition that missed the objective.
        return kept(runs[-1], self.bench.settings)

    def _enough(self, connections: int, rate: float) -> int:
        """Return how many connections an open loop needs.

        By Little's law rate times objective are under way when the mean latency is the objective: with
        more there would only be a longer queue in the server. Where none is free a request waits, and
        that counts.
        """
        under_way = math.ceil(rate * self.bench.settings.objective_seconds)
        return min(max(connections, under_way), MOST_CONNECTIONS)

    def _run(
        self, purpose: Purpose, connections: int, repetition: int = 1, rate: float | None = None
    ) -> Run:
        """Return the run that there is, or measure it."""
        for run in self._there(purpose, connections, rate):
            if run.repetition == repetition:
                return run
        self.cool(COOL_SECONDS)
        asked = f"{rate:,.0f}/s" if rate else f"{connections} connections"
        self.step.events.append(Event(time.time(), f"{purpose} {repetition}: {asked}"))
        self.watcher.runs(self.step, f"{purpose} {repetition}, {asked}")
        seconds = run_seconds(purpose, self.bench.settings)
        run = self.bench.run(purpose, repetition, connections, seconds, rate)
        self.step.runs.append(run)
        self.keep(run)
        self.watcher.finished(self.step, run)
        return run

    def _there(self, purpose: Purpose, connections: int, rate: float | None) -> list[Run]:
        """Return the step's runs for a purpose with these connections, or at this rate."""

        def same(run: Run) -> bool:
            if rate is None or run.rate is None:
                return run.rate is rate and run.connections == connections
            return math.isclose(run.rate, rate, rel_tol=1e-6)

        return [run for run in self.step.runs if run.purpose == purpose and same(run)]

    def _repetitions(self) -> range:
        return range(1, self.bench.settings.repetitions + 1)

    def _note(self, text: str) -> None:
        self.step.events.append(Event(time.time(), text))
        self.watcher.say(f"{self.step.replicas} replicas: {text}")
