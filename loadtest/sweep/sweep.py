"""The sweep: a stack and a study come in; step after step is measured, and the stack left as it was.

The study is written after every run, so that whatever ends a sweep, what was measured stays.
"""

import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Refused
from loadtest.payloads import MARKS, Payloads, write
from loadtest.study.figures import objective_rate, peak
from loadtest.study.folder import save
from loadtest.study.study import Event, Finding, Run, Step, Study
from loadtest.sweep.bench import Bench
from loadtest.sweep.instruments import Instruments
from loadtest.sweep.interrupts import Stops
from loadtest.sweep.stack import Stack
from loadtest.sweep.step import FIRST_GUESS, StepMeasurement
from loadtest.sweep.watcher import Watcher

# More than an interrupted run can have used up.
SKIPPED_NUMBERS = 1_000_000
# A step may fail by chance, two in a row have a reason.
MOST_FAILURES = 2


@dataclass
class Sweep:
    """Measures what a study lacks on a stack."""

    stack: Stack
    study: Study
    folder: Path
    payloads: Payloads
    instruments: Instruments
    watcher: Watcher
    cool: Callable[[float], None] = time.sleep

    def run(self) -> bool:
        """Measure all steps, and tell whether that came to its end; False: somebody stopped it.

        Either way the stack is as it was found, and the study written. Raises `Refused` where steps
        fail one after the other, or the stack can't be restored.
        """
        with Stops() as stops, tempfile.TemporaryDirectory(prefix="flotilla-sweep-") as folder:
            try:
                file = Path(folder, "payloads")
                write(self.payloads, file)
                self._measure_all(file)
            except KeyboardInterrupt:
                self.watcher.say("stopped: the stack is put back as it was")
            else:
                self.study.finished = time.time()
            finally:
                stops.hold()
                try:
                    self.stack.restore(self.watcher.say)
                except Refused as reason:
                    raise Refused(f"the stack could not be put back as it was: {reason}") from reason
                finally:
                    self._save()
        return self.study.finished is not None

    def _measure_all(self, file: Path) -> None:
        # What was stopped may have used more than was written; a new study's begin anywhere, or
        # another one's requests would still be in a cache.
        before = self.study.next_number or secrets.randbelow(MARKS // 2)
        self.study.next_number = before + SKIPPED_NUMBERS
        bench = Bench(self.stack, self.study.settings, file, self.instruments, self.study.next_number)
        failures = 0
        for replicas in self.study.settings.replicas:
            step = self._step(replicas)
            if step.complete:
                continue
            self.watcher.began(step)
            try:
                self._measure(bench, step)
                failures = 0
            except Refused as reason:
                failures += 1
                step.findings = [Finding("step", "refused", f"not measured to its end: {reason}")]
                step.events.append(Event(time.time(), f"failed: {reason}"))
                self.watcher.say(f"{replicas} replicas: {reason}")
                if failures == MOST_FAILURES:
                    raise Refused(
                        f"{failures} steps in a row could not be measured; the last one: {reason}"
                    ) from reason
            finally:
                self._save()
                self.watcher.ended(step)

    def _measure(self, bench: Bench, step: Step) -> None:
        def keep(run: Run) -> None:
            self.study.next_number = bench.number
            self._save()

        guess = self._guess(step)
        StepMeasurement(bench, self.payloads, step, keep, self.watcher, guess, self.cool).measure()

    def _step(self, replicas: int) -> Step:
        """Return the step of so many replicas, a new one where there is none."""
        for step in self.study.steps:
            if step.replicas == replicas:
                return step
        step = Step(replicas=replicas)
        self.study.steps.append(step)
        return step

    def _guess(self, step: Step) -> float:
        """Return which share of its peak probably keeps the objective: what the one before kept."""
        shares = [
            kept.median / most.median
            for each in self.study.steps
            if each is not step and each.complete
            if (kept := objective_rate(each)) and (most := peak(each)) and most.median
        ]
        return shares[-1] if shares else FIRST_GUESS

    def _save(self) -> None:
        save(self.study, self.folder)
