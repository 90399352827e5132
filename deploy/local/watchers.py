"""The programs that only watch: exporters and Alertmanager. Settings in, programs and targets out.

The stack serves without them, so that one that isn't installed stops nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from deploy.local.machine import WATCHERS
from deploy.local.programs import ROOT, write_program
from deploy.local.settings import LocalSettings
from deploy.local.targets import target, write_target_file

NGINX_EXPORTER, REDIS_EXPORTER, ALERTMANAGER = WATCHERS


def watcher_ports(settings: LocalSettings, programs: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Return address, port and its setting of each watcher that is installed."""
    ports = {
        NGINX_EXPORTER: (settings.nginx_exporter_port, "NGINX_EXPORTER_PORT"),
        REDIS_EXPORTER: (settings.redis_exporter_port, "REDIS_EXPORTER_PORT"),
        ALERTMANAGER: (settings.alertmanager_port, "ALERTMANAGER_PORT"),
    }
    return [("127.0.0.1", *ports[name]) for name in ports if name in programs]


def without(programs: Mapping[str, str]) -> str:
    """Say in a sentence which watchers aren't installed; nothing where all are."""
    missing = [name for name in WATCHERS if name not in programs]
    if not missing:
        return ""
    return (
        f"{', '.join(missing)}: not installed, so that less is watched and no alert is sent on; "
        f"on Debian or Ubuntu: sudo apt-get install {' '.join(missing)}"
    )


def write_watchers(home: Path, settings: LocalSettings, programs: Mapping[str, str]) -> None:
    """Write the programs of those that are installed, and tell Prometheus where they are."""
    write = {
        NGINX_EXPORTER: _write_nginx_exporter,
        REDIS_EXPORTER: _write_redis_exporter,
        ALERTMANAGER: _write_alertmanager,
    }
    for name, write_one in write.items():
        if name in programs:
            write_one(home, settings, programs[name])
    jobs = {
        "prometheus": settings.prometheus_port,
        "nginx": settings.nginx_exporter_port if NGINX_EXPORTER in programs else 0,
        "redis": settings.redis_exporter_port if REDIS_EXPORTER in programs else 0,
        "alertmanager": settings.alertmanager_port if ALERTMANAGER in programs else 0,
    }
    targets = [target(job, port) for job, port in jobs.items() if port]
    write_target_file(home / "prometheus" / "targets" / "watchers.json", targets)
    managers = [{"targets": each["targets"]} for each in targets[-1:] if jobs["alertmanager"]]
    write_target_file(home / "prometheus" / "alertmanagers.json", managers)


def _write_nginx_exporter(home: Path, settings: LocalSettings, program: str) -> None:
    write_program(
        home,
        "nginx-exporter",
        f"{program} -nginx.scrape-uri=unix:{home}/run/nginx-status.sock:/stub_status"
        f" -web.listen-address=127.0.0.1:{settings.nginx_exporter_port}",
        60,
    )


def _write_redis_exporter(home: Path, settings: LocalSettings, program: str) -> None:
    # Its patience ends before Prometheus', or a Redis that hangs would look like an exporter that does.
    write_program(
        home,
        "redis-exporter",
        f"{program} -redis.addr=unix://{home}/run/redis.sock -connection-timeout=1s -log-format=json"
        f" -web.listen-address=127.0.0.1:{settings.redis_exporter_port}",
        60,
    )


def _write_alertmanager(home: Path, settings: LocalSettings, program: str) -> None:
    """Write Alertmanager's program: alone, not one of a cluster, which is its default."""
    write_program(
        home,
        "alertmanager",
        f"sh {ROOT}/monitoring/alertmanager.sh {home}/run/alertmanager.yml {program}"
        f" --storage.path=prometheus/alertmanager --cluster.listen-address= --log.format=json"
        f" --web.listen-address=127.0.0.1:{settings.alertmanager_port}",
        60,
        ALERT_WEBHOOK_URL=settings.alert_webhook_url,
    )
