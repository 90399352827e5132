"""Rules and alerts: each alert is whole, explained and tested, and names only what there is."""

import re
import subprocess
from pathlib import Path

import pytest

from service.counting.counts import SECONDS
from tests.monitoring.rules import (
    FOREIGN,
    MONITORING,
    RULE_FILES,
    RUNBOOK,
    TEST_FILES,
    Rule,
    all_rules,
    expected,
    rules,
)

ALERTS = [rule for rule in all_rules() if rule.alert]
RECORDS = [rule for rule in all_rules() if rule.record]
SEVERITIES = ("critical", "warning", "info")
WATCHDOG = "Watchdog"


def ids(rule: Rule) -> str:
    """Return a rule's name for a test's."""
    return rule.name


def catalogued() -> set[str]:
    """Return the metrics that METRICS.md lists, histograms with the series they consist of."""
    text = (MONITORING / "METRICS.md").read_text()
    rows = re.findall(r"^\| `([a-z]\w+)` \| (\w+)", text, re.MULTILINE)
    parts = [f"{name}_{part}" for name, kind in rows if kind == "histogram" for part in PARTS]
    return {name for name, _ in rows} | set(parts)


PARTS = ("bucket", "sum", "count")


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_rules_are_valid(path: Path) -> None:
    """Prometheus takes every file of rules, and no rule is there twice."""
    promtool("check", "rules", "--lint-fatal", str(path))


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("name", ["prometheus.yml", "prometheus.local.yml"])
def test_configuration_is_valid(name: str) -> None:
    """Prometheus takes the configuration of both stacks, and finds the rules through it."""
    said = promtool("check", "config", str(MONITORING / name))
    assert f"{len(RULE_FILES)} rule files found" in said


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_alerts_fire_when_they_should(path: Path) -> None:
    """What a file of tests says of alerts and figures is so, in Prometheus' own evaluation."""
    promtool("test", "rules", str(path))


@pytest.mark.needs("amtool")
@pytest.mark.parametrize("name", ["alertmanager.yml", "alertmanager.examples.yml"])
def test_alertmanager_takes_it(name: str) -> None:
    """Alertmanager's configuration is valid, and so are the examples as they stand."""
    run("amtool", "check-config", str(MONITORING / name))


@pytest.mark.needs("amtool")
@pytest.mark.parametrize(
    ("name", "labels", "receiver"),
    [
        ("alertmanager.yml", ("alertname=RedisDown", "severity=warning"), "default"),
        ("alertmanager.yml", ("alertname=Watchdog", "severity=none"), "nowhere"),
        ("alertmanager.examples.yml", ("alertname=DoorDown", "severity=critical"), "on-call"),
        ("alertmanager.examples.yml", ("alertname=RedisDown", "severity=warning"), "e-mail"),
        ("alertmanager.examples.yml", ("alertname=Watchdog", "severity=none"), "dead-mans-switch"),
    ],
)
def test_where_an_alert_goes(name: str, labels: tuple[str, ...], receiver: str) -> None:
    """An alert goes where its severity says, and the one that always fires to nobody who is woken."""
    test = ("amtool", "config", "routes", "test", f"--config.file={MONITORING / name}")
    assert run(*test, *labels).strip() == receiver


@pytest.mark.needs("amtool")
@pytest.mark.parametrize("url", ["", "https://example.com/hook?a=1&b=%20c|d$e"])
def test_webhook_is_added(url: str, tmp_path: Path) -> None:
    """An address that is set is the default receiver's webhook, as it stands; else there is none."""
    written = tmp_path / "alertmanager.yml"
    start = str(MONITORING / "alertmanager.sh")
    said = run("sh", start, str(written), "echo", "--one", env={"ALERT_WEBHOOK_URL": url})
    assert said.split() == ["--one", f"--config.file={written}"]
    assert written.stat().st_mode & 0o777 == 0o600
    run("amtool", "check-config", str(written))
    added = written.read_text().removeprefix((MONITORING / "alertmanager.yml").read_text())
    assert added == (f'    webhook_configs:\n      - url: "{url}"\n' if url else "")


