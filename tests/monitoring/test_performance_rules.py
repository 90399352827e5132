"""The rules of performance: Prometheus takes them, they fire where they should and nowhere else."""

import re
import subprocess
from pathlib import Path

import pytest

MONITORING = Path(__file__).resolve().parents[2] / "monitoring"
RULES = MONITORING / "rules" / "performance.yml"


def promtool(*words: str) -> None:
    """Run promtool and fail with what it says where it does."""
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.needs("promtool")
def test_rules_are_valid() -> None:
    """Prometheus takes the file, and no rule is there twice."""
    promtool("check", "rules", "--lint-fatal", str(RULES))


@pytest.mark.needs("promtool")
def test_alerts_fire_when_they_should() -> None:
    """Scores are right over two replicas and restarts; alerts fire for what chance can't explain."""
    promtool("test", "rules", str(MONITORING / "rules" / "tests" / "performance_test.yaml"))


def test_every_alert_has_an_entry_in_the_runbook() -> None:
    """Each alert is explained where its address says, and no entry explains an alert that isn't."""
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    addresses = re.findall(r"runbook_url: monitoring/RUNBOOK\.md#(\w+)", RULES.read_text())
    assert addresses == [alert.lower() for alert in alerts]
    runbook = (MONITORING / "RUNBOOK.performance.md").read_text()
    assert re.findall(r"^## (\w+)$", runbook, re.MULTILINE) == alerts
