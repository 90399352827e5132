"""What /metrics says of drift, in both formats, as a parser reads it."""

from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from service.drift.baseline import Feature
from service.drift.counts import CONFIDENCE, DriftCounts
from service.drift.page import FAMILIES, drift_page

ODD = 'a "quoted" \\ name\nof two lines'
FEATURES = (
    Feature(name="x[0]", column=0, measure="number", edges=(1.5,), shares=(0.25, 0.75)),
    Feature(name=ODD, column=1, measure="category", categories=(ODD,), other=True, shares=(0.5, 0.5)),
)
PARSERS = pytest.mark.parametrize(
    ("parse", "openmetrics"), [(parse_plain, False), (lambda text: parse_open(text + "# EOF\n"), True)]
)
Parse = Callable[[str], object]


def series(parse: Parse, page: str) -> dict[tuple[str, ...], float]:
    """Return the value of each series by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parse(page)
        for sample in family.samples
    }


@PARSERS
def test_page(parse: Parse, openmetrics: bool) -> None:
    """Rows and shares of two versions, with names as odd as they like, each in its family."""
    one, two = (DriftCounts("m", version, FEATURES) for version in "12")
    one.bins += [1, 2, 3, 4]
    page = drift_page([one, two], openmetrics)
    found = series(parse, page)
    assert found["flotilla_drift_rows_total", "m", "1", "x[0]", "2: above 1.5"] == 2
    assert found["flotilla_drift_rows_total", "m", "1", ODD, ODD] == 3
    assert found["flotilla_drift_rows_total", "m", "2", ODD, "(other)"] == 0
    assert found["flotilla_baseline_share", "m", "2", "x[0]", "1: up to 1.5"] == 0.25
    assert len(found) == 16
    families = {(each.name + "_total" * (each.type == "counter"), each.type) for each in parse(page)}
    assert families == {(each.name, each.type) for each in FAMILIES}


@PARSERS
def test_nothing(parse: Parse, openmetrics: bool) -> None:
    """Without a version there are the families alone."""
    assert series(parse, drift_page([], openmetrics)) == {}


@PARSERS
def test_confidences(parse: Parse, openmetrics: bool) -> None:
    """Confidences are a histogram; an ulp above 1 counts as 1, and what is missing as nothing."""
    counts = DriftCounts("m", "1", ())
    counts.add_confidences(np.array([0.1, 0.95, 0.951, 1.0, 1.0000000000000002, np.nan]))
    counts.add_confidences(np.array([0.951]))
    found = series(parse, drift_page([counts], openmetrics))
    name = "flotilla_prediction_confidence"
    at_most = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 6]
    for bound, rows in zip(CONFIDENCE, at_most, strict=True):
        assert found[f"{name}_bucket", "m", "1", str(float(bound))] == rows
    assert found[f"{name}_bucket", "m", "1", "+Inf"] == 6
    assert found[f"{name}_count", "m", "1"] == 6
    assert found[f"{name}_sum", "m", "1"] == pytest.approx(4.952)


def test_no_confidences() -> None:
    """Before the first there is no histogram: a quantile of nothing would be drawn."""
    assert DriftCounts("m", "1", ()).confidence_lines() == []
