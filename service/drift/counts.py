"""What has been seen of one version's rows, as plain numbers, and as the lines that Prometheus reads.

Only the watch's thread adds; `service.drift.page` reads at each scrape. A version has some hundred
series: their names and labels are put together once, because prometheus_client does so at each
scrape, in 12 µs a series.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.counting.counts import Distribution
from service.drift.baseline import Feature

# Upper bounds ("le") of a confidence: the largest probability that the model gives any class.
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
ROWS, SHARE, CONFIDENT = (
    "flotilla_drift_rows_total",
    "flotilla_baseline_share",
    "flotilla_prediction_confidence",
)


class DriftCounts:
    """Counts rows by bin, and confidences; `share_lines` says how it was at publish time."""

    def __init__(self, model: str, version: str, features: Sequence[Feature]) -> None:
        self.bins = np.zeros(sum(each.size for each in features), dtype=np.int64)
        self._confidence = Distribution(CONFIDENCE)
        self._version = f'model="{_escaped(model)}",version="{_escaped(version)}"'
        labels = [
            f'{{{self._version},feature="{_escaped(each.name)}",bin="{_escaped(name)}"}} '
            for each in features
            for name in each.bin_names()
        ]
        shares = [share for each in features for share in each.shares]
        self.share_lines = [f"{SHARE}{of}{share}" for of, share in zip(labels, shares, strict=True)]
        self._row_lines = [ROWS + of for of in labels]

    def add_confidences(self, confidences: NDArray[np.float64]) -> None:
        """Add probabilities, shape (rows,)."""
        known = np.minimum(confidences[~np.isnan(confidences)], 1.0)  # a sum may be above by an ulp
        places = np.searchsorted(CONFIDENCE, known)
        for place, rows in zip(*np.unique(places, return_counts=True), strict=True):
            self._confidence.buckets[place] += int(rows)
        self._confidence.sum += float(known.sum())

    def row_lines(self) -> Iterator[str]:
        """Return a line for each bin."""
        return map(str.__add__, self._row_lines, map(str, self.bins.tolist()))

    def confidence_lines(self) -> list[str]:
        """Return the lines of the histogram; none before the first confidence."""
        total, pairs = self._confidence.sum, self._confidence.cumulative()
        rows = pairs[-1][1]
        if not rows:
            return []
        lines = [f'{CONFIDENT}_bucket{{{self._version},le="{le}"}} {count}' for le, count in pairs]
        of = f"{{{self._version}}}"
        return [*lines, f"{CONFIDENT}_sum{of} {total}", f"{CONFIDENT}_count{of} {rows}"]


def _escaped(text: str) -> str:
    """Return a label's value as the exposition format wants it between quotes."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
