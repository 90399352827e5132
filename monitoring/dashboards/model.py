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
    mean,
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

PREDICTED = "flotilla_predictions_total"
SHADOW_ROWS = "flotilla_shadow_rows_total"


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


def agreed(*results: str) -> str:
    """Return how many rows a second ended so in the shadow, by model and shadow."""
    return per_second(SHADOW_ROWS, VERSION, f'result=~"{"|".join(results)}"', by="model, shadow")


def versions(gauge: str) -> str:
    """Return for how many versions a gauge is 1 in some replica."""
    return f"({or_zero(f'sum(max by ({BY_VERSION}) ({gauge}{{{VERSION}}}))')})"


AGREEMENT = f"{agreed('agree')} / ({agreed('agree', 'disagree')} > 0)"

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

VERSIONS = Row(
    "Versions, live and shadow",
    height=8,
    widths=(8,),
    panels=(
        time_series(
            "Requests by version",
            "At the door, so with what nginx's cache answered.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[Query(per_second(DOOR, VERSION, 'version!=""', by=BY_VERSION), NAMED)],
        ),
        time_series(
            "p99 by version",
            "In the replicas.",
            unit=units.Seconds,
            thresholds=LATENCIES,
            legend=Legend.LIST,
            queries=[Query(quantile(0.99, LATENCY, VERSION, 'version!=""', by=BY_VERSION), NAMED)],
        ),
        time_series(
            "Redis: asked or not",
            "1 where rows are looked up in Redis, 0 where computing is cheaper; dashed, the share of "
            "rows looked up lately that was found.",
            unit=units.Short,
            thresholds=NEITHER,
            legend=Legend.LIST,
            highest=1,
            queries=[
                Query(f"avg by ({BY_VERSION}) (flotilla_cache_open{{{VERSION}}})", NAMED),
                Query(
                    f"avg by ({BY_VERSION}) (flotilla_cache_hit_ratio{{{VERSION}}})",
                    f"{NAMED}: found",
                    dashed=True,
                ),
            ],
        ),
        time_series(
            "Shadow: agreement",
            "Share of compared rows that the shadow answered as the live version did, numbers within "
            "SHADOW_TOLERANCE.",
            unit=units.PercentUnit,
            thresholds=AGREEMENTS,
            legend=Legend.LAST,
            lowest=0.8,
            highest=1,
            queries=[Query(AGREEMENT, "{{model}}: shadow {{shadow}}")],
        ),
        time_series(
            "Shadow: rows",
            "What became of rows offered to shadows. Dropped ones came while too many waited: a "
            "shadow works at most SHADOW_SHARE of the time.",
            unit=units.RowsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            stacked=True,
            queries=[Query(f"{per_second(SHADOW_ROWS, VERSION, by='result')} > 0", "{{result}}")],
        ),
        time_series(
            "A call of the engine, live and shadow",
            "Mean duration of one call; the shadow's is dashed. Calls have as many rows as waited, so "
            "compare them under the same load.",
            unit=units.Seconds,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[
                Query(mean("flotilla_inference_duration_seconds", VERSION, by=BY_VERSION), NAMED),
                Query(
                    mean("flotilla_shadow_inference_duration_seconds", VERSION, by=BY_VERSION),
                    f"{NAMED} as a shadow",
                    dashed=True,
                ),
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
