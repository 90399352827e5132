"""What the metric families of all versions share: their labels, and how a `Distribution` is shown."""

from collections.abc import Iterable

from prometheus_client.core import HistogramMetricFamily

from service.counting.counts import Distribution

MODEL = ("model", "version")


def histogram(
    name: str, help_: str, series: Iterable[tuple[tuple[str, str], Distribution]]
) -> HistogramMetricFamily:
    """Return a histogram with a series for each (model, version)."""
    family = HistogramMetricFamily(name, help_, labels=MODEL)
    for version, distribution in series:
        family.add_metric(version, distribution.cumulative(), distribution.sum)
    return family
