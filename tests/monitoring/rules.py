"""The rules as the tests see them: files in, one object for each rule out.

Nothing that is installed reads YAML, and these files are written by hand in one form: a rule begins
with `- alert:` or `- record:`, and a value is on the line of its key, or indented below it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
RULE_FILES = sorted((MONITORING / "rules").glob("*.yml"))
TEST_FILES = sorted((MONITORING / "rules" / "tests").glob("*.yaml"))
RUNBOOKS = sorted(MONITORING.glob("RUNBOOK*.md"))

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


@dataclass(frozen=True)
class Rule:
    """One rule: its kind ("alert" or "record"), name and text, with what an alias stands for."""

    kind: str
    name: str
    text: str

    def value(self, key: str) -> str:
        """Return what stands behind a key, on its line or indented below it; nothing where it isn't."""
        found = re.search(rf"^( *){key}:(.*(?:\n\1 +.*|\n(?=\s*\n))*)", self.text, re.MULTILINE)
        return (
            re.sub(r"\s+", " ", found[2]).strip().removeprefix(">- ").removeprefix("| ")
            if found
            else ""
        )


def rules(path: Path) -> list[Rule]:
    """Return the rules of a file."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    anchors = dict(re.findall(r"(&\w+)((?:\n {10,}.*)+)", text))
    for anchor, value in anchors.items():
        text = text.replace(f"*{anchor[1:]}\n", f"{anchor}{value}\n")
    parts = re.split(r"^ +- (?=alert:|record:)", text, flags=re.MULTILINE)[1:]
    return [_rule(f"        {part}") for part in parts]


def all_rules(kind: str) -> list[Rule]:
    """Return the rules of one kind of all files."""
    return [rule for path in RULE_FILES for rule in rules(path) if rule.kind == kind]


def expected(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield for each alert that a test file looks at its name, and whether it is to fire."""
    text = path.read_text()
    for block in re.split(r"^ +- (?=\{?(?:eval_time|alertname):)", text, flags=re.MULTILINE)[1:]:
        name = re.search(r"\balertname: *(\w+)", block)
        if name:
            yield name[1], not re.search(r"\bexp_alerts: *\[\]", block) and "exp_alerts:" in block


def _rule(text: str) -> Rule:
    kind, name = re.match(r"\s*(alert|record): *(\S+)", text).groups()
    return Rule(kind, name, text)
