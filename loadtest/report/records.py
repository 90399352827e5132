"""The tables of what was done: runs, wrong replies, settings, hardware; cells as text go out."""

from datetime import UTC, datetime

from deploy.top.cells import number, percent, seconds
from loadtest.histogram import Histogram
from loadtest.markdown import Rows
from loadtest.report.findings import name_of
from loadtest.report.headline import objective
from loadtest.report.tables import Table
from loadtest.study.study import Run, Study


def runs_table(study: Study) -> Table:
    """Return a line for each run."""
    head = ("replicas", "for", "loop", "asked/s", "connections", "right/s", "p50", "p99")
    more = ("failed", "lost", "unsent", "generator's core", "its lag p99", "verdict")
    rows = [(f"{step.replicas}", *_run(run)) for step in study.steps for run in step.runs]
    return Table("Runs", (*head, *more), rows)


def failures_table(study: Study) -> Table:
    """Return the first wrong replies of each run, as they came."""
    rows = [
        (f"{step.replicas}", name_of(run), text)
        for step in study.steps
        for run in step.runs
        for text in run.failures
    ]
    return Table("Wrong replies", ("replicas", "run", "what came"), rows)


def settings_table(study: Study) -> Table:
    """Return what was asked for."""
    about = study.settings
    rows: Rows = [
        ("stack", about.stack),
        ("model", f"{about.model}, version {about.version}"),
        ("replicas", ", ".join(map(str, about.replicas))),
        ("CPUs of a replica", f"{about.cpus:g}" if about.cpus else "no quota"),
        ("rows of a request", f"{about.rows}, {about.shape}"),
        ("objective", objective(about)),
        (
            "repetitions",
            f"{about.repetitions} of {about.run_seconds:g} s, {about.warmup_seconds:g} s warm-up",
        ),
        ("generator's processes", f"{about.processes}"),
        ("begun", moment(study.created)),
        ("finished", moment(study.finished) if study.finished else "not"),
    ]
    return Table("Settings", ("", ""), rows)


def hardware_table(study: Study) -> Table:
    """Return what it was measured on."""
    return Table("Hardware and versions", ("", ""), list(study.hardware.items()))


def moment(at: float) -> str:
    """Return a date and time of day, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _run(run: Run) -> tuple[str, ...]:
    histogram = Histogram.decode(run.latency) if run.latency else None
    return (
        f"{run.purpose} {run.repetition}",
        run.loop,
        number(run.rate),
        f"{run.connections}",
        number(run.achieved),
        seconds(histogram.quantile_seconds(0.5) if histogram else None),
        seconds(histogram.quantile_seconds(0.99) if histogram else None),
        f"{run.failed:,}",
        f"{run.lost:,}",
        f"{run.unsent:,}",
        percent(run.generator.busiest_share),
        seconds(run.generator.lag_p99_seconds),
        run.verdict,
    )
