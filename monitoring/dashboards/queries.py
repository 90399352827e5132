"""Expressions that several dashboards share, in PromQL; metric names and what they mean: METRICS.md.

`$model`, `$version` and `$replica` are the dashboards' variables, `$__rate_interval` is Grafana's: at
least four scrapes, so that a rate has something to go by.
https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
"""

VERSION = 'model=~"$model",version=~"$version"'
REPLICA = 'job="service",replica=~"$replica"'
REPLICA_VERSION = f"{REPLICA},{VERSION}"

# Series of each version, and their names in legends.
BY_VERSION = "model, version"
NAMED = "{{model}} {{version}}"

# Counters of every request at the door: `replica` answered it, or `edge` (nginx's cache), or `nginx`
# by itself, which is an error or an unknown path.
DOOR = "flotilla_door_requests_total"
ROWS = "flotilla_rows_total"
REQUESTS = "flotilla_requests_total"
LATENCY = "flotilla_request_duration_seconds"

CPU = f"rate(process_cpu_seconds_total{{{REPLICA}}}[$__rate_interval])"


def rate(metric: str, *matchers: str) -> str:
    """Return the expression for a counter's growth per second."""
    return f"rate({metric}{{{','.join(matchers)}}}[$__rate_interval])"


def per_second(metric: str, *matchers: str, by: str = "") -> str:
    """Return a counter's growth per second, added up over replicas; `by` are labels that stay."""
    return f"sum{_by(by)} ({rate(metric, *matchers)})"


def ratio(part: str, whole: str) -> str:
    """Return `part` of `whole`: 0 where its counter hasn't begun, nothing where the whole is 0."""
    return f"({part} or vector(0)) / ({whole} > 0)"


def ratio_by(part: str, whole: str, of: str) -> str:
    """Return what each series of `part` is of the series of `whole` with the same labels `of`."""
    return f"{part} / on ({of}) group_left () ({whole} > 0)"


def quantile(share: float, histogram: str, *matchers: str, by: str = "") -> str:
    """Return a quantile of a histogram, merged over replicas: buckets add up, quantiles don't."""
    labels = f"le, {by}" if by else "le"
    buckets = rate(f"{histogram}_bucket", *matchers)
    return f"histogram_quantile({share:g}, sum by ({labels}) ({buckets}))"


def mean(histogram: str, *matchers: str, by: str = "") -> str:
    """Return the mean of what a histogram has counted."""
    total = per_second(f"{histogram}_sum", *matchers, by=by)
    return f"{total} / ({per_second(f'{histogram}_count', *matchers, by=by)} > 0)"


def buckets(histogram: str, *matchers: str) -> str:
    """Return how many observations fell into each bucket, for a heat map."""
    return f"sum by (le) (increase({histogram}_bucket{{{','.join(matchers)}}}[$__rate_interval]))"


def or_zero(expression: str) -> str:
    """Return 0 where a counter of something that never happened isn't there."""
    return f"{expression} or vector(0)"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
