"""A study as CSV, for programs: a line for each run, a line for each step, numbers in full."""

import csv
from dataclasses import fields
from pathlib import Path
from typing import Any

from loadtest.histogram import Histogram
from loadtest.law.bottleneck import replica_parts
from loadtest.report.steps import StepFigures, cpu_seconds
from loadtest.study.figures import Figure
from loadtest.study.study import Run, Study

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def write_runs(study: Study, file: Path) -> None:
    """Write a line for each run: seconds, requests and shares of 1, as in study.json."""
    _write(
        file, [{"replicas": step.replicas, **_run(run)} for step in study.steps for run in step.runs]
    )


def write_figures(figures: list[StepFigures], file: Path) -> None:
    """Write a line for each step; a figure is four columns: median, low, high, runs."""
    _write(file, [_step(each) for each in figures])


def _run(run: Run) -> dict[str, Any]:
    latency = Histogram.decode(run.latency) if run.latency else None
    parts, host = run.server.parts or {}, run.server.host
    return {
        "purpose": run.purpose,
        "loop": run.loop,
        "repetition": run.repetition,
        "started": run.started,
        "seconds": run.seconds,
        "connections": run.connections,
        "asked_per_second": run.rate,
        "achieved_per_second": run.achieved,
        "sent": run.sent,
        "ok": run.ok,
        "failed": run.failed,
        "lost": run.lost,
        "unsent": run.unsent,
        **{
            f"{name}_seconds": latency.quantile_seconds(share) if latency else None
            for name, share in SHARES.items()
        },
        "longest_seconds": latency.longest_seconds if latency else None,
        "in_flight": run.in_flight,
        "generator_busiest_share": run.generator.busiest_share,
        "generator_lag_p99_seconds": run.generator.lag_p99_seconds,
        "replicas_cpu_seconds_per_request": cpu_seconds(run),
        "nginx_cpu_seconds": parts["nginx"].cpu_seconds if "nginx" in parts else None,
        "throttled_seconds": sum(each.throttled_seconds for each in replica_parts(run))
        if parts
        else None,
        "steal_share": host.steal_share if host else None,
        "verdict": run.verdict,
        "why": "; ".join(each.text for each in run.findings if each.verdict != "ok"),
    }


def _step(step: StepFigures) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for each in fields(step):
        value = getattr(step, each.name)
        if each.name == "bottleneck":
            row[each.name] = value.part
        elif "Figure" in str(each.type):
            names = [f"{each.name}_{part}" for part in Figure._fields]
            row |= dict(zip(names, value or (None,) * len(names), strict=True))
        else:
            row[each.name] = value
    return row


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
