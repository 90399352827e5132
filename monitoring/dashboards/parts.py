"""Rows of the dashboard "Overview": who answers, caches and versions, and how the other parts are."""

from grafana_foundation_sdk.models import units

from monitoring.dashboards.board import Row
from monitoring.dashboards.panels import Legend, Query, gauge, stat, time_series
from monitoring.dashboards.queries import (
    DOOR,
    VERSION,
    or_zero,
    per_second,
    ratio,
    ratio_by,
)
from monitoring.dashboards.tables import Column, table
from monitoring.dashboards.thresholds import ALWAYS, NEITHER, NEVER, bad_above

CACHED_ROWS = per_second("flotilla_cache_rows_total", VERSION)
ANSWERED = per_second(DOOR, VERSION, 'source=~"edge|replica"')
BY_EDGE = ratio(per_second(DOOR, VERSION, 'source="edge"'), ANSWERED)
BY_REPLICAS = ratio(per_second(DOOR, VERSION, 'source="replica"'), ANSWERED)
BY_RESULT = per_second("flotilla_cache_rows_total", VERSION, by="result")
UP = 'up{job="service"}'
FIRING = 'ALERTS{alertstate="firing",severity!="none"}'

ANSWERS = Row(
    "Who answers",
    height=8,
    widths=(6, 9, 9),
    panels=(
        time_series(
            "Replicas",
            "Started, answering Prometheus, and ready: holding every version that clients get.",
            unit=units.Short,
            thresholds=NEITHER,
            legend=Legend.LAST,
            queries=[
                Query(or_zero("sum(flotilla_ready)"), "ready"),
                Query(f"sum({UP})", "up"),
                Query(f"count({UP})", "known", dashed=True),
            ],
        ),
        time_series(
            "Caches",
            "Where answers come from; adds up to 100 %. `edge` is the share of requests that nginx's "
            "cache answers. The replicas' share is divided by rows: `hit` in Redis, `joined` an equal "
            "row on its way, `miss` computed, `bypass` not looked up because computing is cheaper, "
            "`error` Redis failed.",
            unit=units.PercentUnit,
            thresholds=NEITHER,
            legend=Legend.LIST,
            stacked=True,
            highest=1,
            queries=[
                Query(BY_EDGE, "edge"),
                Query(
                    f"{BY_RESULT} / scalar({CACHED_ROWS} > 0) * scalar({BY_REPLICAS})",
                    "{{result}}",
                ),
            ],
        ),
        time_series(
            "Versions: wanted and measured",
            "Share of each model's requests by version, all answers at the door. Dashed: what the "
            "route wants. A gap between both is a client with few keys, or a change in progress.",
            unit=units.PercentUnit,
            thresholds=NEITHER,
            legend=Legend.LIST,
            highest=1,
            queries=[
                Query(
                    ratio_by(
                        per_second(DOOR, VERSION, 'version!=""', by="model, version"),
                        per_second(DOOR, VERSION, 'version!=""', by="model"),
                        "model",
                    ),
                    "{{model}} {{version}}",
                ),
                Query(
                    f"max by (model, version) (flotilla_route_share{{{VERSION}}})",
                    "{{model}} {{version}}, wanted",
                    dashed=True,
                ),
            ],
        ),
    ),
)

PARTS = Row(
    "Parts and alerts",
    height=7,
    widths=(6, 4, 7, 7),
    panels=(
        stat(
            "nginx and Redis",
            "Whether their exporters reach them. Without Redis everything is answered, only slower.",
            unit=units.NoUnit,
            thresholds=ALWAYS,
            words={0: "down", 1: "up"},
            queries=[Query("min(nginx_up)", "nginx"), Query("min(redis_up)", "Redis")],
        ),
        gauge(
            "Redis' memory",
            "Of what it may have. When it is full, what is used least often goes: that is normal for "
            "a cache.",
            unit=units.PercentUnit,
            thresholds=bad_above(0.9, 1),
            highest=1,
            queries=[Query("max(redis_memory_used_bytes / (redis_memory_max_bytes > 0))", "used")],
        ),
        time_series(
            "Trouble on the way",
            "Calls to Redis that failed, keys that Redis gave up for want of memory, and requests for "
            "which nginx asked a replica in vain and went on to the next one.",
            unit=units.CountsPerSecond,
            thresholds=NEVER,
            legend=Legend.LIST,
            queries=[
                Query(or_zero(per_second("flotilla_cache_errors_total")), "Redis errors"),
                Query("sum(rate(redis_evicted_keys_total[$__rate_interval]))", "evicted keys"),
                Query(
                    or_zero(per_second("flotilla_door_attempts_total", 'result="failed"')),
                    "attempts in vain",
                ),
            ],
        ),
        table(
            "Alerts that fire",
            "What needs somebody now. monitoring/RUNBOOK.md says for each what it means and what to "
            "do.",
            labels={"alertname": "Alert", "severity": "Severity", "model": "Model"},
            columns=[
                Column(
                    "Firing",
                    f"count by (alertname, severity, model) ({FIRING})"
                    ' or on () label_replace(vector(0), "alertname", "none", "", "")',
                    units.Short,
                    NEVER,
                )
            ],
        ),
    ),
)
