"""The documentation lists what there is: a setting, metric or command that is missing fails here."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from deploy.canary.verdict import Thresholds
from deploy.cli import main
from deploy.local.settings import LocalSettings
from loadtest.tally import Tallies
from monitoring.door.collector import DoorCollector
from monitoring.door.counts import Counts
from service.counting.held import HeldCollector
from service.counting.metrics import Metrics
from service.drift import page as drift
from service.feedback.collector import FeedbackCollector
from service.settings import Settings
from service.versions.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = [field for cls in (Settings, LocalSettings, Thresholds) for field in fields(cls)]


@pytest.mark.parametrize("field", SETTINGS, ids=lambda field: field.name)
def test_setting_is_in_env_example(field: object) -> None:
    """Every setting stands in .env.example, with its default where it isn't set by the stack."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    name = field.name.upper()
    assert f"{name}={field.default}" in lines or any(line.startswith(f"# {name}=") for line in lines)


COMPOSE = (ROOT / "docker-compose.yml").read_text()
# ${NAME:-default}; a name without a value is one that the environment may have.
COMPOSE_DEFAULTS = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE))
COMPOSE_PASSED_ON = re.findall(r"^ +([A-Z_]+):$", COMPOSE, re.MULTILINE)


@pytest.mark.parametrize("name", COMPOSE_DEFAULTS)
def test_compose_setting_is_in_env_example(name: str) -> None:
    """Every variable of docker-compose.yml stands in .env.example, with the same default."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert {f"{name}={COMPOSE_DEFAULTS[name]}", f"# {name}={COMPOSE_DEFAULTS[name]}"} & set(lines)


def test_env_example_has_no_unknown_setting() -> None:
    """A line of .env.example that nobody reads would be believed."""
    known = {field.name.upper() for field in SETTINGS}
    known |= {*COMPOSE_DEFAULTS, *COMPOSE_PASSED_ON}
    written = re.findall(r"^(?:# )?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(written) == known
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(COMPOSE_DEFAULTS)


def test_debian_images_replace_all_others() -> None:
    """deploy/debian/images.env names every image of docker-compose.yml but the service's own."""
    lines = (ROOT / "deploy" / "debian" / "images.env").read_text()
    named = set(re.findall(r"^(\w+_IMAGE)=flotilla-debian/", lines, re.MULTILINE))
    assert named == {name for name in COMPOSE_DEFAULTS if name.endswith("_IMAGE")} - {"SERVICE_IMAGE"}


def test_metrics_are_catalogued() -> None:
    """METRICS.md lists exactly the metrics of the code, each with its unit and labels."""
    catalogue = (ROOT / "monitoring" / "METRICS.md").read_text()
    row = re.compile(r"^\| `(flotilla_\w+)` \| (\w+) \| ([^|]+) \|([^|]*)\|", re.MULTILINE)
    rows = row.findall(catalogue)
    written = {(name, kind, tuple(re.findall(r"\w+", labels))) for name, kind, _, labels in rows}
    for name, _, unit, _ in rows:
        named = re.search(r"_(seconds|bytes|rows)(_total)?$", name)
        assert named is None or named[1] in unit, f"{name} is in {unit}"
    metrics = Metrics()
    kept = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    collectors = [
        metrics.counted,
        HeldCollector(Registry(), Path()),
        FeedbackCollector(Registry()),
        Tallies(lambda: 0),
        DoorCollector(Counts),
    ]
    families = [family for collector in collectors for family in collector.describe()]
    counted = [(each.name, each.type, each._labelnames) for each in families]
    found = {
        (name + "_total" * (kind == "counter"), kind, tuple(labels))
        for name, kind, labels in [(e._name, e._type, e._labelnames) for e in kept] + counted
    } | {(each.name, each.type, each.labels) for each in drift.FAMILIES}
    assert written == found


@pytest.mark.parametrize("command", sorted(main.commands))
def test_command_is_in_the_readme(command: str) -> None:
    """Every command of the CLI is named in the README, and explains itself."""
    readme = (ROOT / "README.md").read_text()
    assert re.search(rf"flotilla {command}\b|`{command}`", readme)
    assert main.commands[command].help


def test_limits_agree() -> None:
    """Nginx's body limit and patience fit the service's."""
    settings = Settings()
    limits = (ROOT / "nginx" / "limits.conf").read_text()
    assert f"client_max_body_size {settings.max_body_bytes >> 20}m;" in limits
    proxy = (ROOT / "nginx" / "proxy.conf").read_text()
    seconds = int(re.search(r"proxy_read_timeout (\d+)s;", proxy)[1])
    assert seconds * 1000 > settings.request_timeout_ms
