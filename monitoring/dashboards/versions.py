"""Row of the dashboard "Model": how versions compare, those that answer and those in the shadow."""

from grafana_foundation_sdk.models import units

from monitoring.dashboards.board import Row
from monitoring.dashboards.panels import Legend, Query, time_series
from monitoring.dashboards.queries import (
    BY_VERSION,
    DOOR,
    LATENCY,
    NAMED,
    VERSION,
    mean,
    per_second,
    quantile,
)
from monitoring.dashboards.thresholds import (
    AGREEMENTS,
    LATENCIES,
    NEITHER,
)

SHADOW_ROWS = "flotilla_shadow_rows_total"


def agreed(*results: str) -> str:
    """Return how many rows a second ended so in the shadow, by model and shadow."""
    return per_second(SHADOW_ROWS, VERSION, f'result=~"{"|".join(results)}"', by="model, shadow")


AGREEMENT = f"{agreed('agree')} / ({agreed('agree', 'disagree')} > 0)"

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
