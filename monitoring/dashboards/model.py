"""Model: what it predicts, whether its inputs have moved, how right it is, and how versions compare.

Choose one model: classes and numbers of several don't add up.
"""

from grafana_foundation_sdk.models import units

from monitoring.dashboards import board
from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Legend, Query, heat_map, stat, time_series
from monitoring.dashboards.quality import DRIFT, PSI, RIGHT
from monitoring.dashboards.queries import (
    BY_VERSION,
    DOOR,
    LATENCY,
    NAMED,
    VERSION,
    buckets,
    or_zero,
    per_second,
    quantile,
    ratio_by,
)
from monitoring.dashboards.thresholds import (
    ACCURACIES,
    AGREEMENTS,
    LATENCIES,
    NEITHER,
    NEVER,
    PSI_ALERTS,
)
from monitoring.dashboards.versions import AGREEMENT, VERSIONS

PREDICTED = "flotilla_predictions_total"


def moved(sums: str) -> str:
    """Return by how much a sum over predictions grew: a gauge, because it may fall.

    A replica that restarted meanwhile is left out, which only the count tells.
    """
    restarted = f"resets(flotilla_prediction_count{{{VERSION}}}[$__rate_interval]) > 0"
    grown = f"delta({sums}{{{VERSION}}}[$__rate_interval])"
    return f"sum by ({BY_VERSION}) ({grown} unless ({restarted}))"


COUNT = f"({moved('flotilla_prediction_count')} > 0)"
MEAN = f"{moved('flotilla_prediction_sum')} / {COUNT}"
SQUARES = f"{moved('flotilla_prediction_sum_of_squares')} / {COUNT}"
DEVIATION = f"sqrt(clamp_min({SQUARES} - ({MEAN}) ^ 2, 0))"


def versions(gauge: str) -> str:
    """Return for how many versions a gauge is 1 in some replica."""
    return f"({or_zero(f'sum(max by ({BY_VERSION}) ({gauge}{{{VERSION}}}))')})"


NOW = Row(
    "Now",
    height=4,
    widths=(4,),
    panels=(
        stat(
            "Requests",
            "At the door, answered by the chosen versions.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            queries=[Query(per_second(DOOR, VERSION), "requests")],
        ),
        stat(
            "p99 in a replica",
            "Of the chosen versions together.",
            unit=units.Seconds,
            thresholds=LATENCIES,
            queries=[Query(quantile(0.99, LATENCY, VERSION), "p99")],
        ),
        stat(
            "Features that have moved",
            "How many have a PSI of at least 0.25 against what the version was published with, over "
            "two minutes.",
            unit=units.Short,
            thresholds=NEVER,
            queries=[Query(or_zero(f"count({PSI} >= {PSI_ALERTS})"), "features")],
        ),
        stat(
            "Lowest accuracy",
            "Of the chosen classifiers, over an hour of feedback.",
            unit=units.PercentUnit,
            thresholds=ACCURACIES,
            queries=[Query(f"min(model:flotilla_accuracy:1h{{{VERSION}}})", "accuracy")],
        ),
        stat(
            "Shadow agrees",
            "Share of compared rows that a shadow answered as the live version did; the lowest of all "
            "shadows.",
            unit=units.PercentUnit,
            thresholds=AGREEMENTS,
            queries=[Query(f"min({AGREEMENT})", "agreement")],
        ),
        stat(
            "Damaged or refused versions",
            "Loaded versions whose files are gone or changed, which serve from memory until a "
            "restart, and versions that are wanted and can't be loaded.",
            unit=units.Short,
            thresholds=NEVER,
            queries=[
                Query(
                    f"{versions('flotilla_model_damaged')} + {versions('flotilla_version_refused')}",
                    "versions",
                )
            ],
        ),
    ),
)

ANSWERS = Row(
    "What it predicts",
    height=9,
    widths=(8,),
    panels=(
        time_series(
            "Classes",
            "Share of each class among a version's predictions. A sudden change is the input's or the "
            "model's. Classifiers alone.",
            unit=units.PercentUnit,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[
                Query(
                    ratio_by(
                        per_second(PREDICTED, VERSION, by=f"{BY_VERSION}, label"),
                        per_second(PREDICTED, VERSION, by=BY_VERSION),
                        BY_VERSION,
                    ),
                    "{{model}} {{version}}: {{label}}",
                )
            ],
        ),
        heat_map(
            "Confidence",
            "How sure the model is of its answers. Mass that moves downwards is input that it doesn't "
            "know.",
            unit=units.PercentUnit,
            thresholds=NEITHER,
            queries=[Query(buckets("flotilla_prediction_confidence", VERSION), "{{le}}")],
        ),
        time_series(
            "Numbers",
            "Mean of what a version predicts, and one standard deviation to both sides (dashed). "
            "Models that predict a number alone.",
            unit=units.Short,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[
                Query(MEAN, f"{NAMED}: mean"),
                Query(f"{MEAN} + {DEVIATION}", f"{NAMED}: + sd", dashed=True),
                Query(f"{MEAN} - {DEVIATION}", f"{NAMED}: - sd", dashed=True),
            ],
        ),
    ),
)

MODEL = Board(
    uid="flotilla-model",
    title="Model",
    description="What a model predicts, whether its inputs have moved, how right it is, how versions "
    "compare.",
    variables=(board.MODEL, board.VERSION),
    rows=(NOW, ANSWERS, DRIFT, RIGHT, VERSIONS),
)