@pytest.mark.parametrize("alert", ALERTS, ids=ids)
def test_alert_is_whole(alert: Rule) -> None:
    """Every alert says how grave it is, for how long it was so, and in words what it is."""
    severity = alert.labels["severity"]
    assert severity in SEVERITIES or (severity, alert.name) == ("none", WATCHDOG)
    assert re.fullmatch(r"[0-9]+[smh]", alert.duration)
    for key in ("summary", "description"):
        assert re.fullmatch(r"[A-Z{a-z].*\.", alert.annotations[key], re.DOTALL), key
    assert re.fullmatch(r"([A-Z][a-z]+){2,}|Watchdog", alert.name), "ComponentSymptom"


@pytest.mark.parametrize("alert", ALERTS, ids=ids)
def test_alert_has_an_entry_in_the_runbook(alert: Rule) -> None:
    """Every alert leads to one entry, of more than a sentence, with a command or a query."""
    path, _, anchor = alert.annotations["runbook_url"].partition("#")
    assert (path, anchor) == ("monitoring/RUNBOOK.md", alert.name.lower())
    (entry,) = [text for name, text in entries() if name == alert.name]
    assert len(entry.split()) > 50
    assert "`" in entry, "a command or a query"


def test_the_runbook_has_no_other_entry() -> None:
    """What no alert leads to is gone; every entry is in the table at the top."""
    found = [name for name, _ in entries()]
    assert set(found) == {alert.name for alert in ALERTS}
    links = re.findall(r"\[(\w+)\]\(#\w+\)", RUNBOOK.read_text().partition("\n## ")[0])
    assert sorted(links) == sorted(found)


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_alert_is_tested_in_both_directions(name: str) -> None:
    """A test shows that an alert fires, and one that it doesn't; but for the one that always fires."""
    shown = {fires for path in TEST_FILES for alert, fires in expected(path) if alert == name}
    assert shown == ({True} if name == WATCHDOG else {True, False})


@pytest.mark.parametrize("rule", [*ALERTS, *RECORDS], ids=ids)
def test_rule_names_what_there_is(rule: Rule) -> None:
    """A rule uses metrics that are catalogued, known ones of other programs, and records there are."""
    expression = re.sub(
        r"\"[^\"]*\"|\{[^}]*\}|\b(by|on|ignoring|group_left) *\([^)]*\)", " ", rule.expr
    )
    named = set(
        re.findall(
            r"\b(?:\w+:\w+:\w+|(?:flotilla|redis|nginx|prometheus|alertmanager|process)_\w+|up)\b",
            expression,
        )
    )
    known = catalogued() | FOREIGN | {record.name for record in RECORDS}
    assert named or rule.expr.startswith("vector(")
    assert named <= known


@pytest.mark.parametrize("record", RECORDS, ids=ids)
def test_record_is_named_after_what_it_is(record: Rule) -> None:
    """A record's name says level, metric and operation."""
    assert re.fullmatch(r"[a-z_]+:[a-z][a-z0-9_]+:[a-z0-9_]+", record.name)


def test_records_of_the_service_are_catalogued() -> None:
    """METRICS.md lists all that service.yml computes."""
    text = (MONITORING / "METRICS.md").read_text()
    written = set()
    for cell in re.findall(r"^\| (`\w+:\w+:\w+`[^|]*)\|", text, re.MULTILINE):
        first, *more = re.findall(r"`([^`]+)`", cell)
        written.add(first)
        for each in more:  # `…30m` stands for the first one's name with another window
            ending = each.removeprefix("…")
            stem = (
                first.rpartition(":")[0]
                if ending.startswith(":")
                else re.sub(r"[0-9]+[mhd]$", "", first)
            )
            written.add(stem + ending)
    found = {record.name for record in rules(MONITORING / "rules" / "service.yml")}
    assert found <= written


def test_latency_objectives_are_bounds_of_buckets() -> None:
    """What is slow can be read off a bucket: number and label are the same bound."""
    objectives = [rule for rule in RECORDS if rule.name == "flotilla:latency_objective:seconds"]
    assert objectives
    for rule in objectives:
        seconds = float(re.fullmatch(r"vector\((.*)\)", rule.expr)[1])
        assert rule.labels["le"] == str(seconds)
        assert seconds in SECONDS


def entries() -> list[tuple[str, str]]:
    """Return title and text of each entry of the runbook."""
    return re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL)


def promtool(*words: str) -> str:
    """Run promtool, and return what it said."""
    return run("promtool", *words)


def run(*command: str, env: dict[str, str] | None = None) -> str:
    """Run a program, and return what it said; fail where it does."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
