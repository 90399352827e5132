"""Shows to Prometheus what tells two versions of a model apart: what they predict, how shadows agree.

Called by `service.counting.collector` at each scrape, in its thread.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from service.counting.counts import Counts, ShadowCounts
from service.counting.families import MODEL, histogram
from service.counting.predicted import LabelCounts, ValueMoments

_MOMENTS: tuple[tuple[str, str, Callable[[ValueMoments], float]], ...] = (
    (
        "flotilla_prediction_count",
        "Rows answered with a finite number, by models that predict one.",
        lambda moments: moments.count,
    ),
    ("flotilla_prediction_sum", "Sum of these numbers.", lambda moments: moments.sum),
    (
        "flotilla_prediction_sum_of_squares",
        "Sum of the squares of these numbers.",
        lambda moments: moments.sum_of_squares,
    ),
)


def predictions(named: Iterable[tuple[tuple[str, str], Counts]]) -> Iterator[Metric]:
    """Return what versions have predicted: classifiers by label, others as moments."""
    labels = CounterMetricFamily(
        "flotilla_predictions", "Rows answered, by predicted label.", labels=(*MODEL, "label")
    )
    moments = [(GaugeMetricFamily(name, help_, labels=MODEL), read) for name, help_, read in _MOMENTS]
    for version, each in named:
        if isinstance(each.predicted, LabelCounts):
            for label, count in each.predicted.by_label():
                labels.add_metric((*version, label), count)
        elif each.predicted is not None:
            for family, read in moments:
                family.add_metric(version, read(each.predicted))
    return iter([labels, *(family for family, _ in moments)])


def shadows(shadowed: dict[tuple[str, str], ShadowCounts]) -> Iterator[Metric]:
    """Return what became of rows in the shadows; there `version` is the one that answered."""
    rows = CounterMetricFamily(
        "flotilla_shadow_rows",
        "Rows offered to a shadow, by whether it agrees with the version that answered.",
        labels=(*MODEL, "shadow", "result"),
    )
    for (model, shadow), each in shadowed.items():
        dropped = [((answered, "dropped"), count) for answered, count in list(each.dropped.items())]
        for (answered, result), count in [*list(each.compared.items()), *dropped]:
            rows.add_metric((model, answered, shadow, result), count)
    yield rows
    yield histogram(
        "flotilla_shadow_inference_duration_seconds",
        "One call of a version as a shadow.",
        ((version, each.inference_seconds) for version, each in shadowed.items()),
    )
