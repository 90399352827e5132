"""What only watches: programs and targets are written for what is installed, and the rest is said."""

import json
from pathlib import Path

import pytest

from deploy.errors import Refused
from deploy.local.machine import PACKAGES, WATCHERS, find_programs
from deploy.local.settings import LocalSettings
from deploy.local.watchers import watcher_ports, without, write_watchers
from service.settings import SettingError

ALL = {name: f"/usr/bin/{name}" for name in (*PACKAGES, *WATCHERS)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a stack."""
    for folder in ("programs", "prometheus/targets"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def written(home: Path) -> tuple[set[str], dict[str, str], list[str]]:
    """Return the programs, the targets by their job, and where Prometheus sends alerts."""
    programs = {each.stem for each in (home / "programs").iterdir()}
    targets = json.loads((home / "prometheus" / "targets" / "watchers.json").read_bytes())
    managers = json.loads((home / "prometheus" / "alertmanagers.json").read_bytes())
    jobs = {each["labels"]["job"]: address for each in targets for address in each["targets"]}
    return programs, jobs, [address for each in managers for address in each["targets"]]


def test_all_are_there(home: Path) -> None:
    """Each is run, scraped on its port under the job that it has in containers, and sent alerts."""
    write_watchers(home, LocalSettings(), ALL)
    programs, jobs, managers = written(home)
    assert programs == {"nginx-exporter", "redis-exporter", "alertmanager"}
    assert jobs == {
        "prometheus": "127.0.0.1:9090",
        "nginx": "127.0.0.1:9095",
        "redis": "127.0.0.1:9096",
        "alertmanager": "127.0.0.1:9093",
    }
    assert managers == ["127.0.0.1:9093"]
    assert without(ALL) == ""
    assert {port for _, port, _ in watcher_ports(LocalSettings(), ALL)} == {9093, 9095, 9096}


def test_none_is_there(home: Path) -> None:
    """The stack goes without: Prometheus has itself alone, no port is taken, and the cure is said."""
    programs = {name: ALL[name] for name in PACKAGES}
    write_watchers(home, LocalSettings(), programs)
    assert written(home) == (set(), {"prometheus": "127.0.0.1:9090"}, [])
    assert watcher_ports(LocalSettings(), programs) == []
    assert without(programs).endswith(f"sudo apt-get install {' '.join(WATCHERS)}")


def test_one_is_there(home: Path) -> None:
    """What is installed is run; only the others are named."""
    programs = {name: place for name, place in ALL.items() if name != "prometheus-alertmanager"}
    write_watchers(home, LocalSettings(), programs)
    written_programs, jobs, managers = written(home)
    assert written_programs == {"nginx-exporter", "redis-exporter"}
    assert (set(jobs), managers) == ({"prometheus", "nginx", "redis"}, [])
    assert without(programs).startswith("prometheus-alertmanager: not installed")


def test_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What serves has to be there; what only watches may be missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in PACKAGES:
        (tmp_path / name).touch(mode=0o700)
    found = find_programs()
    assert found.keys() - set(WATCHERS) == PACKAGES.keys()
    (tmp_path / "prometheus").unlink()
    with pytest.raises(Refused, match="the stack needs prometheus;"):
        find_programs()


def test_webhook(home: Path) -> None:
    """The address reaches Alertmanager's start as it stands; what is no address is refused."""
    url = "https://example.com/hook?a=1&b=%20c,d"
    write_watchers(home, LocalSettings.read({"ALERT_WEBHOOK_URL": url}), ALL)
    assert url.replace("%", "%%") in (home / "programs" / "alertmanager.conf").read_text()
    with pytest.raises(SettingError, match=r"ALERT_WEBHOOK_URL='example\.com': expected http:// or"):
        LocalSettings.read({"ALERT_WEBHOOK_URL": "example.com"})
