"""Capacity: what answers cost, how much more would go, and what fills up.

A replica is one worker with one event loop, so a core is what it can use and its share of a core is how
full it is.
"""

from grafana_foundation_sdk.models import units

from monitoring.dashboards import board
from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Legend, Query, bars, gauge, stat, time_series
from monitoring.dashboards.queries import CPU, REPLICA, REQUESTS, ROWS, or_zero, per_second
from monitoring.dashboards.thresholds import NEITHER, SHARES, bad_above, bad_below

CORES = f"sum({CPU})"
RATE = per_second(REQUESTS, REPLICA)
ROW_RATE = per_second(ROWS, REPLICA)
FULL = f"avg(sum by (replica) ({CPU}))"
# Below this share of a core, what a replica does when nobody asks is most of it.
LIMIT = f"{RATE} / ({FULL} > 0.02)"
CPU_SECONDS = f"{CORES} / ({ROW_RATE} > 0)"
MEMORY = f"process_resident_memory_bytes{{{REPLICA}}}"
REDIS_MEMORY = "max(redis_memory_used_bytes)"
REDIS_LIMIT = "max(redis_memory_max_bytes > 0)"
DISK_FREE = "min(flotilla_registry_free_bytes)"
DISK_SIZE = "max(flotilla_registry_size_bytes)"

HEADROOM = Row(
    "Headroom",
    height=8,
    widths=(5, 14, 5),
    panels=(
        gauge(
            "Busiest replica",
            "Share of one core. Beyond 70 % a peak has no room, and another replica is due.",
            unit=units.PercentUnit,
            thresholds=SHARES,
            highest=1,
            queries=[Query(f"max(sum by (replica) ({CPU}))", "busiest")],
        ),
        time_series(
            "Requests, and how many would go",
            "What replicas answer, and the same divided by how full they are: an estimate of the "
            "limit with this mix of requests and this many replicas. It is too low while little is "
            "asked, because batches grow with the load, and too high where replicas share cores with "
            "something else.",
            unit=units.RequestsPerSecond,
            thresholds=NEITHER,
            legend=Legend.MEAN_MAX,
            queries=[Query(RATE, "now"), Query(LIMIT, "estimated limit", dashed=True)],
        ),
        stat(
            "Times today's load",
            "How often the present rate would go into the estimated limit.",
            unit=units.Short,
            thresholds=bad_below(1.1, 1.4),
            queries=[Query(f"1 / ({FULL} > 0.02)", "headroom")],
        ),
    ),
)

COST = Row(
    "What answers cost",
    height=7,
    widths=(6, 6, 12),
    panels=(
        stat(
            "CPU for 1,000 predictions",
            "CPU seconds of the replicas for 1,000 rows, those from Redis included. nginx, Redis and "
            "what nginx's cache answers aren't in it.",
            unit=units.Seconds,
            thresholds=NEITHER,
            queries=[Query(f"1000 * {CPU_SECONDS}", "CPU")],
        ),
        stat(
            "Price of a million predictions",
            "The same CPU seconds at the price of a core hour that is typed in above. Idle time isn't "
            "in it.",
            unit=units.Dollars,
            thresholds=NEITHER,
            queries=[Query(f"1e6 * {CPU_SECONDS} / 3600 * $price", "price")],
        ),
        time_series(
            "Rows for each core that works",
            "Rows a second for each core's worth of CPU time. Larger batches and hits in Redis raise "
            "it, costlier models lower it.",
            unit=units.RowsPerSecond,
            thresholds=NEITHER,
            legend=Legend.MEAN_MAX,
            queries=[Query(f"{ROW_RATE} / ({CORES} > 0.01)", "rows per core")],
        ),
    ),
)

EACH = Row(
    "Each replica",
    height=8,
    widths=(8,),
    panels=(
        time_series(
            "CPU",
            "Cores that each worker uses, stacked.",
            unit="suffix: cores",
            thresholds=NEITHER,
            legend=Legend.MEAN_MAX,
            stacked=True,
            queries=[Query(f"sum by (replica) ({CPU})", "{{replica}}")],
        ),
        time_series(
            "Memory",
            "Resident memory of each worker, stacked. gunicorn's master shares a part of it.",
            unit=units.BytesIEC,
            thresholds=NEITHER,
            legend=Legend.MEAN_MAX,
            stacked=True,
            queries=[Query(f"max by (replica) ({MEMORY})", "{{replica}}")],
        ),
        time_series(
            "Refused for overload",
            "Requests that got 429 because MAX_QUEUE_ROWS rows were waiting. Any of them is a limit "
            "that was reached.",
            unit=units.RequestsPerSecond,
            thresholds=bad_above(0.01, 1),
            legend=Legend.LIST,
            queries=[Query(or_zero(per_second(REQUESTS, REPLICA, 'code="429"')), "429")],
        ),
    ),
)

FILLS = Row(
    "What fills up",
    height=8,
    widths=(6,),
    panels=(
        bars(
            "Of what there is",
            "Redis' memory of its maxmemory (full is normal: the rest is evicted), the disk that the "
            "registry is on, and the longest queue of MAX_QUEUE_ROWS.",
            unit=units.PercentUnit,
            thresholds=SHARES,
            highest=1,
            queries=[
                Query(f"{REDIS_MEMORY} / {REDIS_LIMIT}", "Redis' memory"),
                Query(f"1 - {DISK_FREE} / {DISK_SIZE}", "registry's disk"),
                Query("max(flotilla_queue_rows / flotilla_queue_limit_rows)", "queue of rows"),
            ],
        ),
        time_series(
            "Registry's disk",
            "What is left on it, by whoever it was filled. Without any, nothing can be published; what "
            "is loaded goes on.",
            unit=units.BytesIEC,
            thresholds=NEITHER,
            legend=Legend.LAST,
            queries=[Query(DISK_FREE, "free"), Query(DISK_SIZE, "its size", dashed=True)],
        ),
        time_series(
            "Redis' memory",
            "Cached rows. At its limit, what is used least often goes.",
            unit=units.BytesIEC,
            thresholds=NEITHER,
            legend=Legend.LAST,
            queries=[Query(REDIS_MEMORY, "used"), Query(REDIS_LIMIT, "maxmemory", dashed=True)],
        ),
        time_series(
            "Time series in Prometheus",
            "Series in its memory, some 3 KB each. They grow with replicas, versions and features, "
            "never with clients.",
            unit=units.Short,
            thresholds=bad_above(100_000, 500_000),
            legend=Legend.LAST,
            queries=[
                Query("max(prometheus_tsdb_head_series)", "in memory"),
                Query('sum(scrape_samples_scraped{job="service"})', "read of all replicas"),
            ],
        ),
    ),
)

CAPACITY = Board(
    uid="flotilla-capacity",
    title="Capacity",
    description="What answers cost, how much more would go, and what fills up.",
    variables=(board.REPLICA,),
    typed=(("price", "Price of a core hour, $", "0.04"),),
    rows=(HEADROOM, COST, EACH, FILLS),
)
