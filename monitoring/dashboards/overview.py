"""Overview: is everything well? The four golden signals, replicas, caches, versions, alerts.

The signals are those of "Site Reliability Engineering", chapter 6: latency, traffic, errors and
saturation. https://sre.google/sre-book/monitoring-distributed-systems/
"""

from grafana_foundation_sdk.models import units

from monitoring.dashboards import board
from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Legend, Query, heat_map, stat, time_series
from monitoring.dashboards.parts import ANSWERS, BY_EDGE, FIRING, PARTS, UP
from monitoring.dashboards.queries import (
    DOOR,
    LATENCY,
    VERSION,
    buckets,
    or_zero,
    per_second,
    quantile,
    ratio,
)
from monitoring.dashboards.thresholds import ERRORS, LATENCIES, NEITHER, NEVER, QUEUE

AT_THE_DOOR = per_second(DOOR, VERSION)


def errors(codes: str) -> str:
    """Return the share of requests at the door that were answered with these codes."""
    return ratio(per_second(DOOR, VERSION, codes), AT_THE_DOOR)


NOW = Row(
    "Now",
    height=4,
    widths=(4,),
    panels=(
        stat(
            "Requests at the door",
            "All predictions that clients ask of nginx, whoever answers them.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            queries=[Query(AT_THE_DOOR, "requests")],
        ),
        stat(
            "Failed",
            "Share of requests answered with 5xx. Clients see these; 4xx are their own fault.",
            unit=units.PercentUnit,
            thresholds=ERRORS,
            queries=[Query(errors('code=~"5.."'), "5xx")],
        ),
        stat(
            "p99 in a replica",
            "99 of 100 requests take no longer, from their arrival in a replica to the reply. What "
            "nginx answers from its cache isn't in it.",
            unit=units.Seconds,
            thresholds=LATENCIES,
            queries=[Query(quantile(0.99, LATENCY, VERSION), "p99")],
        ),
        stat(
            "Replicas that aren't ready",
            "Replicas that Prometheus knows, less those that answer it and hold every version that "
            "clients get.",
            unit=units.Short,
            thresholds=NEVER,
            queries=[Query(f"count({UP}) - (sum(flotilla_ready) or vector(0))", "not ready")],
        ),
        stat(
            "Answered by nginx' cache",
            "Share of answered requests that no replica has seen.",
            unit=units.PercentUnit,
            thresholds=NEITHER,
            queries=[Query(BY_EDGE, "edge")],
        ),
        stat(
            "Alerts that fire",
            "How many; the table at the end names them. Not the watchdog, which always fires.",
            unit=units.Short,
            thresholds=NEVER,
            queries=[Query(or_zero(f"count({FIRING})"), "firing")],
        ),
    ),
)

SIGNALS = Row(
    "Four golden signals",
    height=8,
    widths=(8,),
    panels=(
        time_series(
            "Traffic by who answered",
            "Requests at the door: `edge` from nginx's cache, `replica`, or `nginx` by itself, which "
            "is an unknown path, a body too large or no replica.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            stacked=True,
            queries=[Query(per_second(DOOR, VERSION, by="source"), "{{source}}")],
        ),
        time_series(
            "Traffic by model",
            "Requests at the door by the model that answered; those that none answered are left out.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[Query(per_second(DOOR, VERSION, 'model!=""', by="model"), "{{model}}")],
        ),
        time_series(
            "Errors",
            "Share of all requests at the door. 429 is overload that was refused in time, other 4xx "
            "are requests that were wrong, 5xx are failures: the lines are for these.",
            unit=units.PercentUnit,
            thresholds=ERRORS,
            legend=Legend.MEAN_MAX,
            queries=[
                Query(errors('code=~"5.."'), "5xx failed"),
                Query(errors('code="429"'), "429 overload"),
                Query(errors('code=~"4..",code!="429"'), "4xx wrong request"),
            ],
        ),
        time_series(
            "Latency",
            "From a request's arrival in a replica until its reply is handed over, merged over "
            "replicas. Network, nginx and its cache aren't in it.",
            unit=units.Seconds,
            thresholds=LATENCIES,
            legend=Legend.MEAN_MAX,
            queries=[
                Query(quantile(0.5, LATENCY, VERSION), "p50"),
                Query(quantile(0.95, LATENCY, VERSION), "p95"),
                Query(quantile(0.99, LATENCY, VERSION), "p99"),
            ],
        ),
        heat_map(
            "Latency of all requests",
            "How requests spread over durations: two bands are two kinds of requests, which "
            "percentiles hide.",
            unit=units.Seconds,
            thresholds=NEITHER,
            queries=[Query(buckets(LATENCY, VERSION), "{{le}}")],
        ),
        time_series(
            "Saturation",
            "What waits and what is worked on, in the replica that has most. At the red line "
            "(MAX_QUEUE_ROWS, as by default) a replica refuses rows with 429.",
            unit=units.Short,
            thresholds=QUEUE,
            legend=Legend.MEAN_MAX,
            queries=[
                Query("max(flotilla_queue_rows)", "rows that wait"),
                Query("max(flotilla_requests_in_flight)", "requests in flight"),
            ],
        ),
    ),
)

OVERVIEW = Board(
    uid="flotilla-overview",
    title="Overview",
    description="Is everything well? The four golden signals, replicas, caches, versions and alerts.",
    variables=(board.MODEL, board.VERSION),
    rows=(NOW, SIGNALS, ANSWERS, PARTS),
)
