"""What a person sees of a sweep: a line for each run, and on a terminal bars with the time left."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from loadtest.histogram import Histogram
from loadtest.study.study import Finding, Run, Step, Study
from loadtest.sweep.duration import in_words, piece_seconds, plans

# The plan is a guess: it is corrected by how the time went so far, once some has gone.
CORRECTED_AFTER_SECONDS = 30.0


class Watch:
    """Shows how a sweep of a study goes on; a context, in which the bars are there."""

    def __init__(self, console: Console, study: Study) -> None:
        self._settings = study.settings
        self._plans = plans(study)
        self._planned = sum(each.seconds for each in self._plans.values())
        self._done = self._of_step = 0.0  # seconds of the plan
        self._began = time.monotonic()
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._all = self._bars.add_task("sweep", total=self._planned, left=self._left())
        self._step = self._bars.add_task("", total=None, left="", visible=False)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """Show what is being done: beside the bar, or as a line."""
        if self._console.is_terminal:
            self._bars.update(self._step, description=escape(text))
        else:
            self._console.print(f"  {escape(text)}", soft_wrap=True)

    def runs(self, step: Step, text: str) -> None:
        """Show on the bar which run it is; its line comes when there are figures."""
        self._bars.update(self._step, description=f"{step.replicas} replicas: {text}")

    def began(self, step: Step) -> None:
        """Begin the step's own bar."""
        self._of_step = 0.0
        plan = self._plans[step.replicas]
        self._bars.reset(self._step, total=plan.seconds, visible=True, left="")

    def finished(self, step: Step, run: Run) -> None:
        """Print the run's line and move the bars."""
        self._console.print(escape(run_line(step, run)), soft_wrap=True)
        left = self._plans[step.replicas].seconds - self._of_step
        self._move(min(piece_seconds(run.purpose, self._settings), left))

    def ended(self, step: Step) -> None:
        """Move the bars to the step's end, however many runs that took."""
        self._move(self._plans[step.replicas].seconds - self._of_step)

    def _move(self, seconds: float) -> None:
        self._of_step += seconds
        self._done += seconds
        self._bars.update(self._step, completed=self._of_step)
        self._bars.update(self._all, completed=self._done, left=self._left())

    def _left(self) -> str:
        gone = time.monotonic() - self._began
        pace = gone / self._done if self._done > CORRECTED_AFTER_SECONDS else 1.0
        return f"about {in_words((self._planned - self._done) * pace)} left"


def run_line(step: Step, run: Run) -> str:
    """Return a run in one line: replicas, what for, rate, p99, verdict and the checks it is due to."""
    p99 = Histogram.decode(run.latency).quantile_seconds(0.99) if run.latency else 0.0
    asked = f"{run.rate:,.0f}/s asked" if run.rate else f"{run.connections} connections"
    checks = ", ".join(each.check for each in run.findings if each.verdict != "ok")
    return (
        f"{step.replicas:>3} replicas  {run.purpose:<10} {run.repetition}  {run.loop:<6} loop  "
        f"{asked:>16}  {run.achieved:>8,.0f}/s  p99 {1e3 * p99:>7.1f} ms  {run.verdict}"
        + (f" ({checks})" if checks else "")
    )


def remarks(study: Study) -> Iterator[str]:
    """Yield what checks have to say of steps, and of the runs that figures are made of."""
    for step in study.steps:
        for run in step.runs:
            if run.purpose in ("peak", "objective"):
                where = f"{step.replicas} replicas, {run.purpose} {run.repetition}"
                yield from (_remark(where, each) for each in run.findings if each.verdict != "ok")
        where = f"{step.replicas} replicas"
        yield from (_remark(where, each) for each in step.findings if each.verdict != "ok")


def _remark(where: str, finding: Finding) -> str:
    return f"{where}: {finding.verdict} by {finding.check}: {finding.text}"
