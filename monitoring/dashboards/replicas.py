"""Replicas side by side: is one slower, busier or larger than the others? And where does time go."""

from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from monitoring.dashboards import board
from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Legend, Query, time_series
from monitoring.dashboards.queries import (
    CPU,
    LATENCY,
    REPLICA,
    REPLICA_VERSION,
    REQUESTS,
    ROWS,
    mean,
    per_second,
    quantile,
)
from monitoring.dashboards.tables import Column, table
from monitoring.dashboards.thresholds import ALWAYS, LATENCIES, NEITHER, NEVER, SHARES, Thresholds

STATIONS = {
    "parse": "flotilla_parse_duration_seconds",
    "queue": "flotilla_queue_duration_seconds",
    "inference": "flotilla_inference_duration_seconds",
    "reply": "flotilla_reply_duration_seconds",
}


def of(metric: str) -> str:
    """Return a gauge of each replica."""
    return f"max by (replica) ({metric}{{{REPLICA}}})"


def side_by_side(
    title: str,
    expr: str,
    unit: str,
    description: str,
    colours: Thresholds = NEITHER,
) -> model.Panel:
    """Return a panel with a line for each replica."""
    return time_series(
        title,
        description,
        unit=unit,
        thresholds=colours,
        legend=Legend.LIST,
        queries=[Query(expr, "{{replica}}")],
    )


EACH = Row(
    "Each replica now",
    height=5,
    widths=(24,),
    panels=(
        table(
            "Replicas",
            "One line for each replica that Prometheus knows. Restarts are those in the time that is "
            "shown; a replica that was scaled away isn't listed.",
            labels={"replica": "Replica"},
            columns=[
                Column("Up", of("up"), units.BoolYesNo, ALWAYS),
                Column("Ready", of("flotilla_ready"), units.BoolYesNo, ALWAYS),
                Column(
                    "Runs for", f"time() - {of('process_start_time_seconds')}", units.Seconds, NEITHER
                ),
                Column(
                    "Restarts",
                    f"max by (replica) (changes(process_start_time_seconds{{{REPLICA}}}[$__range]))",
                    units.Short,
                    NEVER,
                ),
                Column(
                    "Versions loaded",
                    f"count by (replica) (flotilla_model_info{{{REPLICA}}})",
                    units.Short,
                    NEITHER,
                ),
                Column("Memory", of("process_resident_memory_bytes"), units.BytesIEC, NEITHER),
                Column("Open files", of("process_open_fds"), units.Short, NEITHER),
            ],
        ),
    ),
)

WORK = Row(
    "What it does",
    height=7,
    widths=(8,),
    panels=(
        side_by_side(
            "Requests",
            per_second(REQUESTS, REPLICA_VERSION, by="replica"),
            units.RequestsPerSecond,
            "nginx gives the next request to the replica that has fewest, so these lie close together.",
        ),
        side_by_side(
            "Rows",
            per_second(ROWS, REPLICA_VERSION, by="replica"),
            units.RowsPerSecond,
            "Rows answered; a request may have many.",
        ),
        side_by_side(
            "p99",
            quantile(0.99, LATENCY, REPLICA_VERSION, by="replica"),
            units.Seconds,
            "One slow replica among fast ones has a noisy neighbour; all of them slow have too much "
            "to do.",
            LATENCIES,
        ),
    ),
)

MEANS = Row(
    "What it takes",
    height=7,
    widths=(8,),
    panels=(
        side_by_side(
            "CPU",
            f"sum by (replica) ({CPU})",
            units.PercentUnit,
            "Share of one core that the worker uses. Its event loop has one; the engine's thread may "
            "add to it.",
            SHARES,
        ),
        side_by_side(
            "Memory",
            of("process_resident_memory_bytes"),
            units.BytesIEC,
            "Resident memory of the worker. One that grows from hour to hour leaks, or loads more "
            "versions.",
        ),
        side_by_side(
            "Garbage collections",
            f"sum by (replica) (rate(python_gc_collections_total{{{REPLICA}}}[$__rate_interval]))",
            units.CountsPerSecond,
            "Of all generations. What stays is frozen out of their sight, so each is short.",
        ),
    ),
)

LINE = Row(
    "What waits",
    height=7,
    widths=(8,),
    panels=(
        side_by_side(
            "Requests in flight",
            of("flotilla_requests_in_flight"),
            units.Short,
            "Requests being answered at this moment.",
        ),
        side_by_side(
            "Connections",
            of("flotilla_connections"),
            units.Short,
            "Open connections, of nginx most of all, which keeps some for the next requests.",
        ),
        side_by_side(
            "Wait for the engine, p99",
            quantile(0.99, "flotilla_queue_duration_seconds", REPLICA_VERSION, by="replica"),
            units.Seconds,
            "How long rows wait for a call of the engine before theirs. What grows first under "
            "overload.",
            LATENCIES,
        ),
    ),
)

WHERE = Row(
    "Where a request's time goes",
    height=8,
    widths=(24,),
    panels=(
        time_series(
            "Stations of $replica",
            "Mean time at each station, stacked. Parsing and replying are measured on every 16th "
            "request. Stations overlap when requests share a call of the engine, so the sum is no "
            "latency.",
            unit=units.Seconds,
            thresholds=NEITHER,
            legend=Legend.LAST,
            stacked=True,
            repeat="replica",
            queries=[
                *(Query(mean(metric, REPLICA_VERSION), name) for name, metric in STATIONS.items()),
                Query(mean("flotilla_cache_lookup_duration_seconds", REPLICA), "cache look-up"),
            ],
        ),
    ),
)

REPLICAS = Board(
    uid="flotilla-replicas",
    title="Replicas",
    description="Replicas side by side: is one slower, busier or larger than the others?",
    variables=(board.MODEL, board.VERSION, board.REPLICA),
    rows=(EACH, WORK, MEANS, LINE, WHERE),
)
