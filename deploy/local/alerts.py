"""Alerts that fire: Prometheus' answer in, a line for each out. For `flotilla status`.

https://prometheus.io/docs/prometheus/latest/querying/api/#alerts
"""

from msgspec import Struct

from deploy.prometheus import Prometheus

# It fires always, to show that alerts get through.
WATCHDOG = "Watchdog"
GRAVEST_FIRST = ("critical", "warning", "info")


class Alert(Struct, frozen=True):
    """One alert of Prometheus'."""

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str

    @property
    def severity(self) -> str:
        """How grave it is, as its rule says."""
        return self.labels.get("severity", "")


class _Alerts(Struct):
    alerts: list[Alert]


class _Reply(Struct):
    data: _Alerts


def firing(prometheus: str) -> list[Alert]:
    """Return what fires, gravest first; raise `Refused` where Prometheus can't tell."""
    alerts = Prometheus(prometheus).ask("alerts", {}, _Reply).data.alerts
    found = [
        each for each in alerts if each.state == "firing" and each.labels.get("alertname") != WATCHDOG
    ]
    return sorted(found, key=_rank)


def describe(alert: Alert) -> str:
    """Return severity, name and description in a line."""
    said = alert.annotations.get("description") or alert.annotations.get("summary", "")
    return f"{alert.severity}: {alert.labels.get('alertname', '')}: {said}"


def _rank(alert: Alert) -> tuple[int, str]:
    known = alert.severity in GRAVEST_FIRST
    rank = GRAVEST_FIRST.index(alert.severity) if known else len(GRAVEST_FIRST)
    return rank, describe(alert)
