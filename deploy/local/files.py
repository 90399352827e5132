"""The files from which the local stack runs: settings in, configuration of each part out.

nginx's files are the repository's own, linked; only the four that depend on the place are written.
"""

import os
import shutil
import sys
from pathlib import Path

from deploy.local.edge import make_edge_folder
from deploy.local.programs import ROOT, write_program, write_supervisor
from deploy.local.settings import LocalSettings
from deploy.local.slots import slot_paths
from deploy.local.watchers import write_watchers
from service.counting.last_words import SUFFIX

FOLDERS = (
    "registry",
    "run/slots",
    "run/tmp",
    "run/door",
    "logs",
    "nginx",
    "prometheus/targets",
    "programs",
)

_UPSTREAM = """\
# The replicas, without Docker: slots, each a link to some replica's socket. See DESIGN.md, "Slots".
upstream replicas {{
    zone replicas 256k;
    least_conn;
{servers}
    keepalive 128;
    keepalive_requests 10000;
    keepalive_timeout 30s;
    keepalive_time 2s;
}}
"""
_LISTEN = """\
listen {address}:{port};
access_log logs/access.log json buffer=64k flush=1s;
"""
_EDGE_STORAGE = """\
proxy_cache_path {folder} levels=2 use_temp_path=off
                 max_size={size} inactive={ttl}s keys_zone=edge:{keys}
                 manager_files=300 manager_sleep=4ms;
"""
_STATUS = """\
server {
    listen unix:run/nginx-status.sock;
    access_log off;
    location = /stub_status {
        stub_status;
    }
}
"""


def write_files(home: Path, settings: LocalSettings, programs: dict[str, str]) -> None:
    """Write everything but the replicas; `programs` has the path of each that is there."""
    _forget_counts(home, settings)
    for folder in FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    for stale in (home / "programs").glob("*.conf"):
        stale.unlink()
    _write_nginx(home, settings)
    source = ROOT / "monitoring" / "prometheus.local.yml"
    (home / "prometheus" / "prometheus.yml").write_bytes(source.read_bytes())
    _link(home / "prometheus" / "rules", ROOT / "monitoring" / "rules")
    write_supervisor(home)
    write_program(
        home,
        "redis",
        f"{programs['redis-server']} --port 0 --unixsocket {home}/run/redis.sock --dir {home}/run"
        ' --save "" --appendonly no --maxmemory 256mb --maxmemory-policy allkeys-lfu',
        10,
    )
    write_program(home, "slots", f"{sys.executable} -m deploy.local.keeper", 30)
    write_program(
        home,
        "door",
        f"{sys.executable} -m monitoring.door run/door --bind 127.0.0.1:{settings.door_port}",
        35,
    )
    user = " user root;" if os.geteuid() == 0 else ""
    write_program(
        home,
        "nginx",
        f"{programs['nginx']} -e stderr -p ./ -c {home}/nginx/nginx.conf -g 'daemon off;{user}'",
        40,
        stop_signal="QUIT",
    )
    write_program(
        home,
        "prometheus",
        f"{programs['prometheus']} --config.file=prometheus/prometheus.yml"
        " --storage.tsdb.path=prometheus/data --storage.tsdb.retention.time=7d"
        f" --web.listen-address=127.0.0.1:{settings.prometheus_port} --log.format=json",
        50,
    )
    write_watchers(home, settings, programs)


def write_replica(home: Path, settings: LocalSettings, number: int) -> str:
    """Write the program of a replica and return its name."""
    name = f"replica-{number}"
    port = settings.replica_port + number - 1
    write_program(
        home,
        name,
        f"{sys.executable} -m gunicorn --config {ROOT}/service/gunicorn_conf.py service.asgi:app",
        20,
        REGISTRY_DIR=str(home / "registry"),
        REPORTS_DIR=str(settings.reports.resolve()),
        FEEDBACK_DIR=str(settings.feedback.resolve()),
        REDIS_URL=f"unix://{home}/run/redis.sock",
        REPLICA_NAME=name,
        BIND=f"unix:run/{name}.sock,127.0.0.1:{port}",
    )
    return name


def _forget_counts(home: Path, settings: LocalSettings) -> None:
    """Let all counts begin together: the door's and what ended replicas have left behind."""
    shutil.rmtree(home / "run" / "door", ignore_errors=True)
    for life in settings.reports.glob(f"*{SUFFIX}"):
        life.unlink(missing_ok=True)


def _write_nginx(home: Path, settings: LocalSettings) -> None:
    for source in (ROOT / "nginx").glob("*.conf"):
        _link(home / "nginx" / source.name, source)
    servers = "\n".join(
        f"    server unix:{slot.relative_to(home)} max_fails=0;" for slot in slot_paths(home / "run")
    )
    written = {
        "upstream.conf": _UPSTREAM.format(servers=servers),
        "listen.conf": _LISTEN.format(address=settings.http_address, port=settings.http_port),
        "status.conf": _STATUS,
        "edge_storage.conf": _EDGE_STORAGE.format(
            folder=make_edge_folder(home),
            size=settings.edge_cache_size,
            ttl=settings.edge_cache_ttl_seconds,
            keys=settings.edge_cache_keys,
        ),
    }
    for name, text in written.items():
        (home / "nginx" / name).unlink()
        (home / "nginx" / name).write_text(text)


def _link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)
