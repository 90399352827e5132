"""Load test: what clients see, beside what the servers see of the same requests.

The clients' figures come from locust (`loadtest/`), which Prometheus scrapes as the job `loadtest`.
"""

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from monitoring.dashboards import board
from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Legend, Query, heat_map, stat, time_series
from monitoring.dashboards.queries import (
    CPU,
    DOOR,
    LATENCY,
    buckets,
    or_zero,
    per_second,
    quantile,
    ratio,
)
from monitoring.dashboards.thresholds import ALWAYS, ERRORS, LATENCIES, NEITHER, SHARES

SENT = "flotilla_loadtest_requests_total"
SEEN = "flotilla_loadtest_request_duration_seconds"
USERS = "sum(flotilla_loadtest_users)"
FAILED = ratio(per_second(SENT, 'result="failed"'), per_second(SENT))


def beside(percent: int) -> model.Panel:
    """Return a percentile as clients see it, and as replicas do."""
    return time_series(
        f"p{percent}: clients and replicas",
        "The gap between both is network, nginx and waiting for a connection; where nginx's cache "
        "answers, clients are faster than replicas.",
        unit=units.Seconds,
        thresholds=LATENCIES,
        legend=Legend.MEAN_MAX,
        queries=[
            Query(quantile(percent / 100, SEEN), "clients"),
            Query(quantile(percent / 100, LATENCY), "replicas"),
        ],
    )


NOW = Row(
    "Now",
    height=4,
    widths=(6,),
    panels=(
        stat(
            "Users",
            "Simulated clients. The loop is closed: each waits for its reply before it goes on.",
            unit=units.Short,
            thresholds=NEITHER,
            queries=[Query(USERS, "users")],
        ),
        stat(
            "Requests, as clients count",
            "All that were answered or failed, each second.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            queries=[Query(per_second(SENT), "requests")],
        ),
        stat(
            "Failed, as clients count",
            "Not a 200, or not what was asked for.",
            unit=units.PercentUnit,
            thresholds=ERRORS,
            queries=[Query(FAILED, "failed")],
        ),
        stat(
            "p99, as clients see it",
            "From sending a request until all of its reply is there.",
            unit=units.Seconds,
            thresholds=LATENCIES,
            queries=[Query(quantile(0.99, SEEN), "p99")],
        ),
    ),
)

LOAD = Row(
    "Load",
    height=7,
    widths=(8,),
    panels=(
        time_series(
            "Users",
            "How many there are: the shape of the test.",
            unit=units.Short,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[Query(USERS, "users")],
        ),
        time_series(
            "Requests: clients and door",
            "Both count the same requests; the door has others' as well.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            legend=Legend.LIST,
            queries=[
                Query(per_second(SENT), "clients"),
                Query(per_second(DOOR), "door", dashed=True),
                Query(per_second(DOOR, 'source="edge"'), "of them from nginx's cache"),
            ],
        ),
        time_series(
            "Failed: clients and door",
            "Clients also count replies that are wrong and connections that broke, the door 5xx alone.",
            unit=units.PercentUnit,
            thresholds=ERRORS,
            legend=Legend.LIST,
            queries=[
                Query(FAILED, "clients"),
                Query(ratio(per_second(DOOR, 'code=~"5.."'), per_second(DOOR)), "door, 5xx"),
            ],
        ),
    ),
)

LATENCY_SEEN = Row("Latency", height=8, widths=(8,), panels=(beside(50), beside(95), beside(99)))

SERVERS = Row(
    "What it does to the servers",
    height=8,
    widths=(8,),
    panels=(
        heat_map(
            "Latency as clients see it",
            "How requests spread over durations.",
            unit=units.Seconds,
            thresholds=NEITHER,
            queries=[Query(buckets(SEEN), "{{le}}")],
        ),
        time_series(
            "Replicas",
            "Ready ones, and those that Prometheus knows: a step here is `flotilla scale`.",
            unit=units.Short,
            thresholds=ALWAYS,
            legend=Legend.LIST,
            queries=[
                Query(or_zero("sum(flotilla_ready)"), "ready"),
                Query('count(up{job="service"})', "known", dashed=True),
            ],
        ),
        time_series(
            "CPU of the replicas",
            "Share of one core. At 100 % a replica answers no more, however many ask.",
            unit=units.PercentUnit,
            thresholds=SHARES,
            legend=Legend.LIST,
            queries=[Query(f"sum by (replica) ({CPU})", "{{replica}}")],
        ),
    ),
)

LOAD_TEST = Board(
    uid="flotilla-load-test",
    title="Load test",
    description="What clients see, beside what the servers see of the same requests.",
    variables=(board.REPLICA,),
    rows=(NOW, LOAD, LATENCY_SEEN, SERVERS),
)
