"""The rules as the tests see them: files in, one object for each rule out."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from msgspec import Struct, convert

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
RULE_FILES = sorted((MONITORING / "rules").glob("*.yml"))
TEST_FILES = sorted((MONITORING / "rules" / "tests").glob("*.yaml"))
RUNBOOK = MONITORING / "RUNBOOK.md"

# Of other programs' metrics the ones that rules use: tests/stack/test_alerts.py asks for them in a real
# Prometheus.
FOREIGN = {
    "up",
    "process_start_time_seconds",
    "nginx_up",
    "redis_up",
    "redis_db_keys",
    "redis_evicted_keys_total",
    "prometheus_rule_evaluation_failures_total",
    "prometheus_notifications_errors_total",
    "alertmanager_notifications_failed_total",
}


class Rule(Struct, frozen=True, forbid_unknown_fields=True, rename={"duration": "for"}):
    """A rule as Prometheus' files have it: an alert or a record, the other name is empty.

    https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
    """

    expr: str
    alert: str = ""
    record: str = ""
    duration: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The name of the alert or record."""
        return self.alert or self.record


def rules(path: Path) -> list[Rule]:
    """Return the rules of a file."""
    groups = yaml.safe_load(path.read_text())["groups"]
    return [convert(rule, Rule) for group in groups for rule in group["rules"]]


def all_rules() -> list[Rule]:
    """Return the rules of all files."""
    return [rule for path in RULE_FILES for rule in rules(path)]


def expected(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield for each alert that a test file looks at its name, and whether it is to fire."""
    for test in yaml.safe_load(path.read_text())["tests"]:
        for each in test.get("alert_rule_test", []):
            yield each["alertname"], bool(each.get("exp_alerts"))
