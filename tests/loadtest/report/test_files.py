"""The files for programs and for a README: CSV with a study's figures in full, Markdown as text."""

import csv
from pathlib import Path

import pytest

from loadtest.histogram import Histogram
from loadtest.report.csv_files import write_figures, write_runs
from loadtest.report.steps import step_figures
from loadtest.report.summary import summary
from loadtest.study.figures import objective_rate, peak
from loadtest.study.study import Finding
from tests.loadtest.report.odd_studies import HOSTILE, hostile, nothing, without_server
from tests.loadtest.studies import make_study


def read(file: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV."""
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_runs_read_back_as_they_were(tmp_path: Path) -> None:
    """A line for each run, in their order, with every digit that the study has."""
    study = make_study()
    study.steps[0].runs[0].findings = [Finding("steal", "marked", 'a, "b"\nc')]
    write_runs(study, tmp_path / "runs.csv")
    lines = read(tmp_path / "runs.csv")
    runs = [(step.replicas, run) for step in study.steps for run in step.runs]
    assert len(lines) == len(runs)
    for line, (replicas, run) in zip(lines, runs, strict=True):
        assert int(line["replicas"]) == replicas
        assert (line["purpose"], line["loop"], line["verdict"]) == (run.purpose, run.loop, run.verdict)
        assert float(line["achieved_per_second"]) == run.achieved
        assert float(line["p99_seconds"]) == Histogram.decode(run.latency).quantile_seconds(0.99)
        assert line["asked_per_second"] == ("" if run.rate is None else str(run.rate))
    assert lines[0]["why"] == 'a, "b"\nc'


def test_figures_read_back_as_they_were(tmp_path: Path) -> None:
    """A line for each step: median, lowest and highest of what `loadtest.study.figures` gives."""
    study = make_study()
    write_figures(step_figures(study), tmp_path / "figures.csv")
    for line, step in zip(read(tmp_path / "figures.csv"), study.steps, strict=True):
        for name, found in (("peak", peak(step)), ("within", objective_rate(step))):
            assert found
            assert float(line[f"{name}_median"]) == found.median
            assert float(line[f"{name}_low"]) == found.low
            assert float(line[f"{name}_high"]) == found.high
        assert line["bottleneck"] == "replicas"


def test_what_is_unknown_is_empty(tmp_path: Path) -> None:
    """An empty field says that nobody knows; a 0 would be a measurement."""
    study = without_server()
    write_runs(study, tmp_path / "runs.csv")
    write_figures(step_figures(study), tmp_path / "figures.csv")
    assert {line["nginx_cpu_seconds"] for line in read(tmp_path / "runs.csv")} == {""}
    assert {line["memory_bytes"] for line in read(tmp_path / "figures.csv")} == {""}


def test_no_step_is_an_empty_table(tmp_path: Path) -> None:
    """A study without steps has CSV files without lines."""
    write_runs(nothing(), tmp_path / "runs.csv")
    assert read(tmp_path / "runs.csv") == []


def test_summary_has_result_table_picture_and_conditions() -> None:
    """Whoever reads only this knows what was measured, how, on what, and sees the main plot."""
    text = summary(make_study(), "results/made/throughput.png")
    assert max(len(line) for line in text.splitlines() if not line.startswith(("|", "!"))) <= 104
    words = " ".join(text.split())
    assert words.startswith("8 replicas of digits-forest give ")
    assert "](results/made/throughput.png)" in words
    for said in ("Closed loop", "Open loop", "0.2 CPU each", "commit 0000000", "cores 8"):
        assert said in words
    assert text.count("\n| ") == 2 + 4


@pytest.mark.parametrize("picture", [None, "throughput.png"])
def test_summary_of_nothing_shows_no_picture(picture: str | None) -> None:
    """A picture that nobody drew isn't linked."""
    assert "![" not in summary(nothing(), picture)


def test_summary_is_text_whatever_it_is_about() -> None:
    """A study's texts make no link, no HTML, no further column."""
    text = summary(hostile())
    assert HOSTILE.split()[0] not in text
    assert "](javascript" not in text.replace("\\]", "")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
