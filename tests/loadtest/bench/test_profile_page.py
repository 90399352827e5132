"""The page of a profile: every process with its sum, the stations' shares, what is small left out."""

from collections import Counter

from loadtest.bench.cpu import Cost
from loadtest.bench.profile_page import render
from loadtest.bench.report import Run
from loadtest.bench.stations import SAMPLES_PER_SECOND, Station
from tests.loadtest.bench.reports import MACHINE


def test_page_has_processes_and_stations() -> None:
    """The dearest process comes first and all are added up; shares are of the samples."""
    spent = {"nginx": Cost(20.0, 40.0), "replica-1": Cost(90.0, 10.0)}
    found = {
        "gunicorn": Station(750, Counter({"send": 500, "read": 250})),
        "service/rows.py": Station(249, Counter({"take": 249})),
        "threading": Station(1, Counter({"wait": 1})),
    }
    seconds = 1000 // SAMPLES_PER_SECOND * 2
    text = render(MACHINE, Run(5210.0, 1.0, 2.0), spent, found, seconds, had=0.4)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert rows == [
        "| process | user µs | system µs | together |",
        "| replica-1 | 90.0 | 10.0 | 100.0 |",
        "| nginx | 20.0 | 40.0 | 60.0 |",
        "| all | 110.0 | 50.0 | 160.0 |",
        "| station | share | most of it in |",
        "| gunicorn | 75.0% | `send` 67%, `read` 33% |",
        "| service/rows.py | 24.9% | `take` 100% |",
    ]
    assert "5.21k requests a second" in text
    assert "40% of a core" in text
    assert "commit abc1234" in text
