"""The part of /metrics that tells of drift: counts of versions come in, text goes out.

https://prometheus.io/docs/specs/om/open_metrics_spec/ and the plain text format, which differ here in
the first lines of a counter.
"""

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from service.counting.families import MODEL
from service.drift.counts import CONFIDENT, ROWS, SHARE, DriftCounts


class Family(NamedTuple):
    """A metric: its name as in a query, type, labels and help."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


BIN = (*MODEL, "feature", "bin")
FAMILIES = (
    Family(ROWS, "counter", BIN, "Rows looked at, by the bin of each feature they fell into."),
    Family(SHARE, "gauge", BIN, "Share of a bin in the sample that the version was published with."),
    Family(CONFIDENT, "histogram", MODEL, "Largest probability the model gives any class, by row."),
)


def drift_page(versions: Iterable[DriftCounts], openmetrics: bool) -> str:
    """Return the lines of all versions; in OpenMetrics a counter's family is named without `_total`."""
    counted = list(versions)
    lines = (
        chain.from_iterable(each.row_lines() for each in counted),
        chain.from_iterable(each.share_lines for each in counted),
        chain.from_iterable(each.confidence_lines() for each in counted),
    )
    text: list[str] = []
    for family, series in zip(FAMILIES, lines, strict=True):
        name = family.name.removesuffix("_total") if openmetrics else family.name
        text += (f"# HELP {name} {family.help}", f"# TYPE {name} {family.type}", *series)
    return "\n".join(text) + "\n"
