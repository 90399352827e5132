"""Shows to Prometheus how well versions do, and how well they did when they were published.

Asked at each scrape, in a thread of Flask's.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.counting.families import MODEL
from service.feedback.counts import FeedbackCounts
from service.feedback.database import Database
from service.feedback.task import Task
from service.versions.registry import Registry


class FeedbackCollector(Collector):
    """The feedback of one replica: counts of each version, and the scores of those that are loaded."""

    def __init__(self, registry: Registry, database: Database | None = None) -> None:
        self._registry = registry
        self._database = database
        self._counts: dict[tuple[str, str], FeedbackCounts] = {}

    def of(self, model: str, version: str, task: Task | None) -> FeedbackCounts:
        """Return the counts of a version; one that is loaded again goes on with its own."""
        return self._counts.setdefault((model, version), FeedbackCounts(task))

    def describe(self) -> Iterable[Metric]:
        """Return the families, without series: their names are looked at once."""
        return self._families({})

    def collect(self) -> Iterator[Metric]:
        """Return the families with a series for each version."""
        return self._families(dict(self._counts))

    def _families(self, counts: dict[tuple[str, str], FeedbackCounts]) -> Iterator[Metric]:
        results = CounterMetricFamily(
            "flotilla_feedback",
            "Labels given by clients, by what became of them; unknown_request counts request ids.",
            labels=(*MODEL, "result"),
        )
        labels = CounterMetricFamily(
            "flotilla_feedback_labels",
            "Predictions with a true label, by class: tp right, fp wrong, fn missed.",
            labels=(*MODEL, "label", "outcome"),
        )
        values, absolute, squared = (
            CounterMetricFamily(name, help_, labels=MODEL) for name, help_ in _NUMBERS
        )
        for version, each in counts.items():
            for result, count in each.results():
                results.add_metric((*version, result), count)
            if each.labels is not None:
                for key, count in list(each.labels.counts.items()):
                    labels.add_metric((*version, *key), count)
            if each.numbers is not None:
                values.add_metric(version, each.numbers.values)
                absolute.add_metric(version, each.numbers.absolute_error)
                squared.add_metric(version, each.numbers.squared_error)
        yield from (results, labels, values, absolute, squared)
        errors = CounterMetricFamily(
            "flotilla_feedback_errors", "Calls to the feedback database that failed."
        )
        errors.add_metric((), self._database.errors if self._database else 0)
        yield errors
        yield self._scores()

    def _scores(self) -> Metric:
        scores = GaugeMetricFamily(
            "flotilla_model_score",
            "What the publisher measured on a hold-out, of each loaded version.",
            labels=(*MODEL, "metric"),
        )
        for model, number in sorted(self._registry.held()):
            version = self._registry.find(model, number)
            for name, score in version.manifest.metrics.items() if version else ():
                scores.add_metric((model, number, name), score)
        return scores


_NUMBERS = (
    ("flotilla_feedback_values", "Predicted numbers with a true one."),
    ("flotilla_feedback_absolute_error", "Sum of |prediction - truth| of these."),
    ("flotilla_feedback_squared_error", "Sum of the squares of these errors."),
)
