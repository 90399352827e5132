"""What `flotilla top` asks of Prometheus: a server and perhaps a model come in, `Figures` go out."""

from deploy.errors import Refused
from deploy.prometheus import Prometheus
from deploy.top.figures import Alert, Curves, Figures, ReplicaFigures
from deploy.top.moment import CURVE_STEP_SECONDS, WINDOW, Moment, Requests
from deploy.top.versions import read_versions

SEVERITIES = ("critical", "warning", "info")
# Of an alert that fires always, so that its silence tells of a broken Prometheus.
HEARTBEAT = "none"


def read_figures(prometheus: Prometheus, model: str | None = None) -> Figures:
    """Return the figures of now, of one model where it is named.

    Raise `Refused` where Prometheus doesn't answer, or has never heard of that model.
    """
    moment = Moment(prometheus, model)
    requests, replicas = Requests(moment), _read_replicas(moment)
    versions = read_versions(moment, requests)
    if model and not versions:
        raise _unknown(moment, prometheus.url, model)
    return Figures(
        at=moment.at,
        url=prometheus.url,
        counted_at=requests.counted_at,
        replicas_ready=sum(each.ready is True for each in replicas),
        replicas_up=sum(each.up for each in replicas),
        replicas_known=len(replicas),
        requests_per_second=requests.total(),
        error_ratio=requests.error_ratio(),
        p50_seconds=moment.quantile(0.5).get(()),
        p99_seconds=moment.quantile(0.99).get(()),
        edge_share=requests.edge_share(),
        alerts=_read_alerts(moment),
        versions=versions,
        replicas=replicas,
        curves=Curves(
            CURVE_STEP_SECONDS, moment.rate_curve(requests.metric), moment.quantile_curve(0.99)
        ),
    )


def _read_alerts(moment: Moment) -> tuple[Alert, ...]:
    """Return what fires, the worst first; of all models, because Redis is every model's."""
    firing = f'ALERTS{{alertstate="firing",severity!="{HEARTBEAT}"}}'
    counted = f"count by (alertname, severity) ({firing})"
    found = moment.by(counted, "alertname", "severity")
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    alerts = [Alert(name, severity, int(count)) for (name, severity), count in found.items()]
    return tuple(sorted(alerts, key=lambda each: (order.get(each.severity, len(order)), each.name)))


def _read_replicas(moment: Moment) -> tuple[ReplicaFigures, ...]:
    """Return what Prometheus looks at as a replica; one that is down has nothing but its name."""

    def read(expression: str) -> dict[str, float]:
        return {replica: value for (replica,), value in moment.by(expression, "replica").items()}

    def gauge(name: str) -> dict[str, float]:
        return read(f'{name}{{job="service"}}')

    up, ready, started = gauge("up"), gauge("flotilla_ready"), gauge("process_start_time_seconds")
    memory = gauge("process_resident_memory_bytes")
    in_flight, queue = gauge("flotilla_requests_in_flight"), gauge("flotilla_queue_rows")
    cpu = read(f'rate(process_cpu_seconds_total{{job="service"}}[{WINDOW}])')
    requests = moment.rates("flotilla_requests_total", "replica")
    p99 = moment.quantile(0.99, "replica")

    def figures(name: str) -> ReplicaFigures:
        if up[name] != 1:  # what the rates still remember is no longer so
            return ReplicaFigures(name, up=False)
        return ReplicaFigures(
            name,
            up=True,
            ready=ready[name] == 1 if name in ready else None,
            requests_per_second=requests.get((name,)),
            p99_seconds=p99.get((name,)),
            cpu=cpu.get(name),
            memory_bytes=memory.get(name),
            in_flight=in_flight.get(name),
            queue_rows=queue.get(name),
            uptime_seconds=moment.at - started[name] if name in started else None,
        )

    return tuple(figures(name) for name in sorted(up, key=lambda each: (len(each), each)))


def _unknown(moment: Moment, url: str, model: str) -> Refused:
    names = sorted(name for (name,) in moment.by("group by (model) (flotilla_model_info)", "model"))
    there = f"it knows {', '.join(names)}" if names else "it knows none"
    return Refused(f"Prometheus at {url} knows no model {model!r}; {there}")
