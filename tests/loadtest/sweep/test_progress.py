"""What a person sees: whole lines where there is no terminal, bars where there is one."""

import io

from rich.console import Console

from loadtest.study.study import Finding
from loadtest.sweep.progress import Watch, remarks, run_line
from loadtest.sweep.table import rows, table
from tests.loadtest.studies import make_run, make_step, make_study


def shown(terminal: bool) -> str:
    """Return what is written of a sweep of one step."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=160)
    study = make_study((4,))
    step = study.steps[0]
    study.steps = []
    with Watch(console, study) as watch:
        watch.began(step)
        watch.say("4 replicas: ready")
        watch.runs(step, "peak 1, 32 connections")
        for run in step.runs:
            watch.finished(step, run)
        watch.ended(step)
    return written.getvalue()


def test_without_a_terminal() -> None:
    """Lines alone: no control characters, one line for each run, what happens between them."""
    lines = shown(terminal=False).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[0].strip() == "4 replicas: ready"
    assert len(lines) == 1 + len(make_step(4, 1.0).runs)


def test_on_a_terminal() -> None:
    """A bar with the time that is left."""
    text = shown(terminal=True)
    assert "about" in text
    assert "left" in text
    assert "peak 1, 32 connections" in text


def test_run_line() -> None:
    """Replicas, what for, which loop, the rate, p99, the verdict and which checks it comes from."""
    run = make_run(1234.0, replicas=2, latency_seconds=0.005)
    step = make_step(2, 1234.0)
    line = run_line(step, run)
    for part in ("2 replicas", "peak", "closed loop", "6 connections", "1,234/s", "ms", "ok"):
        assert part in line
    run.findings = [Finding("little", "marked", "a long sentence"), Finding("balance", "ok", "fine")]
    assert run_line(step, run).endswith("marked (little)")
    assert "900/s asked" in run_line(step, make_run(900.0, purpose="search", loop="open"))


def test_remarks_are_about_figures() -> None:
    """What is found of the runs that figures are made of is said in full; of others it isn't."""
    study = make_study((1, 2))
    assert list(remarks(study)) == []
    by_purpose = {run.purpose: run for run in study.steps[0].runs}
    by_purpose["search"].findings = [Finding("little", "refused", "not said")]
    by_purpose["peak"].findings = [Finding("replies", "refused", "two lost"), Finding("x", "ok", "no")]
    study.steps[1].findings = [Finding("repetitions", "marked", "far apart")]
    assert list(remarks(study)) == [
        "1 replicas, peak 3: refused by replies: two lost",
        "2 replicas: marked by repetitions: far apart",
    ]


def test_table_has_the_figures() -> None:
    """A row for each step, fewest replicas first; what isn't known is empty."""
    study = make_study((4, 1), alone=1000.0, sigma=0.0, kappa=0.0, noise=0.0)
    study.steps[0].runs = [run for run in study.steps[0].runs if run.purpose != "objective"]
    study.steps[0].complete = False
    first, second = rows(study)
    assert (first.replicas, first.verdict, first.efficiency) == (1, "ok", 1.0)
    assert first.peak is not None
    assert first.peak.median == 1000.0
    assert second.within_objective is None
    console = Console(file=io.StringIO(), width=160)
    console.print(table(study))
    text = console.file.getvalue()
    assert "1,000/s ± 0.0 %" in text
    assert "not complete" in text
