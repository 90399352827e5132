"""A report: medians and ratios of rows a second, who stands in for whom, JSON there and back."""

import msgspec
import pytest

from loadtest.bench.report import ENGINE, FASTAPI, FLOTILLA, RETURN_200, Report, short
from loadtest.bench.workloads import Workload
from tests.loadtest.bench.reports import report

BATCH = Workload("digits", "batch")


def test_report_compares_medians_of_rows() -> None:
    """Rates are rows a second, the ratios are those of the medians, the spread is the runs'."""
    flotilla = report().find(BATCH, FLOTILLA)
    assert flotilla.rate == pytest.approx(7000)
    assert flotilla.runs[0].requests_per_second == pytest.approx(8000 / 64)
    assert report().ratio(flotilla, FASTAPI) == pytest.approx(70)
    assert report().ratio(flotilla, RETURN_200) == pytest.approx(0.5)


def test_others_stand_in_where_a_server_was_not_asked() -> None:
    """The forest on scikit-learn is compared with FastAPI's forest; `return 200` knows no models."""
    workload = Workload("forest-sklearn", "batch")
    assert report().find(workload, FASTAPI).workload == Workload("digits-forest", "batch")
    assert report().find(workload, RETURN_200).workload == BATCH
    assert report().find(workload, ENGINE).workload == workload


def test_json_brings_back_the_report() -> None:
    """What is written is read again as it was; anything else is refused."""
    assert Report.from_json(report().json()) == report()
    with pytest.raises(msgspec.ValidationError, match="machine"):
        Report.from_json(b'{"measurements": []}')


def test_report_counts_failures() -> None:
    """A single failed request fails the report; none doesn't."""
    assert report().failed == 0
    assert report(failed=3).failed == 3


@pytest.mark.parametrize(
    ("rate", "text"),
    [(7.4, "7"), (999, "999"), (1000, "1.00k"), (14_649, "14.6k"), (335_000, "335k"), (2e6, "2.00M")],
)
def test_short_gives_three_figures(rate: float, text: str) -> None:
    """Rates are shown in three figures with their unit."""
    assert short(rate) == text
